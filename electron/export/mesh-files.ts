import type { Derived } from '../surface/levels.js';
import type { TexturedMesh } from '../surface/textured.js';
import { meshPacking } from './mesh-packing.js';
import { meshGlb, yUp } from './mesh-glb.js';
import type { ExportFile } from './types.js';
import { textChunks } from './types.js';
import type { Camera } from '../geometry/types.js';
import { storedZip } from './stored-zip.js';

/** What a mesh can be written as, by the ending of its file. */
export const meshEndings = ['glb', 'obj', 'ply', 'usdz'] as const;
export type MeshEnding = (typeof meshEndings)[number];

export interface MeshFileOptions {
  /** The photos' own colours without any lamp (glTF, OBJ). */
  unlit: boolean;
  /** Colours of the texture, or of the vertices: for programs and games without textures. */
  colours: 'texture' | 'vertices';
  /** glTF packed by EXT_meshopt_compression: a third of the size, for viewers on the web; Blender does not open it. */
  compressed: boolean;
  /** Written beside it: lighter copies, `-lod1` the heaviest, and the shape for physics, `-collision`. */
  beside: Partial<Derived>;
}

export const MESH_FILE_DEFAULTS: MeshFileOptions = { unlit: true, colours: 'texture', compressed: false, beside: {} };

/** The file, and what belongs beside it. The meshes and the cameras are of the scene frame. */
export async function meshFiles(
  mesh: TexturedMesh,
  cameras: readonly Camera[],
  ending: MeshEnding,
  baseName: string,
  options: Partial<MeshFileOptions> = {},
): Promise<ExportFile[]> {
  const { unlit, colours, compressed, beside } = { ...MESH_FILE_DEFAULTS, ...options };
  const packing = compressed && ending === 'glb' ? await meshPacking() : undefined;
  const files = (each: TexturedMesh, name: string, shape: boolean): ExportFile[] => {
    if (ending !== 'glb') return otherFiles(each, ending, name, unlit);
    const glb = { name, unlit, colours: shape ? ('none' as const) : colours, packing };
    return [{ name: `${name}.glb`, chunks: meshGlb(each, shape ? [] : cameras, glb) }];
  };
  return [
    ...files(mesh, baseName, false),
    ...(beside.levels ?? []).flatMap((level, k) => files(level, `${baseName}-lod${k + 1}`, false)),
    ...(beside.collision ? files(beside.collision, `${baseName}-collision`, true) : []),
  ];
}

function otherFiles(
  mesh: TexturedMesh,
  ending: Exclude<MeshEnding, 'glb'>,
  baseName: string,
  unlit: boolean,
): ExportFile[] {
  const pictures = mesh.pages.map(({ picture }, k) => ({ name: pageName(baseName, k), chunks: [picture] }));
  switch (ending) {
    case 'obj':
      return [
        { name: `${baseName}.obj`, chunks: textChunks(objLines(mesh, baseName)) },
        ...(mesh.pages.length > 0
          ? [{ name: `${baseName}.mtl`, chunks: textChunks(mtlLines(mesh, baseName, unlit)) }]
          : []),
        ...pictures,
      ];
    case 'ply':
      return [{ name: `${baseName}.ply`, chunks: plyChunks(mesh) }];
    case 'usdz':
      return [{ name: `${baseName}.usdz`, chunks: usdz(mesh, baseName) }];
  }
}

const pageName = (baseName: string, page: number): string => `${baseName}-texture-${page + 1}.jpg`;

