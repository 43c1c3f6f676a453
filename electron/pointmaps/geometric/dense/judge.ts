import { planeMap, type GreyView, type Matched } from './match.js';

/** A view and what matching said of it: the reference's own, or a neighbour's. */
export interface JudgedView {
  view: GreyView;
  matched: Pick<Matched, 'inverseDepth'>;
}

export interface JudgedNeighbour extends JudgedView {
  /** Row-major 4x4, in the unit of the depths. */
  fromReference: Float64Array;
}

/** What the other views' depths say of each pixel [h, w] of the reference. */
export interface Consistency {
  /** Sum over the neighbours of how well their depth agrees, 0 to 1 each. */
  agree: Float32Array;
  /** Neighbours whose field the place lies in. */
  seen: Uint8Array;
  /** Neighbours that see through the place, to a surface behind it. */
  through: Uint8Array;
  /** Pixels that 2 % of depth move the place in the agreeing view where they move it most. */
  reach: Float32Array;
}

/** Round trips that miss by this many pixels of the reference agree to 1/e. */
const ROUND_TRIP = 1;
/** Beyond this many there is no agreement at all. */
const MOST_ROUND_TRIP = 2;
/** A surface farther than this share of the depth behind the place is another one. */
const BEHIND = 0.05;

/**
 * Projects every pixel of the reference into the neighbours at its depth, and back from the depth that the neighbour
 * has there.
 */
export function consistencyOf(reference: JudgedView, neighbours: readonly JudgedNeighbour[]): Consistency {
  const pixels = reference.view.width * reference.view.height;
  const out: Consistency = {
    agree: new Float32Array(pixels),
    seen: new Uint8Array(pixels),
    through: new Uint8Array(pixels),
    reach: new Float32Array(pixels),
  };
  for (const neighbour of neighbours) compare(reference, neighbour, out);
  return out;
}

function compare({ view, matched }: JudgedView, neighbour: JudgedNeighbour, out: Consistency): void {
  const { width, height } = view;
  const { view: other, matched: there, fromReference: T } = neighbour;
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8, t0, t1, t2] = planeMap(view, other, T) as unknown as Twelve;
  const back = planeMap(other, view, inverseRigid(T)) as unknown as Twelve;
  const [b0, b1, b2, b3, b4, b5, b6, b7, b8, s0, s1, s2] = back;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const d = matched.inverseDepth[i]!;
      if (!(d > 0)) continue;
      const z = m6 * x + m7 * y + m8 + d * t2;
      if (!(z > 0)) continue;
      const u = (m0 * x + m1 * y + m2 + d * t0) / z;
      const v = (m3 * x + m4 * y + m5 + d * t1) / z;
      const column = Math.floor(u + 0.5);
      const row = Math.floor(v + 0.5);
      if (!(column >= 0 && row >= 0 && column < other.width && row < other.height)) continue;
      out.seen[i]!++;
      const found = there.inverseDepth[row * other.width + column]!;
      if (!(found > 0)) continue;
      // z is the ratio of the depths in both cameras: d / z is the place's inverse depth in the other one.
      const expected = d / z;
      if (found < expected * (1 - BEHIND)) out.through[i]!++;
      // Back from where the place lies, not from the middle of the pixel that was looked up: the rounding, up to half a
      // pixel, showed as a grid in the confidence.
      const w = b6 * u + b7 * v + b8 + found * s2;
      if (!(w > 0)) continue;
      const ex = (b0 * u + b1 * v + b2 + found * s0) / w - x;
      const ey = (b3 * u + b4 * v + b5 + found * s1) / w - y;
      const error = ex * ex + ey * ey;
      if (error > MOST_ROUND_TRIP ** 2 || Math.abs(found / expected - 1) > BEHIND) continue;
      out.agree[i]! += Math.exp(-error / ROUND_TRIP ** 2);
      const dx = (t0 - u * t2) / z;
      const dy = (t1 - v * t2) / z;
      const reach = 0.02 * d * Math.sqrt(dx * dx + dy * dy);
      if (reach > out.reach[i]!) out.reach[i] = reach;
    }
  }
}

type Twelve = [number, number, number, number, number, number, number, number, number, number, number, number];

function inverseRigid(T: Float64Array): Float64Array {
  const out = new Float64Array(16);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) out[4 * i + j] = T[4 * j + i]!;
    out[4 * i + 3] = -(T[i]! * T[3]! + T[4 + i]! * T[7]! + T[8 + i]! * T[11]!);
  }
  out[15] = 1;
  return out;
}
