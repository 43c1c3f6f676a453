// Matching one reference view against several others at once: plane sweep with warped views, and the refinement of
// depths on slanted patches.
//
// A plane (of pixels) is `stride` bytes a row with a border of LEFT columns and TOP rows, so that no neighbourhood needs
// a test. Pixels of planes, and of what is warped into them, are grey levels less 128: SSE compares signed bytes in one
// instruction and unsigned ones in four. Maps are 12 numbers: M (3x3) and m (3); pixel (u, v) of the reference at inverse depth d lies at
// M (u, v, 1) + d m in the other view.

/** Half the census window. */
const LEFT = 4;
const TOP = 3;
/** Pairs of a centre-symmetric census of 9x7 pixels: half as many as neighbours, for the same quality (Spangenberg 2013). */
const PAIRS = 31;
const MOST_VIEWS = 8;

/** Pixels between which a warped row is straight to within 0.05 px, at 45 degrees between wide views too. */
const STEP = 8;
/** Positions are integers in this fraction of a pixel. */
const FRACTION: f32 = 65536;

/**
 * A view as the reference would see it if all it shows lay at inverse depth `d`. The view is given at twice its size, so
 * that the nearest of its pixels is at most a quarter of a pixel off: half the time of interpolating here. Positions are
 * exact at every eighth pixel and stepped between in integers: an eighth of the time of a division for each.
 *
 * @param source u8 [2 height - 1, 2 width - 1]: the view's pixels and what lies half way between them
 * @param rows and stride of the planes, border included; stride is a multiple of 16
 * @param seen plane of 255 where the view has the pixel, else 0
 * @param scratch 8 bytes by (stride / 8 + 4)
 */
export function warp(
  source: usize,
  width: i32,
  height: i32,
  map: usize,
  d: f64,
  stride: i32,
  rows: i32,
  out: usize,
  seen: usize,
  scratch: usize,
): void {
  const m0 = load<f64>(map);
  const m1 = load<f64>(map, 24);
  const m2 = load<f64>(map, 48);
  const lastX = <f64>(width - 1);
  const lastY = <f64>(height - 1);
  const ends = stride / STEP + 1;
  const ys = scratch + <usize>(4 * ((ends + 3) & ~3));
  for (let y = 0; y < rows; y++) {
    const v = <f64>(y - TOP);
    const b0 = load<f64>(map, 8) * v + load<f64>(map, 16) + d * load<f64>(map, 72);
    const b1 = load<f64>(map, 32) * v + load<f64>(map, 40) + d * load<f64>(map, 80);
    const b2 = load<f64>(map, 56) * v + load<f64>(map, 64) + d * load<f64>(map, 88);
    const row = <usize>(y * stride);
    // A row's image is a straight line: what the view sees of it is one stretch, bounded by five linear conditions.
    low = 0;
    high = <f64>(stride - 1);
    bound(m2, b2 - 1e-9);
    bound(m0, b0);
    bound(m1, b1);
    bound(lastX * m2 - m0, lastX * b2 - b0);
    bound(lastY * m2 - m1, lastY * b2 - b1);
    const first = <i32>Math.ceil(low);
    const last = <i32>Math.floor(high);
    memory.fill(seen + row, 0, stride);
    if (first > last) {
      memory.fill(out + row, 0, stride);
      continue;
    }
    memory.fill(seen + row + first, 255, last - first + 1);
    positions(b0, b1, b2, m0, m1, m2, ends, scratch, ys);
    // Census windows at the stretch's ends look a little beyond it.
    const from = max(first - 2 * LEFT, 0) & ~15;
    const to = min((last + 2 * LEFT + 16) & ~15, stride);
    if (from > 0) memory.fill(out + row, 0, from);
    if (to < stride) memory.fill(out + row + to, 0, stride - to);
    fetch(source, width, height, scratch, ys, from, to, out + row);
  }
}

/** The stretch of columns that `bound` narrows. */
let low: f64 = 0;
let high: f64 = 0;

