import { MOST_CANDIDATES, type Candidates } from './candidates.js';
import type { Layers } from './bake.js';

export interface LevellingOptions {
  /** Weight of a seam's step against the differences between neighbours within one photo's part. */
  seam: number;
  /** Holds every correction near zero, so that it fades out away from the seam that asked for it. */
  hold: number;
  /** Steps beyond this (sRGB) are two things, not two exposures: they count for less. */
  doubtful: number;
  iterations: number;
}

export const LEVELLING_DEFAULTS: LevellingOptions = { seam: 10, hold: 1e-3, doubtful: 24, iterations: 60 };

/** What to add to a photo's levelled colours at a vertex, so that both sides of each seam show the same. */
export interface Levels {
  /** [vertices] the photo whose correction has the vertex' own number; -1: no photo there. */
  first: Int16Array;
  /** Numbers of the corrections for further photos at a vertex: by vertex * 65536 + photo. */
  further: ReadonlyMap<number, number>;
  /** [corrections, 3] sRGB steps. */
  offsets: Float32Array;
}

/** Row of the correction in `offsets`; -1 where the photo has no face at the vertex. */
export function levelAt({ first, further }: Pick<Levels, 'first' | 'further'>, vertex: number, photo: number): number {
  return first[vertex] === photo ? vertex : (further.get(vertex * 65536 + photo) ?? -1);
}

/**
 * Levels the seams between the photos' parts (Waechter et al., ECCV 2014, section 4.1, after Lempitsky and Ivanov): each
 * vertex has a correction per photo around it; at seams corrected colours are alike, within a part corrections are smooth.
 * What is left at the seams is blended over one face (bake.ts).
 */
export function levelSeams(
  indices: Uint32Array,
  vertices: number,
  labels: Int16Array,
  opposite: Int32Array,
  candidates: Candidates,
  options: Partial<LevellingOptions> = {},
): Levels {
  const settings = { ...LEVELLING_DEFAULTS, ...options };
  const numbered = numberCorrections(indices, vertices, labels);
  const count = vertices + numbered.further.size;
  const inside = neighbours(indices, labels, opposite, numbered, count);
  const seams = seamSteps(indices, labels, candidates, numbered, settings);
  const offsets = conjugateGradients(inside, seams, count, settings);
  return { ...numbered, offsets };
}

/** [layers, 3 corners, 3 channels] the corrections of what a photo gives to a face. */
export function layerLevels({ face, photo }: Layers, indices: Uint32Array, levels: Levels): Float32Array {
  const out = new Float32Array(9 * face.length);
  for (let k = 0; k < face.length; k++) {
    // Where a photo has no correction it has no share either: the mean of those that it has stands in.
    const rows = [0, 1, 2].map((c) => levelAt(levels, indices[3 * face[k]! + c]!, photo[k]!));
    const known = rows.filter((row) => row >= 0);
    for (let i = 0; i < 3; i++) {
      const mean = known.reduce((sum, row) => sum + levels.offsets[3 * row + i]!, 0) / Math.max(1, known.length);
      for (let c = 0; c < 3; c++) out[9 * k + 3 * c + i] = rows[c]! < 0 ? mean : levels.offsets[3 * rows[c]! + i]!;
    }
  }
  return out;
}

function numberCorrections(indices: Uint32Array, vertices: number, labels: Int16Array): Omit<Levels, 'offsets'> {
  const first = new Int16Array(vertices).fill(-1);
  const further = new Map<number, number>();
  for (let h = 0; h < indices.length; h++) {
    const label = labels[(h / 3) | 0]!;
    const vertex = indices[h]!;
    if (label < 0 || first[vertex] === label) continue;
    if (first[vertex] === -1) first[vertex] = label;
    else if (!further.has(vertex * 65536 + label)) further.set(vertex * 65536 + label, vertices + further.size);
  }
  return { first, further };
}

