/**
 * Brown's distortion as in OpenCV: a ray (x, y, 1) with r^2 = x^2 + y^2 is seen at
 *
 *     x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)
 *     y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y
 *
 * in units of the focal length from the principal point. Everything that needs a lens calls `distort` and `undistort`.
 * Without k3, p1 and p2 it is COLMAP's RADIAL. Wider lenses: projection.ts.
 */
export interface Lens {
  k1: number;
  k2?: number | undefined;
  k3?: number | undefined;
  p1?: number | undefined;
  p2?: number | undefined;
}

export const isPinhole = ({ k1, k2 = 0, k3 = 0, p1 = 0, p2 = 0 }: Lens): boolean =>
  k1 === 0 && k2 === 0 && k3 === 0 && p1 === 0 && p2 === 0;

/** Where the lens shows the ray (x, y, 1). */
export function distort({ k1, k2 = 0, k3 = 0, p1 = 0, p2 = 0 }: Lens, x: number, y: number): [number, number] {
  const square = x * x + y * y;
  const factor = 1 + square * (k1 + square * (k2 + square * k3));
  if (p1 === 0 && p2 === 0) return [x * factor, y * factor];
  return [
    x * factor + 2 * p1 * x * y + p2 * (square + 2 * x * x),
    y * factor + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
  ];
}

/**
 * The ray that the lens shows at (x, y): the inverse of `distort`. A place that no ray is shown at (a strong barrel
 * distortion shrinks again beyond a radius) gives the ray of that radius.
 */
export function undistort(lens: Lens, x: number, y: number): [number, number] {
  const { p1 = 0, p2 = 0 } = lens;
  if (p1 === 0 && p2 === 0) return undistortRadial(lens, x, y);
  // The tangential terms are small against the radial ones: what they add is taken off until it no longer changes.
  const radial = { ...lens, p1: 0, p2: 0 };
  let [u, v] = undistortRadial(radial, x, y);
  for (let step = 0; step < 50; step++) {
    const [full, plain] = [distort(lens, u, v), distort(radial, u, v)];
    const next = undistortRadial(radial, x - (full[0] - plain[0]), y - (full[1] - plain[1]));
    const change = Math.abs(next[0] - u) + Math.abs(next[1] - v);
    [u, v] = next;
    if (change < 1e-14) break;
  }
  return [u, v];
}

function undistortRadial(lens: Lens, x: number, y: number): [number, number] {
  const seen = Math.hypot(x, y);
  if (seen === 0 || isPinhole(lens)) return [x, y];
  const factor = undistortedRadius(lens, seen) / seen;
  return [x * factor, y * factor];
}

/** Beyond this, in focal lengths, a ray leaves the camera at over 84 degrees: no photo of a pinhole shows it. */
const WIDEST = 10;

/** Bisection: a few dozen steps that can't fail, where Newton's runs off near the radius of the largest picture. */
function undistortedRadius(lens: Lens, seen: number): number {
  const most = largestRadius(lens);
  let [low, high] = [0, most];
  for (let step = 0; step < 60 && high - low > 1e-13 * high; step++) {
    const middle = (low + high) / 2;
    if (distort(lens, middle, 0)[0] < seen) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The radius up to which the lens shows rays farther out farther out, in focal lengths; at most 10. */
export function largestRadius(lens: Lens): number {
  const { k1, k2 = 0, k3 = 0 } = lens;
  if (k3 !== 0) return turningRadius(lens);
  // The derivative 1 + 3 k1 s + 5 k2 s^2 with s = r^2; its least positive root ends the growth.
  const roots: number[] = [];
  if (k2 === 0) {
    if (k1 < 0) roots.push(-1 / (3 * k1));
  } else {
    const discriminant = 9 * k1 * k1 - 20 * k2;
    if (discriminant >= 0)
      for (const sign of [-1, 1]) roots.push((-3 * k1 + sign * Math.sqrt(discriminant)) / (10 * k2));
  }
  const least = Math.min(WIDEST * WIDEST, ...roots.filter((root) => root > 0));
  return Math.sqrt(least);
}

/** With a third term the root is looked for in steps of a thousandth of the widest radius. */
function turningRadius({ k1, k2 = 0, k3 = 0 }: Lens): number {
  for (let r = WIDEST / 1000; r < WIDEST; r += WIDEST / 1000) {
    const s = r * r;
    if (1 + s * (3 * k1 + s * (5 * k2 + s * 7 * k3)) <= 0) return r - WIDEST / 1000;
  }
  return WIDEST;
}
