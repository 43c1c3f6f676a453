import { loadKernel } from '../compute/wasm.js';
import { solveCholesky } from '../numerics/linear.js';
import { opticsOf, type Lens, type PlacedCamera, type Sightings } from './bundle.js';
import { ELIMINATION_DEFAULTS, planElimination, type Elimination, type EliminationOptions } from './elimination.js';

/** assembly/bundle.ts; addresses in bytes. */
interface Kernel {
  place(...addresses: number[]): void;
  cost(points: number, scale2: number): number;
  eliminate(points: number, scale2: number, damping: number): void;
  movePoints(points: number, scale2: number, damping: number, step: number): void;
  factor(n: number, columns: number, rows: number, blocks: number, before: number, earlier: number, at: number): number;
  solve(unknowns: number, columns: number, rowOf: number, blockOf: number, b: number): void;
  multiply(unknowns: number, columns: number, rowOf: number, blockOf: number, x: number, out: number): void;
}

const PAGE = 65_536;
/** Bytes of a sighting's Jacobians in the kernel. */
const ROW_BYTES = 32 * 8;
/** Numbers of a pose's or a lens' unknown. */
const WIDTH = 6;
/** Of a solution by iteration: reduction of the residual at which it ends, and the most steps. */
const TOLERANCE = 1e-4;
const MOST_STEPS = 300;

// One instance with a memory that grows: every memory of its own takes ten gigabytes of addresses until it is collected.
let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;

/** Gives out places in the kernel's memory. */
class Places {
  end = PAGE;

  take(bytes: number): number {
    const start = this.end;
    this.end += Math.ceil(bytes / 16) * 16;
    return start;
  }
}

/** Which unknowns each point has. */
interface PointUnknowns {
  /** [points + 1] */
  first: Int32Array;
  /** Unknowns, in the order of elimination within each point. */
  list: Int32Array;
  /** [sightings, 2] place of pose and lens in the point's list; -1: held. */
  local: Int32Array;
}

/**
 * The normal equations of a bundle in the kernel's memory, the points eliminated. Only blocks of cameras that see common
 * points exist. Valid until the next system is made.
 */
export class BundleSystem {
  /** First number of each camera's and each lens' unknowns in a step; -1 for those that are held. */
  readonly cameraAt: Int32Array;
  readonly lensAt: Int32Array;
  readonly size: number;
  private readonly kernel: Kernel;
  private readonly memory: WebAssembly.Memory;
  private readonly elimination: Elimination;
  private readonly at: Record<Place, number>;
  private readonly pointCount: number;
  private readonly offsets: Int32Array;

