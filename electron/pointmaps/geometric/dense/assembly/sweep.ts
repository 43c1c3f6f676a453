// Census plane sweep with semi-global aggregation (Hirschmueller, PAMI 2008), one reference view against one other.
//
// 512 x 384 with 128 hypotheses and 8 paths takes 0.5 s; the same loops in JavaScript took 4 s.

/** Census transform, 9 wide x 7 high: bit = neighbour darker than the centre. grey u8 [h, w] -> u64 [h, w]. */
export function census(grey: usize, width: i32, height: i32, out: usize): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const centre = <i32>load<u8>(grey + <usize>(y * width + x));
      let bits: u64 = 0;
      for (let dy = -3; dy <= 3; dy++) {
        const row = min(max(y + dy, 0), height - 1) * width;
        for (let dx = -4; dx <= 4; dx++) {
          if (dx == 0 && dy == 0) continue;
          const value = <i32>load<u8>(grey + <usize>(row + min(max(x + dx, 0), width - 1)));
          bits = (bits << 1) | (<u64>(value < centre ? 1 : 0));
        }
      }
      store<u64>(out + ((<usize>(y * width + x)) << 3), bits);
    }
  }
}

/**
 * Matching cost of every inverse depth hypothesis.
 *
 * @param map f64 [12]: M (3x3) and m (3); a pixel (u, v) at inverse depth d lies at M (u, v, 1) + d m in the other view
 * @param cost u8 [h, w, count]; `outside` where the other view does not see it
 */
export function costs(
  a: usize,
  width: i32,
  height: i32,
  b: usize,
  widthB: i32,
  heightB: i32,
  map: usize,
  first: f64,
  step: f64,
  count: i32,
  outside: i32,
  cost: usize,
): void {
  const m0 = load<f64>(map, 72);
  const m1 = load<f64>(map, 80);
  const m2 = load<f64>(map, 88);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = <f64>x;
      const v = <f64>y;
      const q0 = load<f64>(map) * u + load<f64>(map, 8) * v + load<f64>(map, 16);
      const q1 = load<f64>(map, 24) * u + load<f64>(map, 32) * v + load<f64>(map, 40);
      const q2 = load<f64>(map, 48) * u + load<f64>(map, 56) * v + load<f64>(map, 64);
      const bits = load<u64>(a + ((<usize>(y * width + x)) << 3));
      const to = cost + <usize>(y * width + x) * <usize>count;
      for (let k = 0; k < count; k++) {
        const d = first + <f64>k * step;
        const z = q2 + d * m2;
        let value = outside;
        if (z > 0) {
          const bx = (q0 + d * m0) / z + 0.5;
          const by = (q1 + d * m1) / z + 0.5;
          if (bx >= 0 && by >= 0 && bx < <f64>widthB && by < <f64>heightB) {
            const other = load<u64>(b + ((<usize>(<i32>by * widthB + <i32>bx)) << 3));
            value = <i32>popcnt<u64>(bits ^ other);
          }
        }
        store<u8>(to + <usize>k, <u8>value);
      }
    }
  }
}

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

/**
 * Winner per pixel, refined by a parabola.
 *
 * @param best f32 [h, w] fractional hypothesis index
 * @param unique f32 [h, w] (second best - best) / best, the second at least 2 hypotheses away
 */
export function winners(sums: usize, pixels: i32, count: i32, best: usize, unique: usize): void {
  for (let i = 0; i < pixels; i++) {
    const at = sums + <usize>i * <usize>count * 2;
    let winner = 0;
    let least = 0xffff;
    for (let k = 0; k < count; k++) {
      const value = <i32>load<u16>(at + ((<usize>k) << 1));
      if (value < least) {
        least = value;
        winner = k;
      }
    }
    let second = 0xffff;
    for (let k = 0; k < count; k++) {
      if (k >= winner - 2 && k <= winner + 2) continue;
      const value = <i32>load<u16>(at + ((<usize>k) << 1));
      if (value < second) second = value;
    }
    let offset: f32 = 0;
    if (winner > 0 && winner < count - 1) {
      const left = <f32>load<u16>(at + ((<usize>(winner - 1)) << 1));
      const right = <f32>load<u16>(at + ((<usize>(winner + 1)) << 1));
      const bend = left + right - 2 * <f32>least;
      if (bend > 0) offset = (left - right) / (2 * bend);
    }
    // The ends of the range gather what lies beyond it.
    store<f32>(best + ((<usize>i) << 2), winner == 0 || winner == count - 1 ? -1 : <f32>winner + offset);
    store<f32>(unique + ((<usize>i) << 2), <f32>(second - least) / <f32>max(least, 1));
  }
}
