import type { MeasuredLength, Measurement, Vector } from '../contract/scene.js';

export interface Measured {
  /** In units of the scene; square units for an area, degrees for an angle. */
  value: number;
  /** One standard deviation, from those of the points. */
  deviation: number;
}

const difference = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const length = (v: Vector): number => Math.hypot(...v);
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Points that a kind of measurement takes at least. */
export const leastPoints: Record<Measurement['kind'], number> = {
  point: 1,
  distance: 2,
  path: 2,
  height: 2,
  area: 3,
  angle: 3,
};

/**
 * A measurement's value: the distance of its ends, the length of its path, their difference in height, the area of the
 * polygon (flat or not: half the length of the sum of its triangles' normals), the angle at the second of three points.
 *
 * @param points in the scene frame @param deviations of the points, along their lines of sight
 */
export function measure(kind: Measurement['kind'], points: readonly Vector[], deviations: readonly number[]): Measured {
  const value = valueOf(kind, points);
  // By moving each point along each axis: what a value depends on differs from kind to kind.
  let variance = 0;
  points.forEach((point, k) => {
    const step = Math.max(deviations[k]!, 1e-12);
    let most = 0;
    for (let axis = 0; axis < 3; axis++) {
      const moved = points.map((other, j) =>
        j === k ? (point.map((c, i) => (i === axis ? c + step : c)) as Vector) : other,
      );
      most = Math.max(most, Math.abs(valueOf(kind, moved) - value));
    }
    variance += most ** 2;
  });
  return { value, deviation: Math.sqrt(variance) };
}

/**
 * One standard deviation of the scale that known lengths give, as a share of it: from what they disagree by, and at least
 * what their ends are good for, which is all that a single length tells.
 *
 * @param deviations of the lengths, in metres
 */
export function scaleDeviation(lengths: readonly MeasuredLength[], deviations: readonly number[]): number {
  const total = lengths.reduce((sum, { measured }) => sum + measured ** 2, 0);
  const ends = Math.sqrt(lengths.reduce((sum, { measured }, k) => sum + (measured * deviations[k]!) ** 2, 0)) / total;
  if (lengths.length < 2) return ends;
  const square = lengths.reduce((sum, { residual }) => sum + residual ** 2, 0) / (lengths.length - 1);
  return Math.max(ends, Math.sqrt(square / total));
}

function valueOf(kind: Measurement['kind'], points: readonly Vector[]): number {
  const [first, last] = [points[0]!, points[points.length - 1]!];
  switch (kind) {
    case 'point':
      return first[2];
    case 'distance':
      return length(difference(last, first));
    case 'height':
      return Math.abs(last[2] - first[2]);
    case 'path':
      return points.slice(1).reduce((sum, point, k) => sum + length(difference(point, points[k]!)), 0);
    case 'area': {
      const sum: Vector = [0, 0, 0];
      for (let k = 1; k + 1 < points.length; k++)
        cross(difference(points[k]!, first), difference(points[k + 1]!, first)).forEach((c, i) => (sum[i]! += c / 2));
      return length(sum);
    }
    case 'angle': {
      const [a, b] = [difference(first, points[1]!), difference(last, points[1]!)];
      const cosine = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (length(a) * length(b) || 1);
      return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
    }
  }
}