/** Narrows the stretch to where a u + b is not negative, u being the column less the border. */
function bound(a: f64, b: f64): void {
  if (a > 0) low = Math.max(low, -b / a + <f64>LEFT);
  else if (a < 0) high = Math.min(high, -b / a + <f64>LEFT);
  else if (b < 0) high = -1;
}

/** Where every eighth column of a row lies in the doubled view, half a pixel added for rounding. */
function positions(
  b0: f64,
  b1: f64,
  b2: f64,
  m0: f64,
  m1: f64,
  m2: f64,
  ends: i32,
  xs: usize,
  ys: usize,
): void {
  const steps = f32x4.mul(f32x4(0, 1, 2, 3), f32x4.splat(<f32>STEP));
  const half = f32x4.splat(0.5 * FRACTION);
  for (let k = 0; k < ends; k += 4) {
    const u = f32x4.add(f32x4.splat(<f32>(k * STEP - LEFT)), steps);
    const q0 = f32x4.add(f32x4.splat(<f32>b0), f32x4.mul(f32x4.splat(<f32>m0), u));
    const q1 = f32x4.add(f32x4.splat(<f32>b1), f32x4.mul(f32x4.splat(<f32>m1), u));
    const q2 = f32x4.add(f32x4.splat(<f32>b2), f32x4.mul(f32x4.splat(<f32>m2), u));
    const scale = f32x4.div(f32x4.splat(2 * FRACTION), q2);
    v128.store(xs + (<usize>k << 2), i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(q0, scale), half)));
    v128.store(ys + (<usize>k << 2), i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(q1, scale), half)));
  }
}

/** The pixels of columns `from` to `to`, multiples of 16. */
function fetch(source: usize, width: i32, height: i32, xs: usize, ys: usize, from: i32, to: i32, out: usize): void {
  const wide = i32x4.splat(2 * width - 1);
  const mostX = i32x4.splat(2 * width - 2);
  const mostY = i32x4.splat(2 * height - 2);
  for (let x = from; x < to; x += 2 * STEP) {
    const end = <usize>(x / STEP) << 2;
    const left = eight(source, wide, mostX, mostY, xs + end, ys + end);
    const right = eight(source, wide, mostX, mostY, xs + end + 4, ys + end + 4);
    v128.store(out + <usize>x, i64x2.shuffle(left, right, 0, 2));
  }
}

/** Eight pixels, in the low bytes, between two ends; those outside of the view are its edge's. */
@inline
function eight(source: usize, wide: v128, mostX: v128, mostY: v128, xs: usize, ys: usize): v128 {
  const steps = i32x4(0, 1, 2, 3);
  const stepX = (load<i32>(xs, 4) - load<i32>(xs)) >> 3;
  const stepY = (load<i32>(ys, 4) - load<i32>(ys)) >> 3;
  const px = i32x4.add(v128.load32_splat(xs), i32x4.mul(steps, i32x4.splat(stepX)));
  const py = i32x4.add(v128.load32_splat(ys), i32x4.mul(steps, i32x4.splat(stepY)));
  let at = place(px, py, wide, mostX, mostY);
  let pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 0), i8x16.splat(0), 0);
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 1), pixels, 1);
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 2), pixels, 2);
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 3), pixels, 3);
  at = place(
    i32x4.add(px, i32x4.splat(4 * stepX)),
    i32x4.add(py, i32x4.splat(4 * stepY)),
    wide,
    mostX,
    mostY,
  );
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 0), pixels, 4);
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 1), pixels, 5);
  pixels = v128.load8_lane(source + <usize>i32x4.extract_lane(at, 2), pixels, 6);
  return v128.load8_lane(source + <usize>i32x4.extract_lane(at, 3), pixels, 7);
}

/** Offsets of four positions in the doubled view. */
@inline
function place(px: v128, py: v128, wide: v128, mostX: v128, mostY: v128): v128 {
  const zero = i32x4.splat(0);
  const ix = i32x4.max_s(zero, i32x4.min_s(i32x4.shr_s(px, 16), mostX));
  const iy = i32x4.max_s(zero, i32x4.min_s(i32x4.shr_s(py, 16), mostY));
  return i32x4.add(i32x4.mul(iy, wide), ix);
}

