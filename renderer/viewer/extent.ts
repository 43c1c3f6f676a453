import { Vector3, type Matrix4, type Quaternion } from 'three';
import { CONFIDENCE_STEPS, confidenceScale } from '../../electron/contract/confidence.js';

/**
 * Points looked at: enough for a percentile, few enough for every frame. The start of a cloud is an even subsample of
 * it.
 */
const LOOKED_AT = 4000;

/** The values at two shares of a list, 0 to 1. */
function percentiles(values: Float64Array, low: number, high: number): [number, number] {
  values.sort();
  const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
  return [at(low), at(high)];
}

/**
 * The box of the middle 90 % along each axis; around the origin, with radius 1, when there are no points. @param sample
 * [S, 3] world
 */
export function extent(sample: Float32Array): { centre: Vector3; corners: Vector3[]; radius: number } {
  const count = Math.min(sample.length / 3, 5 * LOOKED_AT);
  const ranges = [0, 1, 2].map((axis) =>
    count === 0
      ? ([-0.5, 0.5] as const)
      : percentiles(
          Float64Array.from({ length: count }, (_, k) => sample[k * 3 + axis]!),
          0.05,
          0.95,
        ),
  );
  const centre = new Vector3(...(ranges.map(([low, high]) => (low + high) / 2) as [number, number, number]));
  const corners = Array.from(
    { length: 8 },
    (_, k) => new Vector3(ranges[0]![k & 1]!, ranges[1]![(k >> 1) & 1]!, ranges[2]![(k >> 2) & 1]!),
  );
  const radius = Math.hypot(...ranges.map(([low, high]) => (high - low) / 2));
  return { centre, corners, radius: radius > 0 ? radius : 1 };
}

/** The scale of some points' confidence. @param confidence [N], in an order whose start is a subsample */
export function ownScale(confidence: Float32Array): number[] {
  return confidenceScale(confidence.slice(0, 5 * LOOKED_AT).sort()) ?? Array<number>(CONFIDENCE_STEPS + 1).fill(1);
}

/**
 * What the colours of depth run over: the distances from the eye, along its axis, between which most points lie that
 * are in front of it.
 * @param sample [S, 3] world
 * @param viewFromRoom of a three.js camera: looks along -z; `upright` turns the world into the room of the screen
 */
export function depthRange(
  sample: Float32Array,
  viewFromRoom: Matrix4,
  upright: Quaternion,
  least: number,
): [nearest: number, farthest: number] {
  const m = viewFromRoom.elements;
  // The row that gives z, turned back into the world once, instead of every point into the room.
  const row = new Vector3(m[2], m[6], m[10]).applyQuaternion(upright.clone().invert());
  const depths = Float64Array.from(
    { length: Math.min(sample.length / 3, LOOKED_AT) },
    (_, k) => -(row.x * sample[k * 3]! + row.y * sample[k * 3 + 1]! + row.z * sample[k * 3 + 2]! + m[14]!),
  ).filter((depth) => depth > least);
  if (depths.length === 0) return [least, 2 * least];
  const [nearest, farthest] = percentiles(depths, 0.02, 0.98);
  return [nearest, Math.max(nearest * 1.05, farthest)];
}
