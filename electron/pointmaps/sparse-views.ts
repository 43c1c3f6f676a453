import type { SparseLens, SparseModel } from '../geometry/sparse-model.js';
import type { Photo } from '../geometry/types.js';
import { invertRigid, multiply4, rigid } from '../numerics/linear.js';
import { undistort } from '../sparse/triangulate.js';
import type { ViewLens } from './resample.js';

/** Measured depths of a view: positions in view pixels, depth along z. */
export interface MeasuredDepths {
  /** [n, 2] */
  at: Float64Array;
  /** [n] */
  depth: Float64Array;
}

/** A lens of the sparse model in pixels of a photo. */
export function pixelLens(
  { focal, k1, k2, cx, cy }: Pick<SparseLens, 'focal' | 'k1' | 'k2' | 'cx' | 'cy'>,
  { width, height }: Pick<Photo, 'width' | 'height'>,
): ViewLens {
  const long = Math.max(width, height);
  return { focal: focal * long, k1, ...(k2 && { k2 }), ...(cx && { cx: cx * long }), ...(cy && { cy: cy * long }) };
}

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
  lens(photo: number): ViewLens | undefined {
    const camera = this.model.cameras[photo];
    if (!camera?.pose) return undefined;
    return pixelLens(this.model.lenses[camera.lens]!, this.photos[photo]!);
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
  measured(photo: number, shape: { width: number; height: number }, focal: number): MeasuredDepths {
    const pose = this.cameraFromWorld(photo);
    const lens = this.model.lenses[this.model.cameras[photo]!.lens]!;
    const { positions, trackAt } = this.model.points;
    const [at, depth]: [number[], number[]] = [[], []];
    for (const { point, sighting } of this.sightings[photo]!) {
      const [x, y, z] = [positions[3 * point]!, positions[3 * point + 1]!, positions[3 * point + 2]!];
      const along = pose[8]! * x + pose[9]! * y + pose[10]! * z + pose[11]!;
      if (!(along > 0)) continue;
      const [u, v] = undistort(lens, trackAt[2 * sighting]!, trackAt[2 * sighting + 1]!);
      at.push(focal * u + shape.width / 2, focal * v + shape.height / 2);
      depth.push(along);
    }
    return { at: Float64Array.from(at), depth: Float64Array.from(depth) };
  }
}
