import { setMaxListeners } from 'node:events';
import type { StageContext } from '../geometry/stage.js';
import { UserError } from '../contract/errors.js';
import type { StoredObservation } from '../alignment/types.js';
import type { ObservationDigest, ViewDigest } from '../geometry/digest.js';
import type { Pair } from '../geometry/types.js';
import type { Estimator, EstimatorSession, PairOutcome } from '../pointmaps/estimator.js';
import type { OutcomeDigest, Project, ProjectPhoto } from '../project/project.js';
import { digest } from './selection.js';

/** Digests read in one turn of the event loop. */
const TURN = 16;

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

/** What became of a plan. */
export interface Observed {
  /** Of the planned pairs' outcomes, in the plan's order. */
  keys: string[];
  /** How many pairs the estimator was called for. */
  computed: number;
  /** How many were left out, because only what is stored was asked for. */
  missing: number;
  /** Why pairs could not be computed, each reason once: not for what their photos show. The next run tries them again. */
  failures: string[];
}

/**
 * Sees to it that the outcome of every planned pair is in the project: what is there already costs nothing, each other
 * one is computed and stored at once.
 */
export async function observePairs(
  project: Project,
  estimator: Estimator,
  session: EstimatorSession,
  photos: readonly ProjectPhoto[],
  options: ObserveOptions,
): Promise<Observed> {
  await inTurns(session.plan.rejected, (turn) =>
    project.updatePairs(
      turn.map(({ pair: { a, b }, reason, detail }) => ({
        a: photos[a]!.id,
        b: photos[b]!.id,
        state: 'rejected',
        reason: detail || reason,
      })),
    ),
  );
  const plan = session.plan.observe.map((pair) => ({ pair, key: outcomeKey(estimator, session, photos, pair) }));
  let computed = 0;
  let missing = 0;
  const failures = new Set<string>();
  const queue: typeof plan = [];
  await inTurns(plan, (turn) => {
    const known: PairUpdate[] = [];
    for (const { pair, key } of turn) {
      const outcome = project.outcome(key);
      if (outcome) known.push(...updatesOf(photos, pair, key, outcome));
      else if (options.cachedOnly) missing++;
      else queue.push({ pair, key });
    }
    project.updatePairs(known);
  });
  let done = plan.length - queue.length - missing;
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
      if (outcome.kind === 'rejected' && outcome.reason === 'failed') failures.add(outcome.detail);
      else project.putOutcome(next.key, outcome);
      project.updatePairs(updatesOf(photos, next.pair, next.key, project.outcome(next.key) ?? unread(outcome)));
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
  return { keys: plan.map(({ key }) => key), computed, missing, failures: [...failures] };
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

type PairUpdate = Parameters<Project['updatePair']>[0];

/** An outcome that was not stored, or is damaged already. */
function unread(outcome: PairOutcome): OutcomeDigest {
  return outcome.kind === 'rejected'
    ? outcome
    : { kind: 'rejected', reason: 'failed', detail: 'what was computed could not be read back' };
}

function updatesOf(photos: readonly ProjectPhoto[], { a, b }: Pair, key: string, outcome: OutcomeDigest): PairUpdate[] {
  const ids = { a: photos[a]!.id, b: photos[b]!.id, observation: key };
  if (outcome.kind === 'rejected') return [{ ...ids, state: 'rejected', reason: outcome.detail || outcome.reason }];
  const confidence = meanConfidence(outcome.digest);
  const views = outcome.digest.views.map(({ photo }) => photo);
  if (views.length <= 2) return [{ ...ids, state: 'observed', confidence }];
  // A group is an observation of every pair in it, and planned under one.
  return views.flatMap((a) =>
    views.flatMap((b): PairUpdate[] => (a === b ? [] : [{ a, b, state: 'observed', confidence, observation: key }])),
  );
}

/** Calls for a few items at a time, with turns of the event loop between: reading a digest takes a millisecond. */
async function inTurns<T>(items: readonly T[], work: (turn: T[]) => void): Promise<void> {
  for (let at = 0; at < items.length; at += TURN) {
    work(items.slice(at, at + TURN));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Over all pixels of all views: a number that is high when much of both photos is known well. */
function meanConfidence({ views }: ObservationDigest): number {
  const pixels = (view: ViewDigest): number => view.width * view.height;
  const count = views.reduce((sum, view) => sum + pixels(view), 0);
  return count > 0 ? views.reduce((sum, view) => sum + view.confidence * pixels(view), 0) / count : 1;
}

/**
 * The stored observations among these outcomes, by reference. Always read back, so that a resumed run sees the very
 * same numbers.
 */
export async function loadObservations(
  project: Project,
  keys: readonly string[],
): Promise<{ key: string; observation: StoredObservation }[]> {
  const loaded: { key: string; observation: StoredObservation }[] = [];
  await inTurns(keys, (turn) => {
    for (const key of turn) {
      const outcome = project.outcome(key);
      if (outcome?.kind !== 'observation') continue;
      const record = (role: number): Uint8Array | undefined => project.viewRecord(key, role);
      loaded.push({ key, observation: { digest: outcome.digest, record } });
    }
  });
  return loaded;
}
