import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { keepFaces } from './components.js';
import { withoutCrossings } from './crossings.js';
import { makeManifold } from './manifold.js';
import type { Mesh } from './types.js';

export interface SimplifyOptions {
  /** Faces to end with, about. */
  faces: number;
  /** Most error, as a share of the mesh's size; 1: as much as the number of faces asks for. */
  mostError: number;
}

export const SIMPLIFY_DEFAULTS: SimplifyOptions = { faces: 500_000, mostError: 1 };

/**
 * Fewer faces by quadric error (Garland and Heckbert, SIGGRAPH 1997; meshoptimizer). Vertices move to where the error is
 * least; that also takes out much of the noise of single vertices.
 */
export async function simplify(mesh: Mesh, options: Partial<SimplifyOptions> = {}): Promise<Mesh> {
  const { faces, mostError } = { ...SIMPLIFY_DEFAULTS, ...options };
  const target = 3 * Math.max(1, Math.round(faces));
  if (mesh.indices.length <= target) return mesh;
  await MeshoptSimplifier.ready;
  const positions = mesh.positions.slice();
  const indices = mesh.indices.slice();
  const [used] = MeshoptSimplifier.simplifyWithUpdate(
    indices,
    positions,
    3,
    mesh.support.slice(),
    1,
    [0],
    null,
    target,
    mostError,
    ['RegularizeLight'],
  );
  return keepFaces({ positions, indices: indices.slice(0, used), support: mesh.support }, () => true);
}

/** A light copy of a finished mesh, manifold and without self-crossings as the mesh itself. */
export async function lightCopy(mesh: Mesh, faces: number): Promise<Mesh> {
  return withoutCrossings(makeManifold(await simplify(mesh, { faces })));
}
