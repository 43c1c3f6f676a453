import { totalmem } from 'node:os';
import type { Similarity } from '../geometry/similarity.js';
import { defaultThreads, WorkerPool } from '../compute/pool.js';
import { recoverDepth, type RecoveredDepth } from './depth-maps.js';
import type { DepthAnswer, DepthRequest } from './depth-worker.js';
import { DamagedObservation, type PreparedProblem } from './prepared.js';
import { photoTasks, samplePhoto, type PhotoSamples, type PhotoTask } from './samples.js';
import type { AlignmentState } from './state.js';
import type { AlignmentOptions } from './types.js';

/**
 * From this many points on (pixels times the observations that saw them) threads pay for their start: 30 million take 3
 * s in one.
 */
const THREADS_FROM = 1.5e7;
/** The same where pointmaps are read from a file: decoding them would hold the event loop up. */
const THREADS_FROM_STORED = 2e6;
/** Bytes a photo takes while its depths are found, per pixel and observation: stored, decoded, gathered, in the kernel. */
const BYTES = 7 + 16 + 16 + 16;

const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './depth-worker.ts' : './depth-worker.js', import.meta.url);

export interface RecoveredView extends RecoveredDepth {
  /** Observation of each target. */
  targets: Int32Array;
}

export interface RecoverInput {
  problem: PreparedProblem;
  usable: readonly number[];
  state: AlignmentState;
  views: readonly number[];
  /** Per view, view pixels. */
  principal: readonly (readonly [number, number])[];
  /** A typical depth. */
  scale: number;
  /** Photos' samples; those that hold every pixel are used, and are gone afterwards. */
  gathered?: readonly PhotoSamples[];
  /** worldFromObservation by view of the observation, where its views are not placed as one. */
  placed?: ReadonlyMap<number, readonly Similarity[]> | undefined;
}

/**
 * Depth maps of these views at full size, given everything else. Pointmaps are read and decoded photo by photo, as many
 * photos at a time as there are threads and as the memory allows.
 *
 * @throws the signal's reason; DamagedObservation
 */
export async function recoverDepths(input: RecoverInput, options: AlignmentOptions): Promise<RecoveredView[]> {
  const { problem, usable, state, views, principal, scale, placed } = input;
  const tasks = new Map(photoTasks(problem, usable, principal).map((task) => [task.view, task]));
  const points = (task: PhotoTask): number => task.width * task.height * task.seen.length;
  const total = views.reduce((sum, view) => sum + (tasks.has(view) ? points(tasks.get(view)!) : 0), 0);
  const largest = views.reduce((most, view) => Math.max(most, tasks.has(view) ? points(tasks.get(view)!) : 1), 1);
  const fitting = Math.max(1, Math.floor((options.memory ?? totalmem() / 3) / (BYTES * largest)));
  const few = total < (problem.stored ? THREADS_FROM_STORED : THREADS_FROM);
  const threads = few ? 1 : Math.min(options.threads ?? defaultThreads(), views.length, fitting);
  // A small problem is not worth a thread's start; one that is read from a file is kept off the event loop.
  const pool = few ? undefined : new WorkerPool(workerUrl, threads);
  const recovered: RecoveredView[] = new Array<RecoveredView>(views.length);
  const queue = views.map((view, k) => ({ view, k }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      // The event loop gets a turn between photos, so that a cancel can arrive.
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      const { view, k } = next;
      const task = tasks.get(view);
      if (!task) {
        recovered[k] = nothing(problem.views[view]!);
        continue;
      }
      const targets = Int32Array.from(task.seen, ({ observation }) => observation);
      const own = placed ? apart(state, task, placed) : state;
      recovered[k] = { ...(await depthOf(input, task, own, pool, options)), targets };
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
  } finally {
    await pool?.close();
  }
  return recovered;

  async function depthOf(
    { gathered, placed: apartly }: RecoverInput,
    task: PhotoTask,
    own: AlignmentState,
    workers: WorkerPool | undefined,
    { signal }: AlignmentOptions,
  ): Promise<RecoveredDepth> {
    const full = (t: number) => problem.observations[task.seen[t]!.observation]!.full(task.seen[t]!.role);
    if (!workers) {
      const whole = gathered?.find((each) => each.view === task.view && each.count === task.width * task.height);
      const photo = whole ?? samplePhoto(task, 1, full);
      return recoverDepth(own, apartly ? { ...photo, targets: Int32Array.from(photo.targets.keys()) } : photo, scale);
    }
    const request: DepthRequest = {
      state: own,
      task,
      full: task.seen.map((_, t) => full(t)),
      apart: apartly !== undefined,
      scale,
    };
    const answer = await workers.run<DepthAnswer>(request, signal ? { signal } : {});
    if ('damaged' in answer) throw new DamagedObservation(answer.damaged);
    return answer;
  }
}

/** A state in which every target of a photo is an observation of its own; of the others a worker needs nothing. */
function apart(
  state: AlignmentState,
  { seen }: PhotoTask,
  placed: ReadonlyMap<number, readonly Similarity[]>,
): AlignmentState {
  return { ...state, observations: seen.map(({ observation, role }) => placed.get(observation)![role]!) };
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