/** Axes as most readers of the format expect: y up. */
function* objLines(mesh: TexturedMesh, baseName: string): Generator<string> {
  yield '# Pointmap Studio';
  if (mesh.pages.length > 0) yield `mtllib ${baseName}.mtl`;
  yield* vectorLines('v', yUp(mesh.positions));
  yield* vectorLines('vn', yUp(mesh.normals));
  for (let k = 0; k < mesh.uvs.length; k += 2)
    yield `vt ${mesh.uvs[k]!.toFixed(6)} ${(1 - mesh.uvs[k + 1]!).toFixed(6)}`;
  // A shape without a picture is one group of its own.
  const groups = mesh.pages.length > 0 ? mesh.pages : [{ firstFace: 0, faces: mesh.photo.length }];
  for (const [page, { firstFace, faces }] of groups.entries()) {
    if (mesh.pages.length > 0) yield `usemtl photos_${page + 1}`;
    for (let t = firstFace; t < firstFace + faces; t++) {
      const corners = [0, 1, 2].map((c) => mesh.indices[3 * t + c]! + 1);
      yield `f ${corners.map((v) => `${v}/${v}/${v}`).join(' ')}`;
    }
  }
}

function* vectorLines(word: string, vectors: Float32Array): Generator<string> {
  for (let k = 0; k < vectors.length; k += 3)
    yield `${word} ${vectors[k]!.toFixed(6)} ${vectors[k + 1]!.toFixed(6)} ${vectors[k + 2]!.toFixed(6)}`;
}

function* mtlLines(mesh: TexturedMesh, baseName: string, unlit: boolean): Generator<string> {
  for (let page = 0; page < mesh.pages.length; page++) {
    yield `newmtl photos_${page + 1}`;
    yield 'Kd 1 1 1';
    yield 'Ks 0 0 0';
    // 0: colour only; 1: under lamps.
    yield `illum ${unlit ? 0 : 1}`;
    yield `map_Kd ${pageName(baseName, page)}`;
  }
}

const VERTICES_PER_CHUNK = 1 << 16;
const VERTEX_BYTES = 31;

/** Vertices with colours, z up like the cloud's PLY; faces with the photo that colours them. */
function* plyChunks(mesh: TexturedMesh): Generator<Uint8Array> {
  const vertices = mesh.positions.length / 3;
  const faces = mesh.photo.length;
  const properties = ['float x', 'float y', 'float z', 'float nx', 'float ny', 'float nz'];
  yield new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      'comment Pointmap Studio',
      `element vertex ${vertices}`,
      ...[...properties, 'uchar red', 'uchar green', 'uchar blue', 'float confidence'].map(
        (each) => `property ${each}`,
      ),
      `element face ${faces}`,
      'property list uchar int vertex_indices',
      'property short photo',
      'property uchar inferred',
      'end_header',
      '',
    ].join('\n'),
  );
  for (let first = 0; first < vertices; first += VERTICES_PER_CHUNK) {
    const n = Math.min(VERTICES_PER_CHUNK, vertices - first);
    const view = new DataView(new ArrayBuffer(VERTEX_BYTES * n));
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < 3; i++) {
        view.setFloat32(VERTEX_BYTES * k + 4 * i, mesh.positions[3 * (first + k) + i]!, true);
        view.setFloat32(VERTEX_BYTES * k + 12 + 4 * i, mesh.normals[3 * (first + k) + i]!, true);
        view.setUint8(VERTEX_BYTES * k + 24 + i, mesh.colours[3 * (first + k) + i]!);
      }
      view.setFloat32(VERTEX_BYTES * k + 27, mesh.confidence[first + k]!, true);
    }
    yield new Uint8Array(view.buffer);
  }
  for (let first = 0; first < faces; first += VERTICES_PER_CHUNK) {
    const n = Math.min(VERTICES_PER_CHUNK, faces - first);
    const view = new DataView(new ArrayBuffer(16 * n));
    for (let k = 0; k < n; k++) {
      view.setUint8(16 * k, 3);
      for (let i = 0; i < 3; i++) view.setInt32(16 * k + 1 + 4 * i, mesh.indices[3 * (first + k) + i]!, true);
      view.setInt16(16 * k + 13, mesh.photo[first + k]!, true);
      view.setUint8(16 * k + 15, mesh.inferred[first + k]!);
    }
    yield new Uint8Array(view.buffer);
  }
}

