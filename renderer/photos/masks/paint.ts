/** A mask that is being painted: [height, width], 1 where the photo is used. */
export interface PaintedMask {
  width: number;
  height: number;
  keep: Uint8Array;
}

export type Point = readonly [x: number, y: number];

export const wholeMask = (width: number, height: number): PaintedMask => ({
  width,
  height,
  keep: new Uint8Array(width * height).fill(1),
});

/** A round brush from one point to another. */
export function brushStroke(mask: PaintedMask, from: Point, to: Point, radius: number, value: 0 | 1): void {
  const { width, height, keep } = mask;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  const clamp = (at: number, most: number): number => Math.min(most, Math.max(0, at));
  const [x0, x1] = [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius];
  const [y0, y1] = [Math.min(from[1], to[1]) - radius, Math.max(from[1], to[1]) + radius];
  for (let y = clamp(Math.floor(y0), height - 1); y <= clamp(Math.ceil(y1), height - 1); y++)
    for (let x = clamp(Math.floor(x0), width - 1); x <= clamp(Math.ceil(x1), width - 1); x++) {
      const t = square > 0 ? clamp(((x - from[0]) * dx + (y - from[1]) * dy) / square, 1) : 0;
      if (Math.hypot(x - from[0] - t * dx, y - from[1] - t * dy) <= radius) keep[y * width + x] = value;
    }
}

/** All inside a polygon, by the even-odd rule. */
export function fillPolygon({ width, height, keep }: PaintedMask, corners: readonly Point[], value: 0 | 1): void {
  if (corners.length < 3) return;
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    corners.forEach(([ax, ay], k) => {
      const [bx, by] = corners[(k + 1) % corners.length]!;
      if (ay <= y !== by <= y) crossings.push(ax + ((y - ay) * (bx - ax)) / (by - ay));
    });
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2)
      for (let x = Math.max(0, Math.ceil(crossings[k]!)); x <= Math.min(width - 1, crossings[k + 1]!); x++)
        keep[y * width + x] = value;
  }
}

/**
 * All that has the colour of a place and is connected to it.
 *
 * @param pixels RGBA [height, width, 4]
 * @param tolerance of each channel, 0 to 255
 */
export function floodColour(
  { width, height, keep }: PaintedMask,
  pixels: ArrayLike<number>,
  [x, y]: Point,
  tolerance: number,
  value: 0 | 1,
): void {
  const start = Math.round(y) * width + Math.round(x);
  const colour = [0, 1, 2].map((c) => pixels[4 * start + c]!);
  const isLike = (p: number): boolean =>
    colour.every((wanted, c) => Math.abs(pixels[4 * p + c]! - wanted) <= tolerance);
  const seen = new Uint8Array(width * height);
  const stack = [start];
  seen[start] = 1;
  for (let p = stack.pop(); p !== undefined; p = stack.pop()) {
    keep[p] = value;
    const column = p % width;
    for (const next of [column > 0 ? p - 1 : -1, column + 1 < width ? p + 1 : -1, p - width, p + width]) {
      if (next < 0 || next >= width * height || seen[next] || !isLike(next)) continue;
      seen[next] = 1;
      stack.push(next);
    }
  }
}

/** Lengths of runs of hidden and kept pixels by turns, beginning with hidden ones: as the engine takes a mask. */
export function runLengths(keep: Uint8Array): number[] {
  const runs: number[] = [];
  let [value, length] = [0, 0];
  for (const flag of keep) {
    if (flag === value) length++;
    else {
      runs.push(length);
      [value, length] = [flag, 1];
    }
  }
  runs.push(length);
  return runs;
}

/** Sets what every second run covers, the first beside it: an object as `photos.segment` tells it. */
export function paintRuns({ keep }: PaintedMask, runs: readonly number[], value: 0 | 1): void {
  let at = 0;
  runs.forEach((length, k) => {
    if (k % 2 === 1) keep.fill(value, at, at + length);
    at += length;
  });
}