/** The neighbours of each correction within its photo's part, each once. */
function neighbours(
  indices: Uint32Array,
  labels: Int16Array,
  opposite: Int32Array,
  numbered: Omit<Levels, 'offsets'>,
  count: number,
): { starts: Uint32Array; ends: Uint32Array } {
  const row = Uint32Array.from(indices, (vertex, h) => Math.max(0, levelAt(numbered, vertex, labels[(h / 3) | 0]!)));
  const starts = new Uint32Array(count + 1);
  /** Calls back for both directions of each edge of a part: a face tells one, the face across the other. */
  const eachEdge = (visit: (from: number, to: number) => void): void => {
    for (let h = 0; h < indices.length; h++) {
      const label = labels[(h / 3) | 0]!;
      if (label < 0) continue;
      const [a, b] = [row[h]!, row[h % 3 === 2 ? h - 2 : h + 1]!];
      visit(a, b);
      const across = opposite[h]!;
      if (across < 0 || labels[(across / 3) | 0] !== label) visit(b, a);
    }
  };
  eachEdge((from) => {
    starts[from + 1]! += 1;
  });
  for (let k = 0; k < count; k++) starts[k + 1]! += starts[k]!;
  const ends = new Uint32Array(starts[count]!);
  const at = starts.slice();
  eachEdge((from, to) => {
    ends[at[from]!++] = to;
  });
  return { starts, ends };
}

interface Seams {
  /** [seams] rows. */
  a: Uint32Array;
  b: Uint32Array;
  weight: Float32Array;
  /** [seams, 3] colour of a less colour of b. */
  step: Float32Array;
}

/** Per vertex with several photos, each pair of them: how the photos' colours differ in the faces that both see. */
function seamSteps(
  indices: Uint32Array,
  labels: Int16Array,
  candidates: Candidates,
  numbered: Omit<Levels, 'offsets'>,
  { seam, doubtful }: LevellingOptions,
): Seams {
  const photosAt = new Map<number, number[]>();
  for (const key of numbered.further.keys()) {
    const vertex = Math.floor(key / 65536);
    const photos = photosAt.get(vertex);
    if (photos) photos.push(key % 65536);
    else photosAt.set(vertex, [numbered.first[vertex]!, key % 65536]);
  }
  /** Per pair of a vertex: number of faces that both see, and the sums of the differences. */
  const sums = new Map<number, Float64Array>();
  for (let h = 0; h < indices.length; h++) {
    const photos = photosAt.get(indices[h]!);
    if (!photos) continue;
    const pairs = (photos.length * (photos.length - 1)) / 2;
    let own = sums.get(indices[h]!);
    if (!own) sums.set(indices[h]!, (own = new Float64Array(4 * pairs)));
    addDifferences((h / 3) | 0, photos, candidates, own);
  }
  const found: { a: number; b: number; weight: number; step: [number, number, number] }[] = [];
  for (const [vertex, photos] of photosAt) {
    const own = sums.get(vertex)!;
    let pair = 0;
    for (let p = 1; p < photos.length; p++) {
      for (let q = 0; q < p; q++, pair++) {
        const faces = own[4 * pair]!;
        if (faces === 0) continue;
        const step = [1, 2, 3].map((i) => own[4 * pair + i]! / faces) as [number, number, number];
        const most = Math.max(...step.map(Math.abs));
        const weight = seam / Math.max(1, (most / doubtful) ** 2);
        found.push({
          a: levelAt(numbered, vertex, photos[p]!),
          b: levelAt(numbered, vertex, photos[q]!),
          weight,
          step,
        });
      }
    }
  }
  return {
    a: Uint32Array.from(found, ({ a }) => a),
    b: Uint32Array.from(found, ({ b }) => b),
    weight: Float32Array.from(found, ({ weight }) => weight),
    step: Float32Array.from(found.flatMap(({ step }) => step)),
  };
}

function addDifferences(
  face: number,
  photos: readonly number[],
  { photo, colour }: Candidates,
  sums: Float64Array,
): void {
  const first = face * MOST_CANDIDATES;
  const slots = photos.map((each) => {
    for (let k = first; k < first + MOST_CANDIDATES; k++) if (photo[k] === each) return k;
    return -1;
  });
  let pair = 0;
  for (let p = 1; p < photos.length; p++) {
    for (let q = 0; q < p; q++, pair++) {
      const [a, b] = [slots[p]!, slots[q]!];
      if (a < 0 || b < 0) continue;
      sums[4 * pair]! += 1;
      for (let i = 0; i < 3; i++) sums[4 * pair + 1 + i]! += colour[3 * a + i]! - colour[3 * b + i]!;
    }
  }
}

