import { centreOf } from '../../../sparse/pose.js';

/** A placed camera as the choice of groups needs it. */
export interface GroupCamera {
  /** Row-major 3x3 and [3]: camera from world. */
  rotation: ArrayLike<number>;
  translation: ArrayLike<number>;
  /** Of the view that depth is computed on, pixels; its centre is its middle. */
  focal: number;
  width: number;
  height: number;
}

/** A sparse point, and the cameras that see it as indices. */
export interface GroupPoint {
  position: ArrayLike<number>;
  cameras: ArrayLike<number>;
}

/** A reference view and the views that its depth is matched against. */
export interface StereoGroup {
  reference: number;
  /** Best first. */
  neighbours: number[];
  /** Nearest and farthest depth to search, in the reference. */
  range: [number, number];
}

export interface GroupOptions {
  /** Neighbours at most; time grows with them. */
  most: number;
  /** Weight of a place that only the cameras' geometry says a view should see, against a point that it was seen with. */
  guess: number;
  /** A further neighbour must add this share of what the first one gave. */
  leastGain: number;
  /** Degrees between rays under which a point gives no depth. */
  leastParallax: number;
}

export const GROUP_DEFAULTS: GroupOptions = { most: 5, guess: 0.1, leastGain: 0.04, leastParallax: 1 };

/** Depth is best with 4 to 15 degrees: less, and it is noise; more, and surfaces look different. */
export function parallaxWeight(degrees: number, least = GROUP_DEFAULTS.leastParallax): number {
  if (degrees < least) return 0;
  if (degrees < 4) return (degrees / 4) ** 2;
  if (degrees < 15) return 1;
  return Math.exp(-(((degrees - 15) / 12) ** 2));
}

/**
 * Chooses for each camera the views to match it against, one after another: each time the one that adds most to what
 * is known of the reference's points, by angle and scale. Points already seen well by those chosen count less, so that
 * the group covers the whole reference (after Goesele et al., "Multi-View Stereo for Community Photo Collections",
 * ICCV 2007).
 *
 * @param cameras undefined where not placed
 * @param points of the same world
 * @param mayMatch whether two cameras may be matched at all
 */
export function planGroups(
  cameras: readonly (GroupCamera | undefined)[],
  points: readonly GroupPoint[],
  mayMatch: (a: number, b: number) => boolean = () => true,
  options: GroupOptions = GROUP_DEFAULTS,
): StereoGroup[] {
  const centres = cameras.map((camera) => camera && centreOf(camera));
  const seen: GroupPoint[][] = cameras.map(() => []);
  for (const point of points) for (const camera of Array.from(point.cameras)) seen[camera]!.push(point);
  return cameras.flatMap((camera, reference) => {
    if (!camera) return [];
    const depths = knownDepths(camera, seen[reference]!, points);
    if (depths.length === 0) return [];
    const places = [...seen[reference]!, ...guesses(camera, centres[reference]!, depths)];
    const others = cameras.map((other, k) => (k !== reference && mayMatch(reference, k) ? other : undefined));
    const weights = neighbourWeights(camera, centres[reference]!, others, centres, places, options);
    const neighbours = choose(weights, places.length, options);
    return neighbours.length > 0 ? [{ reference, neighbours, range: depthRange(depths) }] : [];
  });
}

/** Fewer points than these don't tell the range of depths: all that lie in the camera's field are taken then. */
const FEW_POINTS = 30;

function knownDepths(camera: GroupCamera, seen: readonly GroupPoint[], all: readonly GroupPoint[]): number[] {
  const inField = ({ position }: GroupPoint): boolean => project(camera, position) !== undefined;
  return (seen.length < FEW_POINTS ? all.filter(inField) : seen)
    .map(({ position }) => depthIn(camera, position))
    .filter((z) => z > 0)
    .sort((p, q) => p - q);
}

/**
 * A grid of places in the camera's field at the depths that it knows: photos of plain rooms share few points and yet
 * see the same walls.
 */
