import { distort, largestRadius } from '../geometry/lens.js';
import { isBlind, type Picture, type TexturePhoto } from './texture-photo.js';
import { Rasteriser, type Drawing } from './raster.js';
import { oppositeHalfEdges } from './half-edges.js';
import { averaged, faceNormals } from './smooth.js';
import type { Mesh } from './types.js';

/** How one photo sees each face. */
export interface Look {
  /** [faces] pixels of the original photo per unit of area, less for a blurred photo; 0: not seen. */
  quality: Float32Array;
  /** [faces, 3] mean colour, sRGB, under the light that all photos share. */
  colour: Uint8Array;
}

export interface LookOptions {
  /** Long side of the depth buffer. */
  bufferSide: number;
  /** A face counts as hidden when the buffer is nearer by this share of its depth, and by its own slope. */
  tolerance: number;
  /** Faces seen at less than this cosine are not textured from the photo. */
  leastCosine: number;
}

export const LOOK_DEFAULTS: LookOptions = { bufferSide: 1600, tolerance: 0.004, leastCosine: 0.1 };

/** Rounds over which a face's own noise is averaged out of the way it faces. */
const FACING_ROUNDS = 8;
const FACING_EDGE = 0.8;

/**
 * Which way the surface faces at each face, [faces, 3]: without the noise of single faces, by which neighbours would
 * each prefer another photo.
 */
export function facing({ positions, indices }: Pick<Mesh, 'positions' | 'indices'>): Float32Array {
  const opposite = oppositeHalfEdges(indices);
  const { normals, areas } = faceNormals(positions, indices);
  let result = normals;
  for (let round = 0; round < FACING_ROUNDS; round++) result = averaged(result, areas, opposite, FACING_EDGE);
  return result;
}

/**
 * Looks at all faces through one photo: a face is seen when its corners and its middle are inside the picture, nothing
 * lies before them, and the photo is not blind there: a surface that shows before the sky reaches beyond its outline.
 *
 * @param facing [faces, 3] which way the surface faces there: from `facing`
 * @param picture the photo, at any size
 */
export function look(
  mesh: Pick<Mesh, 'positions' | 'indices'>,
  facing: Float32Array,
  photo: TexturePhoto,
  picture: Picture,
  options: Partial<LookOptions> = {},
): Look {
  const settings = { ...LOOK_DEFAULTS, ...options };
  const scale = Math.min(1, settings.bufferSide / Math.max(photo.width, photo.height));
  const camera = {
    width: Math.round(photo.width * scale),
    height: Math.round(photo.height * scale),
    fx: photo.fx * scale,
    fy: photo.fy * scale,
    cx: (photo.cx + 0.5) * scale - 0.5,
    cy: (photo.cy + 0.5) * scale - 0.5,
    cameraFromWorld: photo.cameraFromWorld,
  };
  const drawing = new Rasteriser(mesh.positions, mesh.indices).draw(camera);
  const faces = mesh.indices.length / 3;
  const result: Look = { quality: new Float32Array(faces), colour: new Uint8Array(3 * faces) };
  const seen = new FaceLook(mesh, facing, photo, picture, drawing, camera.width, camera.height, scale, settings);
  for (let t = 0; t < faces; t++) result.quality[t] = seen.at(t, result.colour);
  return result;
}

class FaceLook {
  /** Camera frame, corners and middle. */
  private readonly p = new Float64Array(12);
  private readonly most: number;

  constructor(
    private readonly mesh: Pick<Mesh, 'positions' | 'indices'>,
    private readonly facing: Float32Array,
    private readonly photo: TexturePhoto,
    private readonly picture: Picture,
    private readonly drawing: Drawing,
    private readonly width: number,
    private readonly height: number,
    private readonly scale: number,
    private readonly options: LookOptions,
  ) {
    this.most = largestRadius(photo) ** 2;
  }

