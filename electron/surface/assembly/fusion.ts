// A surface from depth maps inside one block of space: an octree as fine as the pixels that saw each place, the signed
// distance at its corners and centres, and the zero level of the tetrahedra between them.
//
// Adaptive signed-distance fusion after Curless and Levoy (SIGGRAPH 1996); the tetrahedra join the two ends of a minimal
// edge of the octree with the centres of two neighbouring leaves around it (Schaefer and Warren's dual grid, split).
// They fit together whatever the sizes of the leaves, and the zero level of a function that is linear in each
// tetrahedron neither crosses itself nor has an edge of more than two faces: no repair is needed afterwards.
import { rewind, take, takeCleared, top } from './memory.lib';

// A view's record: cameraFromWorld R [9] and t [3], focal, centre x, centre y (f64); width, height (i32); addresses; the
// window of the picture that the arrays hold: first column and row, columns, rows (i32).
const VIEW_BYTES: i32 = 160;
const FOCAL: usize = 96;
const CENTRE_X: usize = 104;
const CENTRE_Y: usize = 112;
const WIDTH: usize = 120;
const HEIGHT: usize = 124;
const DEPTH: usize = 128;
const WEIGHT: usize = 132;
const FACTOR: usize = 136;
const LEFT: usize = 140;
const TOP: usize = 144;
const COLUMNS: usize = 148;
const ROWS: usize = 152;

let views: usize = 0;
let viewCount: i32 = 0;
/** Corner of the octree's root in world units, and the side of its smallest cells. */
let rootX: f64 = 0;
let rootY: f64 = 0;
let rootZ: f64 = 0;
let cell: f64 = 1;
/** The root is 2^rootBits smallest cells wide; the block is the second of its four quarters along each axis. */
let rootBits: i32 = 0;
let blockBits: i32 = 0;
/** Samples from afar have no larger cells than 2^coarsestBits smallest ones: the same for all blocks. */
let coarsestBits: i32 = 0;
/** Side of a cell, and the distance at which the signed distance is cut off, in pixels at a sample's depth. */
let cellPixels: f64 = 2;
let bandPixels: f64 = 6;
/** What a view that sees nothing but the sky weighs against the weights of those that see a surface. */
let skyTrust: f64 = 2;

export function reset(base: usize): void {
  rewind(base);
}

export function allocate(bytes: usize): usize {
  return take(bytes);
}

export function options(cellSide: f64, band: f64, sky: f64): void {
  cellPixels = cellSide;
  bandPixels = band;
  skyTrust = sky;
}

export function place(
  viewTable: usize,
  count: i32,
  x: f64,
  y: f64,
  z: f64,
  smallest: f64,
  bits: i32,
  coarsest: i32,
): void {
  views = viewTable;
  viewCount = count;
  rootX = x;
  rootY = y;
  rootZ = z;
  cell = smallest;
  rootBits = bits;
  blockBits = bits - 2;
  coarsestBits = coarsest;
}

// --- depth maps ------------------------------------------------------------------------------------------------------

// @ts-expect-error a decorator of AssemblyScript
@inline
function pixelDepth(depth: usize, k: i32): f64 {
  return <f64>load<f32>(depth + (<usize>k << 2));
}

/** A neighbour on the same surface: its depth, otherwise 0. `jump` is the most that depths may differ, as a share. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function near(depth: usize, k: i32, z: f64, jump: f64): f64 {
  const d = pixelDepth(depth, k);
  return d > 0 && abs(d - z) < jump * z ? d : 0;
}

/**
 * Weight (confidence and angle) and the factor from distance along z to distance from the surface's plane, per pixel.
 * Depths of pixels that are not to be used must be 0; a confidence under 0 says that the pixel's ray is free, which
 * becomes a weight under 0. Writes f32 [h, w] each.
 */