/**
 * Census distance of each warped view from the reference at half size, to be added to that at full size.
 *
 * @param views `count` planes, one after another
 * @param out u8 [count, height, outStride]
 */
export function coarse(
  reference: usize,
  views: usize,
  count: i32,
  stride: i32,
  rows: i32,
  height: i32,
  outStride: i32,
  noise: i32,
  out: usize,
  scratch: usize,
): void {
  const plane = <usize>(stride * rows);
  const t = i8x16.splat(<i8>noise);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outStride; x += 16) {
      const centre = <usize>((y + TOP) * stride + x + LEFT);
      masks(reference + centre, stride, t, scratch);
      for (let k = 0; k < count; k++)
        v128.store(
          out + <usize>((k * height + y) * outStride + x),
          distance(views + plane * <usize>k + centre, stride, t, scratch),
        );
    }
  }
}

/** Which of each symmetric pair of pixels round 16 centres is darker by more than the noise; 31 vectors. */
function masks(at: usize, stride: i32, t: v128, out: usize): void {
  let k: usize = 0;
  for (let dy = 0; dy <= TOP; dy++) {
    for (let dx = dy == 0 ? 1 : -LEFT; dx <= LEFT; dx++) {
      const offset = <usize>(dy * stride + dx);
      v128.store(out + k, i8x16.gt_s(v128.load(at + offset), i8x16.add_sat_s(v128.load(at - offset), t)));
      k += 16;
    }
  }
}

function distance(at: usize, stride: i32, t: v128, reference: usize): v128 {
  let sum = i8x16.splat(0);
  let k: usize = 0;
  for (let dy = 0; dy <= TOP; dy++) {
    for (let dx = dy == 0 ? 1 : -LEFT; dx <= LEFT; dx++) {
      const offset = <usize>(dy * stride + dx);
      const bits = i8x16.gt_s(v128.load(at + offset), i8x16.add_sat_s(v128.load(at - offset), t));
      sum = i8x16.sub(sum, v128.xor(bits, v128.load(reference + k)));
      k += 16;
    }
  }
  return sum;
}

/**
 * Matching cost of one hypothesis: the mean of the best `best` of the views' census distances at full and at half size.
 * The other views may be hidden from the place.
 *
 * @param seen planes parallel to views
 * @param halves u8 [count, halfHeight, halfStride]
 * @param out u8 [height, outStride]
 * @param scratch 31 + 8 vectors
 */
