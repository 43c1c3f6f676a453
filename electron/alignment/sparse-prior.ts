import { invertRigid, rigid } from '../numerics/linear.js';
import type { SparseLens, SparseModel } from '../geometry/sparse-model.js';
import type { OriginalFromView } from '../geometry/types.js';
import { undistort } from '../sparse/triangulate.js';

/** A camera as the bundle adjustment of all photos has it; final. */
export interface CalibratedView {
  /** Views of one piece share a world and its scale. */
  piece: number;
  /** [16] in the piece's world. */
  worldFromCamera: Float64Array;
  /** View pixels. */
  focal: number;
}

/** Points that features of several photos agree on, one entry per sighting. */
export interface TiePoints {
  /** Index of the view. */
  view: Uint32Array;
  /** [n, 2] view pixels. */
  at: Float32Array;
  /** [n, 3] in the world of the view's piece. */
  positions: Float64Array;
}

export interface SparsePrior {
  /** Per view; undefined for those that the bundle does not know well. */
  cameras: (CalibratedView | undefined)[];
  ties: TiePoints;
}

/** How far, in view pixels, the pinhole of a view may be from the lens of the bundle for its camera to be final. */
const MOST_DISTORTION = 0.5;

export interface PriorView {
  width: number;
  height: number;
  originalFromView: OriginalFromView;
}

/**
 * What the sparse model says of an estimator's views. A camera whose view still has the lens' distortion, or whose focal is only
 * assumed, is left to the pointmaps.
 *
 * @param views parallel to the model's cameras
 * @param photos sizes in pixels, parallel to both
 */
export function sparsePrior(
  model: SparseModel,
  photos: readonly { width: number; height: number }[],
  views: readonly PriorView[],
): SparsePrior {
  const cameras = model.cameras.map((camera, k): CalibratedView | undefined => {
    const { pose } = camera;
    const lens = model.lenses[camera.lens];
    if (!pose || !lens || !isPinhole(lens, photos[k]!, views[k]!)) return undefined;
    // A view that was made along the lens agrees with it, whatever the lens is worth.
    if (lens.assumed && !views[k]!.originalFromView.radial) return undefined;
    return {
      piece: pose.piece,
      worldFromCamera: invertRigid(rigid(pose.rotation, pose.translation)),
      focal: (lens.focal * longSide(photos[k]!)) / views[k]!.originalFromView.scaleX,
    };
  });
  return { cameras, ties: tiePoints(model, cameras, photos, views) };
}

function tiePoints(
  { cameras, lenses, points }: SparseModel,
  known: readonly (CalibratedView | undefined)[],
  photos: readonly { width: number; height: number }[],
  views: readonly PriorView[],
): TiePoints {
  const view: number[] = [];
  const at: number[] = [];
  const positions: number[] = [];
  for (let point = 0; point < points.piece.length; point++) {
    for (let k = points.offsets[point]!; k < points.offsets[point + 1]!; k++) {
      const index = points.trackCamera[k]!;
      if (!known[index]) continue;
      const [x, y] = viewPixel(
        lenses[cameras[index]!.lens]!,
        photos[index]!,
        views[index]!,
        points.trackAt[2 * k]!,
        points.trackAt[2 * k + 1]!,
      );
      if (!(x >= 0 && y >= 0 && x <= views[index]!.width - 1 && y <= views[index]!.height - 1)) continue;
      view.push(index);
      at.push(x, y);
      positions.push(points.positions[3 * point]!, points.positions[3 * point + 1]!, points.positions[3 * point + 2]!);
    }
  }
  return { view: Uint32Array.from(view), at: Float32Array.from(at), positions: Float64Array.from(positions) };
}

/** From long sides relative to the photo's centre to pixels of the view. */
function viewPixel(
  lens: SparseLens,
  photo: { width: number; height: number },
  { originalFromView: map }: PriorView,
  x: number,
  y: number,
): [number, number] {
  const long = longSide(photo);
  const [u, v] = map.radial ? undistort(lens, x, y).map((value) => value * lens.focal) : [x, y];
  const { centreX, centreY } = map.radial ?? { centreX: (photo.width - 1) / 2, centreY: (photo.height - 1) / 2 };
  return [(u! * long + centreX - map.offsetX) / map.scaleX, (v! * long + centreY - map.offsetY) / map.scaleY];
}

const longSide = ({ width, height }: { width: number; height: number }): number => Math.max(width, height);

function isPinhole(
  lens: SparseLens,
  photo: { width: number; height: number },
  { originalFromView: map }: PriorView,
): boolean {
  const long = longSide(photo);
  const radius = Math.hypot(photo.width, photo.height) / 2 / (lens.focal * long);
  const { k1 = 0, k2 = 0, focal = 1 } = map.radial ?? {};
  const ratio = ((lens.focal * long) / focal) ** 2;
  const left = Math.abs(lens.k1 - k1 * ratio) * radius ** 3 + Math.abs((lens.k2 ?? 0) - k2 * ratio ** 2) * radius ** 5;
  const aside = map.radial ? 0 : Math.hypot(lens.cx ?? 0, lens.cy ?? 0) * long;
  return (left * lens.focal * long + aside) / map.scaleX < MOST_DISTORTION;
}