/**
 * Least squares of seams, smoothness and hold: symmetric and positive definite, Jacobi's preconditioner. The three
 * channels go side by side: they share the matrix, whose reading is most of the work.
 */
function conjugateGradients(
  { starts, ends }: { starts: Uint32Array; ends: Uint32Array },
  seams: Seams,
  count: number,
  { hold, iterations }: LevellingOptions,
): Float32Array {
  const { a, b, weight, step } = seams;
  const diagonal = new Float32Array(count);
  for (let k = 0; k < count; k++) diagonal[k] = hold + starts[k + 1]! - starts[k]!;
  const residual = new Float32Array(3 * count);
  for (let s = 0; s < a.length; s++) {
    const [i, j, w] = [a[s]!, b[s]!, weight[s]!];
    diagonal[i]! += w;
    diagonal[j]! += w;
    for (let c = 0; c < 3; c++) {
      // (x_a + colour of a) should be (x_b + colour of b).
      residual[3 * i + c]! -= w * step[3 * s + c]!;
      residual[3 * j + c]! += w * step[3 * s + c]!;
    }
  }
  const x = new Float32Array(3 * count);
  const direction = residual.map((value, k) => value / diagonal[(k / 3) | 0]!);
  const product = new Float32Array(3 * count);
  let size = dots(residual, direction);
  const enough = size.map((value) => value * 1e-6);
  for (let round = 0; round < iterations && size.some((value, c) => value > enough[c]!); round++) {
    multiply(starts, ends, diagonal, seams, direction, product);
    const along = ratios(size, dots(direction, product));
    const next = [0, 0, 0];
    for (let k = 0; k < count; k++) {
      for (let c = 0; c < 3; c++) {
        const at = 3 * k + c;
        x[at]! += along[c]! * direction[at]!;
        residual[at]! -= along[c]! * product[at]!;
        next[c]! += (residual[at]! * residual[at]!) / diagonal[k]!;
      }
    }
    const kept = ratios(next, size);
    for (let k = 0; k < count; k++)
      for (let c = 0; c < 3; c++) {
        const at = 3 * k + c;
        direction[at] = residual[at]! / diagonal[k]! + kept[c]! * direction[at]!;
      }
    size = next;
  }
  return x;
}

function multiply(
  starts: Uint32Array,
  ends: Uint32Array,
  diagonal: Float32Array,
  { a, b, weight }: Seams,
  v: Float32Array,
  out: Float32Array,
): void {
  for (let k = 0; k < diagonal.length; k++) {
    const own = diagonal[k]!;
    let x = own * v[3 * k]!;
    let y = own * v[3 * k + 1]!;
    let z = own * v[3 * k + 2]!;
    const end = starts[k + 1]!;
    for (let e = starts[k]!; e < end; e++) {
      const other = 3 * ends[e]!;
      x -= v[other]!;
      y -= v[other + 1]!;
      z -= v[other + 2]!;
    }
    out[3 * k] = x;
    out[3 * k + 1] = y;
    out[3 * k + 2] = z;
  }
  for (let s = 0; s < a.length; s++) {
    for (let c = 0; c < 3; c++) {
      out[3 * a[s]! + c]! -= weight[s]! * v[3 * b[s]! + c]!;
      out[3 * b[s]! + c]! -= weight[s]! * v[3 * a[s]! + c]!;
    }
  }
}

/** Per channel. */
function dots(a: Float32Array, b: Float32Array): number[] {
  const sums = [0, 0, 0];
  for (let k = 0; k < a.length; k += 3) for (let c = 0; c < 3; c++) sums[c]! += a[k + c]! * b[k + c]!;
  return sums;
}

/** A channel that has nothing left to solve stays where it is. */
const ratios = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, c) => (b[c]! > 0 ? value / b[c]! : 0));
