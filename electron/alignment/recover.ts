import type { Similarity } from '../geometry/similarity.js';
import { defaultThreads, WorkerPool } from '../compute/pool.js';
import { recoverDepth, type RecoveredDepth } from './depth-maps.js';
import { samplePhotos, type PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';
import type { AlignmentOptions, AlignmentProblem } from './types.js';

/**
 * From this many points on (pixels times the observations that saw them) threads pay for their start: 30 million take 3
 * s in one.
 */
const THREADS_FROM = 1.5e7;

const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './depth-worker.ts' : './depth-worker.js', import.meta.url);

export interface RecoveredView extends RecoveredDepth {
  /** Observation of each target. */
  targets: Int32Array;
}

/**
 * Depth maps of these views at full size, given everything else. One photo's pointmaps at a time (and thread) are held
 * beside the problem's own.
 *
 * @param scale a typical depth
 * @param gathered photos' samples; those that hold every pixel are used, and are gone afterwards
 * @param placed worldFromObservation by view of the observation, where its views are not placed as one
 * @throws the signal's reason
 */
export async function recoverDepths(
  problem: AlignmentProblem,
  usable: readonly number[],
  state: AlignmentState,
  views: readonly number[],
  principal: readonly (readonly [number, number])[],
  scale: number,
  gathered: readonly PhotoSamples[],
  options: AlignmentOptions,
  placed?: (observation: number, role: number) => Similarity,
): Promise<RecoveredView[]> {
  const points = usable.reduce(
    (sum, k) => sum + problem.observations[k]!.views.reduce((all, { width, height }) => all + width * height, 0),
    0,
  );
  const threads = points < THREADS_FROM ? 1 : Math.min(options.threads ?? defaultThreads(), views.length);
  const pool = threads > 1 ? new WorkerPool(workerUrl, threads) : undefined;
  const recovered: RecoveredView[] = new Array<RecoveredView>(views.length);
  const queue = views.map((view, k) => ({ view, k }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      // The event loop gets a turn between photos, so that a cancel can arrive.
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      const { view, k } = next;
      const { width, height } = problem.views[view]!;
      const photo =
        gathered.find((samples) => samples.view === view && samples.count === width * height) ??
        samplePhotos(problem, usable, 1, principal, view)[0];
      if (!photo) {
        recovered[k] = nothing(problem.views[view]!);
        continue;
      }
      const { targets } = photo;
      const own = placed ? targetState(state, photo, placed) : state;
      if (placed) photo.targets = Int32Array.from(targets, (_, t) => t);
      const depth = pool
        ? await pool.run<RecoveredDepth>(
            { state: own, photo, scale },
            {
              transfer: [photo.data.buffer, photo.offsets.buffer] as ArrayBuffer[],
              ...(options.signal ? { signal: options.signal } : {}),
            },
          )
        : recoverDepth(own, photo, scale);
      recovered[k] = { ...depth, targets };
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
  } finally {
    await pool?.close();
  }
  return recovered;
}

/** A state in which every target of a photo is an observation of its own. */
function targetState(
  state: AlignmentState,
  { targets, roles }: PhotoSamples,
  placed: (observation: number, role: number) => Similarity,
): AlignmentState {
  return { ...state, observations: Array.from(targets, (observation, t) => placed(observation, roles[t]!)) };
}

function nothing({ width, height }: { width: number; height: number }): RecoveredView {
  const n = width * height;
  return {
    depth: new Float32Array(n),
    confidence: new Float32Array(n).fill(1),
    objective: 0,
    residual: 0,
    targetResiduals: new Float64Array(0),
    targets: new Int32Array(0),
  };
}
