import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { StageContext } from '../geometry/stage.js';
import type { Photo } from '../geometry/types.js';
import type { Executor } from '../compute/execution.js';
import { WorkerPool } from '../compute/pool.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { contradictionsOf } from './contradictions.js';
import type { LensPicture } from './cuts.js';
import type { StructureLook } from './look.js';
import { fisheyeOf } from './fisheye.js';
import { overlaid } from './overlaid.js';
import { unseen } from './unseen.js';
import { rigsOf } from './rigs.js';
import type { PosePrior } from './pose-prior.js';
import { buildStructure, type Piece, type StructureOptions, type VerifiedPair } from './structure.js';
import { buildTracks, type PairMatches } from './tracks.js';
import { sparseWorker } from './worker-address.js';

/** Structure of a set as a worker thread is asked for it. */
export interface StructureRequest {
  kind: 'structure';
  lensOf: readonly number[];
  lenses: readonly Lens[];
  /** Per lens. */
  pictures: readonly LensPicture[];
  /** Per photo, [features, 2] in shared memory: long sides relative to the photo's centre. */
  positions: readonly Float64Array[];
  /** Those that hold by themselves; which of them the others contradict is found out first. */
  pairs: readonly (VerifiedPair & PairMatches)[];
  /** Which photos are views of one picture. */
  faces: readonly Pick<Photo, 'face'>[];
  known?: readonly ReadonlyMap<number, PlacedCamera>[] | undefined;
  priors?: ReadonlyMap<number, PosePrior> | undefined;
  options: StructureOptions;
  /** [2] shared: photos placed; not 0 while the run is paused. */
  control: Int32Array;
  /** Where looks at what is placed by now go to; none are asked for without. */
  looks?: MessagePort | undefined;
}

export interface StructureAnswer {
  pieces: Piece[];
  lenses: Lens[];
  /** Per pair, why it was left out (contradictions.ts); undefined for those that were used. */
  contradictions: (string | undefined)[];
}

const PLACED = 0;
const PAUSED = 1;
/** Milliseconds between two looks at how far it is. */
const PERIOD = 100;
/** A look has at most so many points: it is drawn while the thread goes on. */
const LOOK_POINTS = 4000;

/** In the worker. */
export async function answerStructure(request: StructureRequest): Promise<StructureAnswer> {
  const { lensOf, positions, control } = request;
  const contradictions = contradictionsOf(positions.length, request.pairs);
  const pairs = request.pairs.filter((_, k) => contradictions[k] === undefined);
  const lenses = request.lenses.map((lens) => ({ ...lens }));
  const position = (photo: number, feature: number): [number, number] => [
    positions[photo]![2 * feature]!,
    positions[photo]![2 * feature + 1]!,
  ];
  const pieces = await buildStructure(
    {
      photoCount: positions.length,
      lensOf,
      lenses,
      pictures: request.pictures,
      tracks: buildTracks(
        positions.map(({ length }) => length / 2),
        pairs,
      ),
      position,
      pairs,
      known: request.known,
      priors: request.priors,
      rigs: rigsOf(request.faces),
      onPlaced: (placed) => Atomics.store(control, PLACED, placed),
      onGrown: request.looks && growingLooks(request.looks),
      pass: () => {
        Atomics.wait(control, PAUSED, 1);
        return Promise.resolve();
      },
    },
    request.options,
  );
  const [largest] = pieces;
  if (largest && request.options.isFinal) {
    const halves = positions.map((all) => [halfSide(all, 0), halfSide(all, 1)] as const);
    largest.overlaid = overlaid(largest, lenses, (photo) => halves[photo]!);
    largest.unseen = unseen(largest, lenses, (photo) => halves[photo]!);
    largest.fisheyes = lenses.map((lens, k) =>
      isKnown(lens) || request.faces.some(({ face }, photo) => face && lensOf[photo] === k)
        ? undefined
        : fisheyeOf(largest, k, lens, position),
    );
  }
  return { pieces, lenses, contradictions };
}

/** By an earlier run, by calibration or by the user. */
const isKnown = ({ fixed, prior }: Lens): boolean => fixed === true || (prior !== undefined && prior.sigma < 1e-3);

/** Sends a look whenever more photos are placed than ever before, also by another start. */
function growingLooks(port: MessagePort): (placed: number, look: (most: number) => StructureLook) => void {
  let [most, next] = [1, 0];
  return (placed, look) => {
    if (placed <= most || performance.now() < next) return;
    most = placed;
    port.postMessage(look(LOOK_POINTS));
    next = performance.now() + PERIOD;
  };
}

/** Half a photo's side, as far as its features reach, [features, 2]. */
function halfSide(positions: Float64Array, axis: 0 | 1): number {
  let most = 0;
  for (let k = axis; k < positions.length; k += 2) most = Math.max(most, Math.abs(positions[k]!));
  return most;
}

/**
 * `buildStructure` in a thread, which tells how far it is, and can be paused and ended. One of the executor's where its
 * threads see this process's memory, through which they are told and tell; one of its own otherwise.
 */
export async function structureInThread(
  executor: Executor,
  request: Omit<StructureRequest, 'kind' | 'control' | 'looks'>,
  context: StageContext,
  onLook?: (look: StructureLook) => void,
): Promise<StructureAnswer> {
  const own = executor instanceof WorkerPool ? undefined : new WorkerPool(sparseWorker, 1);
  const control = new Int32Array(new SharedArrayBuffer(8));
  const channel = onLook && new MessageChannel();
  channel?.port1.on('message', onLook!);
  // What is placed to try lenses comes before the pairs are related with them: told as placing, the run would go back.
  const stage = request.options.isFinal ? 'placing cameras' : 'calibrating';
  const finished = new AbortController();
  const watch = async (): Promise<void> => {
    let told = 0;
    while (!finished.signal.aborted) {
      await sleep(PERIOD, undefined, { signal: finished.signal });
      const placed = Atomics.load(control, PLACED);
      if (placed !== told) context.onProgress?.({ stage, done: placed, total: request.positions.length });
      told = placed;
      if (!context.pass) continue;
      // Waits here while the run is paused, and so does the thread, before its next step.
      Atomics.store(control, PAUSED, 1);
      await context.pass();
      Atomics.store(control, PAUSED, 0);
      Atomics.notify(control, PAUSED);
    }
  };
  // Ends with the work, or with the run's cancel, which the work itself tells.
  const watching = watch().catch(() => undefined);
  try {
    return await (own ?? executor).run<StructureAnswer>(
      { kind: 'structure', ...request, control, looks: channel?.port2 } satisfies StructureRequest,
      {
        signal: context.signal,
        pass: context.pass,
        transfer: channel ? [channel.port2] : [],
      },
    );
  } finally {
    finished.abort();
    channel?.port1.close();
    await watching;
    await own?.close();
  }
}