export function prepare(view: usize, confidence: usize): void {
  const firstX = load<i32>(view + LEFT);
  const firstY = load<i32>(view + TOP);
  const width = load<i32>(view + COLUMNS);
  const endX = firstX + width;
  const endY = firstY + load<i32>(view + ROWS);
  const depth = <usize>load<u32>(view + DEPTH);
  const weight = <usize>load<u32>(view + WEIGHT);
  const factor = <usize>load<u32>(view + FACTOR);
  const focal = load<f64>(view + FOCAL);
  const cx = load<f64>(view + CENTRE_X);
  const cy = load<f64>(view + CENTRE_Y);
  const jump = 0.05;
  for (let y = firstY; y < endY; y++) {
    for (let x = firstX; x < endX; x++) {
      const k = (y - firstY) * width + x - firstX;
      const at = <usize>k << 2;
      const z = pixelDepth(depth, k);
      // Read before the factor is written: both may lie in one place.
      const told = <f64>load<f32>(confidence + at);
      const trust = Math.log(max(told, 1.0));
      store<f32>(weight + at, told < 0 ? -1 : 0);
      store<f32>(factor + at, 1);
      if (!(z > 0)) continue;
      const left = x > firstX + 1 ? near(depth, k - 2, z, jump) : 0;
      const right = x < endX - 2 ? near(depth, k + 2, z, jump) : 0;
      const up = y > firstY + 1 ? near(depth, k - 2 * width, z, jump) : 0;
      const down = y < endY - 2 ? near(depth, k + 2 * width, z, jump) : 0;
      // Slopes of depth per pixel; a one-sided difference at a border of the surface.
      const spanX = (left > 0 ? 2 : 0) + (right > 0 ? 2 : 0);
      const spanY = (up > 0 ? 2 : 0) + (down > 0 ? 2 : 0);
      const gx = spanX > 0 ? ((right > 0 ? right : z) - (left > 0 ? left : z)) / <f64>spanX : 0;
      const gy = spanY > 0 ? ((down > 0 ? down : z) - (up > 0 ? up : z)) / <f64>spanY : 0;
      // The surface's normal for z(x, y): (-f gx, -f gy, z + gx (x - cx) + gy (y - cy)) up to scale.
      const nx = -focal * gx;
      const ny = -focal * gy;
      const nz = z + gx * (<f64>x - cx) + gy * (<f64>y - cy);
      const rx = (<f64>x - cx) / focal;
      const ry = (<f64>y - cy) / focal;
      const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
      const along = abs(nx * rx + ny * ry + nz) / max(length, 1e-12);
      const cosine = along / Math.sqrt(rx * rx + ry * ry + 1);
      // At a border of a surface depth is least sure: half of the flying pixels lie there.
      const sides = (left > 0 ? 1 : 0) + (right > 0 ? 1 : 0) + (up > 0 ? 1 : 0) + (down > 0 ? 1 : 0);
      const sure = sides == 4 ? 1.0 : sides == 3 ? 0.5 : 0.15;
      store<f32>(weight + at, <f32>(min(trust, 3.0) * sure * max(cosine, 0.05)));
      store<f32>(factor + at, <f32>max(along, 0.15));
    }
  }
}

// --- octree ----------------------------------------------------------------------------------------------------------

/** Nodes: i32 each, first child's index << 1 | wanted; children lie in a row, x the lowest bit. The root is node 0. */
let nodes: usize = 0;
let nodeCount: i32 = 0;

// @ts-expect-error a decorator of AssemblyScript
@inline
function node(index: i32): i32 {
  return load<i32>(nodes + (<usize>index << 2));
}

/** Whether the cell was new. */
function want(x: i32, y: i32, z: i32, depth: i32): bool {
  let at = 0;
  let bit = rootBits - 1;
  for (let level = 0; level < depth; level++, bit--) {
    const word = node(at);
    let child = word >> 1;
    if (child == 0) {
      take(32);
      child = nodeCount;
      memory.fill(nodes + (<usize>child << 2), 0, 32);
      nodeCount += 8;
      store<i32>(nodes + (<usize>at << 2), (child << 1) | (word & 1));
    }
    at = child + ((x >> bit) & 1) + (((y >> bit) & 1) << 1) + (((z >> bit) & 1) << 2);
  }
  const word = node(at);
  if (word & 1) return false;
  store<i32>(nodes + (<usize>at << 2), word | 1);
  return true;
}

/**
 * Level below the root of the cells for a sample. Sizes are powers of two: a place seen from afar has large cells.
 */
// @ts-expect-error a decorator of AssemblyScript
@inline
function levelOf(side: f64): i32 {
  // log2 rounded to the nearest, from the number's exponent.
  const ratio = (side / cell) * 1.4142135623730951;
  const exponent = <i32>((reinterpret<u64>(ratio) >> 52) & 2047) - 1023;
  return rootBits - min(max(exponent, 0), coarsestBits);
}

/**
 * Marks the cells of all samples in and around the block, then their neighbours.
 *
 * @param halo samples so far outside the block still count, world units
 * @returns number of marked cells with samples
 */
