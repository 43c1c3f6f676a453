import { median } from '../numerics/median.js';
import {
  multiply3,
  orthonormalise,
  rotationAngle,
  rotationOf,
  rotationVector,
  transpose3,
} from '../numerics/linear.js';
import { dot3, minus3, times3, transposedTimes3 } from '../numerics/vector.js';
import type { Photo } from '../geometry/types.js';
import type { PlacedCamera } from './bundle.js';
import type { AddPrior, CouplePrior } from './bundle-system.js';
import { centreOf, type Posed } from './pose.js';

/** A pose that was known beforehand, in a world of its own, and how much it counts. */
export interface PosePrior {
  /** Camera from world, row-major 3x3. */
  rotation: Float64Array;
  centre: readonly number[];
  /** 1: right to a degree and to one per cent of the cameras' spread; 4: twice as exact. */
  weight: number;
}

/** A pose that an adjustment draws a camera to, in the world of the adjustment, with standard deviations. */
export interface PoseHold {
  rotation: Float64Array;
  centre: readonly number[];
  /** Radians. */
  angle: number;
  /** World units. */
  distance: number;
}

export interface PosePriorOptions {
  /** Standard deviation of a known direction, degrees, and of a known place, as a share of the cameras' spread. */
  degrees: number;
  share: number;
  /** A camera that is off by so many standard deviations is not drawn. */
  outlier: number;
  /** Priors that are off by so many times what they are told to be, as a rule, are of something else. */
  most: number;
  /** Pairs of cameras that tell the scale, at most. */
  pairs: number;
}

export const POSE_PRIOR_DEFAULTS: PosePriorOptions = { degrees: 1, share: 0.01, outlier: 5, most: 10, pairs: 2000 };

/** Poses of photos whose cameras are known as priors, by index. Views of a rig are placed by their rig alone. */
export function posePriors(photos: readonly Photo[]): Map<number, PosePrior> {
  const priors = new Map<number, PosePrior>();
  photos.forEach(({ known, face }, index) => {
    const pose = known?.worldFromCamera;
    if (known?.use !== 'prior' || !pose || face) return;
    const weight = known.weight ?? 1;
    if (!(weight > 0)) return;
    priors.set(index, { rotation: transpose3(rotationOf(pose)), centre: [pose[3]!, pose[7]!, pose[11]!], weight });
  });
  return priors;
}

/**
 * The priors of placed cameras in the world that these cameras have. The turn between both worlds is the one that most
 * cameras agree on, scale and place are medians, so that a third of the priors may be wrong; cameras on one line do.
 *
 * @returns empty when fewer than three cameras are known, or most of them do not fit
 */
export function poseHolds(
  cameras: ReadonlyMap<number, Posed & Pick<PlacedCamera, 'rig'>>,
  priors: ReadonlyMap<number, PosePrior>,
  options: PosePriorOptions = POSE_PRIOR_DEFAULTS,
): Map<number, PoseHold> {
  const told = [...priors].flatMap(([photo, prior]) => {
    const camera = cameras.get(photo);
    return camera && !camera.rig ? [{ photo, prior, camera, centre: centreOf(camera) }] : [];
  });
  if (told.length < 3) return new Map();
  const turn = commonTurn(told.map(({ prior, camera }) => multiply3(transpose3(prior.rotation), camera.rotation)));
  const from = told.map(({ centre }) => times3(turn, centre));
  const to = told.map(({ prior }) => prior.centre);
  const scale = commonScale(from, to, options.pairs);
  if (!(scale > 0)) return new Map();
  const shift = [0, 1, 2].map((i) => median(to.map((place, k) => place[i]! - scale * from[k]![i]!))!);
  const spread = spreadOf(to) / scale;
  const holds = told.map(({ photo, prior, camera, centre }) => {
    const rotation = multiply3(prior.rotation, turn);
    const place = transposedTimes3(
      turn,
      prior.centre.map((value, i) => (value - shift[i]!) / scale),
    );
    const angle = rotationAngle(multiply3(camera.rotation, transpose3(rotation)));
    return { photo, prior, rotation, place, angle, distance: Math.hypot(...minus3(centre, place)) };
  });
  // Priors may be worse than they are told to be: what they are off by as a rule says how exact they are.
  const said = { angle: (options.degrees * Math.PI) / 180, distance: options.share * spread };
  const sigma = {
    angle: Math.max(said.angle, 0.8 * median(holds.map(({ angle }) => angle))!),
    distance: Math.max(said.distance, 0.8 * median(holds.map(({ distance }) => distance))!),
  };
  if (sigma.angle > options.most * said.angle || sigma.distance > options.most * said.distance) return new Map();
  const good = holds.filter(
    ({ angle, distance }) =>
      angle < options.outlier * sigma.angle && distance < options.outlier * Math.max(sigma.distance, 1e-12),
  );
  if (good.length * 2 <= holds.length) return new Map();
  return new Map(
    good.map(({ photo, prior, rotation, place }) => {
      const exact = Math.sqrt(prior.weight);
      return [photo, { rotation, centre: place, angle: sigma.angle / exact, distance: sigma.distance / exact }];
    }),
  );
}