  at(t: number, colour: Uint8Array): number {
    const { p, photo } = this;
    const { positions, indices } = this.mesh;
    const M = photo.cameraFromWorld;
    for (let c = 0; c < 3; c++) {
      const at = 3 * indices[3 * t + c]!;
      const x = positions[at]!;
      const y = positions[at + 1]!;
      const z = positions[at + 2]!;
      p[3 * c] = M[0]! * x + M[1]! * y + M[2]! * z + M[3]!;
      p[3 * c + 1] = M[4]! * x + M[5]! * y + M[6]! * z + M[7]!;
      p[3 * c + 2] = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
      if (p[3 * c + 2]! <= 0) return 0;
    }
    for (let i = 0; i < 3; i++) p[9 + i] = (p[i]! + p[3 + i]! + p[6 + i]!) / 3;
    const [x, y, z] = [this.facing[3 * t]!, this.facing[3 * t + 1]!, this.facing[3 * t + 2]!];
    const nx = M[0]! * x + M[1]! * y + M[2]! * z;
    const ny = M[4]! * x + M[5]! * y + M[6]! * z;
    const nz = M[8]! * x + M[9]! * y + M[10]! * z;
    const away = Math.hypot(p[9]!, p[10]!, p[11]!);
    // Outwards normals look against the line of sight.
    const cosine = -(nx * p[9]! + ny * p[10]! + nz * p[11]!) / away;
    if (!(cosine >= this.options.leastCosine)) return 0;
    // A pixel's step in depth across the face: one over tangent of its slope.
    const slope = Math.sqrt(1 - cosine * cosine) / cosine;
    const tolerance = this.options.tolerance + (1.5 * slope) / (photo.fx * this.scale);
    let [red, green, blue] = [0, 0, 0];
    for (let c = 0; c < 12; c += 3) {
      const z = p[c + 2]!;
      const x = p[c]! / z;
      const y = p[c + 1]! / z;
      const pixel = this.visiblePixel(x, y, z, tolerance);
      if (pixel < 0) return 0;
      red += this.level(pixel, 0);
      green += this.level(pixel, 1);
      blue += this.level(pixel, 2);
    }
    colour[3 * t] = Math.round(red / 4);
    colour[3 * t + 1] = Math.round(green / 4);
    colour[3 * t + 2] = Math.round(blue / 4);
    // Pixels per unit of the surface's area.
    const pixels = (cosine * photo.fx * photo.fy) / (away * away);
    return pixels * (0.5 + 0.5 * photo.sharpness);
  }

  private level(pixel: number, channel: number): number {
    const value = this.picture.pixels[pixel + channel]!;
    return this.photo.light?.[256 * channel + value] ?? value;
  }

  /** Where the point's colour begins in the picture; -1 when it is outside, hidden, or beyond an outline. */
  private visiblePixel(x: number, y: number, z: number, tolerance: number): number {
    const { photo, picture, drawing, scale } = this;
    if (x * x + y * y > this.most || isBlind(photo, x, y)) return -1;
    // The buffer is drawn without distortion.
    const u = Math.round((photo.fx * x + photo.cx + 0.5) * scale - 0.5);
    const v = Math.round((photo.fy * y + photo.cy + 0.5) * scale - 0.5);
    if (u >= 0 && v >= 0 && u < this.width && v < this.height) {
      const inverse = drawing.inverseDepth[v * this.width + u]!;
      if (inverse * z > 1 + tolerance) return -1;
    }
    const seen = distort(photo, x, y);
    const px = ((photo.fx * seen[0] + photo.cx + 0.5) * picture.width) / photo.width - 0.5;
    const py = ((photo.fy * seen[1] + photo.cy + 0.5) * picture.height) / photo.height - 0.5;
    if (!(px >= 1 && py >= 1 && px < picture.width - 2 && py < picture.height - 2)) return -1;
    return 3 * (Math.round(py) * picture.width + Math.round(px));
  }
}
