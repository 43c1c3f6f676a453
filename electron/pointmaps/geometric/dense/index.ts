import { WorkerPool } from '../../../compute/pool.js';
import { invertRigid } from '../../../numerics/linear.js';
import type { View } from '../../../geometry/types.js';
import type { PairGeometry } from '../geometry.js';
import type { GreyView } from './sweep.js';
import { quarterTurns, turnedBack, turnedPose, turnedView } from './turn.js';
import type { DenseAnswer, DenseRequest } from './worker.js';

export interface DensePair {
  /** [h, w, 3] in camera a's frame, the unit of the sparse points. */
  pointsA: Float32Array;
  confidenceA: Float32Array;
  /** Also in camera a's frame. */
  pointsB: Float32Array;
  confidenceB: Float32Array;
}

/** Worker threads for dense depth. Each holds about 100 MB at 512 px. */
export class DensePool extends WorkerPool {
  constructor(threads?: number) {
    super(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './dense-worker.js', import.meta.url), threads);
  }
}

/** Pointmaps of both views of a pair with known geometry; unreliable pixels have confidence 1 and any finite point. */
export async function densePair(
  a: View,
  b: View,
  geometry: PairGeometry,
  pool: DensePool,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<DensePair> {
  const viewA = greyView(a, geometry.focalA, geometry.centreA);
  // A photo on its side is stood up for the comparison, and its maps are laid back.
  const quarters = quarterTurns(geometry.secondFromFirst);
  const viewB = turnedView(greyView(b, geometry.focalB, geometry.centreB), quarters);
  const secondFromFirst = turnedPose(geometry.secondFromFirst, quarters);
  const request: DenseRequest = {
    a: viewA,
    b: viewB,
    secondFromFirst,
    rangeA: depthRange(geometry.points, undefined),
    rangeB: depthRange(geometry.points, secondFromFirst),
  };
  const { depthA, confidenceA, depthB, confidenceB } = await pool.run<DenseAnswer>(request, { signal: options.signal });
  return {
    pointsA: unproject(viewA, depthA),
    confidenceA,
    pointsB: turnedBack(unproject(viewB, depthB, invertRigid(secondFromFirst)), 3, b.width, b.height, quarters),
    confidenceB: turnedBack(confidenceB, 1, b.width, b.height, quarters),
  };
}

function greyView({ pixels, width, height }: View, focal: number, [centreX, centreY]: [number, number]): GreyView {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.round(0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!);
  return { grey, width, height, focal, centreX, centreY };
}

/**
 * Depths that hold nearly all sparse points, with a margin on both sides: what has no features is often nearer or
 * farther.
 */
function depthRange(points: Float64Array, T: Float64Array | undefined): [number, number] {
  const depths: number[] = [];
  for (let k = 0; k < points.length; k += 3) {
    const z = T ? T[8]! * points[k]! + T[9]! * points[k + 1]! + T[10]! * points[k + 2]! + T[11]! : points[k + 2]!;
    if (z > 0) depths.push(z);
  }
  depths.sort((p, q) => p - q);
  const at = (share: number) => depths[Math.min(depths.length - 1, Math.floor(share * depths.length))] ?? 1;
  return [at(0.01) / 1.4, at(0.99) * 1.6];
}

function unproject(view: GreyView, depth: Float32Array, toFrame?: Float64Array): Float32Array {
  const points = new Float32Array(depth.length * 3);
  for (let i = 0; i < depth.length; i++) {
    const z = depth[i]!;
    const x = (((i % view.width) - view.centreX) / view.focal) * z;
    const y = ((Math.floor(i / view.width) - view.centreY) / view.focal) * z;
    if (toFrame) {
      for (let k = 0; k < 3; k++)
        points[3 * i + k] =
          toFrame[4 * k]! * x + toFrame[4 * k + 1]! * y + toFrame[4 * k + 2]! * z + toFrame[4 * k + 3]!;
    } else {
      points[3 * i] = x;
      points[3 * i + 1] = y;
      points[3 * i + 2] = z;
    }
  }
  return points;
}