/** Squared deviation of a camera from what it is drawn to, in standard deviations. */
export function holdCost(camera: Posed, { rotation, centre, angle, distance }: PoseHold): number {
  const turn = rotationAngle(multiply3(camera.rotation, transpose3(rotation)));
  const off = minus3(centreOf(camera), centre);
  return (turn / angle) ** 2 + (Math.hypot(...off) / distance) ** 2;
}

interface HoldTerms {
  /** Number of the camera's first unknown. */
  at: number;
  /** Cost of one squared standard deviation. */
  unit: number;
  add: AddPrior;
  couple: CouplePrior;
}

/**
 * The same for the normal equations of a step that turns the camera by exp(w) and shifts its translation by v: its place
 * is off by t + R c, which changes by v + w x (R c). Turn and shift go together: with their parts alone a camera far from
 * the world's origin hardly turned.
 */
export function addHold(camera: Posed, hold: PoseHold, { at, unit, add, couple }: HoldTerms): void {
  const turned = rotationVector(multiply3(camera.rotation, transpose3(hold.rotation)));
  const arm = times3(camera.rotation, hold.centre);
  const off = [0, 1, 2].map((i) => camera.translation[i]! + arm[i]!);
  // Row i: how the place's number i changes with the turn.
  const [x, y, z] = arm as unknown as [number, number, number];
  const byTurn = [
    [0, z, -y],
    [-z, 0, x],
    [y, -x, 0],
  ];
  const place = unit / hold.distance ** 2;
  for (let i = 0; i < 3; i++) {
    add(at + i, unit / hold.angle ** 2, turned[i]!);
    add(at + 3 + i, place, off[i]!);
    const column = byTurn.map((row) => row[i]!);
    const square = dot3(column, column);
    if (square > 0) add(at + i, place * square, dot3(column, off) / square);
    for (let j = 0; j < i; j++)
      couple(
        at + i,
        at + j,
        place *
          dot3(
            column,
            byTurn.map((row) => row[j]!),
          ),
      );
    for (let j = 0; j < 3; j++) couple(at + 3 + j, at + i, place * column[j]!);
  }
}

/** The mean of those turns that lie near the one with the least median distance to all. */
function commonTurn(turns: readonly Float64Array[]): Float64Array {
  // A hundred candidates are enough to hit a good one.
  const step = Math.ceil(turns.length / 100);
  let best: { distance: number; near: Float64Array[] } | undefined;
  for (let k = 0; k < turns.length; k += step) {
    const back = transpose3(turns[k]!);
    const angles = turns.map((turn) => rotationAngle(multiply3(turn, back)));
    const distance = median(angles)!;
    if (best && distance >= best.distance) continue;
    best = { distance, near: turns.filter((_, i) => angles[i]! <= 2 * distance + 1e-9) };
  }
  const sum = new Float64Array(9);
  for (const turn of best!.near) turn.forEach((value, i) => (sum[i] = sum[i]! + value));
  return orthonormalise(sum);
}

/** Median ratio of the distances between cameras. */
function commonScale(from: readonly ArrayLike<number>[], to: readonly ArrayLike<number>[], most: number): number {
  const ratios: number[] = [];
  const step = Math.max(1, Math.floor((from.length * (from.length - 1)) / 2 / most));
  let count = 0;
  for (let i = 0; i < from.length; i++) {
    for (let j = i + 1; j < from.length; j++) {
      if (count++ % step !== 0) continue;
      const apart = Math.hypot(...minus3(from[i]!, from[j]!));
      if (apart > 0) ratios.push(Math.hypot(...minus3(to[i]!, to[j]!)) / apart);
    }
  }
  return median(ratios) ?? 0;
}

/** Root mean square distance from the middle. */
function spreadOf(places: readonly (readonly number[])[]): number {
  const middle = [0, 1, 2].map((i) => places.reduce((sum, place) => sum + place[i]!, 0) / places.length);
  return Math.sqrt(places.reduce((sum, place) => sum + Math.hypot(...minus3(place, middle)) ** 2, 0) / places.length);
}