export function costs(
  reference: usize,
  views: usize,
  seen: usize,
  count: i32,
  best: i32,
  stride: i32,
  rows: i32,
  height: i32,
  halves: usize,
  halfHeight: i32,
  halfStride: i32,
  noise: i32,
  outside: i32,
  out: usize,
  outStride: i32,
  scratch: usize,
): void {
  const plane = <usize>(stride * rows);
  const t = i8x16.splat(<i8>noise);
  const nothing = i8x16.splat(<i8>outside);
  const sorted = scratch + PAIRS * 16;
  // A division by 1 to 4 as a multiplication.
  const share = i16x8.splat(<i16>((4096 + best / 2) / best));
  for (let y = 0; y < height; y++) {
    const halfY = min(y >> 1, halfHeight - 1);
    for (let x = 0; x < outStride; x += 16) {
      const centre = <usize>((y + TOP) * stride + x + LEFT);
      masks(reference + centre, stride, t, scratch);
      for (let k = 0; k < count; k++) {
        let value = distance(views + plane * <usize>k + centre, stride, t, scratch);
        const half = v128.load64_zero(halves + <usize>((k * halfHeight + halfY) * halfStride + (x >> 1)));
        value = i8x16.add(value, i8x16.shuffle(half, half, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
        value = v128.bitselect(value, nothing, v128.load(seen + plane * <usize>k + centre));
        // Sorted insertion, least first.
        for (let i = 0; i < k && i < best; i++) {
          const other = v128.load(sorted + <usize>(i << 4));
          v128.store(sorted + <usize>(i << 4), i8x16.min_u(other, value));
          value = i8x16.max_u(other, value);
        }
        if (k < best) v128.store(sorted + <usize>(k << 4), value);
      }
      let low = i16x8.splat(0);
      let high = i16x8.splat(0);
      for (let i = 0; i < best; i++) {
        const value = v128.load(sorted + <usize>(i << 4));
        low = i16x8.add(low, i16x8.extend_low_i8x16_u(value));
        high = i16x8.add(high, i16x8.extend_high_i8x16_u(value));
      }
      low = i16x8.shr_u(i16x8.q15mulr_sat_s(i16x8.shl(low, 3), i16x8.shl(share, 2)), 2);
      high = i16x8.shr_u(i16x8.q15mulr_sat_s(i16x8.shl(high, 3), i16x8.shl(share, 2)), 2);
      v128.store(out + <usize>(y * outStride + x), i8x16.narrow_i16x8_u(low, high));
    }
  }
}

/**
 * Puts 16 planes [height, outStride] of consecutive hypotheses into a volume [height, width, count], from hypothesis
 * `first` on.
 */
export function interleave(
  planes: usize,
  width: i32,
  height: i32,
  outStride: i32,
  first: i32,
  count: i32,
  volume: usize,
): void {
  const plane = <usize>(outStride * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = planes + <usize>(y * outStride + x);
      const to = volume + <usize>(y * width + x) * <usize>count + <usize>first;
      for (let k = 0; k < 16; k++) store<u8>(to + k, load<u8>(from + plane * k));
    }
  }
}

/**
 * Winner per pixel, refined by a parabola.
 *
 * @param best f32 [h, w] fractional hypothesis index, -1 at the ends of the range, which gather what lies beyond it
 * @param unique f32 [h, w] (second best - best) / best, the second at least 3 hypotheses away
 * @param least f32 [h, w] the matching cost of the winner before aggregation
 */
export function winners(
  sums: usize,
  volume: usize,
  pixels: i32,
  count: i32,
  best: usize,
  unique: usize,
  least: usize,
): void {
  for (let i = 0; i < pixels; i++) {
    const at = sums + <usize>i * <usize>count * 2;
    let winner = 0;
    let lowest = 0xffff;
    for (let k = 0; k < count; k++) {
      const value = <i32>load<u16>(at + ((<usize>k) << 1));
      if (value < lowest) {
        lowest = value;
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
      const bend = left + right - 2 * <f32>lowest;
      if (bend > 0) offset = (left - right) / (2 * bend);
    }
    store<f32>(best + ((<usize>i) << 2), winner == 0 || winner == count - 1 ? -1 : <f32>winner + offset);
    store<f32>(unique + ((<usize>i) << 2), <f32>(second - lowest) / <f32>max(lowest, 1));
    store<f32>(least + ((<usize>i) << 2), <f32>load<u8>(volume + <usize>i * <usize>count + <usize>winner));
  }
}

/**
 * Slope of the inverse depth in x and y: a least-squares plane through the pixels of the same surface in a window.
 *
 * @param same neighbours within this share of the inverse depth, per pixel of distance, are of the surface
 */
export function slopes(depth: usize, width: i32, height: i32, reach: i32, same: f32, gx: usize, gy: usize): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (<usize>(y * width + x)) << 2;
      const d = load<f32>(depth + at);
      let sxx: f32 = 0;
      let sxy: f32 = 0;
      let syy: f32 = 0;
      let sxd: f32 = 0;
      let syd: f32 = 0;
      if (d > 0) {
        const limit = same * d;
        for (let dy = -reach; dy <= reach; dy++) {
          const j = y + dy;
          if (j < 0 || j >= height) continue;
          for (let dx = -reach; dx <= reach; dx++) {
            const i = x + dx;
            if (i < 0 || i >= width) continue;
            const other = load<f32>(depth + ((<usize>(j * width + i)) << 2));
            const step = other - d;
            if (!(other > 0) || abs(step) > limit * <f32>max(abs(dx), abs(dy))) continue;
            const fx = <f32>dx;
            const fy = <f32>dy;
            sxx += fx * fx;
            sxy += fx * fy;
            syy += fy * fy;
            sxd += fx * step;
            syd += fy * step;
          }
        }
      }
      const determinant = sxx * syy - sxy * sxy;
      const sound = determinant > 0.1 * sxx * syy && sxx > 20 && syy > 20;
      store<f32>(gx + at, sound ? (sxd * syy - syd * sxy) / determinant : 0);
      store<f32>(gy + at, sound ? (syd * sxx - sxd * sxy) / determinant : 0);
    }
  }
}

