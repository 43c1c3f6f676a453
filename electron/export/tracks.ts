import { projected, triangulated, widestAngle, type Sighting } from '../geometry/rays.js';
import type { Camera, PhotoId } from '../geometry/types.js';
import { invertRigid } from '../numerics/linear.js';

/**
 * Which features of which photos show one point, as the sparse stage found them (a SparseModel is one). Positions inside
 * a photo are in long sides relative to its centre, distorted as in the photo.
 */
export interface TrackSource {
  cameras: readonly { photo: PhotoId }[];
  points: {
    /** [N + 1]: the sightings of point i are entries offsets[i] to offsets[i + 1]. */
    offsets: Uint32Array;
    /** Index into `cameras`, per sighting. */
    trackCamera: Uint32Array;
    /** [sightings, 2] */
    trackAt: Float32Array;
  };
  /** Whether a point is still there after cropping and deleting; all are by default. Pixels are of the original photos. */
  keeps?: (position: readonly number[], sightings: readonly { photo: PhotoId; x: number; y: number }[]) => boolean;
}

export interface TrackOptions {
  /** A sighting farther than this from its point's projection is dropped, pixels of the original photo. */
  mostError: number;
  /** Points whose rays meet at a smaller angle are left out: their depth is a guess. Degrees. */
  leastAngle: number;
}
export const TRACK_DEFAULTS: TrackOptions = { mostError: 4, leastAngle: 1 };

export interface TrackPoint {
  position: [number, number, number];
  /** Index into the cameras that were given, and the pixel of the original photo, centres at integers. */
  sightings: Sighting[];
  /** Mean distance between sightings and projections, pixels of the original photos. */
  error: number;
}

/**
 * The points of tracks, in the world of the exported cameras: found anew from the sightings, so that they fit the poses
 * and lenses that leave the studio, whatever was refined since the tracks were made. Points seen by fewer than two of
 * the cameras are left out.
 */
export function trackPoints(
  cameras: readonly Camera[],
  { cameras: sources, points, keeps = () => true }: TrackSource,
  options: Partial<TrackOptions> = {},
): TrackPoint[] {
  const chosen = { ...TRACK_DEFAULTS, ...options };
  const index = new Map(cameras.map(({ photo }, k) => [photo, k]));
  const ours = sources.map(({ photo }) => index.get(photo));
  const poses = cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));
  const found: TrackPoint[] = [];
  for (let point = 0; point + 1 < points.offsets.length; point++) {
    const sightings: Sighting[] = [];
    for (let s = points.offsets[point]!; s < points.offsets[point + 1]!; s++) {
      const camera = ours[points.trackCamera[s]!];
      // A photo shows one point once; a second sighting is a wrong match.
      if (camera === undefined || sightings.some((other) => other.camera === camera)) continue;
      const { width, height } = cameras[camera]!;
      const side = Math.max(width, height);
      sightings.push({
        camera,
        x: points.trackAt[2 * s]! * side + (width - 1) / 2,
        y: points.trackAt[2 * s + 1]! * side + (height - 1) / 2,
      });
    }
    const solved = solvedPoint(cameras, poses, sightings, chosen);
    const marks = solved?.sightings.map(({ camera, x, y }) => ({ photo: cameras[camera]!.photo, x, y }));
    if (solved && keeps(solved.position, marks!)) found.push(solved);
  }
  return found;
}

function solvedPoint(
  cameras: readonly Camera[],
  poses: readonly Float64Array[],
  sightings: Sighting[],
  { mostError, leastAngle }: TrackOptions,
): TrackPoint | undefined {
  let kept = sightings;
  for (;;) {
    if (kept.length < 2) return undefined;
    const position = triangulated(cameras, poses, kept);
    if (!position || widestAngle(cameras, kept, position) < leastAngle) return undefined;
    const errors = kept.map(({ camera, x, y }) => {
      const seen = projected(cameras[camera]!, poses[camera]!, position);
      return seen ? Math.hypot(seen[0] - x, seen[1] - y) : Infinity;
    });
    const worst = errors.indexOf(Math.max(...errors));
    if (errors[worst]! <= mostError)
      return { position, sightings: kept, error: errors.reduce((sum, each) => sum + each, 0) / errors.length };
    // One wrong sighting pulls the point: without the worst, the others may agree.
    kept = kept.filter((_, k) => k !== worst);
  }
}