  /**
   * @param sightings sorted by point
   * @param start [points + 1] sightings of every point
   * @param isHeld lenses that have no unknowns
   */
  constructor(
    cameras: readonly PlacedCamera[],
    lenses: readonly Lens[],
    private readonly points: Float64Array,
    sightings: Sightings,
    start: Int32Array,
    isHeld: (lens: number) => boolean,
    options: EliminationOptions = ELIMINATION_DEFAULTS,
  ) {
    this.pointCount = points.length / 3;
    const used = new Set(cameras.map(({ lens }) => lens));
    let unknowns = 0;
    const rigs = new Map<number, number>();
    const cameraUnknown = Int32Array.from(cameras, ({ fixed, rig }) => {
      if (fixed) return -1;
      const unknown = (rig && rigs.get(rig.id)) ?? unknowns++;
      if (rig) rigs.set(rig.id, unknown);
      return unknown;
    });
    const lensUnknown = Int32Array.from(lenses, (_, k) => (used.has(k) && !isHeld(k) ? unknowns++ : -1));
    const sizes = new Int32Array(unknowns).fill(WIDTH);
    const seen = unknownsOf(start, sightings.camera, cameraUnknown, lensUnknown, cameras);
    this.elimination = planElimination({ sizes, neighbours: neighboursOf(unknowns, seen) }, options);
    const { place, pattern } = this.elimination;
    this.offsets = new Int32Array(unknowns + 1);
    for (let k = 0; k < unknowns; k++) this.offsets[place[k]! + 1] = sizes[k]!;
    for (let k = 0; k < unknowns; k++) this.offsets[k + 1] = this.offsets[k + 1]! + this.offsets[k]!;
    this.size = this.offsets[unknowns]!;
    const offsetOf = (unknown: number) => (unknown < 0 ? -1 : this.offsets[place[unknown]!]!);
    this.cameraAt = cameraUnknown.map(offsetOf);
    this.lensAt = lensUnknown.map(offsetOf);
    const own = placeWithin(seen, start, sightings.camera, cameraUnknown, lensUnknown, cameras, place);
    const { firstPair, pairs } = pairBlocks(own, this.elimination);
    const longest = longestOf(start);
    const widest = longestOf(own.first);

    const turning = cameras.filter(({ rig }) => rig);
    const places = new Places();
    this.at = {
      cameras: places.take(96 * cameras.length),
      lensOf: places.take(4 * cameras.length),
      rigs: places.take(4 * cameras.length),
      turns: places.take(72 * turning.length),
      lenses: places.take(8 * WIDTH * lenses.length),
      points: places.take(8 * points.length),
      start: places.take(4 * start.length),
      camera: places.take(4 * sightings.camera.length),
      sighted: places.take(8 * sightings.at.length),
      local: places.take(4 * own.local.length),
      first: places.take(4 * own.first.length),
      list: places.take(4 * own.list.length),
      firstPair: places.take(4 * firstPair.length),
      pairs: places.take(4 * pairs.length),
      offsets: places.take(4 * this.offsets.length),
      S: places.take(8 * pattern.length),
      g: places.take(8 * this.size),
      rows: places.take(ROW_BYTES * longest),
      coupling: places.take(3 * 144 * widest),
      columns: places.take(4 * pattern.columns.length),
      rowOf: places.take(4 * pattern.rowOf.length),
      blockOf: places.take(4 * pattern.blockOf.length),
      before: places.take(4 * pattern.before.length),
      earlier: places.take(4 * pattern.earlier.length),
      position: places.take(4 * unknowns),
      x: places.take(8 * this.size),
      y: places.take(8 * this.size),
    };
    loaded ??= loadKernel<Kernel>(new URL('./assembly/bundle.wasm', import.meta.url));
    this.kernel = loaded.exports;
    this.memory = loaded.memory;
    const missing = Math.ceil((places.end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
    const { at } = this;
    for (const [address, values] of [
      [at.lensOf, Int32Array.from(cameras, ({ lens }) => lens)],
      [at.rigs, Int32Array.from(cameras, (camera) => (camera.rig ? turning.indexOf(camera) + 1 : 0))],
      [at.start, start],
      [at.camera, sightings.camera],
      [at.local, own.local],
      [at.first, own.first],
      [at.list, own.list],
      [at.firstPair, firstPair],
      [at.pairs, pairs],
      [at.offsets, this.offsets],
      [at.columns, pattern.columns],
      [at.rowOf, pattern.rowOf],
      [at.blockOf, pattern.blockOf],
      [at.before, pattern.before],
      [at.earlier, pattern.earlier],
    ] as const)
      new Int32Array(this.memory.buffer, address, values.length).set(values);
    this.numbers('turns', 9 * turning.length).set(turning.flatMap(({ rig }) => Array.from(rig!.cameraFromRig)));
    this.numbers('sighted', sightings.at.length).set(sightings.at);
    this.kernel.place(
      ...[
        at.cameras,
        at.lensOf,
        at.rigs,
        at.turns,
        at.lenses,
        at.points,
        at.start,
        at.camera,
        at.sighted,
        at.local,
        at.first,
      ],
      ...[at.list, at.firstPair, at.pairs, at.offsets, at.S, at.g, at.rows, at.coupling, widest],
    );
  }

  private numbers(place: Place, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.at[place], length);
  }

  /** Hands the kernel the present cameras, lenses and points. */
  load(cameras: readonly PlacedCamera[], lenses: readonly Lens[]): void {
    const poses = this.numbers('cameras', 12 * cameras.length);
    cameras.forEach(({ rotation, translation }, k) => {
      poses.set(rotation, 12 * k);
      poses.set(translation, 12 * k + 9);
    });
    const optics = this.numbers('lenses', WIDTH * lenses.length);
    lenses.forEach((lens, k) => optics.set(opticsOf(lens), WIDTH * k));
    this.numbers('points', this.points.length).set(this.points);
  }

  /** Sum of the robust costs of all sightings, after `load`. */
  cost(scale: number): number {
    return this.kernel.cost(this.pointCount, scale * scale);
  }

  /**
   * The damped step of cameras and lenses, and of the points, which are moved in place.
   *
   * @param priors adds to the diagonal and the gradient, by their number in a step
   * @returns undefined where the system is singular; nothing is moved then
   */
  step(scale: number, damping: number, priors: (add: AddPrior, couple: CouplePrior) => void): Float64Array | undefined {
    const { pattern, exact } = this.elimination;
    const S = this.numbers('S', pattern.length).fill(0);
    const g = this.numbers('g', this.size).fill(0);
    this.kernel.eliminate(this.pointCount, scale * scale, damping);
    const diagonal = this.diagonal();
    const add: AddPrior = (number, information, deviation) => {
      const at = diagonal[number]!;
      S[at] = S[at]! + information;
      g[number] = g[number]! - information * deviation;
    };
    priors(add, (a, b, information) => {
      for (const at of [diagonal[b]! + a - b, diagonal[a]! + b - a]) S[at] = S[at]! + information;
    });
    for (const at of diagonal) S[at] = S[at]! * (1 + damping) + 1e-12;
    const x = exact ? this.factorise(g) : this.iterate(g);
    if (!x?.every(Number.isFinite)) return undefined;
    this.numbers('x', this.size).set(x);
    this.kernel.movePoints(this.pointCount, scale * scale, damping, this.at.x);
    this.points.set(this.numbers('points', this.points.length));
    return x;
  }

  /** Where the diagonal's numbers lie in S. */
  private diagonal(): Int32Array {
    const { columns, blockOf } = this.elimination.pattern;
    const at = new Int32Array(this.size);
    for (let j = 0; j + 1 < this.offsets.length; j++) {
      const size = this.offsets[j + 1]! - this.offsets[j]!;
      for (let k = 0; k < size; k++) at[this.offsets[j]! + k] = blockOf[columns[j]!]! + k * (size + 1);
    }
    return at;
  }

  private factorise(g: Float64Array): Float64Array | undefined {
    const { columns, rowOf, blockOf, before, earlier, position, x } = this.at;
    const unknowns = this.offsets.length - 1;
    if (!this.kernel.factor(unknowns, columns, rowOf, blockOf, before, earlier, position)) return undefined;
    this.numbers('x', this.size).set(g);
    this.kernel.solve(unknowns, columns, rowOf, blockOf, x);
    return this.numbers('x', this.size).slice();
  }

  /** Conjugate gradients under the diagonal blocks (Agarwal et al., "Bundle Adjustment in the Large", ECCV 2010). */
  private iterate(g: Float64Array): Float64Array | undefined {
    const blocks = this.diagonalBlocks();
    const x = new Float64Array(this.size);
    const r = g.slice();
    const end = TOLERANCE ** 2 * product(r, r);
    const z = new Float64Array(this.size);
    precondition(blocks, r, z);
    const p = z.slice();
    let rz = product(r, z);
    for (let k = 0; k < MOST_STEPS && product(r, r) > end; k++) {
      const Sp = this.multiply(p);
      const curvature = product(p, Sp);
      if (!(curvature > 0)) return undefined;
      const alpha = rz / curvature;
      for (let i = 0; i < x.length; i++) {
        x[i] = x[i]! + alpha * p[i]!;
        r[i] = r[i]! - alpha * Sp[i]!;
      }
      precondition(blocks, r, z);
      const next = product(r, z);
      const beta = next / rz;
      rz = next;
      for (let i = 0; i < p.length; i++) p[i] = z[i]! + beta * p[i]!;
    }
    return x;
  }

  private multiply(p: Float64Array): Float64Array {
    const { columns, rowOf, blockOf, x, y } = this.at;
    this.numbers('x', this.size).set(p);
    const out = this.numbers('y', this.size).fill(0);
    this.kernel.multiply(this.offsets.length - 1, columns, rowOf, blockOf, x, y);
    return out;
  }

  private diagonalBlocks(): { at: number; size: number; values: Float64Array }[] {
    const { columns, blockOf, length } = this.elimination.pattern;
    const S = this.numbers('S', length);
    return Array.from({ length: this.offsets.length - 1 }, (_, j) => {
      const size = this.offsets[j + 1]! - this.offsets[j]!;
      const block = blockOf[columns[j]!]!;
      return { at: this.offsets[j]!, size, values: S.slice(block, block + size * size) };
    });
  }
}

type Place =
  | 'cameras'
  | 'lensOf'
  | 'rigs'
  | 'turns'
  | 'lenses'
  | 'points'
  | 'start'
  | 'camera'
  | 'sighted'
  | 'local'
  | 'first'
  | 'list'
  | 'firstPair'
  | 'pairs'
  | 'offsets'
  | 'S'
  | 'g'
  | 'rows'
  | 'coupling'
  | 'columns'
  | 'rowOf'
  | 'blockOf'
  | 'before'
  | 'earlier'
  | 'position'
  | 'x'
  | 'y';

/** Adds `information` to the diagonal at `number`, and what it pulls at a deviation of so much. */
export type AddPrior = (number: number, information: number, deviation: number) => void;
/** Information between two numbers of one camera, in both halves of its block. */
export type CouplePrior = (a: number, b: number, information: number) => void;

function precondition(
  blocks: readonly { at: number; size: number; values: Float64Array }[],
  r: Float64Array,
  z: Float64Array,
): void {
  for (const { at, size, values } of blocks) {
    const part = r.slice(at, at + size);
    solveCholesky(values.slice(), part, size);
    z.set(part, at);
  }
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function longestOf(first: Int32Array): number {
  let longest = 0;
  for (let k = 0; k + 1 < first.length; k++) longest = Math.max(longest, first[k + 1]! - first[k]!);
  return longest;
}

type UnknownLists = Pick<PointUnknowns, 'first' | 'list'>;

/** Unknowns of every point, each once. */
function unknownsOf(
  start: Int32Array,
  camera: Int32Array,
  cameraUnknown: Int32Array,
  lensUnknown: Int32Array,
  cameras: readonly PlacedCamera[],
): UnknownLists {
  const first = new Int32Array(start.length);
  const list: number[] = [];
  const mark = new Int32Array(cameraUnknown.length + lensUnknown.length).fill(-1);
  for (let p = 0; p + 1 < start.length; p++) {
    for (let s = start[p]!; s < start[p + 1]!; s++) {
      const c = camera[s]!;
      for (const unknown of [cameraUnknown[c]!, lensUnknown[cameras[c]!.lens]!]) {
        if (unknown < 0 || mark[unknown] === p) continue;
        mark[unknown] = p;
        list.push(unknown);
      }
    }
    first[p + 1] = list.length;
  }
  return { first, list: Int32Array.from(list) };
}

/** Points of each unknown: [unknowns + 1] and the points, with the unknown's place among the point's. */
function pointsOf(unknowns: number, { first, list }: UnknownLists) {
  const start = new Int32Array(unknowns + 1);
  for (const unknown of list) start[unknown + 1] = start[unknown + 1]! + 1;
  for (let k = 0; k < unknowns; k++) start[k + 1] = start[k + 1]! + start[k]!;
  const cursor = start.slice();
  const point = new Int32Array(list.length);
  const within = new Int32Array(list.length);
  for (let p = 0; p + 1 < first.length; p++) {
    for (let k = first[p]!; k < first[p + 1]!; k++) {
      const at = cursor[list[k]!]!++;
      point[at] = p;
      within[at] = k - first[p]!;
    }
  }
  return { start, point, within };
}

function neighboursOf(unknowns: number, lists: UnknownLists): number[][] {
  const { start, point } = pointsOf(unknowns, lists);
  const mark = new Int32Array(unknowns).fill(-1);
  return Array.from({ length: unknowns }, (_, unknown) => {
    const found: number[] = [];
    mark[unknown] = unknown;
    for (let q = start[unknown]!; q < start[unknown + 1]!; q++) {
      const p = point[q]!;
      for (let k = lists.first[p]!; k < lists.first[p + 1]!; k++) {
        const other = lists.list[k]!;
        if (mark[other] === unknown) continue;
        mark[other] = unknown;
        found.push(other);
      }
    }
    return found;
  });
}

/** The lists in the order of elimination, and where the unknowns of each sighting stand in them. */
function placeWithin(
  { first, list }: UnknownLists,
  start: Int32Array,
  camera: Int32Array,
  cameraUnknown: Int32Array,
  lensUnknown: Int32Array,
  cameras: readonly PlacedCamera[],
  place: Int32Array,
): PointUnknowns {
  const sorted = new Int32Array(list.length);
  const local = new Int32Array(2 * camera.length).fill(-1);
  const where = new Int32Array(place.length);
  for (let p = 0; p + 1 < start.length; p++) {
    const own = list.subarray(first[p]!, first[p + 1]!).map((unknown) => place[unknown]!);
    own.sort();
    sorted.set(own, first[p]!);
    own.forEach((unknown, k) => (where[unknown] = k));
    for (let s = start[p]!; s < start[p + 1]!; s++) {
      const c = camera[s]!;
      const pose = cameraUnknown[c]!;
      const lens = lensUnknown[cameras[c]!.lens]!;
      if (pose >= 0) local[2 * s] = where[place[pose]!]!;
      if (lens >= 0) local[2 * s + 1] = where[place[lens]!]!;
    }
  }
  return { first, list: sorted, local };
}

/** For every point the blocks of each two of its unknowns, lower triangle row by row. */
function pairBlocks(own: PointUnknowns, { pattern, place }: Elimination) {
  const { first, list } = own;
  const firstPair = new Int32Array(first.length);
  for (let p = 0; p + 1 < first.length; p++) {
    const width = first[p + 1]! - first[p]!;
    firstPair[p + 1] = firstPair[p]! + (width * (width + 1)) / 2;
  }
  const pairs = new Int32Array(firstPair.at(-1)!);
  const { start, point, within } = pointsOf(place.length, own);
  const blockAt = new Int32Array(place.length);
  for (let column = 0; column < place.length; column++) {
    for (let e = pattern.columns[column]!; e < pattern.columns[column + 1]!; e++)
      blockAt[pattern.rowOf[e]!] = pattern.blockOf[e]!;
    for (let q = start[column]!; q < start[column + 1]!; q++) {
      const p = point[q]!;
      const k = within[q]!;
      const width = first[p + 1]! - first[p]!;
      for (let i = k; i < width; i++) pairs[firstPair[p]! + (i * (i + 1)) / 2 + k] = blockAt[list[first[p]! + i]!]!;
    }
  }
  return { firstPair, pairs };
}