/** Samples of a patch: 5x5 pixels two apart, without the centre. */
const SAMPLES: usize = 24;

/**
 * One step of refinement: the correlation of the reference's patch with its image in the other views, its samples
 * weighted by likeness to the centre, at three inverse depths `step` apart on the local slope.
 *
 * @param depth f32 [h, w] inverse depths, changed in place; 0 is left out
 * @param views per view 64 bytes: picture, width, height, 0, then the map as 12 f32
 * @param best how many of the views count: those that agree most
 * @param step by hypothesis, f32
 * @param likeness f32 [256] weight by difference of grey
 * @param least variance of the patch under which nothing can be told
 * @param score f32 [h, w]: mean correlation, -1 where nothing can be told
 * @param texture f32 [h, w]: weighted standard deviation of the reference's patch, grey levels
 * @param scratch 1 KB
 */
export function refine(
  grey: usize,
  width: i32,
  height: i32,
  depth: usize,
  gx: usize,
  gy: usize,
  views: usize,
  count: i32,
  best: i32,
  step: f32,
  likeness: usize,
  least: f32,
  score: usize,
  texture: usize,
  scratch: usize,
): void {
  const dxs = scratch;
  const dys = scratch + 128;
  const weights = scratch + 256;
  const values = scratch + 384;
  const correlations = scratch + 512;
  const chosen = scratch + 576;
  let s: usize = 0;
  for (let j = -4; j <= 4; j += 2) {
    for (let i = -4; i <= 4; i += 2) {
      if (i == 0 && j == 0) continue;
      store<f32>(dxs + s, <f32>i);
      store<f32>(dys + s, <f32>j);
      s += 4;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = <usize>(y * width + x);
      const d = load<f32>(depth + (pixel << 2));
      store<f32>(score + (pixel << 2), -1);
      if (!(d > 0)) continue;
      const centre = <i32>load<u8>(grey + pixel);
      let total: f32 = 0;
      let mean: f32 = 0;
      for (let k: usize = 0; k < SAMPLES * 4; k += 4) {
        const i = x + <i32>load<f32>(dxs + k);
        const j = y + <i32>load<f32>(dys + k);
        let w: f32 = 0;
        let value: f32 = 0;
        if (i >= 0 && j >= 0 && i < width && j < height) {
          const other = <i32>load<u8>(grey + <usize>(j * width + i));
          w = load<f32>(likeness + ((<usize>abs(other - centre)) << 2));
          value = <f32>other;
        }
        store<f32>(weights + k, w);
        store<f32>(values + k, value);
        total += w;
        mean += w * value;
      }
      mean /= total;
      let variance: f32 = 0;
      for (let k: usize = 0; k < SAMPLES * 4; k += 4) {
        const value = load<f32>(values + k) - mean;
        const w = load<f32>(weights + k) / total;
        store<f32>(values + k, value);
        store<f32>(weights + k, w);
        variance += w * value * value;
      }
      store<f32>(texture + (pixel << 2), <f32>Math.sqrt(variance));
      if (!(variance > least)) continue;
      const slopeX = load<f32>(gx + (pixel << 2));
      const slopeY = load<f32>(gy + (pixel << 2));
      let seen = 0;
      for (let k = 0; k < count; k++) {
        const c = correlation(views + <usize>(k << 6), <f32>x, <f32>y, d, slopeX, slopeY, scratch, mean, variance);
        if (c < -1) continue;
        // Sorted insertion, best first.
        let i = seen;
        while (i > 0 && load<f32>(correlations + <usize>((i - 1) << 2)) < c) {
          store<f32>(correlations + <usize>(i << 2), load<f32>(correlations + <usize>((i - 1) << 2)));
          store<i32>(chosen + <usize>(i << 2), load<i32>(chosen + <usize>((i - 1) << 2)));
          i--;
        }
        store<f32>(correlations + <usize>(i << 2), c);
        store<i32>(chosen + <usize>(i << 2), k);
        seen++;
      }
      const used = min(seen, best);
      if (used == 0) continue;
      let middle: f32 = 0;
      let nearer: f32 = 0;
      let farther: f32 = 0;
      for (let i = 0; i < used; i++) {
        middle += load<f32>(correlations + <usize>(i << 2));
        const view = views + <usize>(load<i32>(chosen + <usize>(i << 2)) << 6);
        nearer += correlation(view, <f32>x, <f32>y, d + step, slopeX, slopeY, scratch, mean, variance);
        farther += correlation(view, <f32>x, <f32>y, d - step, slopeX, slopeY, scratch, mean, variance);
      }
      const over = <f32>1 / <f32>used;
      middle *= over;
      nearer *= over;
      farther *= over;
      let shift: f32 = 0;
      let height3 = middle;
      const bend: f32 = 2 * middle - nearer - farther;
      if (middle >= nearer && middle >= farther) {
        if (bend > 1e-6) shift = (nearer - farther) / (2 * bend);
        height3 = middle + 0.25 * (nearer - farther) * shift;
      } else {
        shift = nearer > farther ? 1 : -1;
        height3 = max(nearer, farther);
      }
      store<f32>(depth + (pixel << 2), max(d * 0.5, d + shift * step));
      store<f32>(score + (pixel << 2), max(height3, -1));
    }
  }
}

