import { availableParallelism, freemem } from 'node:os';
import type { Preflight, RunSettings } from '../contract/api.js';
import { readPixels } from '../photos/reader.js';
import { blurredFlags } from '../photos/sharpness.js';
import type { Project } from '../project/project.js';
import type { EstimatorEntry } from './estimators.js';
import { select } from './selection.js';
import { forecast } from './stages.js';

/** What a run with these settings would cost, before it starts. Cached pairs may make it much cheaper. */
export async function preflight(
  project: Project,
  settings: RunSettings,
  entry: EstimatorEntry,
  threads?: number,
): Promise<Preflight> {
  const estimator = await entry.create({ read: readPixels }, settings, threads);
  const { photos, pairs } = await select(project, settings, estimator.alone);
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
  const seconds = forecast({
    photos: photos.length,
    pairs: pairs.length,
    threads: threads ?? availableParallelism(),
    estimator: cost.seconds,
    sparse: estimator.sparse !== 'unused' && pairs.length > 0,
  });
  return {
    photos: photos.length,
    pairs: pairs.length,
    seconds: Object.values(seconds).reduce((sum, value) => sum + value, 0),
    memory: cost.memory,
    warnings,
  };
}
