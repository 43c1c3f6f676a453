// Semi-global aggregation of matching costs (Hirschmueller, PAMI 2008).

/**
 * One aggregation path; adds to the sums.
 *
 * @param sums u16 [h, w, count]
 * @param scratch u16 [2, w + 2, count + 16]
 * @param grey steps of the picture lower the price of a depth step
 */
export function aggregate(
  cost: usize,
  grey: usize,
  width: i32,
  height: i32,
  count: i32,
  dx: i32,
  dy: i32,
  p1: i32,
  p2: i32,
  sums: usize,
  scratch: usize,
): void {
  const stride = <usize>(count + 16) * 2;
  const rowSize = stride * <usize>(width + 2);
  memory.fill(scratch, 0, rowSize * 2);
  let now = scratch;
  let before = scratch + rowSize;
  const penalty1 = i16x8.splat(<i16>p1);
  const yStart = dy < 0 ? height - 1 : 0;
  const yStep = dy < 0 ? -1 : 1;
  const xStart = dx < 0 ? width - 1 : 0;
  const xStep = dx < 0 ? -1 : 1;
  for (let j = 0; j < height; j++) {
    const y = yStart + j * yStep;
    for (let i = 0; i < width; i++) {
      const x = xStart + i * xStep;
      const px = x - dx;
      const py = y - dy;
      const at = <usize>(y * width + x);
      const from = cost + at * <usize>count;
      const sum = sums + at * <usize>count * 2;
      // Each cell: 8 u16 of padding, count values, 8 of padding; the first padding word holds the minimum.
      const cell = now + <usize>(x + 1) * stride;
      if (px < 0 || px >= width || py < 0 || py >= height) {
        let least = i16x8.splat(0x7fff);
        for (let k = 0; k < count; k += 8) {
          const c = i16x8.extend_low_i8x16_u(v128.load64_zero(from + <usize>k));
          v128.store(cell + 16 + ((<usize>k) << 1), c);
          least = i16x8.min_u(least, c);
          v128.store(sum + ((<usize>k) << 1), i16x8.add(v128.load(sum + ((<usize>k) << 1)), c));
        }
        border(cell, count, smallest(least));
        continue;
      }
      const previous = (dy == 0 ? now : before) + <usize>(px + 1) * stride;
      const minimum = load<u16>(previous);
      const contrast = abs(<i32>load<u8>(grey + at) - <i32>load<u8>(grey + <usize>(py * width + px)));
      const jump = i16x8.splat(<i16>(<i32>minimum + max(p1 + 4, p2 / (1 + contrast / 6))));
      const floor = i16x8.splat(<i16>minimum);
      let least = i16x8.splat(0x7fff);
      for (let k = 0; k < count; k += 8) {
        const p = previous + 16 + ((<usize>k) << 1);
        let best = i16x8.min_u(v128.load(p), jump);
        best = i16x8.min_u(best, i16x8.add(v128.load(p - 2), penalty1));
        best = i16x8.min_u(best, i16x8.add(v128.load(p + 2), penalty1));
        const value = i16x8.add(i16x8.extend_low_i8x16_u(v128.load64_zero(from + <usize>k)), i16x8.sub(best, floor));
        v128.store(cell + 16 + ((<usize>k) << 1), value);
        least = i16x8.min_u(least, value);
        v128.store(sum + ((<usize>k) << 1), i16x8.add(v128.load(sum + ((<usize>k) << 1)), value));
      }
      border(cell, count, smallest(least));
    }
    const swap = now;
    now = before;
    before = swap;
  }
}

function smallest(v: v128): i32 {
  let s = i16x8.min_u(v, i16x8.shuffle(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  s = i16x8.min_u(s, i16x8.shuffle(s, s, 2, 3, 0, 1, 6, 7, 4, 5));
  s = i16x8.min_u(s, i16x8.shuffle(s, s, 1, 0, 3, 2, 5, 4, 7, 6));
  return i16x8.extract_lane_u(s, 0);
}

/** Walls beside the hypotheses, so that the inner loop needs no test, and the minimum in front. */
function border(cell: usize, count: i32, minimum: i32): void {
  store<u16>(cell, <u16>minimum);
  store<u16>(cell + 14, 0x3fff);
  store<u16>(cell + 16 + ((<usize>count) << 1), 0x3fff);
}
