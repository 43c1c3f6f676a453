import { luma } from '../../../numerics/luma.js';
import type { Executor } from '../../../compute/execution.js';
import type { View } from '../../../geometry/types.js';
import { invertRigid, multiply4 } from '../../../numerics/linear.js';
import type { StereoGroup } from './groups.js';
import type { GreyView, Matched } from './match.js';
import type { DenseDepth } from './tell.js';
import type { DenseRequest } from './worker.js';

export type { DenseDepth } from './tell.js';

/** The module that computes dense depth. Each thread of it holds about 200 MB at 512 px. */
export const denseWorker = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './dense-worker.js',
  import.meta.url,
);

/** Views with known cameras in one world, and what each is matched against. Cameras and views go by index. */
export interface StereoWorld {
  view(index: number): Promise<View>;
  /** View pixels; the principal point is the view's middle. */
  focal(index: number): number;
  /** Row-major 4x4. */
  cameraFromWorld(index: number): Float64Array;
  /** Undefined for a view that nothing can be matched against. */
  group(index: number): StereoGroup | undefined;
}

export interface StereoContext {
  signal?: AbortSignal | undefined;
  pass?: (() => Promise<void>) | undefined;
  /** After each view that was matched or judged. */
  onDone?: ((step: keyof typeof STEP_COST) => void) | undefined;
}

/**
 * What the steps of a view take of each other's time, for a progress that tells the time left: counted alike, it said 1.9
 * times the truth when the last view was matched (test/bench/progress.ts on the samples and sceaux).
 */
export const STEP_COST = { match: 5, judge: 2 } as const;

/**
 * Depth maps of the views of a world. Each view is matched against its group once, and its depths are then compared
 * with those of the group's other views.
 */
export class DenseMaps {
  private readonly greys = new Map<number, Promise<GreyView>>();
  private readonly matches = new Map<number, Promise<Matched>>();
  private readonly depths = new Map<number, Promise<DenseDepth>>();

  constructor(
    private readonly world: StereoWorld,
    private readonly pool: Executor,
  ) {}

  /** Unreliable pixels have confidence 1 and any finite depth. */
  depth(index: number, context: StereoContext): Promise<DenseDepth> {
    return once(this.depths, index, () => this.judge(index, context));
  }

  /** Forgets a view's depths, and what only they were needed for. */
  forget(index: number): void {
    this.depths.delete(index);
  }

  /** Forgets what matching said of a view: no other view will be compared with it any more. */
  forgetMatch(index: number): void {
    this.matches.delete(index);
    this.greys.delete(index);
  }

  private async judge(index: number, context: StereoContext): Promise<DenseDepth> {
    const group = this.world.group(index)!;
    const [view, matched] = await Promise.all([this.grey(index), this.match(index, context)]);
    const neighbours = await Promise.all(
      group.neighbours
        .filter((other) => this.world.group(other))
        .map(async (other) => ({
          view: await this.grey(other),
          matched: { inverseDepth: (await this.match(other, context)).inverseDepth },
          fromReference: this.relative(index, other),
        })),
    );
    const { pixels } = await this.world.view(index);
    const reference = { view, matched, pixels };
    const request: DenseRequest = { kind: 'judge', reference, neighbours, farthest: group.range[1] };
    const depth = await this.pool.run<DenseDepth>(request, context);
    context.onDone?.('judge');
    return depth;
  }

  private match(index: number, context: StereoContext): Promise<Matched> {
    return once(this.matches, index, async () => {
      const { neighbours, range } = this.world.group(index)!;
      const request: DenseRequest = {
        kind: 'match',
        reference: await this.grey(index),
        neighbours: await Promise.all(
          neighbours.map(async (other) => ({
            view: await this.grey(other),
            fromReference: this.relative(index, other),
          })),
        ),
        range,
      };
      const matched = await this.pool.run<Matched>(request, context);
      context.onDone?.('match');
      return matched;
    });
  }

  private grey(index: number): Promise<GreyView> {
    return once(this.greys, index, async () => greyView(await this.world.view(index), this.world.focal(index)));
  }

  private relative(from: number, to: number): Float64Array {
    return multiply4(this.world.cameraFromWorld(to), invertRigid(this.world.cameraFromWorld(from)));
  }
}

/** What is made once a key; a failure is not kept. */
function once<T>(kept: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
  let made = kept.get(key);
  if (!made) {
    made = make();
    kept.set(key, made);
    made.catch(() => kept.delete(key));
  }
  return made;
}

function greyView({ pixels, width, height }: View, focal: number): GreyView {
  return { grey: luma(pixels), width, height, focal, centreX: width / 2, centreY: height / 2 };
}

/** Points [h, w, 3] of a view's depths, in its camera's frame or in that which `toFrame` leads to. */
export function unproject(
  { width, height }: { width: number; height: number },
  focal: number,
  depth: Float32Array,
  toFrame?: Float64Array,
): Float32Array {
  const points = new Float32Array(depth.length * 3);
  const T = toFrame ?? Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  for (let i = 0; i < depth.length; i++) {
    const z = depth[i]!;
    const x = (((i % width) - width / 2) / focal) * z;
    const y = ((Math.floor(i / width) - height / 2) / focal) * z;
    points[3 * i] = T[0]! * x + T[1]! * y + T[2]! * z + T[3]!;
    points[3 * i + 1] = T[4]! * x + T[5]! * y + T[6]! * z + T[7]!;
    points[3 * i + 2] = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
  }
  return points;
}
