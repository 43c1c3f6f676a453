import { MOST_CANDIDATES, type Candidates } from './candidates.js';

export interface LabelOptions {
  /** What a seam costs: 1 is the difference between the best photo of a face and one that hardly shows it. */
  seam: number;
  iterations: number;
  /** Fewer faces of one photo than this take that of the faces around them, where it sees them. */
  leastFaces: number;
}

export const LABEL_DEFAULTS: LabelOptions = { seam: 0.6, iterations: 24, leastFaces: 24 };

/**
 * The photo of each face: as good as there is, with few seams (Waechter et al., ECCV 2014), by min-sum belief
 * propagation on the graph of faces.
 *
 * @param opposite half-edge across each half-edge, -1 at borders
 * @returns [faces] photo, -1 where nobody sees the face
 */
export function chooseLabels(
  candidates: Candidates,
  opposite: Int32Array,
  options: Partial<LabelOptions> = {},
): Int16Array {
  const { seam, iterations, leastFaces } = { ...LABEL_DEFAULTS, ...options };
  const K = MOST_CANDIDATES;
  const { photo, quality } = candidates;
  const faces = photo.length / K;
  const cost = new Float32Array(photo.length);
  for (let t = 0; t < faces; t++) {
    const best = quality[t * K]!;
    // By the side of a pixel, not its area: half the resolution is half as good.
    for (let k = t * K; k < (t + 1) * K && photo[k]! >= 0; k++) cost[k] = 1 - Math.sqrt(quality[k]! / best);
  }
  // messages[3 t + i]: what the neighbour across edge i of t says about t's candidates.
  let messages = new Float32Array(3 * faces * K);
  let next = new Float32Array(3 * faces * K);
  const belief = new Float32Array(K);
  for (let round = 0; round < iterations; round++) {
    for (let t = 0; t < faces; t++) {
      if (photo[t * K]! < 0) continue;
      for (let i = 0; i < 3; i++) {
        const across = opposite[3 * t + i]!;
        if (across < 0) continue;
        const other = Math.floor(across / 3);
        if (photo[other * K]! < 0) continue;
        // What t says to `other`: its costs and what its two further neighbours say.
        let least = Infinity;
        const j = 3 * t + ((i + 1) % 3);
        const l = 3 * t + ((i + 2) % 3);
        for (let k = 0; k < K && photo[t * K + k]! >= 0; k++) {
          const value = cost[t * K + k]! + messages[j * K + k]! + messages[l * K + k]!;
          belief[k] = value;
          if (value < least) least = value;
        }
        const to = across * K;
        for (let k = 0; k < K; k++) {
          const label = photo[other * K + k]!;
          if (label < 0) break;
          let value = seam;
          for (let m = 0; m < K; m++) {
            const own = photo[t * K + m]!;
            if (own < 0) break;
            if (own === label) {
              value = Math.min(seam, belief[m]! - least);
              break;
            }
          }
          // Damped: a graph full of loops swings otherwise.
          next[to + k] = 0.5 * value + 0.5 * messages[to + k]!;
        }
      }
    }
    [messages, next] = [next, messages];
  }
  const labels = new Int16Array(faces).fill(-1);
  for (let t = 0; t < faces; t++) {
    let least = Infinity;
    for (let k = 0; k < K && photo[t * K + k]! >= 0; k++) {
      let value = cost[t * K + k]!;
      for (let i = 0; i < 3; i++) value += messages[(3 * t + i) * K + k]!;
      if (value < least) {
        least = value;
        labels[t] = photo[t * K + k]!;
      }
    }
  }
  for (let round = 0; round < 3; round++) mergeIslands(labels, candidates, opposite, leastFaces);
  return labels;
}

/** Gives small groups of faces the photo with which they share most of their border, if it sees all of them. */
function mergeIslands(labels: Int16Array, { photo }: Candidates, opposite: Int32Array, leastFaces: number): void {
  const K = MOST_CANDIDATES;
  const sees = (face: number, label: number): boolean => {
    for (let k = face * K; k < (face + 1) * K; k++) if (photo[k] === label) return true;
    return false;
  };
  const done = new Uint8Array(labels.length);
  for (let seed = 0; seed < labels.length; seed++) {
    if (done[seed] || labels[seed]! < 0) continue;
    const label = labels[seed]!;
    const group = [seed];
    done[seed] = 1;
    const around = new Map<number, number>();
    for (let read = 0; read < group.length; read++) {
      for (let i = 0; i < 3; i++) {
        const across = opposite[3 * group[read]! + i]!;
        const other = across < 0 ? -1 : Math.floor(across / 3);
        if (other < 0) continue;
        if (labels[other] !== label) around.set(labels[other]!, (around.get(labels[other]!) ?? 0) + 1);
        else if (!done[other]) {
          done[other] = 1;
          group.push(other);
        }
      }
    }
    if (group.length >= leastFaces) continue;
    const [next] = [...around]
      .filter(([each]) => each >= 0 && group.every((face) => sees(face, each)))
      .sort((a, b) => b[1] - a[1]);
    if (next) for (const face of group) labels[face] = next[0];
  }
}
