import { setMaxListeners } from 'node:events';
import type { StageContext } from '../geometry/stage.js';
import { UserError } from '../contract/errors.js';
import type { Observation, Pair } from '../geometry/types.js';
import type { Estimator, EstimatorSession, PairOutcome } from '../pointmaps/estimator.js';
import type { Project, ProjectPhoto, StoredOutcome } from '../project/project.js';
import { digest } from './selection.js';

export interface ObserveOptions {
  context: StageContext;
  /** Pairs computed at a time. */
  threads: number;
  /** Awaited before each pair that has to be computed; where a pause holds the run. */
  before: (signal: AbortSignal) => Promise<void>;
  onProgress: (done: number, total: number) => void;
  /** After each pair that was computed and stored. */
  onObserved?: () => void;
  /** Leave pairs out whose outcome is not stored yet. */
  cachedOnly?: boolean;
}

/** The observation cache's key: all that determines an outcome, and nothing else. */
export function outcomeKey(
  estimator: Estimator,
  session: EstimatorSession,
  photos: readonly ProjectPhoto[],
  { a, b }: Pair,
): string {
  return digest([
    estimator.id,
    estimator.version,
    estimator.settingsKey,
    photos[a]!.id,
    photos[b]!.id,
    session.observationKey({ a, b }),
  ]);
}

/**
 * Sees to it that the outcome of every planned pair is in the project: what is there already costs nothing, each other
 * one is computed and stored at once.
 *
 * @returns the keys of the pairs that have an outcome, in the plan's order, and how many the estimator was called for
 */
export async function observePairs(
  project: Project,
  estimator: Estimator,
  session: EstimatorSession,
  photos: readonly ProjectPhoto[],
  options: ObserveOptions,
): Promise<{ keys: string[]; computed: number }> {
  for (const { pair, reason, detail } of session.plan.rejected) {
    project.updatePair({ a: photos[pair.a]!.id, b: photos[pair.b]!.id, state: 'rejected', reason: detail || reason });
  }
  const plan = session.plan.observe.map((pair) => ({ pair, key: outcomeKey(estimator, session, photos, pair) }));
  let done = 0;
  let computed = 0;
  const queue = plan.filter(({ pair, key }) => {
    const known = project.outcome(key);
    if (!known) return !options.cachedOnly;
    done++;
    record(project, photos, pair, key, known);
    return false;
  });
  options.onProgress(done, plan.length);
  // The first failure stops the other loops too: nothing may be asked of the session, or stored, once this has thrown.
  const failed = new AbortController();
  const given = options.context.signal;
  const signal = given ? AbortSignal.any([given, failed.signal]) : failed.signal;
  setMaxListeners(0, signal);
  const context = { ...options.context, signal, pass: () => options.before(signal) };
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await options.before(signal);
      signal.throwIfAborted();
      const outcome = await observe(session, next.pair, context);
      // A failure may be a matter of memory or luck: it is reported, but tried again by the next run.
      if (outcome.kind === 'observation' || outcome.reason !== 'failed') project.putOutcome(next.key, outcome);
      record(project, photos, next.pair, next.key, outcome);
      computed++;
      options.onProgress(++done, plan.length);
      options.onObserved?.();
    }
  };
  const loop = (): Promise<void> =>
    work().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  await Promise.allSettled(Array.from({ length: Math.max(1, options.threads) }, loop));
  signal.throwIfAborted();
  return { keys: plan.map(({ key }) => key), computed };
}

async function observe(session: EstimatorSession, pair: Pair, context: StageContext): Promise<PairOutcome> {
  try {
    return await session.observe(pair, context);
  } catch (error) {
    // One pair that can't be computed must not take the others with it; a cancelled run, a missing file or a full disk
    // must.
    if (context.signal?.aborted || error instanceof UserError) throw error;
    return { kind: 'rejected', reason: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

function record(
  project: Project,
  photos: readonly ProjectPhoto[],
  { a, b }: Pair,
  key: string,
  outcome: StoredOutcome,
): void {
  const ids = { a: photos[a]!.id, b: photos[b]!.id };
  if (outcome.kind === 'observation' && outcome.observation.views.length > 2) {
    // A group is an observation of every pair in it, and planned under one.
    const confidence = meanConfidence(outcome.observation);
    const views = outcome.observation.views.map(({ photo }) => photo);
    for (const a of views)
      for (const b of views) if (a !== b) project.updatePair({ a, b, state: 'observed', confidence, observation: key });
  } else if (outcome.kind === 'rejected')
    project.updatePair({ ...ids, state: 'rejected', reason: outcome.detail || outcome.reason, observation: key });
  else
    project.updatePair({
      ...ids,
      state: 'observed',
      confidence: meanConfidence(outcome.observation),
      observation: key,
    });
}

/** Over all pixels of all views: a number that is high when much of both photos is known well. */
function meanConfidence({ views }: Observation): number {
  let sum = 0;
  let count = 0;
  for (const { confidence } of views) {
    for (const value of confidence) sum += value;
    count += confidence.length;
  }
  return count > 0 ? sum / count : 1;
}

/** The stored observations among these outcomes. Always read back, so that a resumed run sees the very same numbers. */
export async function loadObservations(
  project: Project,
  keys: readonly string[],
): Promise<{ key: string; observation: Observation }[]> {
  const loaded: { key: string; observation: Observation }[] = [];
  for (const key of keys) {
    const outcome = project.outcome(key);
    if (outcome?.kind === 'observation') loaded.push({ key, observation: outcome.observation });
    // Each takes tens of milliseconds to decode: let what else is asked in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return loaded;
}