export function grow(halo: f64, leastWeight: f64): i32 {
  nodes = take(4);
  store<i32>(nodes, 0);
  // Nodes are appended right behind one another, so nothing else is allocated meanwhile.
  rewind(nodes + 16);
  nodeCount = 4;
  memory.fill(nodes, 0, 16);
  const side = cell * <f64>(1 << blockBits);
  const lowX = rootX + side - halo;
  const lowY = rootY + side - halo;
  const lowZ = rootZ + side - halo;
  const extent = side + 2 * halo;
  const most = (1 << rootBits) - 1;
  for (let v = 0; v < viewCount; v++) {
    const view = views + <usize>(v * VIEW_BYTES);
    const firstX = load<i32>(view + LEFT);
    const firstY = load<i32>(view + TOP);
    const width = load<i32>(view + COLUMNS);
    const endX = firstX + width;
    const endY = firstY + load<i32>(view + ROWS);
    const depth = <usize>load<u32>(view + DEPTH);
    const weight = <usize>load<u32>(view + WEIGHT);
    const focal = load<f64>(view + FOCAL);
    const cx = load<f64>(view + CENTRE_X);
    const cy = load<f64>(view + CENTRE_Y);
    let lastX = -1;
    let lastY = -1;
    let lastZ = -1;
    let lastLevel = -1;
    for (let y = firstY; y < endY; y++) {
      for (let x = firstX; x < endX; x++) {
        const k = (y - firstY) * width + x - firstX;
        if (!(<f64>load<f32>(weight + (<usize>k << 2)) > leastWeight)) continue;
        const z = pixelDepth(depth, k);
        const px = ((<f64>x - cx) / focal) * z - load<f64>(view + 72);
        const py = ((<f64>y - cy) / focal) * z - load<f64>(view + 80);
        const pz = z - load<f64>(view + 88);
        const wx = load<f64>(view) * px + load<f64>(view + 24) * py + load<f64>(view + 48) * pz;
        if (!(wx >= lowX && wx < lowX + extent)) continue;
        const wy = load<f64>(view + 8) * px + load<f64>(view + 32) * py + load<f64>(view + 56) * pz;
        if (!(wy >= lowY && wy < lowY + extent)) continue;
        const wz = load<f64>(view + 16) * px + load<f64>(view + 40) * py + load<f64>(view + 64) * pz;
        if (!(wz >= lowZ && wz < lowZ + extent)) continue;
        const level = levelOf((cellPixels * z) / focal);
        const shift = rootBits - level;
        const ix = <i32>((wx - rootX) / cell) >> shift;
        const iy = <i32>((wy - rootY) / cell) >> shift;
        const iz = <i32>((wz - rootZ) / cell) >> shift;
        if (ix == lastX && iy == lastY && iz == lastZ && level == lastLevel) continue;
        lastX = ix;
        lastY = iy;
        lastZ = iz;
        lastLevel = level;
        if ((ix << shift) > most || (iy << shift) > most || (iz << shift) > most) continue;
        want(ix << shift, iy << shift, iz << shift, level);
      }
    }
  }
  return widen();
}

/** Marks the 26 neighbours of each marked cell. */
function widen(): i32 {
  // The list of marked cells must not lie behind the growing nodes: it is kept above a gap that they cannot fill.
  const marked = count(0);
  const room = <usize>marked * 27 * 32 * 4;
  const bytes = min(room, <usize>1 << 28);
  const list = nodes + (<usize>nodeCount << 2) + bytes;
  const back = top();
  take(list + (<usize>marked << 4) - back);
  cursor = list;
  collect(0, 0, 0, 0, 0);
  const listEnd = cursor;
  rewind(back);
  for (let at = list; at < listEnd; at += 16) {
    const x = load<i32>(at);
    const y = load<i32>(at + 4);
    const z = load<i32>(at + 8);
    const level = load<i32>(at + 12);
    const size = 1 << (rootBits - level);
    const limit = 1 << rootBits;
    for (let dz = -1; dz <= 1; dz++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const nx = x + dx * size;
          const ny = y + dy * size;
          const nz = z + dz * size;
          if (nx < 0 || ny < 0 || nz < 0 || nx >= limit || ny >= limit || nz >= limit) continue;
          if (nodes + (<usize>(nodeCount + 8 * rootBits) << 2) > list) unreachable();
          want(nx, ny, nz, level);
        }
      }
    }
  }
  return marked;
}

let cursor: usize = 0;

function count(at: i32): i32 {
  const word = node(at);
  let sum = word & 1;
  const child = word >> 1;
  if (child) for (let k = 0; k < 8; k++) sum += count(child + k);
  return sum;
}

