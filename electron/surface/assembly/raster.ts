// Which face each pixel of a camera sees: a depth buffer over inverse depth, which is linear across a face's picture.

/**
 * Image positions and inverse depths, f32 [n, 3]; inverse depth 0 for what lies nearer than `nearest`, or behind.
 *
 * @param positions f32 [n, 3] world
 * @param camera f64 [16]: cameraFromWorld row-major 3x4, then focal x, focal y, centre x, centre y, in pixels
 */
export function project(positions: usize, count: i32, camera: usize, nearest: f64, out: usize): void {
  const fx = load<f64>(camera, 96);
  const fy = load<f64>(camera, 104);
  const cx = load<f64>(camera, 112);
  const cy = load<f64>(camera, 120);
  for (let k = 0; k < count; k++) {
    const from = positions + <usize>k * 12;
    const x = <f64>load<f32>(from);
    const y = <f64>load<f32>(from, 4);
    const z = <f64>load<f32>(from, 8);
    const px = load<f64>(camera) * x + load<f64>(camera, 8) * y + load<f64>(camera, 16) * z + load<f64>(camera, 24);
    const py =
      load<f64>(camera, 32) * x + load<f64>(camera, 40) * y + load<f64>(camera, 48) * z + load<f64>(camera, 56);
    const pz =
      load<f64>(camera, 64) * x + load<f64>(camera, 72) * y + load<f64>(camera, 80) * z + load<f64>(camera, 88);
    const to = out + <usize>k * 12;
    const inverse = pz > nearest ? 1 / pz : 0;
    store<f32>(to, <f32>(fx * px * inverse + cx));
    store<f32>(to, <f32>(fy * py * inverse + cy), 4);
    store<f32>(to, <f32>inverse, 8);
  }
}

/**
 * @param image f32 [n, 3] from `project`
 * @param indices u32 [triangles, 3]
 * @param inverse f32 [h, w], the nearest surface's inverse depth: 0 where there is none; must be cleared
 * @param face u32 [h, w], its number + 1: 0 where there is none; must be cleared
 */
export function rasterise(
  image: usize,
  indices: usize,
  triangles: i32,
  width: i32,
  height: i32,
  inverse: usize,
  face: usize,
): void {
  for (let t = 0; t < triangles; t++) {
    const at = indices + <usize>t * 12;
    const a = image + <usize>load<u32>(at) * 12;
    const b = image + <usize>load<u32>(at, 4) * 12;
    const c = image + <usize>load<u32>(at, 8) * 12;
    const wa = load<f32>(a, 8);
    const wb = load<f32>(b, 8);
    const wc = load<f32>(c, 8);
    if (wa == 0 || wb == 0 || wc == 0) continue;
    const ax = load<f32>(a);
    const ay = load<f32>(a, 4);
    const bx = load<f32>(b);
    const by = load<f32>(b, 4);
    const cx = load<f32>(c);
    const cy = load<f32>(c, 4);
    const left = max(<i32>Math.ceil(min(ax, min(bx, cx))), 0);
    const right = min(<i32>Math.floor(max(ax, max(bx, cx))), width - 1);
    const top = max(<i32>Math.ceil(min(ay, min(by, cy))), 0);
    const bottom = min(<i32>Math.floor(max(ay, max(by, cy))), height - 1);
    if (left > right || top > bottom) continue;
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area == 0) continue;
    const per = <f32>1 / area;
    // Shares of b and c, linear in x and y.
    const bdx = (cy - ay) * per;
    const bdy = -(cx - ax) * per;
    const cdx = -(by - ay) * per;
    const cdy = (bx - ax) * per;
    for (let y = top; y <= bottom; y++) {
      const dy = <f32>y - ay;
      let sb = (<f32>left - ax) * bdx + dy * bdy;
      let sc = (<f32>left - ax) * cdx + dy * cdy;
      let to = (<usize>(y * width + left)) << 2;
      for (let x = left; x <= right; x++, sb += bdx, sc += cdx, to += 4) {
        const sa = <f32>1 - sb - sc;
        // A hair beyond the edge: no pixel falls between two faces.
        if (sa < -1e-4 || sb < -1e-4 || sc < -1e-4) continue;
        const w = sa * wa + sb * wb + sc * wc;
        if (w > load<f32>(inverse + to)) {
          store<f32>(inverse + to, w);
          store<u32>(face + to, t + 1);
        }
      }
    }
  }
}