/** One mesh and material per page, in the text form of USD, which every reader of the package takes. */
function* usdz(mesh: TexturedMesh, baseName: string): Generator<Uint8Array> {
  const text = [...textChunks(usdaLines(mesh, baseName))];
  yield* storedZip([
    { name: `${baseName}.usda`, bytes: Buffer.concat(text) },
    ...mesh.pages.map(({ picture }, k) => ({ name: pageName(baseName, k), bytes: picture })),
  ]);
}

function* usdaLines(mesh: TexturedMesh, baseName: string): Generator<string> {
  yield '#usda 1.0';
  yield '(defaultPrim = "Root" metersPerUnit = 1 upAxis = "Y")';
  yield 'def Xform "Root" {';
  const positions = yUp(mesh.positions);
  const normals = yUp(mesh.normals);
  const groups = mesh.pages.length > 0 ? mesh.pages : [{ firstFace: 0, faces: mesh.photo.length }];
  for (const [page, { firstFace, faces }] of groups.entries()) {
    const used = [...new Set(mesh.indices.subarray(3 * firstFace, 3 * (firstFace + faces)))];
    const number = new Map(used.map((v, k) => [v, k]));
    const triples = (vectors: Float32Array): string =>
      used.map((v) => `(${[0, 1, 2].map((i) => vectors[3 * v + i]!.toFixed(5)).join(',')})`).join(',');
    const corners = mesh.indices.subarray(3 * firstFace, 3 * (firstFace + faces));
    const dressed = mesh.pages.length > 0;
    yield `def Mesh "Mesh${page + 1}"${dressed ? ' (prepend apiSchemas = ["MaterialBindingAPI"])' : ''} {`;
    if (dressed) yield `rel material:binding = </Root/Material${page + 1}>`;
    yield 'uniform token subdivisionScheme = "none"';
    yield 'uniform bool doubleSided = 1';
    yield `int[] faceVertexCounts = [${new Array(faces).fill(3).join(',')}]`;
    yield `int[] faceVertexIndices = [${Array.from(corners, (v) => number.get(v)).join(',')}]`;
    yield `point3f[] points = [${triples(positions)}]`;
    yield `normal3f[] normals = [${triples(normals)}] (interpolation = "vertex")`;
    const uvs = used.map((v) => `(${mesh.uvs[2 * v]!.toFixed(6)},${(1 - mesh.uvs[2 * v + 1]!).toFixed(6)})`);
    yield `texCoord2f[] primvars:st = [${uvs.join(',')}] (interpolation = "vertex")`;
    yield '}';
    if (dressed) yield* materialLines(page, pageName(baseName, page));
  }
  yield '}';
}

function* materialLines(page: number, picture: string): Generator<string> {
  const path = `/Root/Material${page + 1}`;
  yield `def Material "Material${page + 1}" {`;
  yield `token outputs:surface.connect = <${path}/Surface.outputs:surface>`;
  yield 'def Shader "Surface" {';
  yield 'uniform token info:id = "UsdPreviewSurface"';
  yield `color3f inputs:diffuseColor.connect = <${path}/Picture.outputs:rgb>`;
  yield 'float inputs:roughness = 1';
  yield 'float inputs:metallic = 0';
  yield 'token outputs:surface';
  yield '}';
  yield 'def Shader "Picture" {';
  yield 'uniform token info:id = "UsdUVTexture"';
  yield `asset inputs:file = @${picture}@`;
  yield `float2 inputs:st.connect = <${path}/Places.outputs:result>`;
  yield 'token inputs:sourceColorSpace = "sRGB"';
  yield 'float3 outputs:rgb';
  yield '}';
  yield 'def Shader "Places" {';
  yield 'uniform token info:id = "UsdPrimvarReader_float2"';
  yield 'string inputs:varname = "st"';
  yield 'float2 outputs:result';
  yield '}';
  yield '}';
}
