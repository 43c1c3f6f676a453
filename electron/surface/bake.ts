import { distort } from '../geometry/lens.js';
import { MOST_CANDIDATES, type Candidates } from './candidates.js';
import { eachTexel, type Texels } from './texels.js';
import { isBlind, type Picture, type TexturePhoto } from './texture-photo.js';
import type { Mesh } from './types.js';

/** Colours are summed in steps of 1/128, so that the shares of several photos add up without loss. */
const STEPS = 128;
const AS_IT_IS = Uint8Array.from({ length: 768 }, (_, k) => k & 255);

/** One page while photos are laid onto it, one after another. Shared buffers: two threads may each fill a band. */
export interface Page {
  size: number;
  /** [size, size, 3] colours times shares. */
  sums: Uint16Array;
  /** [size, size] shares, the same steps: twice the whole on an edge between two faces. */
  weights: Uint16Array;
}

export function emptyPage(size: number): Page {
  return {
    size,
    sums: new Uint16Array(new SharedArrayBuffer(6 * size * size)),
    weights: new Uint16Array(new SharedArrayBuffer(2 * size * size)),
  };
}

/** What a photo gives to a face: at each corner its share there; the shares of all photos add up to one. */
export interface Layers {
  /** [layers] */
  face: Uint32Array;
  photo: Int16Array;
  /** [layers, 3] */
  share: Float32Array;
}

/**
 * Each face shows its own photo; at a vertex where faces of other photos meet, these have equal shares. So both sides
 * of a seam show the same along it, and a face's width further each shows its own photo alone.
 */
export function layersOf(
  mesh: Pick<Mesh, 'indices' | 'positions'>,
  labels: Int16Array,
  candidates: Candidates,
): Layers {
  const { indices } = mesh;
  const around = labelsAround(indices, labels, mesh.positions.length / 3);
  const face: number[] = [];
  const photo: number[] = [];
  const share: number[] = [];
  for (let t = 0; t < labels.length; t++) {
    const label = labels[t]!;
    if (label < 0) continue;
    const own = [1, 1, 1];
    const others = new Map<number, [number, number, number]>();
    for (let c = 0; c < 3; c++) {
      const set = around.get(indices[3 * t + c]!);
      if (!set) continue;
      const here = [...set].filter((each) => each === label || sees(candidates, t, each));
      own[c] = 1 / here.length;
      for (const each of here) {
        if (each === label) continue;
        const shares = others.get(each) ?? [0, 0, 0];
        shares[c] = 1 / here.length;
        others.set(each, shares);
      }
    }
    face.push(t);
    photo.push(label);
    share.push(...own);
    for (const [each, shares] of others) {
      face.push(t);
      photo.push(each);
      share.push(...shares);
    }
  }
  return { face: Uint32Array.from(face), photo: Int16Array.from(photo), share: Float32Array.from(share) };
}

/** Photos of the faces around a vertex, for vertices with more than one. */
function labelsAround(indices: Uint32Array, labels: Int16Array, vertices: number): Map<number, Set<number>> {
  const first = new Int16Array(vertices).fill(-1);
  const several = new Map<number, Set<number>>();
  for (let h = 0; h < indices.length; h++) {
    const label = labels[Math.floor(h / 3)]!;
    const vertex = indices[h]!;
    if (label < 0) continue;
    if (first[vertex] === -1) first[vertex] = label;
    else if (first[vertex] !== label) {
      const set = several.get(vertex);
      if (set) set.add(label);
      else several.set(vertex, new Set([first[vertex]!, label]));
    }
  }
  return several;
}

function sees({ photo }: Candidates, face: number, label: number): boolean {
  for (let k = face * MOST_CANDIDATES; k < (face + 1) * MOST_CANDIDATES; k++) if (photo[k] === label) return true;
  return false;
}

export interface BakeInput {
  mesh: Pick<Mesh, 'positions' | 'indices'>;
  texels: Texels;
  layers: Layers;
  photos: readonly TexturePhoto[];
  /** [layers, 3 corners, 3] sRGB steps to add: from `layerLevels`. */
  levels: Float32Array;
}

/**
 * Lays one photo's share onto a page, in the rows from `firstRow` on, before `endRow`.
 */
