import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Sidecar {
  maps: {
    photo: string;
    file: string;
    width: number;
    height: number;
    originalFromView: { scaleX: number; scaleY: number; offsetX: number; offsetY: number };
  }[];
}

interface Truth {
  photos: { name: string; step: number; columns: number; depth: number[] }[];
}

/**
 * Relative depth errors of confident pixels against depth.json (build/samples/render.py), sorted, after one scale for
 * the whole scene; undefined without such truth. `exported` holds the depth-pfm export.
 */
export function depthErrors(exported: string, truthFile: string): number[] | undefined {
  if (!existsSync(truthFile)) return undefined;
  const truth = JSON.parse(readFileSync(truthFile, 'utf8')) as Truth;
  const { maps } = JSON.parse(readFileSync(join(exported, 'depth', 'pfm.json'), 'utf8')) as Sidecar;
  const ratios: number[] = [];
  for (const { photo, file, width, height, originalFromView: map } of maps) {
    const known = truth.photos.find(({ name }) => name === photo);
    if (!known) continue;
    const bytes = readFileSync(join(exported, 'depth', file));
    const start = bytes.length - 4 * width * height;
    known.depth.forEach((depth, k) => {
      const x = known.step * (k % known.columns) + known.step / 2;
      const y = known.step * Math.floor(k / known.columns) + known.step / 2;
      const u = Math.round((x - map.offsetX) / map.scaleX);
      const v = Math.round((y - map.offsetY) / map.scaleY);
      if (depth === 0 || u < 0 || v < 0 || u >= width || v >= height) return;
      const found = bytes.readFloatLE(start + 4 * ((height - 1 - v) * width + u));
      if (found > 0) ratios.push(found / depth);
    });
  }
  ratios.sort((a, b) => a - b);
  const scale = ratios[ratios.length >> 1]!;
  return ratios.map((ratio) => Math.abs(ratio / scale - 1)).sort((a, b) => a - b);
}