function guesses(camera: GroupCamera, centre: readonly number[], depths: readonly number[]): GroupPoint[] {
  const { rotation: R, focal, width, height } = camera;
  const places: GroupPoint[] = [];
  for (const share of [0.2, 0.5, 0.8]) {
    const z = depths[Math.floor(share * (depths.length - 1))]!;
    for (let v = 0.1; v < 1; v += 0.2) {
      for (let u = 0.1; u < 1; u += 0.2) {
        const [x, y] = [(((u - 0.5) * width) / focal) * z, (((v - 0.5) * height) / focal) * z];
        places.push({
          position: [0, 1, 2].map((k) => centre[k]! + R[k]! * x + R[3 + k]! * y + R[6 + k]! * z),
          cameras: [],
        });
      }
    }
  }
  return places;
}

/** Per other camera, the weight of each of the reference's places that it sees too, by the place's index. */
function neighbourWeights(
  own: GroupCamera,
  centre: readonly number[],
  cameras: readonly (GroupCamera | undefined)[],
  centres: readonly (readonly [number, number, number] | undefined)[],
  places: readonly GroupPoint[],
  { leastParallax, guess }: GroupOptions,
): Map<number, [place: number, weight: number][]> {
  const weights = new Map<number, [number, number][]>();
  cameras.forEach((camera, other) => {
    if (!camera) return;
    places.forEach(({ position, cameras: seeing }, k) => {
      const isSeen = Array.from(seeing).includes(other);
      if (!isSeen && (seeing.length > 0 || !project(camera, position))) return;
      const angle = angleAt(position, centre, centres[other]!);
      const ratio = (camera.focal * depthIn(own, position)) / (own.focal * depthIn(camera, position));
      const weight = parallaxWeight(angle, leastParallax) * Math.min(ratio, 1 / ratio) ** 2 * (isSeen ? 1 : guess);
      if (!(weight > 1e-3)) return;
      if (!weights.has(other)) weights.set(other, []);
      weights.get(other)!.push([k, weight]);
    });
  });
  return weights;
}

function choose(
  weights: Map<number, [point: number, weight: number][]>,
  points: number,
  { most, leastGain }: GroupOptions,
): number[] {
  const chosen: number[] = [];
  const known = new Float64Array(points);
  let firstGain = 0;
  while (chosen.length < most) {
    let best = -1;
    let bestGain = 0;
    for (const [other, list] of weights) {
      if (chosen.includes(other)) continue;
      const gain = list.reduce((sum, [k, weight]) => sum + Math.exp(-known[k]!) * (1 - Math.exp(-weight)), 0);
      if (gain > bestGain) {
        best = other;
        bestGain = gain;
      }
    }
    firstGain ||= bestGain;
    if (best < 0 || bestGain < leastGain * firstGain) break;
    chosen.push(best);
    for (const [k, weight] of weights.get(best)!) known[k]! += weight;
  }
  return chosen;
}

/**
 * Depths that hold nearly all sparse points, with a margin on both sides: what has no features is often nearer or
 * farther.
 */
export function depthRange(depths: readonly number[]): [number, number] {
  const sorted = Float64Array.from(depths).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 1;
  return [at(0.01) / 1.4, at(0.99) * 1.6];
}

/** View pixels; undefined outside the field. */
function project(camera: GroupCamera, X: ArrayLike<number>): [number, number] | undefined {
  const { rotation: R, translation: t, focal, width, height } = camera;
  const z = depthIn(camera, X);
  const x = (focal * (R[0]! * X[0]! + R[1]! * X[1]! + R[2]! * X[2]! + t[0]!)) / z + width / 2;
  const y = (focal * (R[3]! * X[0]! + R[4]! * X[1]! + R[5]! * X[2]! + t[1]!)) / z + height / 2;
  return z > 0 && x >= 0 && y >= 0 && x < width && y < height ? [x, y] : undefined;
}

function depthIn({ rotation: R, translation: t }: GroupCamera, X: ArrayLike<number>): number {
  return R[6]! * X[0]! + R[7]! * X[1]! + R[8]! * X[2]! + t[2]!;
}

function angleAt(X: ArrayLike<number>, a: readonly number[], b: readonly number[]): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let k = 0; k < 3; k++) {
    const [p, q] = [a[k]! - X[k]!, b[k]! - X[k]!];
    dot += p * q;
    aa += p * p;
    bb += q * q;
  }
  return (Math.acos(Math.min(1, dot / Math.sqrt(aa * bb))) * 180) / Math.PI;
}
