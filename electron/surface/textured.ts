import type { Similarity } from '../geometry/similarity.js';
import type { Charts } from './charts.js';
import type { Texels } from './texels.js';
import type { Mesh } from './types.js';

/** A mesh with its texture: what files and viewers take. Vertices are doubled where charts meet. */
export interface TexturedMesh {
  /** [vertices, 3] world. */
  positions: Float32Array;
  /** [vertices, 3] unit vectors, outwards. */
  normals: Float32Array;
  /** [vertices, 2] shares of the page, v downwards. */
  uvs: Float32Array;
  /** [vertices, 3] sRGB, for programs and formats without textures. */
  colours: Uint8Array;
  /** [vertices], at least 1: of the depth that agrees most surely with the place. */
  confidence: Float32Array;
  /** [faces, 3] grouped by page. */
  indices: Uint32Array;
  /** [faces] photo that the colour is from, -1: none. */
  photo: Int16Array;
  /** [faces] 1: a filled hole, or nothing but completed depth. */
  inferred: Uint8Array;
  /** One encoded picture a page, and the faces on it. */
  pages: { picture: Uint8Array; type: 'image/jpeg' | 'image/webp'; firstFace: number; faces: number }[];
  pageSize: number;
}

export interface AtlasLayout {
  charts: Charts;
  texels: Texels;
  pages: number;
  pageSize: number;
  /** [vertices, 3] */
  colours: Uint8Array;
}

/** Vertices and faces of a mesh on its pages, without the pictures. */
export function layOutMesh(
  mesh: Mesh,
  { charts, texels, pages, pageSize, colours }: AtlasLayout,
): Omit<TexturedMesh, 'pages'> & { pageFaces: { firstFace: number; faces: number }[] } {
  const faces = mesh.indices.length / 3;
  const normals = vertexNormals(mesh);
  const order = new Uint32Array(faces);
  const pageFaces: { firstFace: number; faces: number }[] = [];
  let n = 0;
  for (let page = 0; page < pages; page++) {
    const firstFace = n;
    for (let t = 0; t < faces; t++) if (texels.page[t] === page) order[n++] = t;
    pageFaces.push({ firstFace, faces: n - firstFace });
  }
  // A vertex has one copy per chart: the last chart that asked for it, and a list for the rest.
  const copies = new Map<number, number>();
  const charted = charts.charts.length;
  const sources: number[] = [];
  const uvs: number[] = [];
  const indices = new Uint32Array(3 * faces);
  for (let k = 0; k < faces; k++) {
    const t = order[k]!;
    const chart = charts.chartOf[t]!;
    for (let c = 0; c < 3; c++) {
      const vertex = mesh.indices[3 * t + c]!;
      const key = vertex * charted + chart;
      let copy = copies.get(key);
      if (copy === undefined) {
        copy = sources.push(vertex) - 1;
        copies.set(key, copy);
        uvs.push(
          (texels.places[6 * t + 2 * c]! + 0.5) / pageSize,
          (texels.places[6 * t + 2 * c + 1]! + 0.5) / pageSize,
        );
      }
      indices[3 * k + c] = copy;
    }
  }
  return {
    positions: gather(mesh.positions, sources),
    normals: gather(normals, sources),
    uvs: Float32Array.from(uvs),
    colours: Uint8Array.from(gather(Float32Array.from(colours), sources)),
    confidence: Float32Array.from(sources, (source) => mesh.confidence?.[source] ?? 1),
    indices,
    photo: Int16Array.from(order, (t) => charts.charts[charts.chartOf[t]!]!.label),
    inferred: Uint8Array.from(order, (t) => mesh.inferred?.[t] ?? 0),
    pageFaces,
    pageSize,
  };
}

function gather(values: Float32Array, sources: readonly number[]): Float32Array {
  const out = new Float32Array(3 * sources.length);
  sources.forEach((source, k) => {
    for (let i = 0; i < 3; i++) out[3 * k + i] = values[3 * source + i]!;
  });
  return out;
}

/** Sums of the faces' normals, each as long as the face is large. */
export function vertexNormals({ positions, indices }: Pick<Mesh, 'positions' | 'indices'>): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t]!, 3 * indices[t + 1]!, 3 * indices[t + 2]!];
    const [ux, uy, uz] = [0, 1, 2].map((i) => positions[b + i]! - positions[a + i]!) as [number, number, number];
    const [vx, vy, vz] = [0, 1, 2].map((i) => positions[c + i]! - positions[a + i]!) as [number, number, number];
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const v of [a, b, c]) for (let i = 0; i < 3; i++) normals[v + i]! += normal[i]!;
  }
  for (let k = 0; k < normals.length; k += 3) {
    const length = Math.hypot(normals[k]!, normals[k + 1]!, normals[k + 2]!);
    // A vertex between faces that cancel out: any unit vector, files demand one.
    if (length === 0) normals[k + 1] = -1;
    else for (let i = 0; i < 3; i++) normals[k + i]! /= length;
  }
  return normals;
}

/** The mesh in another frame: x' = scale R x + t. */
export function meshInFrame(mesh: TexturedMesh, { scale, rotation: R, translation: t }: Similarity): TexturedMesh {
  const turn = (vectors: Float32Array, factor: number, offset: ArrayLike<number>): Float32Array => {
    const out = new Float32Array(vectors.length);
    for (let k = 0; k < vectors.length; k += 3) {
      const [x, y, z] = [vectors[k]!, vectors[k + 1]!, vectors[k + 2]!];
      for (let i = 0; i < 3; i++)
        out[k + i] = factor * (R[3 * i]! * x + R[3 * i + 1]! * y + R[3 * i + 2]! * z) + offset[i]!;
    }
    return out;
  };
  return { ...mesh, positions: turn(mesh.positions, scale, t), normals: turn(mesh.normals, 1, [0, 0, 0]) };
}

/** Without the vertices that no face uses. */
export function keepVertices(mesh: TexturedMesh): TexturedMesh {
  const numbers = new Int32Array(mesh.positions.length / 3).fill(-1);
  const vertices: number[] = [];
  const indices = Uint32Array.from(mesh.indices, (v) => {
    if (numbers[v] === -1) numbers[v] = vertices.push(v) - 1;
    return numbers[v]!;
  });
  const pick = <T extends Float32Array | Uint8Array>(values: T, out: T, width: number): T => {
    vertices.forEach((v, k) => {
      for (let i = 0; i < width; i++) out[width * k + i] = values[width * v + i]!;
    });
    return out;
  };
  const n = vertices.length;
  return {
    ...mesh,
    positions: pick(mesh.positions, new Float32Array(3 * n), 3),
    normals: pick(mesh.normals, new Float32Array(3 * n), 3),
    uvs: pick(mesh.uvs, new Float32Array(2 * n), 2),
    colours: pick(mesh.colours, new Uint8Array(3 * n), 3),
    confidence: pick(mesh.confidence, new Float32Array(n), 1),
    indices,
  };
}
