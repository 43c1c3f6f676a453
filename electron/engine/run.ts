import type { Progress } from '../geometry/stage.js';
import { availableParallelism } from 'node:os';
import { existsSync } from 'node:fs';
import type { JobState, RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import type { Estimator, EstimatorSession } from '../pointmaps/estimator.js';
import type { StoredAlignment } from '../project/alignments.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { Clock, type ClockStage } from './clock.js';
import type { Gate } from './gate.js';
import { loadObservations, observePairs } from './observe.js';
import { parallax, place, type Placement } from './placement.js';
import { confidentDepths } from './scenes.js';
import { decisions, digest, select, type Selection } from './selection.js';

/** Changes whenever the same observations would be aligned to another result. */
const ALIGNMENT_VERSION = 1;

/** What a run needs from around it; it knows neither threads nor windows. */
export interface RunContext {
  project: Project;
  estimator: Estimator;
  provider: string;
  settings: RunSettings;
  signal: AbortSignal;
  gate: Gate;
  threads?: number | undefined;
  /** Align what is known already; call the estimator for no further pair. */
  cachedOnly?: boolean;
  onProgress: (progress: Omit<JobState, 'state'>) => void;
  onNote: (message: string) => void;
  /** Told after each new observation, so that a viewer may be given a first look; see partial.ts. */
  onObserved?: (look: () => Promise<Placement>) => void;
}

export interface RunOutcome {
  alignment: StoredAlignment;
  /** How many pairs the estimator was called for. */
  computed: number;
  clock: Clock;
}

/**
 * The stages photos -> pairs -> pointmaps -> alignment; the cloud follows from the stored result (scenes.ts). Every
 * stage's result is in the project before the next begins: a run that was stopped, by whatever, continues where it was.
 *
 * @throws UserError for everything the user can do something about, the signal's reason when cancelled
 */
export async function run(context: RunContext): Promise<RunOutcome> {
  const { project, estimator, settings } = context;
  const clock = new Clock(
    { photos: 0.1, pairs: 0.2, survey: 1, pointmaps: 1, alignment: 1, cloud: 1 },
    context.gate.now,
  );
  const enter = (stage: ClockStage, detail?: string): void => {
    clock.enter(stage);
    report(context, clock, stage, detail);
  };
  enter('photos', 'checking the photos');
  checkFiles(project.photos().filter(({ enabled }) => enabled));
  enter('pairs', 'choosing pairs');
  const selection = await select(project, settings, estimator.alone);
  const { photos, pairs } = selection;
  const cost = estimator.estimateCost(photos, pairs).seconds;
  clock.revise({ survey: cost / 2, pointmaps: cost / 2, alignment: cost / 5, cloud: photos.length * 0.3 });

  const key = runKey(context, selection);
  const kept = project.alignmentKey() === key ? project.alignment() : undefined;
  if (kept) {
    context.onNote('nothing that matters has changed since the last run; its result is used');
    clock.enter('cloud');
    return { alignment: kept, computed: 0, clock };
  }
  project.planPairs(pairs.map(({ a, b }) => ({ a: photos[a]!.id, b: photos[b]!.id })));
  enter('survey', 'looking at the photos');
  const store = project.blobs;
  const pass = () => context.gate.pass(context.signal);
  const session = await estimator.open(photos, pairs, {
    signal: context.signal,
    pass,
    store,
    onNote: context.onNote,
    onProgress: (progress) => survey(context, clock, progress),
  });
  try {
    enter('pointmaps', 'computing depth');
    const { keys, computed } = await observe(context, clock, selection, session);
    enter('alignment', 'aligning');
    const { placement, residualOf, observations } = await placeAll(context, clock, photos, session, keys);
    const alignment: StoredAlignment = {
      ...placement,
      key,
      decisions: decisions(project),
      estimator: estimator.id,
      provider: estimator.provider ?? context.provider,
      pairs: pairs.length,
      observations,
      seconds: clock.stages,
    };
    if (!context.cachedOnly || computedAll(project, keys)) project.putAlignment(alignment);
    else project.putAlignment({ ...alignment, key: `${key} partial` });
    recordPairs(project, residualOf, placement);
    enter('cloud', 'building the cloud');
    return { alignment, computed, clock };
  } finally {
    await session.close();
  }
}

function runKey({ estimator, settings }: RunContext, { photos, pairs }: Selection): string {
  const facts = photos.map(({ id, focal, locked }) => [id, focal, locked]);
  return digest([
    ALIGNMENT_VERSION,
    estimator.id,
    estimator.version,
    estimator.settingsKey,
    facts,
    pairs.map(({ a, b }) => [a, b]),
    settings.sharedFocal,
    settings.oneWay,
  ]);
}

function checkFiles(photos: readonly ProjectPhoto[]): void {
  const missing = photos.filter(({ path }) => !existsSync(path));
  if (missing.length === 0) return;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new UserError(
    'not-found',
    `the photo ${missing[0]!.name}${others} can't be found; put it back, relocate it or disable it: ${missing[0]!.path}`,
  );
}

function survey(context: RunContext, clock: Clock, { stage, done, total }: Progress): void {
  context.onProgress({
    stage: 'pointmaps',
    detail: stage,
    done,
    total,
    secondsLeft: clock.secondsLeft,
    secondsElapsed: clock.secondsElapsed,
  });
}

function report(
  context: RunContext,
  clock: Clock,
  stage: ClockStage,
  detail?: string,
  done?: number,
  total?: number,
): void {
  context.signal.throwIfAborted();
  if (total) clock.reached(done! / total);
  context.onProgress({
    stage: stage === 'survey' ? 'pointmaps' : stage,
    detail,
    done,
    total,
    secondsLeft: clock.secondsLeft,
    secondsElapsed: clock.secondsElapsed,
  });
}

function observe(
  context: RunContext,
  clock: Clock,
  { photos }: Selection,
  session: EstimatorSession,
): Promise<{ keys: string[]; computed: number }> {
  const { project, estimator, signal, gate, cachedOnly } = context;
  const planned = session.plan.observe;
  return observePairs(project, estimator, session, photos, {
    context: { signal, store: project.blobs, onNote: context.onNote },
    threads: context.threads ?? availableParallelism(),
    cachedOnly: cachedOnly ?? false,
    before: () => gate.pass(signal),
    onProgress: (done, total) => report(context, clock, 'pointmaps', 'computing depth', done, total),
    onObserved: () =>
      context.onObserved?.(async () => {
        const pairIds = new Set(planned.map(({ a, b }) => `${photos[a]!.id} ${photos[b]!.id}`));
        const keys = project
          .pairs()
          .filter(({ a, b, state }) => state === 'observed' && pairIds.has(`${a} ${b}`))
          .map(({ observation }) => observation!);
        const observations = (await loadObservations(project, keys)).map(({ observation }) => observation);
        return place({ photos, observations, session, settings: context.settings, signal, threads: 1 });
      }),
  });
}

async function placeAll(
  context: RunContext,
  clock: Clock,
  photos: readonly ProjectPhoto[],
  session: EstimatorSession,
  keys: readonly string[],
): Promise<{
  placement: Omit<Placement, 'residuals'>;
  residualOf: Map<string, number | undefined>;
  observations: number;
}> {
  const { project, settings, signal, threads } = context;
  const loaded = await loadObservations(project, keys);
  const observations = loaded.map(({ observation }) => observation);
  if (observations.length === 0)
    throw new UserError(
      'bad-input',
      `no two photos could be matched: ${commonReason(session)}; take more photos that overlap by two thirds, from different spots`,
    );
  const { residuals, ...placement } = await place({
    photos,
    observations,
    session,
    settings,
    signal,
    threads,
    previous: project.alignment(),
    onStep: (iteration) => report(context, clock, 'alignment', `aligning, step ${iteration}`),
  });
  if (placement.components.length === 0)
    throw new UserError(
      'bad-input',
      'the pairs contradict each other so much that no photo could be placed; take more photos that overlap by two thirds',
    );
  return {
    placement,
    residualOf: new Map(loaded.map(({ key }, k) => [key, residuals[k]])),
    observations: loaded.length,
  };
}

function commonReason(session: EstimatorSession): string {
  const first = session.plan.rejected[0];
  return first ? first.detail || first.reason : 'no pair gave reliable depth';
}

function computedAll(project: Project, keys: readonly string[]): boolean {
  return keys.every((key) => project.hasOutcome(key));
}

const median = (sorted: Float32Array): number => sorted[sorted.length >> 1] ?? 0;

function recordPairs(
  project: Project,
  residualOf: ReadonlyMap<string, number | undefined>,
  { components }: Omit<Placement, 'residuals'>,
): void {
  const cameras = new Map(
    components.flatMap((component) => component.cameras.map((camera) => [camera.photo, camera] as const)),
  );
  const depths = new Map(
    components.flatMap((component) =>
      component.views.map((view) => [view.photo, median(confidentDepths(view))] as const),
    ),
  );
  for (const pair of project.pairs()) {
    const residual = residualOf.get(pair.observation ?? '');
    const [a, b] = [cameras.get(pair.a), cameras.get(pair.b)];
    if (pair.state !== 'observed' || !a || !b || a.component !== b.component) continue;
    project.updatePair({
      a: pair.a,
      b: pair.b,
      ...(residual === undefined ? {} : { residual }),
      parallax: parallax(a, b, depths.get(pair.a)!),
    });
  }
}
