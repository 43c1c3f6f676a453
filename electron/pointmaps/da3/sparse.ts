import type { ViewCamera } from '../../../native-models/da3/camera-numbers.js';
import type { SparseModel } from '../../geometry/sparse-model.js';
import type { Photo } from '../../geometry/types.js';
import { invertRigid, multiply4, rigid } from '../../numerics/linear.js';
import type { MeasuredDepths } from './measured.js';
import type { Lens, ViewShape } from './view.js';

/** What the sparse stage says of photos, in the terms of their views. */
export class SparseViews {
  /** Sightings by camera: index of the point, index of the sighting. */
  private readonly sightings: { point: number; sighting: number }[][];
  private readonly inliers = new Map<string, number>();

  constructor(
    private readonly model: SparseModel,
    private readonly photos: readonly Photo[],
  ) {
    this.sightings = model.cameras.map(() => []);
    const { offsets, trackCamera, piece } = model.points;
    for (let point = 0; point + 1 < offsets.length; point++) {
      for (let k = offsets[point]!; k < offsets[point + 1]!; k++) {
        const camera = trackCamera[k]!;
        if (model.cameras[camera]!.pose?.piece === piece[point]) this.sightings[camera]!.push({ point, sighting: k });
      }
    }
    for (const { a, b, inliers } of model.pairs) this.inliers.set(`${Math.min(a, b)} ${Math.max(a, b)}`, inliers);
  }

  /** The piece of the world in which a photo was placed. */
  piece(photo: number): number | undefined {
    return this.model.cameras[photo]?.pose?.piece;
  }

  /** Matches that two photos share, 0 where their geometry does not hold. */
  shared(a: number, b: number): number {
    return this.inliers.get(`${Math.min(a, b)} ${Math.max(a, b)}`) ?? 0;
  }

  /** The lens of a photo that was placed, in pixels of the original. */
  lens(photo: number): Lens | undefined {
    const camera = this.model.cameras[photo];
    if (!camera?.pose) return undefined;
    const { focal, k1 } = this.model.lenses[camera.lens]!;
    const { width, height } = this.photos[photo]!;
    return { focal: focal * Math.max(width, height), k1 };
  }

  private cameraFromWorld(photo: number): Float64Array {
    const { rotation, translation } = this.model.cameras[photo]!.pose!;
    return rigid(rotation, translation);
  }

  /** Of photos of one piece: first-from-camera in the piece's unit. */
  firstFromCamera(members: readonly number[]): Float64Array[] {
    const first = this.cameraFromWorld(members[0]!);
    return members.map((photo) => multiply4(first, invertRigid(this.cameraFromWorld(photo))));
  }

  /** Depths of a photo's points, at pixels of its view. @param focal view pixels */
  measured(photo: number, shape: ViewShape, focal: number): MeasuredDepths {
    const pose = this.cameraFromWorld(photo);
    const lens = this.model.lenses[this.model.cameras[photo]!.lens]!;
    const { positions, trackAt } = this.model.points;
    const [at, depth]: [number[], number[]] = [[], []];
    for (const { point, sighting } of this.sightings[photo]!) {
      const [x, y, z] = [positions[3 * point]!, positions[3 * point + 1]!, positions[3 * point + 2]!];
      const along = pose[8]! * x + pose[9]! * y + pose[10]! * z + pose[11]!;
      if (!(along > 0)) continue;
      const [u, v] = undistorted(lens, trackAt[2 * sighting]!, trackAt[2 * sighting + 1]!);
      at.push(focal * u + shape.width / 2, focal * v + shape.height / 2);
      depth.push(along);
    }
    return { at: Float64Array.from(at), depth: Float64Array.from(depth) };
  }
}

/** A ray (x, y, 1) of a sighting in long sides from the centre, by fixed-point iteration on the radial terms. */
function undistorted(
  { focal, k1, k2 = 0 }: { focal: number; k1: number; k2?: number | undefined },
  x: number,
  y: number,
): [number, number] {
  const [u, v] = [x / focal, y / focal];
  let factor = 1;
  for (let k = 0; k < 12; k++) {
    const r2 = (u * u + v * v) / (factor * factor);
    factor = 1 + k1 * r2 + k2 * r2 * r2;
  }
  return [u / factor, v / factor];
}

/**
 * Cameras as the network takes them: in the first one's frame, the median distance to it 1 (poses of any other size
 * than it saw in training make it doubt them).
 */
export function networkCameras(firstFromCamera: readonly Float64Array[], focals: readonly number[]): ViewCamera[] {
  const distances = firstFromCamera
    .slice(1)
    .map((m) => Math.hypot(m[3]!, m[7]!, m[11]!))
    .sort((p, q) => p - q);
  const unit = distances[distances.length >> 1] || 1;
  return firstFromCamera.map((m, view) => {
    const scaled = Float64Array.from(m);
    for (const at of [3, 7, 11]) scaled[at] = scaled[at]! / unit;
    return { worldFromCamera: scaled, fx: focals[view]!, fy: focals[view]! };
  });
}
