import type { SceneRegion } from '../contract/scene.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { regionTest } from '../scene/region.js';
import { shared } from './shared.js';
import { keepVertices, type TexturedMesh } from './textured.js';
import type { ViewCamera } from './types.js';

/** What was taken away from a scene since its mesh was built. */
export interface Erasure {
  cameras: readonly Camera[];
  maps: readonly DepthMap[];
  /** Parallel to the maps: bits of the deleted pixels, the lowest first. */
  deleted: readonly (Uint8Array | undefined)[];
  /** In the mesh's frame; what lies outside goes. */
  region?: SceneRegion | undefined;
}

/** A depth map of which pixels were deleted. */
export interface MarkedView extends ViewCamera {
  /** [height, width] along z, world units; 0 where nothing is known. */
  depth: Float32Array;
  /** Of the deleted pixels, the lowest first; undefined: none. */
  bits?: Uint8Array | undefined;
}

/** Which pixels speak of a face. */
export interface Reach {
  /** Pixels to each side of the face's own. */
  around: number;
  /** Share of the depth within which the pixel's must lie. */
  agrees: number;
}

export const AT_THE_FACE: Reach = { around: 0, agrees: 0.02 };
/** A face at a rim may have no pixel of its own: those around it then say what it belongs to. */
export const ROUND_THE_FACE: Reach = { around: 3, agrees: 0.06 };

/** What is asked about each face of a mesh. In memory that all threads see. */
export interface FacePlaces {
  /** [faces, 3] */
  middles: Float64Array;
  /** [faces] 1 outside the region. */
  outside: Uint8Array;
}

export function facePlaces(
  { positions, indices }: Pick<TexturedMesh, 'positions' | 'indices'>,
  region: SceneRegion | undefined,
): FacePlaces {
  const count = indices.length / 3;
  const inside = region && regionTest(region);
  const places = { middles: shared(new Float64Array(3 * count)), outside: shared(new Uint8Array(count)) };
  for (let t = 0; t < count; t++) {
    const [x, y, z] = [0, 1, 2].map(
      (i) => [0, 1, 2].reduce((sum, c) => sum + positions[3 * indices[3 * t + c]! + i]!, 0) / 3,
    ) as [number, number, number];
    places.middles.set([x, y, z], 3 * t);
    if (inside && !inside(x, y, z)) places.outside[t] = 1;
  }
  return places;
}

/** Sets the flags of faces that a deleted pixel of the view may speak of: no other face can lose the vote. */
export function touchFaces({ middles, outside }: FacePlaces, view: MarkedView, touched: Uint8Array): void {
  for (let t = 0; t < touched.length; t++) {
    if (outside[t] === 1 || touched[t] === 1) continue;
    eachPixel(view, middles, t, ROUND_THE_FACE, (k) => {
      if (isDeleted(view, k)) touched[t] = 1;
    });
  }
}

/** Votes on some faces; in whatever order views vote, the sums are the same. In memory that all threads see. */
export interface Votes {
  /** [faces] pixels that speak of the face. */
  spoken: Int32Array;
  /** [faces] of these, those that were kept less those that were deleted. */
  sum: Int32Array;
}

export const noVotes = (faces: number): Votes => ({
  spoken: shared(new Int32Array(faces)),
  sum: shared(new Int32Array(faces)),
});

export function castVotes(
  { middles }: FacePlaces,
  { faces, reach, votes }: { faces: Uint32Array; reach: Reach; votes: Votes },
  view: MarkedView,
): void {
  faces.forEach((t, n) =>
    eachPixel(view, middles, t, reach, (k) => {
      votes.spoken[n]!++;
      votes.sum[n]! += isDeleted(view, k) ? -1 : 1;
    }),
  );
}

/** Indices of the cameras in whose picture, or beside it, one of the faces lies. */
export function viewsOf(
  { middles }: FacePlaces,
  { faces, reach: { around } }: { faces: Uint32Array; reach: Reach },
  cameras: readonly ViewCamera[],
): number[] {
  const isSeen = (camera: ViewCamera, t: number): boolean => {
    const at = pixelAt(camera, middles, t);
    if (!at) return false;
    const { u, v } = at;
    return u >= -around && v >= -around && u < camera.width + around && v < camera.height + around;
  };
  return cameras.flatMap((camera, index) => (faces.some((t) => isSeen(camera, t)) ? [index] : []));
}

/**
 * The mesh without the faces whose pixels were deleted or that lie outside the region. The texture stays as it is: a
 * build from the depth maps takes most of a minute, this takes a second, and what is left would come out the same.
 *
 * @param deleted the faces that lost their vote
 */
export function erase(mesh: TexturedMesh, { outside }: FacePlaces, deleted: Uint32Array): TexturedMesh {
  const gone = outside.slice();
  for (const t of deleted) gone[t] = 1;
  return keepTextured(mesh, (t) => gone[t] === 0);
}

const isDeleted = ({ bits }: MarkedView, k: number): boolean =>
  bits !== undefined && ((bits[k >> 3]! >> (k & 7)) & 1) === 1;

/** Where a face's middle lies in a picture; undefined behind the camera. */
function pixelAt(
  { focal, centreX, centreY, cameraFromWorld: M }: ViewCamera,
  middles: Float64Array,
  t: number,
): { u: number; v: number; away: number } | undefined {
  const x = middles[3 * t]!;
  const y = middles[3 * t + 1]!;
  const z = middles[3 * t + 2]!;
  const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
  if (away <= 0) return undefined;
  const u = Math.round((focal * (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!)) / away + centreX);
  const v = Math.round((focal * (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!)) / away + centreY);
  return { u, v, away };
}

/** The pixels round a face's middle whose depth agrees with it. */
function eachPixel(
  view: MarkedView,
  middles: Float64Array,
  t: number,
  { around, agrees }: Reach,
  visit: (pixel: number) => void,
): void {
  const at = pixelAt(view, middles, t);
  if (!at) return;
  const { u, v, away } = at;
  for (let py = Math.max(0, v - around); py <= Math.min(view.height - 1, v + around); py++) {
    for (let px = Math.max(0, u - around); px <= Math.min(view.width - 1, u + around); px++) {
      const k = py * view.width + px;
      if (Math.abs(view.depth[k]! - away) < agrees * away) visit(k);
    }
  }
}

/** The mesh of some of its faces; pages keep their pictures. */
function keepTextured(mesh: TexturedMesh, keep: (face: number) => boolean): TexturedMesh {
  const faces: number[] = [];
  const pages = mesh.pages.map((page) => {
    const firstFace = faces.length;
    for (let t = page.firstFace; t < page.firstFace + page.faces; t++) if (keep(t)) faces.push(t);
    return { ...page, firstFace, faces: faces.length - firstFace };
  });
  const indices = new Uint32Array(3 * faces.length);
  faces.forEach((t, k) => indices.set(mesh.indices.subarray(3 * t, 3 * t + 3), 3 * k));
  return keepVertices({
    ...mesh,
    indices,
    photo: Int16Array.from(faces, (t) => mesh.photo[t]!),
    inferred: Uint8Array.from(faces, (t) => mesh.inferred[t]!),
    // A page without faces is a picture that nothing shows, and no glTF primitive may be empty.
    pages: pages.filter(({ faces: count }) => count > 0),
  });
}
