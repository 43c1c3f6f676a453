import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import type { PhotoReader, BlobStore } from '../../../electron/geometry/stage.js';
import type { ObservedView, Pair, Photo } from '../../../electron/geometry/types.js';
import { createGeometricEstimator } from '../../../electron/pointmaps/geometric/index.js';
import { sparseModel } from '../../../electron/sparse/stage.js';

/** Depth of an original photo at a pixel; 0 where it is not known. */
type Truth = (x: number, y: number) => number;

/** A view's depths along its own axis. */
interface DepthView {
  view: ObservedView;
  depth: Float32Array;
}

/** Shares are of pixels, from 0 to 1. */
export interface DenseFigures {
  /** Of all pixels of the photos: those with a depth. */
  complete: number;
  /** Of those with a depth and a known truth: within 5 % of it, after one scale for the set. */
  right: number;
  /** Of those with a known truth: with a depth within 5 % of it; and the same of measured depths alone. */
  good: number;
  goodMeasured: number;
  cpuSeconds: number;
}

/**
 * Depth of a set by the built-in estimator, as it is before alignment. `right` and `good` are NaN where nothing is known:
 * known are the samples' depths (depth.json) and maps of a depth sensor in a folder SET-depth beside the set's.
 *
 * @param originals by path: truth is of their size
 * @param store where the sparse stage has left features and matches
 */
export async function denseFigures(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  reader: PhotoReader,
  { originals, store }: { originals: ReadonlyMap<string, Photo>; store: BlobStore },
): Promise<DenseFigures> {
  const sparse = await sparseModel(photos, pairs, reader, { store });
  const before = process.cpuUsage();
  const session = await createGeometricEstimator(reader).open(photos, pairs, { store, sparse });
  const views = new Map<string, DepthView>();
  for (const pair of session.plan.observe) {
    const outcome = await session.observe(pair, { store });
    if (outcome.kind !== 'observation') continue;
    const { views: seen, firstFromCamera } = outcome.observation;
    seen.forEach((view, k) => views.set(view.photo, { view, depth: ownDepths(view, firstFromCamera![k]!) }));
  }
  await session.close();
  const { user, system } = process.cpuUsage(before);
  return { ...(await judge(photos, views, originals)), cpuSeconds: (user + system) / 1e6 };
}

/** Along the camera's own axis, 0 where nothing is told. */
function ownDepths({ points, confidence }: ObservedView, firstFromCamera: Float64Array): Float32Array {
  const M = firstFromCamera;
  return confidence.map((value, k) =>
    value > 1 ? [0, 1, 2].reduce((sum, i) => sum + M[4 * i + 2]! * (points[3 * k + i]! - M[4 * i + 3]!), 0) : 0,
  );
}

async function judge(
  photos: readonly Photo[],
  views: ReadonlyMap<string, DepthView>,
  originals: ReadonlyMap<string, Photo>,
): Promise<Omit<DenseFigures, 'cpuSeconds'>> {
  const ratios: number[] = [];
  const measured: boolean[] = [];
  let [known, told, total] = [0, 0, 0];
  for (const photo of photos) {
    const found = views.get(photo.id);
    if (!found) continue;
    const { view, depth } = found;
    const { scaleX, scaleY, offsetX, offsetY } = view.originalFromView;
    const truth = await truthOf(photo);
    const size = originals.get(photo.path)!.width / photo.width;
    total += depth.length;
    depth.forEach((z, k) => {
      if (z > 0) told++;
      const x = offsetX + scaleX * (k % view.width);
      const y = offsetY + scaleY * Math.floor(k / view.width);
      const t = truth?.((x + 0.5) * size - 0.5, (y + 0.5) * size - 0.5) ?? 0;
      if (!(t > 0)) return;
      known++;
      if (!(z > 0)) return;
      ratios.push(z / t);
      measured.push(view.inferred?.[k] !== 1);
    });
  }
  const scale = [...ratios].sort((p, q) => p - q)[ratios.length >> 1]!;
  const right = ratios.map((ratio) => Math.abs(ratio / scale - 1) < 0.05);
  const count = (list: readonly boolean[]): number => list.filter(Boolean).length;
  return {
    complete: told / total,
    right: count(right) / ratios.length,
    good: count(right) / known,
    goodMeasured: count(right.filter((_, k) => measured[k])) / known,
  };
}

async function truthOf({ path }: Photo): Promise<Truth | undefined> {
  const name = basename(path);
  const sensor = join(`${dirname(path)}-depth`, `${name.split('.')[0]}.depth.png`);
  if (existsSync(sensor)) {
    const { data, info } = await sharp(sensor)
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const millimetres = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    return (x, y) => {
      const [u, v] = [Math.round(x), Math.round(y)];
      const inside = u >= 0 && v >= 0 && u < info.width && v < info.height;
      const metres = inside ? millimetres[v * info.width + u]! / 1000 : 0;
      return metres > 0.2 && metres < 10 ? metres : 0;
    };
  }
  const listed = join(dirname(path), 'depth.json');
  if (!existsSync(listed)) return undefined;
  const { photos } = JSON.parse(readFileSync(listed, 'utf8')) as {
    photos: { name: string; step: number; columns: number; depth: number[] }[];
  };
  const own = photos.find((photo) => photo.name === name);
  // Values are of single pixels, `step` apart; other places are not known.
  return own && ((x, y) => valueAt(own, x, y));
}

function valueAt(
  { step, columns, depth }: { step: number; columns: number; depth: readonly number[] },
  x: number,
  y: number,
): number {
  const [column, row] = [Math.floor(x / step), Math.floor(y / step)];
  const near = Math.hypot(x - (column + 0.5) * step, y - (row + 0.5) * step) < 2;
  return near && column >= 0 && column < columns ? (depth[row * columns + column] ?? 0) : 0;
}
