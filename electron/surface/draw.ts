import { Rasteriser, type DrawingCamera } from './raster.js';
import type { TexturedMesh } from './textured.js';

/** The decoded pictures of the texture. */
export interface Pages {
  /** Side of a page, texels. */
  size: number;
  /** Per page sRGB [size, size, 3]. */
  pixels: Uint8Array[];
}

export interface MeshPicture {
  /** sRGB [height, width, 3]; black where there is nothing. */
  pixels: Uint8Array;
  /** [height, width] face + 1, 0 where there is nothing. */
  face: Uint32Array;
  inverseDepth: Float32Array;
}

/** The mesh through a camera: its texture (bilinear), its shape under a lamp at the camera, or its photos as colours. */
export function drawMesh(
  mesh: TexturedMesh,
  pages: Pages | undefined,
  camera: DrawingCamera,
  mode: 'texture' | 'shape' | 'photos' = 'texture',
): MeshPicture {
  const drawing = new Rasteriser(mesh.positions, mesh.indices).draw(camera);
  const { width, height, fx, fy, cx, cy, cameraFromWorld: M } = camera;
  const pixels = new Uint8Array(3 * width * height);
  const pageOf = (face: number): number => mesh.pages.findIndex((page) => face < page.firstFace + page.faces);
  const corner = new Float64Array(9);
  for (let k = 0; k < drawing.face.length; k++) {
    if (drawing.face[k] === 0) continue;
    const t = drawing.face[k]! - 1;
    for (let c = 0; c < 3; c++) {
      const v = 3 * mesh.indices[3 * t + c]!;
      const [x, y, z] = [mesh.positions[v]!, mesh.positions[v + 1]!, mesh.positions[v + 2]!];
      for (let i = 0; i < 3; i++)
        corner[3 * c + i] = M[4 * i]! * x + M[4 * i + 1]! * y + M[4 * i + 2]! * z + M[4 * i + 3]!;
    }
    const share = shares(corner, ((k % width) - cx) / fx, (Math.floor(k / width) - cy) / fy);
    if (mode === 'texture') texel(mesh, pages!, t, pageOf(t), share, pixels, 3 * k);
    else if (mode === 'shape') shade(mesh, t, share, M, corner, pixels, 3 * k);
    else
      for (let i = 0; i < 3; i++)
        pixels[3 * k + i] = mesh.photo[t]! < 0 ? 40 : 60 + ((mesh.photo[t]! * [97, 61, 151][i]! + 50) % 190);
  }
  return { pixels, face: drawing.face.slice(), inverseDepth: drawing.inverseDepth.slice() };
}

/** Shares of a face's corners where the ray (x, y, 1) meets it; corners in the camera's frame. */
function shares(p: Float64Array, x: number, y: number): [number, number, number] {
  // Signed volumes of the ray with each edge.
  const volume = (a: number, b: number): number =>
    x * (p[a + 1]! * p[b + 2]! - p[a + 2]! * p[b + 1]!) +
    y * (p[a + 2]! * p[b]! - p[a]! * p[b + 2]!) +
    (p[a]! * p[b + 1]! - p[a + 1]! * p[b]!);
  const [a, b, c] = [volume(3, 6), volume(6, 0), volume(0, 3)];
  const sum = a + b + c || 1;
  return [a / sum, b / sum, c / sum];
}

function texel(
  mesh: TexturedMesh,
  { size, pixels }: Pages,
  t: number,
  page: number,
  share: [number, number, number],
  out: Uint8Array,
  at: number,
): void {
  let [u, v] = [0, 0];
  for (let c = 0; c < 3; c++) {
    u += share[c]! * mesh.uvs[2 * mesh.indices[3 * t + c]!]!;
    v += share[c]! * mesh.uvs[2 * mesh.indices[3 * t + c]! + 1]!;
  }
  const x = Math.min(size - 1.001, Math.max(0, u * size - 0.5));
  const y = Math.min(size - 1.001, Math.max(0, v * size - 0.5));
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const p = 3 * (y0 * size + x0);
  const picture = pixels[page]!;
  for (let i = 0; i < 3; i++) {
    const upper = picture[p + i]! * (1 - fx) + picture[p + 3 + i]! * fx;
    const lower = picture[p + 3 * size + i]! * (1 - fx) + picture[p + 3 * size + 3 + i]! * fx;
    out[at + i] = Math.round(upper * (1 - fy) + lower * fy);
  }
}

function shade(
  mesh: TexturedMesh,
  t: number,
  share: [number, number, number],
  M: Float64Array,
  corner: Float64Array,
  out: Uint8Array,
  at: number,
): void {
  const normal = [0, 0, 0];
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < 3; i++) normal[i]! += share[c]! * mesh.normals[3 * mesh.indices[3 * t + c]! + i]!;
  const inCamera = [0, 1, 2].map((i) => [0, 1, 2].reduce((sum, j) => sum + M[4 * i + j]! * normal[j]!, 0));
  const length = Math.hypot(...inCamera) || 1;
  const lamp = [-0.4, -0.5, -0.77];
  const light = inCamera.reduce((sum, value, i) => sum + (value / length) * lamp[i]!, 0);
  // The back of a face is red: nobody should see one.
  const back = inCamera.reduce((sum, value, i) => sum + value * corner[i]!, 0) > 0;
  const grey = Math.round(60 + 180 * Math.max(0, light));
  out.set(back ? [150, 40, 40] : [grey, grey, grey], at);
}