/** Weighted normalised correlation of one patch with one view, -2 where the view does not see its centre. */
function correlation(
  view: usize,
  x: f32,
  y: f32,
  d: f32,
  slopeX: f32,
  slopeY: f32,
  scratch: usize,
  mean: f32,
  variance: f32,
): f32 {
  const source = <usize>load<u32>(view);
  const width = load<i32>(view, 4);
  const height = load<i32>(view, 8);
  const map = view + 16;
  const m0 = load<f32>(map, 36);
  const m1 = load<f32>(map, 40);
  const m2 = load<f32>(map, 44);
  const b0 = load<f32>(map) * x + load<f32>(map, 4) * y + load<f32>(map, 8) + d * m0;
  const b1 = load<f32>(map, 12) * x + load<f32>(map, 16) * y + load<f32>(map, 20) + d * m1;
  const b2 = load<f32>(map, 24) * x + load<f32>(map, 28) * y + load<f32>(map, 32) + d * m2;
  if (!(b2 > 0)) return -2;
  const cx = b0 / b2;
  const cy = b1 / b2;
  if (!(cx >= 0 && cy >= 0 && cx <= <f32>(width - 1) && cy <= <f32>(height - 1))) return -2;
  const ax0 = f32x4.splat(load<f32>(map) + slopeX * m0);
  const ax1 = f32x4.splat(load<f32>(map, 12) + slopeX * m1);
  const ax2 = f32x4.splat(load<f32>(map, 24) + slopeX * m2);
  const ay0 = f32x4.splat(load<f32>(map, 4) + slopeY * m0);
  const ay1 = f32x4.splat(load<f32>(map, 16) + slopeY * m1);
  const ay2 = f32x4.splat(load<f32>(map, 28) + slopeY * m2);
  const zero = f32x4.splat(0);
  const lastX = f32x4.splat(<f32>(width - 1));
  const lastY = f32x4.splat(<f32>(height - 1));
  const mostX = i32x4.splat(width - 2);
  const mostY = i32x4.splat(height - 2);
  const half = f32x4.splat(0.5);
  const magic = f32x4.splat(12582912);
  let sum = zero;
  let squares = zero;
  let cross = zero;
  for (let k: usize = 0; k < SAMPLES * 4; k += 16) {
    const dx = v128.load(scratch + k);
    const dy = v128.load(scratch + 128 + k);
    const w = v128.load(scratch + 256 + k);
    const a = v128.load(scratch + 384 + k);
    const q0 = f32x4.add(f32x4.add(f32x4.splat(b0), f32x4.mul(ax0, dx)), f32x4.mul(ay0, dy));
    const q1 = f32x4.add(f32x4.add(f32x4.splat(b1), f32x4.mul(ax1, dx)), f32x4.mul(ay1, dy));
    const q2 = f32x4.add(f32x4.add(f32x4.splat(b2), f32x4.mul(ax2, dx)), f32x4.mul(ay2, dy));
    // pmax and pmin are one instruction each, and give 0 for what is not a number (Math's min and max are six).
    const px = f32x4.pmax(zero, f32x4.pmin(lastX, f32x4.div(q0, q2)));
    const py = f32x4.pmax(zero, f32x4.pmin(lastY, f32x4.div(q1, q2)));
    // Added to 1.5 * 2^23 a float's low bits are its integer part. A whole number may become the one before, with 1 over.
    const roundX = f32x4.add(f32x4.sub(px, half), magic);
    const roundY = f32x4.add(f32x4.sub(py, half), magic);
    const ix = i32x4.min_s(i32x4.sub(roundX, magic), mostX);
    const iy = i32x4.min_s(i32x4.sub(roundY, magic), mostY);
    const fx = f32x4.sub(px, f32x4.convert_i32x4_s(ix));
    const fy = f32x4.sub(py, f32x4.convert_i32x4_s(iy));
    const at = i32x4.add(i32x4.mul(iy, i32x4.splat(width)), ix);
    const p0 = source + <usize>i32x4.extract_lane(at, 0);
    const p1 = source + <usize>i32x4.extract_lane(at, 1);
    const p2 = source + <usize>i32x4.extract_lane(at, 2);
    const p3 = source + <usize>i32x4.extract_lane(at, 3);
    const down = <usize>width;
    // Two neighbours in each 16-bit load: low byte left, high byte right.
    let top = i32x4.splat(<i32>load<u16>(p0));
    top = i32x4.replace_lane(top, 1, <i32>load<u16>(p1));
    top = i32x4.replace_lane(top, 2, <i32>load<u16>(p2));
    top = i32x4.replace_lane(top, 3, <i32>load<u16>(p3));
    let bottom = i32x4.splat(<i32>load<u16>(p0 + down));
    bottom = i32x4.replace_lane(bottom, 1, <i32>load<u16>(p1 + down));
    bottom = i32x4.replace_lane(bottom, 2, <i32>load<u16>(p2 + down));
    bottom = i32x4.replace_lane(bottom, 3, <i32>load<u16>(p3 + down));
    const low = i32x4.splat(255);
    const topLeft = f32x4.convert_i32x4_s(v128.and(top, low));
    const topRight = f32x4.convert_i32x4_s(i32x4.shr_u(top, 8));
    const bottomLeft = f32x4.convert_i32x4_s(v128.and(bottom, low));
    const bottomRight = f32x4.convert_i32x4_s(i32x4.shr_u(bottom, 8));
    const upper = f32x4.add(topLeft, f32x4.mul(fx, f32x4.sub(topRight, topLeft)));
    const lower = f32x4.add(bottomLeft, f32x4.mul(fx, f32x4.sub(bottomRight, bottomLeft)));
    // Relative to the reference's mean, so that the sums of squares keep their digits.
    const b = f32x4.sub(f32x4.add(upper, f32x4.mul(fy, f32x4.sub(lower, upper))), f32x4.splat(mean));
    const wb = f32x4.mul(w, b);
    sum = f32x4.add(sum, wb);
    squares = f32x4.add(squares, f32x4.mul(wb, b));
    cross = f32x4.add(cross, f32x4.mul(wb, a));
  }
  const m = lanes(sum);
  const other = lanes(squares) - m * m;
  if (!(other > 0.04)) return 0;
  return lanes(cross) / <f32>Math.sqrt(variance * other);
}

function lanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