function collect(at: i32, x: i32, y: i32, z: i32, level: i32): void {
  const word = node(at);
  if (word & 1) {
    store<i32>(cursor, x);
    store<i32>(cursor + 4, y);
    store<i32>(cursor + 8, z);
    store<i32>(cursor + 12, level);
    cursor += 16;
  }
  const child = word >> 1;
  if (child == 0) return;
  const size = 1 << (rootBits - level - 1);
  for (let k = 0; k < 8; k++)
    collect(child + k, x + (k & 1) * size, y + ((k >> 1) & 1) * size, z + (k >> 2) * size, level + 1);
}

// --- lattice ---------------------------------------------------------------------------------------------------------

// Per leaf that is wanted, or lies in a wanted cell: 8 corners and the centre, then the level.
const LEAF_BYTES: usize = 40;
let leaves: usize = 0;
let leafCount: i32 = 0;
/** Per node: its leaf's index + 1, or for a leaf where nothing is wanted minus its level. */
let leafOf: usize = 0;
/** Positions in half smallest cells, i32 [n, 3]; values f32 [n]; support f32 [n]. */
let places: usize = 0;
let latticeCount: i32 = 0;
let values: usize = 0;
let supports: usize = 0;
let table: usize = 0;
let tableMask: u32 = 0;

