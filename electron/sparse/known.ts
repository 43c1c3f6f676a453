import type { SparseModel } from '../geometry/sparse-model.js';
import { compose, invert, registerPoints, transform, type Similarity } from '../geometry/similarity.js';
import type { Photo } from '../geometry/types.js';
import { rotationOf, transpose3 } from '../numerics/linear.js';
import { knownFocal, lensKey } from './calibration.js';
import type { EarlierSurvey } from './earlier.js';

/**
 * What is known of the cameras, in the form of an earlier survey: fixed cameras stand where they are and known lenses
 * are never changed, while everything else is found.
 *
 * @returns undefined when no photo has a known lens or a fixed pose
 */
export function knownSurvey(photos: readonly Photo[]): EarlierSurvey | undefined {
  const told = photos.filter(({ known }) => known?.lens);
  if (told.length === 0) return undefined;
  return {
    photos: told.map((photo) => {
      const { lens, use, worldFromCamera } = photo.known!;
      const focal = knownFocal(photo) ?? lens!.focal / Math.max(photo.width, photo.height);
      const camera = use === 'fixed' && worldFromCamera ? cameraPose(worldFromCamera) : undefined;
      return {
        id: photo.id,
        lensKey: lensKey(photo),
        lens: { focal, k1: lens!.k1, related: focal },
        camera: camera && { piece: 0, ...camera },
      };
    }),
  };
}

/** Camera from world of a row-major world-from-camera. */
function cameraPose(worldFromCamera: readonly number[]): { rotation: Float64Array; translation: Float64Array } {
  const rotation = transpose3(rotationOf(worldFromCamera));
  const centre = [worldFromCamera[3]!, worldFromCamera[7]!, worldFromCamera[11]!];
  const translation = Float64Array.from([0, 1, 2], (k) => -dot(rotation.subarray(3 * k, 3 * k + 3), centre));
  return { rotation, translation };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;

/** Cameras on a line leave the turn about it open: their spread across it must be this share of the spread along. */
const LEAST_SPREAD = 0.03;

/**
 * The model with its largest piece moved into the world of the cameras that are known as priors: a similarity from the
 * positions of at least three of them (least absolute deviations, so that some may be far off). The shape of the scene stays that
 * of the photos, which tell it better than any prior.
 */
export function inKnownWorld(photos: readonly Photo[], model: SparseModel): SparseModel {
  const pairs = photos.flatMap(({ known }, k) => {
    const pose = model.cameras[k]?.pose;
    const to = known?.use === 'prior' ? knownPosition(known) : undefined;
    return pose?.piece === 0 && to ? [{ from: centreOf(pose.rotation, pose.translation), to }] : [];
  });
  const [from, to] = [pairs.map(({ from }) => from), pairs.map(({ to }) => to)];
  if (pairs.length < 3 || !spreads(from) || !spreads(to)) return model;
  const flat = (points: readonly ArrayLike<number>[]) =>
    Float64Array.from(points.flatMap((point) => Array.from(point)));
  const found = registerPoints(flat(from), flat(to), new Float64Array(pairs.length).fill(1));
  return found ? movedModel(model, found.similarity) : model;
}

function knownPosition({ worldFromCamera, position }: NonNullable<Photo['known']>): ArrayLike<number> | undefined {
  return worldFromCamera ? [worldFromCamera[3]!, worldFromCamera[7]!, worldFromCamera[11]!] : position;
}

function centreOf(rotation: ArrayLike<number>, translation: ArrayLike<number>): Float64Array {
  return Float64Array.from([0, 1, 2], (k) => -dot([rotation[k]!, rotation[3 + k]!, rotation[6 + k]!], translation));
}

/** Whether points lie neither in one place nor on one line. */
function spreads(points: readonly ArrayLike<number>[]): boolean {
  const first = points[0]!;
  const offset = (point: ArrayLike<number>): number[] => [0, 1, 2].map((k) => point[k]! - first[k]!);
  const offsets = points.map(offset);
  const length = (v: readonly number[]): number => Math.hypot(v[0]!, v[1]!, v[2]!);
  const axis = offsets.reduce((best, each) => (length(each) > length(best) ? each : best));
  const along = length(axis);
  if (!(along > 0)) return false;
  const across = offsets.map((each) => {
    const t = dot(each, axis) / along ** 2;
    return length(each.map((value, k) => value - t * axis[k]!));
  });
  return Math.max(...across) > LEAST_SPREAD * along;
}

function movedModel(model: SparseModel, move: Similarity): SparseModel {
  const back = invert(move);
  const positions = model.points.positions.slice();
  for (let i = 0; i < model.points.piece.length; i++) {
    if (model.points.piece[i] === 0) positions.set(transform(move, positions.subarray(3 * i, 3 * i + 3)), 3 * i);
  }
  const cameras = model.cameras.map((camera) => {
    if (camera.pose?.piece !== 0) return camera;
    const { rotation, translation } = compose({ scale: 1, ...camera.pose }, back);
    // Lengths in the new world are `scale` times those of the old; a camera's pose has none of its own.
    const moved = translation.map((value) => value * move.scale);
    return { ...camera, pose: { piece: 0, rotation, translation: moved } };
  });
  return { ...model, cameras, points: { ...model.points, positions } };
}
