import { availableParallelism, freemem } from 'node:os';
import type { Preflight, RunSettings } from '../contract/api.js';
import { readPixels } from '../photos/reader.js';
import { blurredFlags } from '../photos/sharpness.js';
import type { Project } from '../project/project.js';
import type { EstimatorEntry } from './estimators.js';
import { expectedPairs, select } from './selection.js';
import { runKind } from './run.js';
import { forecastSteps, sizeOf } from './stages.js';
import type { Timings } from './timings.js';

/** What a run with these settings would cost, before it starts. Cached pairs may make it much cheaper. */
export async function preflight(
  project: Project,
  settings: RunSettings,
  entry: EstimatorEntry,
  timings: Timings,
  threads?: number,
): Promise<Preflight> {
  const estimator = await entry.create({ read: readPixels }, settings, threads);
  const selection = await select(project, settings, estimator);
  const { photos } = selection;
  const pairs = expectedPairs(selection);
  const cost = estimator.estimateCost(photos, pairs);
  const warnings: string[] = entry.caution ? [entry.caution] : [];
  if (cost.memory > freemem())
    warnings.push(
      'this may need more memory than is free; close other programs, or choose draft quality or a smaller pair graph',
    );
  const blurred = blurredFlags(photos.map(({ sharpness }) => sharpness)).flatMap((flag, k) =>
    flag ? [photos[k]!.name] : [],
  );
  if (blurred.length > 0) warnings.push(`blurred: ${blurred.join(', ')}; results are better without`);
  if (photos.length === 1)
    warnings.push("with one photo alone, its depth is the network's guess; more photos make it a measurement");
  if (photos.length === 2) warnings.push('with two photos nothing checks the result; a third helps much');
  const steps = forecastSteps({
    ...sizeOf(photos),
    pairs: pairs.length,
    threads: threads ?? availableParallelism(),
    estimator: cost.seconds,
    sparse: estimator.sparse !== 'unused' && pairs.length > 0,
  });
  const kind = runKind(settings);
  return {
    photos: photos.length,
    pairs: pairs.length,
    seconds: timings.apply(kind, steps).reduce((sum, { seconds }) => sum + seconds, 0),
    range: timings.range(kind, steps),
    memory: cost.memory,
    warnings,
  };
}
