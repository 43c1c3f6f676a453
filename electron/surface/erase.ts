import type { SceneRegion } from '../contract/scene.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { invertRigid } from '../numerics/linear.js';
import { regionTest } from '../scene/region.js';
import { keepVertices, type TexturedMesh } from './textured.js';

/** What was taken away from a scene since its mesh was built. */
export interface Erasure {
  cameras: readonly Camera[];
  maps: readonly DepthMap[];
  /** Parallel to the maps: bits of the deleted pixels, the lowest first. */
  deleted: readonly (Uint8Array | undefined)[];
  /** In the mesh's frame; what lies outside goes. */
  region?: SceneRegion | undefined;
}

/** A map speaks of a face that lies within this share of its depth. */
const AGREES = 0.02;

/**
 * The mesh without the faces whose pixels were deleted or that lie outside the region. The texture stays as it is: a
 * build from the depth maps takes most of a minute, this takes a second, and what is left would come out the same.
 */
export function erase(mesh: TexturedMesh, erasure: Erasure): TexturedMesh {
  const inside = erasure.region && regionTest(erasure.region);
  const views = erasure.maps.map((map, k) => ({
    map,
    bits: erasure.deleted[k],
    M: invertRigid(erasure.cameras[k]!.worldFromCamera),
  }));
  const touched = views.some(({ bits }) => bits !== undefined);
  return keepTextured(mesh, (t) => {
    const [x, y, z] = [0, 1, 2].map(
      (i) => [0, 1, 2].reduce((sum, c) => sum + mesh.positions[3 * mesh.indices[3 * t + c]! + i]!, 0) / 3,
    ) as [number, number, number];
    if (inside && !inside(x, y, z)) return false;
    if (!touched) return true;
    // A face at a rim may have no pixel of its own: those around it then say what it belongs to.
    const middle = [x, y, z] as const;
    const own = votes(views, middle, 0, AGREES);
    return (own === 0 ? votes(views, middle, 3, 3 * AGREES) : own) >= 0;
  });
}

interface MarkedView {
  map: DepthMap;
  bits: Uint8Array | undefined;
  /** Row-major 4x4, cameraFromWorld. */
  M: Float64Array;
}

/** Positive: more pixels keep the point than were deleted; negative: fewer; 0: no pixel speaks of it. */
function votes(
  views: readonly MarkedView[],
  [x, y, z]: readonly [number, number, number],
  around: number,
  agrees: number,
): number {
  let sum = 0;
  let spoken = false;
  for (const { map, bits, M } of views) {
    const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
    if (away <= 0) continue;
    const u = Math.round((map.focal * (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!)) / away + map.centreX);
    const v = Math.round((map.focal * (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!)) / away + map.centreY);
    for (let py = Math.max(0, v - around); py <= Math.min(map.height - 1, v + around); py++) {
      for (let px = Math.max(0, u - around); px <= Math.min(map.width - 1, u + around); px++) {
        const k = py * map.width + px;
        if (!(Math.abs(map.depth[k]! - away) < agrees * away)) continue;
        spoken = true;
        sum += bits && ((bits[k >> 3]! >> (k & 7)) & 1) === 1 ? -1 : 1;
      }
    }
  }
  return spoken && sum === 0 ? 1 : sum;
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