function countLeaves(at: i32, wanted: i32): i32 {
  const word = node(at);
  const active = wanted | (word & 1);
  const child = word >> 1;
  if (child == 0) return active;
  let sum = 0;
  for (let k = 0; k < 8; k++) sum += countLeaves(child + k, active);
  return sum;
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function hashed(x: i32, y: i32, z: i32): u32 {
  let h = <u32>x * 0x9e3779b1;
  h = (h ^ (h >> 15) ^ <u32>y) * 0x85ebca77;
  h = (h ^ (h >> 13) ^ <u32>z) * 0xc2b2ae3d;
  return h ^ (h >> 16);
}

function lattice(x: i32, y: i32, z: i32): i32 {
  let slot = hashed(x, y, z) & tableMask;
  while (true) {
    const found = load<i32>(table + (<usize>slot << 2));
    if (found == 0) break;
    const at = places + <usize>(found - 1) * 12;
    if (load<i32>(at) == x && load<i32>(at + 4) == y && load<i32>(at + 8) == z) return found - 1;
    slot = (slot + 1) & tableMask;
  }
  const id = latticeCount++;
  const at = places + <usize>id * 12;
  store<i32>(at, x);
  store<i32>(at + 4, y);
  store<i32>(at + 8, z);
  store<i32>(table + (<usize>slot << 2), id + 1);
  return id;
}

function addLeaves(at: i32, x: i32, y: i32, z: i32, level: i32, wanted: i32): void {
  const word = node(at);
  const active = wanted | (word & 1);
  const child = word >> 1;
  const size = 1 << (rootBits - level);
  if (child != 0) {
    const half = size >> 1;
    for (let k = 0; k < 8; k++)
      addLeaves(child + k, x + (k & 1) * half, y + ((k >> 1) & 1) * half, z + (k >> 2) * half, level + 1, active);
    return;
  }
  if (!active) {
    store<i32>(leafOf + (<usize>at << 2), -level);
    return;
  }
  const leaf = leaves + <usize>leafCount * LEAF_BYTES;
  store<i32>(leafOf + (<usize>at << 2), ++leafCount);
  for (let k = 0; k < 8; k++) {
    const id = lattice(2 * (x + (k & 1) * size), 2 * (y + ((k >> 1) & 1) * size), 2 * (z + (k >> 2) * size));
    store<i32>(leaf + (<usize>k << 2), id);
  }
  store<i32>(leaf + 32, lattice(2 * x + size, 2 * y + size, 2 * z + size));
  store<i32>(leaf + 36, level);
}

/** Lays out leaves and lattice points; to be called after `grow`. Returns the number of lattice points. */
export function layOut(): i32 {
  leafOf = takeCleared(<usize>nodeCount << 2);
  const most = countLeaves(0, 0);
  leaves = take(<usize>most * LEAF_BYTES);
  let slots: u32 = 1024;
  // A leaf has at most eight corners of its own and a centre; in a body of cells it is two in all, in a thin band three.
  while (slots < <u32>most * 8) slots <<= 1;
  tableMask = slots - 1;
  table = takeCleared(<usize>slots << 2);
  places = take(<usize>most * 6 * 12);
  leafCount = 0;
  latticeCount = 0;
  addLeaves(0, 0, 0, 0, 0, 0);
  values = take(<usize>latticeCount << 2);
  supports = take(<usize>latticeCount << 2);
  return latticeCount;
}

// --- signed distance -------------------------------------------------------------------------------------------------

const MOST_SEEN: i32 = 64;
const UNKNOWN: f32 = NaN;
let seen: usize = 0;

/**
 * Signed distance of each lattice point: positive before the surface. NaN where nobody has seen it.
 *
 * A view says depth minus z, times the factor of the pixel, when that is more than minus its band; behind it knows
 * nothing. The narrowest band among the views that see the place cuts all of them off. The median, then the mean about
 * it: one map that is wrong neither bends the surface nor opens it. Views that see the sky there take away what fewer
 * say is inside. The place is unknown then, not before a surface: every silhouette would get a wall behind it otherwise.
 */
export function evaluate(): void {
  seen = take(MOST_SEEN * 24);
  const half = cell * 0.5;
  for (let id = 0; id < latticeCount; id++) {
    const at = places + <usize>id * 12;
    const x = rootX + <f64>load<i32>(at) * half;
    const y = rootY + <f64>load<i32>(at + 4) * half;
    const z = rootZ + <f64>load<i32>(at + 8) * half;
    measure(x, y, z, id);
  }
}

function measure(x: f64, y: f64, z: f64, id: i32): void {
  let n = 0;
  let band: f64 = Infinity;
  let free: f64 = 0;
  for (let v = 0; v < viewCount; v++) {
    const view = views + <usize>(v * VIEW_BYTES);
    const away = load<f64>(view + 48) * x + load<f64>(view + 56) * y + load<f64>(view + 64) * z + load<f64>(view + 88);
    if (away <= 0) continue;
    const focal = load<f64>(view + FOCAL);
    const scale = focal / away;
    const u =
      (load<f64>(view) * x + load<f64>(view + 8) * y + load<f64>(view + 16) * z + load<f64>(view + 72)) * scale +
      load<f64>(view + CENTRE_X);
    const width = load<i32>(view + WIDTH);
    if (!(u > 0 && u < <f64>(width - 1))) continue;
    const w =
      (load<f64>(view + 24) * x + load<f64>(view + 32) * y + load<f64>(view + 40) * z + load<f64>(view + 80)) * scale +
      load<f64>(view + CENTRE_Y);
    const height = load<i32>(view + HEIGHT);
    if (!(w > 0 && w < <f64>(height - 1))) continue;
    // Outside the window the view says nothing; the caller cuts it so that nothing of the block lies there.
    const firstX = load<i32>(view + LEFT);
    const firstY = load<i32>(view + TOP);
    const columns = load<i32>(view + COLUMNS);
    if (<i32>u < firstX || <i32>u + 1 >= firstX + columns) continue;
    if (<i32>w < firstY || <i32>w + 1 >= firstY + load<i32>(view + ROWS)) continue;
    const first = firstY * columns + firstX;
    const nearest = <i32>(w + 0.5) * columns + <i32>(u + 0.5) - first;
    const weights = <usize>load<u32>(view + WEIGHT);
    const weight = <f64>load<f32>(weights + (<usize>nearest << 2));
    if (weight == 0) continue;
    if (weight < 0) {
      free += skyTrust;
      continue;
    }
    const depths = <usize>load<u32>(view + DEPTH);
    const depth = between(depths, columns, first, u, w, pixelDepth(depths, nearest));
    const factor = <f64>load<f32>(<usize>load<u32>(view + FACTOR) + (<usize>nearest << 2));
    const distance = (depth - away) * factor;
    const own = bandPixels / scale;
    if (distance < -own) continue;
    if (distance < own) band = min(band, own);
    const slot = seen + <usize>n * 24;
    store<f64>(slot, distance);
    // By the pixel's area: whoever saw the place from nearby says more.
    store<f64>(slot + 8, weight * scale * scale);
    store<f64>(slot + 16, weight);
    if (++n == MOST_SEEN) break;
  }
  if (n == 0) {
    store<f32>(values + (<usize>id << 2), UNKNOWN);
    return;
  }
  settle(n, band, id, free);
}

/** Depth between four pixels of one surface; the nearest pixel's own elsewhere. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function between(depths: usize, width: i32, first: i32, u: f64, v: f64, nearest: f64): f64 {
  const x = <i32>u;
  const y = <i32>v;
  const k = y * width + x - first;
  const a = pixelDepth(depths, k);
  const b = pixelDepth(depths, k + 1);
  const c = pixelDepth(depths, k + width);
  const d = pixelDepth(depths, k + width + 1);
  const low = min(min(a, b), min(c, d));
  const high = max(max(a, b), max(c, d));
  if (!(low > 0) || high - low > 0.05 * low) return nearest;
  const fx = u - <f64>x;
  const fy = v - <f64>y;
  return (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy;
}

/**
 * Sorted by distance (n is small), the weighted median, then the mean of what lies within three quarters of a band.
 *
 * @param free what the views that see nothing but the sky there weigh together
 */
function settle(n: i32, band: f64, id: i32, free: f64): void {
  if (band == Infinity) {
    // All rays pass: free space.
    band = load<f64>(seen);
    store<f32>(values + (<usize>id << 2), <f32>band);
    store<f32>(supports + (<usize>id << 2), 0);
    return;
  }
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    const slot = seen + <usize>i * 24;
    const d = min(max(load<f64>(slot), -band), band);
    const w = load<f64>(slot + 8);
    const own = load<f64>(slot + 16);
    total += w;
    let j = i;
    for (; j > 0 && load<f64>(seen + <usize>(j - 1) * 24) > d; j--) {
      const from = seen + <usize>(j - 1) * 24;
      store<f64>(from + 24, load<f64>(from));
      store<f64>(from + 32, load<f64>(from + 8));
      store<f64>(from + 40, load<f64>(from + 16));
    }
    const to = seen + <usize>j * 24;
    store<f64>(to, d);
    store<f64>(to + 8, w);
    store<f64>(to + 16, own);
  }
  let sum: f64 = 0;
  let median: f64 = 0;
  for (let i = 0; i < n; i++) {
    const slot = seen + <usize>i * 24;
    const w = load<f64>(slot + 8);
    if (sum + w >= total * 0.5) {
      median = load<f64>(slot);
      break;
    }
    sum += w;
  }
  let weight: f64 = 0;
  let mean: f64 = 0;
  let support: f64 = 0;
  for (let i = 0; i < n; i++) {
    const slot = seen + <usize>i * 24;
    const d = load<f64>(slot);
    if (abs(d - median) > 0.75 * band) continue;
    const w = load<f64>(slot + 8);
    weight += w;
    mean += w * d;
    if (d < band) support += load<f64>(slot + 16);
  }
  store<f32>(values + (<usize>id << 2), mean < 0 && free > support ? UNKNOWN : <f32>(mean / weight));
  store<f32>(supports + (<usize>id << 2), <f32>support);
}

