import sharp from 'sharp';

interface Grey {
  width: number;
  height: number;
  luma: Float32Array;
  /** 255 where something was drawn; undefined for a photo. */
  alpha?: Uint8Array;
}

async function grey(path: string, size?: { width: number; height: number }): Promise<Grey> {
  const image = sharp(path);
  if (size) image.resize({ ...size, fit: 'fill' });
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const luma = Float32Array.from(
    { length: width * height },
    (_, k) => 0.299 * data[k * channels]! + 0.587 * data[k * channels + 1]! + 0.114 * data[k * channels + 2]!,
  );
  const alpha = channels === 4 ? Uint8Array.from({ length: luma.length }, (_, k) => data[4 * k + 3]!) : undefined;
  return { width, height, luma, ...(alpha ? { alpha } : {}) };
}

/** Half the side of a block, and how far it is looked for, pixels. */
const HALF = 12;
const REACH = 7;
const STEP = 14;
/** Blocks whose best match is no better than this show something else (other light, leaves, a gap). */
const LEAST_CORRELATION = 0.6;
/** Standard deviation of a block's brightness: less holds nothing to match. */
const LEAST_CONTRAST = 8;

export interface Offsets {
  /** Of each block, pixels. */
  all: number[];
  outer: number[];
  blocks: number;
  /** Of all blocks, and of those beyond two thirds of the way from the middle to the corners; pixels. */
  median: number;
  outerBlocks: number;
  outerMedian: number;
}

/** How far blocks of a render lie from where the picture shows the same; both at the size of the render. */
export async function blockOffsets(renderPath: string, picturePath: string): Promise<Offsets> {
  const render = await grey(renderPath);
  const picture = await grey(picturePath, render);
  const all: number[] = [];
  const outer: number[] = [];
  const margin = HALF + REACH;
  for (let y = margin; y < render.height - margin; y += STEP)
    for (let x = margin; x < render.width - margin; x += STEP) {
      const offset = offsetAt(render, picture, x, y);
      if (offset === undefined) continue;
      all.push(offset);
      const radius = Math.hypot(x - render.width / 2, y - render.height / 2);
      if (radius > ((2 / 3) * Math.hypot(render.width, render.height)) / 2) outer.push(offset);
    }
  return {
    all,
    outer,
    blocks: all.length,
    median: median(all),
    outerBlocks: outer.length,
    outerMedian: median(outer),
  };
}

export function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function offsetAt(render: Grey, picture: Grey, x: number, y: number): number | undefined {
  for (let j = -HALF; j <= HALF; j += 4)
    for (let i = -HALF; i <= HALF; i += 4)
      if (render.alpha && render.alpha[(y + j) * render.width + x + i]! < 250) return undefined;
  const own = statistics(render, x, y);
  if (own.deviation < LEAST_CONTRAST) return undefined;
  const size = 2 * REACH + 1;
  const scores = new Float64Array(size * size);
  let best = 0;
  for (let v = -REACH; v <= REACH; v++)
    for (let u = -REACH; u <= REACH; u++) {
      const k = (v + REACH) * size + u + REACH;
      scores[k] = correlation(render, picture, [x, y], [x + u, y + v], own);
      if (scores[k]! > scores[best]!) best = k;
    }
  const [u, v] = [best % size, Math.floor(best / size)];
  if (scores[best]! < LEAST_CORRELATION || u === 0 || v === 0 || u === size - 1 || v === size - 1) return undefined;
  const peak = (before: number, after: number): number => {
    const bend = before - 2 * scores[best]! + after;
    return bend < 0 ? (before - after) / (2 * bend) : 0;
  };
  return Math.hypot(
    u - REACH + peak(scores[best - 1]!, scores[best + 1]!),
    v - REACH + peak(scores[best - size]!, scores[best + size]!),
  );
}

function statistics({ luma, width }: Grey, x: number, y: number): { mean: number; deviation: number } {
  let [sum, squares] = [0, 0];
  const count = (2 * HALF + 1) ** 2;
  for (let j = -HALF; j <= HALF; j++)
    for (let i = -HALF; i <= HALF; i++) {
      const value = luma[(y + j) * width + x + i]!;
      sum += value;
      squares += value * value;
    }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

function correlation(
  render: Grey,
  picture: Grey,
  [x, y]: readonly [number, number],
  [u, v]: readonly [number, number],
  own: { mean: number; deviation: number },
): number {
  const other = statistics(picture, u, v);
  if (other.deviation < LEAST_CONTRAST) return -1;
  let sum = 0;
  for (let j = -HALF; j <= HALF; j++)
    for (let i = -HALF; i <= HALF; i++)
      sum +=
        (render.luma[(y + j) * render.width + x + i]! - own.mean) *
        (picture.luma[(v + j) * picture.width + u + i]! - other.mean);
  return sum / ((2 * HALF + 1) ** 2 * own.deviation * other.deviation);
}
