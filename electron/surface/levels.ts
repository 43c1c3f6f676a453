import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { lightCopy } from './simplify.js';
import { keepVertices, vertexNormals, type TexturedMesh } from './textured.js';
import type { Mesh } from './types.js';

export interface LevelOptions {
  /** How many lighter ones are made beside the mesh itself. */
  levels: number;
  /** Faces of each, as a share of those of the one before. */
  share: number;
  /** Most error, as a share of the mesh's size; a level that can't keep it has more faces. */
  mostError: number;
}

export const LEVEL_DEFAULTS: LevelOptions = { levels: 3, share: 0.25, mostError: 0.05 };

/** How much a step across a whole texture page counts against one across the mesh. */
const UV_WEIGHT = 0.5;

/**
 * Lighter and lighter copies of a mesh under the same texture: vertices keep their places on its pages, and both sides
 * of a seam are simplified alike (meshoptimizer).
 */
export async function levelsOfDetail(mesh: TexturedMesh, options: Partial<LevelOptions> = {}): Promise<TexturedMesh[]> {
  const { levels, share, mostError } = { ...LEVEL_DEFAULTS, ...options };
  await MeshoptSimplifier.ready;
  const result: TexturedMesh[] = [];
  for (let level = 1; level <= levels; level++) {
    const before = result.at(-1) ?? mesh;
    const target = 3 * Math.max(4, Math.round((before.indices.length / 3) * share));
    const [indices] = MeshoptSimplifier.simplifyWithAttributes(
      before.indices,
      before.positions,
      3,
      before.uvs,
      2,
      [UV_WEIGHT, UV_WEIGHT],
      null,
      target,
      mostError,
      ['Permissive'],
    );
    result.push(withFaces(before, indices));
  }
  return result;
}

/** The mesh with other faces between its vertices: what was known of the faces around a vertex holds for its new ones. */
function withFaces(mesh: TexturedMesh, indices: Uint32Array): TexturedMesh {
  const vertices = mesh.positions.length / 3;
  const page = new Uint8Array(vertices);
  const photo = new Int16Array(vertices).fill(-1);
  const measured = new Uint8Array(vertices);
  mesh.pages.forEach(({ firstFace, faces }, number) => {
    for (let h = 3 * firstFace; h < 3 * (firstFace + faces); h++) {
      const v = mesh.indices[h]!;
      const t = (h / 3) | 0;
      page[v] = number;
      photo[v] = mesh.photo[t]!;
      if (mesh.inferred[t] === 0) measured[v] = 1;
    }
  });
  const count = indices.length / 3;
  const pageOf = (t: number): number => page[indices[3 * t]!]!;
  const order = Uint32Array.from({ length: count }, (_, t) => t).sort((a, b) => pageOf(a) - pageOf(b) || a - b);
  const sorted = new Uint32Array(indices.length);
  order.forEach((t, k) => sorted.set(indices.subarray(3 * t, 3 * t + 3), 3 * k));
  let firstFace = 0;
  const pages = mesh.pages.map((each, number) => {
    const faces = order.reduce((sum, t) => sum + (pageOf(t) === number ? 1 : 0), 0);
    firstFace += faces;
    return { ...each, firstFace: firstFace - faces, faces };
  });
  return keepVertices({
    ...mesh,
    indices: sorted,
    photo: Int16Array.from(order, (t) => photo[indices[3 * t]!]!),
    inferred: Uint8Array.from(order, (t) => ([0, 1, 2].some((c) => measured[indices[3 * t + c]!] === 1) ? 0 : 1)),
    pages: pages.filter(({ faces }) => faces > 0),
  });
}

export interface CollisionOptions {
  /** Faces of the collision mesh, about. */
  faces: number;
}

export const COLLISION_DEFAULTS: CollisionOptions = { faces: 2000 };

/** The shape alone, light, for physics: one vertex where the texture has several. */
export async function collisionMesh(
  mesh: TexturedMesh,
  options: Partial<CollisionOptions> = {},
): Promise<TexturedMesh> {
  const { faces } = { ...COLLISION_DEFAULTS, ...options };
  await MeshoptSimplifier.ready;
  const light = await lightCopy(welded(mesh), faces);
  const vertices = light.positions.length / 3;
  return {
    positions: light.positions,
    normals: vertexNormals(light),
    uvs: new Float32Array(2 * vertices),
    colours: new Uint8Array(3 * vertices).fill(128),
    confidence: new Float32Array(vertices).fill(1),
    indices: light.indices,
    photo: new Int16Array(light.indices.length / 3).fill(-1),
    inferred: new Uint8Array(light.indices.length / 3),
    pages: [],
    pageSize: mesh.pageSize,
  };
}

/** What is wanted beside the mesh itself. */
export interface Wanted {
  /** Lighter copies; 0: none. */
  levels: number;
  /** Faces of a collision mesh; 0: none. */
  collisionFaces: number;
}

export interface Derived {
  levels: TexturedMesh[];
  collision: TexturedMesh | undefined;
}

export async function derive(mesh: TexturedMesh, { levels, collisionFaces }: Wanted): Promise<Derived> {
  return {
    levels: await levelsOfDetail(mesh, { levels }),
    collision: collisionFaces > 0 ? await collisionMesh(mesh, { faces: collisionFaces }) : undefined,
  };
}

/** The mesh as it was before its vertices were doubled for the texture. */
export function welded({ positions, indices }: Pick<TexturedMesh, 'positions' | 'indices'>): Mesh {
  const first = MeshoptSimplifier.generatePositionRemap(positions, 3);
  const numbers = new Int32Array(positions.length / 3).fill(-1);
  const places: number[] = [];
  const joined = Uint32Array.from(indices, (v) => {
    const own = first[v]!;
    if (numbers[own] === -1) {
      numbers[own] = places.length / 3;
      places.push(positions[3 * own]!, positions[3 * own + 1]!, positions[3 * own + 2]!);
    }
    return numbers[own]!;
  });
  return {
    positions: Float32Array.from(places),
    indices: joined,
    support: new Float32Array(places.length / 3).fill(1),
  };
}