// --- zero level ------------------------------------------------------------------------------------------------------

/** Triangles: three crossings each, a crossing being two lattice points (u32, u32), the smaller number first. */
let triangles: usize = 0;
let triangleCount: i32 = 0;

export function contour(): i32 {
  triangles = take(0);
  triangleCount = 0;
  insideCell(0);
  return triangleCount;
}

function insideCell(at: i32): void {
  const child = node(at) >> 1;
  if (child == 0) return;
  for (let k = 0; k < 8; k++) insideCell(child + k);
  for (let axis = 0; axis < 3; axis++) {
    const a = 1 << axis;
    const b = 1 << ((axis + 1) % 3);
    const c = 1 << ((axis + 2) % 3);
    acrossFace(child, child + a, axis);
    acrossFace(child + b, child + b + a, axis);
    acrossFace(child + c, child + c + a, axis);
    acrossFace(child + b + c, child + b + c + a, axis);
    for (let k = 0; k < 2; k++) {
      const base = child + k * a;
      aroundEdge(base, base + b, base + b + c, base + c, axis);
    }
  }
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function childOf(at: i32, k: i32): i32 {
  const child = node(at) >> 1;
  return child == 0 ? at : child + k;
}

/** Two cells that share a face, `low` before `high` along the axis. */
function acrossFace(low: i32, high: i32, axis: i32): void {
  if (node(low) >> 1 == 0 && node(high) >> 1 == 0) return;
  const a = 1 << axis;
  const b = 1 << ((axis + 1) % 3);
  const c = 1 << ((axis + 2) % 3);
  for (let j = 0; j < 4; j++) {
    const k = (j & 1 ? b : 0) + (j & 2 ? c : 0);
    acrossFace(childOf(low, k + a), childOf(high, k), axis);
  }
  // Edges in the face along b lie between cells on both sides of the face and on both sides of its middle along c.
  for (let k = 0; k < 2; k++) {
    const kb = k * b;
    // Around axis b: the next axis is c, the one after it a.
    aroundEdge(
      childOf(low, kb + a),
      childOf(low, kb + a + c),
      childOf(high, kb + c),
      childOf(high, kb),
      (axis + 1) % 3,
    );
    const kc = k * c;
    // Around axis c: the next axis is a, the one after it b.
    aroundEdge(
      childOf(low, kc + a),
      childOf(high, kc),
      childOf(high, kc + b),
      childOf(low, kc + a + b),
      (axis + 2) % 3,
    );
  }
}

/** Four cells around an edge, counter-clockwise: (0, 0), (1, 0), (1, 1), (0, 1) of the two axes after this one. */
function aroundEdge(n0: i32, n1: i32, n2: i32, n3: i32, axis: i32): void {
  if (((node(n0) | node(n1) | node(n2) | node(n3)) >> 1) == 0) {
    minimalEdge(n0, n1, n2, n3, axis);
    return;
  }
  const a = 1 << axis;
  const b = 1 << ((axis + 1) % 3);
  const c = 1 << ((axis + 2) % 3);
  for (let k = 0; k < 2; k++) {
    const ka = k * a;
    aroundEdge(childOf(n0, ka + b + c), childOf(n1, ka + c), childOf(n2, ka), childOf(n3, ka + b), axis);
  }
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function leafAt(at: i32): usize {
  const index = load<i32>(leafOf + (<usize>at << 2));
  return index > 0 ? leaves + <usize>(index - 1) * LEAF_BYTES : 0;
}

/** Twice the level, and one more for a leaf that is wanted: among leaves of one size it comes first. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function rankAt(at: i32): i32 {
  const index = load<i32>(leafOf + (<usize>at << 2));
  return index > 0 ? 2 * load<i32>(leaves + <usize>(index - 1) * LEAF_BYTES + 36) + 1 : -2 * index;
}

function minimalEdge(n0: i32, n1: i32, n2: i32, n3: i32, axis: i32): void {
  const b = 1 << ((axis + 1) % 3);
  const c = 1 << ((axis + 2) % 3);
  // The smallest cell has the edge's two ends among its corners. Where nothing is wanted in it, no surface passes.
  let smallest = n0;
  let corner = b + c;
  let rank = rankAt(n0);
  if (rankAt(n1) > rank) {
    smallest = n1;
    corner = c;
    rank = rankAt(n1);
  }
  if (rankAt(n2) > rank) {
    smallest = n2;
    corner = 0;
    rank = rankAt(n2);
  }
  if (rankAt(n3) > rank) {
    smallest = n3;
    corner = b;
  }
  const leaf = leafAt(smallest);
  if (leaf == 0) return;
  const p = load<i32>(leaf + (<usize>corner << 2));
  const q = load<i32>(leaf + (<usize>(corner + (1 << axis)) << 2));
  if (!inBlock(p, q)) return;
  const l0 = leafAt(n0);
  const l1 = leafAt(n1);
  const l2 = leafAt(n2);
  const l3 = leafAt(n3);
  tetrahedron(p, q, l0, l1);
  tetrahedron(p, q, l1, l2);
  tetrahedron(p, q, l2, l3);
  tetrahedron(p, q, l3, l0);
}

/** Each edge belongs to the one block that holds its middle. */
function inBlock(p: i32, q: i32): bool {
  const from = 2 << blockBits;
  const to = 2 * from;
  for (let i: usize = 0; i < 12; i += 4) {
    // Positions are even for corners: the sum of two is twice the middle.
    const middle = (load<i32>(places + <usize>p * 12 + i) + load<i32>(places + <usize>q * 12 + i)) >> 1;
    if (middle < from || middle >= to) return false;
  }
  return true;
}

function tetrahedron(p: i32, q: i32, leafA: usize, leafB: usize): void {
  if (leafA == 0 || leafB == 0 || leafA == leafB) return;
  const a = load<i32>(leafA + 32);
  const b = load<i32>(leafB + 32);
  const vp = load<f32>(values + (<usize>p << 2));
  const vq = load<f32>(values + (<usize>q << 2));
  const va = load<f32>(values + (<usize>a << 2));
  const vb = load<f32>(values + (<usize>b << 2));
  // NaN is neither: one unknown corner, and there is no surface here.
  if (!(vp * 0 == 0 && vq * 0 == 0 && va * 0 == 0 && vb * 0 == 0)) return;
  const inside = (vp < 0 ? 1 : 0) | (vq < 0 ? 2 : 0) | (va < 0 ? 4 : 0) | (vb < 0 ? 8 : 0);
  // Corners in the order p, q, a, b make a right-handed tetrahedron; each case is an even permutation of the first.
  switch (inside) {
    case 0:
    case 15:
      return;
    case 1:
      return one(p, q, a, b);
    case 14:
      return one(p, a, q, b);
    case 2:
      return one(q, p, b, a);
    case 13:
      return one(q, b, p, a);
    case 4:
      return one(a, b, p, q);
    case 11:
      return one(a, p, b, q);
    case 8:
      return one(b, a, q, p);
    case 7:
      return one(b, q, a, p);
    case 3:
      return two(p, q, a, b);
    case 12:
      return two(a, b, p, q);
    case 5:
      return two(p, a, b, q);
    case 10:
      return two(q, b, a, p);
    case 9:
      return two(p, b, q, a);
    case 6:
      return two(q, a, p, b);
  }
}

/** The corner `i` alone on its side. */
function one(i: i32, j: i32, k: i32, l: i32): void {
  const at = take(24);
  crossing(at, i, j);
  crossing(at + 8, i, k);
  crossing(at + 16, i, l);
  append();
}

/** i and j inside, k and l outside. */
function two(i: i32, j: i32, k: i32, l: i32): void {
  let at = take(24);
  crossing(at, i, k);
  crossing(at + 8, i, l);
  crossing(at + 16, j, l);
  append();
  at = take(24);
  crossing(at, i, k);
  crossing(at + 8, j, l);
  crossing(at + 16, j, k);
  append();
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function append(): void {
  triangleCount++;
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function crossing(at: usize, i: i32, j: i32): void {
  store<u32>(at, <u32>min(i, j));
  store<u32>(at + 4, <u32>max(i, j));
}

// --- vertices --------------------------------------------------------------------------------------------------------

/** f64 [n, 3] world, f32 [n] support, u32 [triangles, 3]. */
let positionsAt: usize = 0;
let supportAt: usize = 0;
let indicesAt: usize = 0;

/** One vertex for each crossing, whose support is enough. Returns their number. */
export function vertices(): i32 {
  let slots: u32 = 1024;
  while (slots < <u32>triangleCount * 2) slots <<= 1;
  const mask = slots - 1;
  const found = takeCleared(<usize>slots << 2);
  const keys = take(<usize>triangleCount * 3 * 8);
  indicesAt = take(<usize>triangleCount * 12);
  let n = 0;
  for (let k = 0; k < 3 * triangleCount; k++) {
    const from = triangles + <usize>(k / 3) * 32 + <usize>(k % 3) * 8;
    const key = load<u64>(from);
    let slot = hashed(<i32>key, <i32>(key >> 32), 0) & mask;
    let id = 0;
    while (true) {
      id = load<i32>(found + (<usize>slot << 2));
      if (id == 0) {
        store<u64>(keys + (<usize>n << 3), key);
        id = ++n;
        store<i32>(found + (<usize>slot << 2), id);
        break;
      }
      if (load<u64>(keys + (<usize>(id - 1) << 3)) == key) break;
      slot = (slot + 1) & mask;
    }
    store<i32>(indicesAt + (<usize>k << 2), id - 1);
  }
  positionsAt = take(<usize>n * 24);
  supportAt = take(<usize>n << 2);
  for (let k = 0; k < n; k++) {
    let i = <usize>load<u32>(keys + (<usize>k << 3));
    let j = <usize>load<u32>(keys + (<usize>k << 3) + 4);
    // In an order that all blocks share, so that both sides of a border get the same vertex to the last bit.
    if (after(i, j)) {
      const other = i;
      i = j;
      j = other;
    }
    const vi = <f64>load<f32>(values + (i << 2));
    const vj = <f64>load<f32>(values + (j << 2));
    // Kept off the lattice points: faces of no area would follow.
    const t = min(max(vi / (vi - vj), 0.04), 0.96);
    for (let c: usize = 0; c < 3; c++) {
      const root = c == 0 ? rootX : c == 1 ? rootY : rootZ;
      const a = root + <f64>load<i32>(places + i * 12 + c * 4) * cell * 0.5;
      const b = root + <f64>load<i32>(places + j * 12 + c * 4) * cell * 0.5;
      store<f64>(positionsAt + <usize>k * 24 + c * 8, a + t * (b - a));
    }
    const si = load<f32>(supports + (i << 2));
    const sj = load<f32>(supports + (j << 2));
    store<f32>(supportAt + (<usize>k << 2), max(si, sj));
  }
  return n;
}

function after(i: usize, j: usize): bool {
  for (let c: usize = 0; c < 12; c += 4) {
    const a = load<i32>(places + i * 12 + c);
    const b = load<i32>(places + j * 12 + c);
    if (a != b) return a > b;
  }
  return false;
}

export function positions(): usize {
  return positionsAt;
}

export function support(): usize {
  return supportAt;
}

export function indices(): usize {
  return indicesAt;
}