export function bakePhoto(
  input: BakeInput,
  index: number,
  picture: Picture,
  page: { page: Page; number: number; firstRow: number; endRow: number },
): void {
  const { texels, layers } = input;
  const baker = new Baker(input, index, picture, page.page);
  for (let k = 0; k < layers.face.length; k++) {
    if (layers.photo[k] !== index) continue;
    const t = layers.face[k]!;
    if (texels.page[t] === page.number) baker.face(t, k, page.firstRow, page.endRow);
  }
}

class Baker {
  /** The photo's undistorted x / z and y / z, per corner. */
  private readonly at = new Float64Array(6);
  /** What levelling adds at the texel, in the page's steps. */
  private readonly added = new Float64Array(3);
  private readonly light: Uint8Array;

  constructor(
    private readonly input: BakeInput,
    index: number,
    private readonly picture: Picture,
    private readonly page: Page,
  ) {
    this.photo = input.photos[index]!;
    this.light = this.photo.light ?? AS_IT_IS;
  }

  private readonly photo: TexturePhoto;

  face(t: number, layer: number, firstRow: number, endRow: number): void {
    const { mesh } = this.input;
    const { at } = this;
    const M = this.photo.cameraFromWorld;
    for (let c = 0; c < 3; c++) {
      const v = 3 * mesh.indices[3 * t + c]!;
      const x = mesh.positions[v]!;
      const y = mesh.positions[v + 1]!;
      const z = mesh.positions[v + 2]!;
      const w = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
      if (w <= 0) return;
      at[2 * c] = (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!) / w;
      at[2 * c + 1] = (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!) / w;
    }
    // Inside the own photo's chart texels are pixels of the photo: linear, exactly. In another photo's the
    // foreshortening within one face is left out: a hundredth of a pixel where faces are a few pixels wide.
    this.lay(t, layer, firstRow, endRow);
  }

  private lay(t: number, layer: number, firstRow: number, endRow: number): void {
    const { at, page, added } = this;
    const { share } = this.input.layers;
    const level = this.input.levels.subarray(9 * layer, 9 * layer + 9);
    const corners = this.input.texels.places.subarray(6 * t, 6 * t + 6);
    eachTexel(corners, page.size, firstRow, endRow, (texel, sa, sb, sc) => {
      const part = sa * share[3 * layer]! + sb * share[3 * layer + 1]! + sc * share[3 * layer + 2]!;
      for (let i = 0; i < 3; i++) added[i] = STEPS * (sa * level[i]! + sb * level[3 + i]! + sc * level[6 + i]!);
      this.sample(
        sa * at[0]! + sb * at[2]! + sc * at[4]!,
        sa * at[1]! + sb * at[3]! + sc * at[5]!,
        Math.max(0, Math.min(1, part)),
        texel,
      );
    });
  }

  private sample(x: number, y: number, part: number, texel: number): void {
    const { photo, picture, page, light, added } = this;
    // Left to the padding, or to another photo's share.
    if (isBlind(photo, x, y)) return;
    const seen = distort(photo, x, y);
    const u = ((photo.fx * seen[0] + photo.cx + 0.5) * picture.width) / photo.width - 0.5;
    const v = ((photo.fy * seen[1] + photo.cy + 0.5) * picture.height) / photo.height - 0.5;
    const px = Math.min(Math.max(Math.floor(u), 0), picture.width - 2);
    const py = Math.min(Math.max(Math.floor(v), 0), picture.height - 2);
    const fx = Math.min(1, Math.max(0, u - px));
    const fy = Math.min(1, Math.max(0, v - py));
    const p = 3 * (py * picture.width + px);
    const q = p + 3 * picture.width;
    const { pixels } = picture;
    for (let i = 0; i < 3; i++) {
      const channel = 256 * i;
      const upper = light[channel + pixels[p + i]!]! * (1 - fx) + light[channel + pixels[p + 3 + i]!]! * fx;
      const lower = light[channel + pixels[q + i]!]! * (1 - fx) + light[channel + pixels[q + 3 + i]!]! * fx;
      const levelled = (upper * (1 - fy) + lower * fy) * STEPS + added[i]!;
      const value = Math.max(0, Math.min(255 * STEPS, levelled)) * part;
      page.sums[3 * texel + i] = Math.min(65535, page.sums[3 * texel + i]! + Math.round(value));
    }
    page.weights[texel] = Math.min(65535, page.weights[texel]! + Math.round(part * STEPS));
  }
}
