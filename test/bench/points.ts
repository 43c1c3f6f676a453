/**
 * How exact picked points are: pixels of the sample photos, where the true depth is known and changes little around them.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/points.ts PROJECT [--photos 03,05,08]
 *
 * PROJECT is a reconstruction of the sample photos; a copy of it is read. Prints the depth's error in per cent, as the
 * depth map has it, by the plane through the depths around (scene/points.ts) and after comparing the photos
 * (scene/refine.ts), and how it compares with the standard deviation that is told (0.67 and 1.64 would be right).
 * What is left at the end, of some per cent, are edges and relief smaller than the grid of true depths.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sceneOf } from '../../electron/engine/scene-edits.js';
import { ScenePoints } from '../../electron/engine/scene-points.js';
import { Workspace } from '../../electron/engine/workspace.js';
import { pointAtPixel, viewFromOriginal } from '../../electron/scene/points.js';
import { quantile } from './poses.js';

const SAMPLES = 'resources/samples/courtyard';
/** Neighbours of the grid whose depths differ by more stand on different things. */
const FLAT = 1.06;

interface TruePhoto {
  name: string;
  worldFromCamera: number[];
}
interface TrueDepths {
  name: string;
  step: number;
  columns: number;
  depth: number[];
}
interface Found {
  depth: number;
  deviation?: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { photos: { type: 'string', default: '03,05,08' } },
});
const [given] = positionals;
if (!given) throw new Error('name a project of the sample photos');
const read = <T>(name: string): T[] =>
  (JSON.parse(readFileSync(join(SAMPLES, name), 'utf8')) as { photos: T[] }).photos;
const truePhotos = read<TruePhoto>('cameras.json');
const folder = mkdtempSync(join(tmpdir(), 'points-'));
const path = join(folder, 'copy.pointmap');
copyFileSync(given, path);
const workspace = Workspace.open(path);
const { component } = await sceneOf(workspace);
const { cameras, depthMaps } = component;
const finder = new ScenePoints(workspace.project, component);

const centre = (M: ArrayLike<number>): number[] => [M[3]!, M[7]!, M[11]!];
const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...centre(a).map((value, i) => value - centre(b)[i]!));
const [first, last] = [truePhotos[0]!, truePhotos.at(-1)!];
const poseOf = (name: string): ArrayLike<number> => cameras.find((camera) => camera.name === name)!.worldFromCamera;
const metres = apart(first.worldFromCamera, last.worldFromCamera) / apart(poseOf(first.name), poseOf(last.name));

const kinds = ['depth map', 'plane', 'photos'] as const;
const errors = kinds.map((): number[] => []);
const ratios = kinds.map((): number[] => []);
for (const truth of read<TrueDepths>('depth.json')) {
  if (!values.photos.split(',').some((number) => truth.name.includes(number))) continue;
  for (const [x, y, depth] of flatPlaces(truth)) {
    const found = await look(truth.name, x, y).catch(() => undefined);
    found?.forEach((each, k) => {
      if (each.depth === 0) return;
      const error = Math.abs((each.depth * metres) / depth - 1);
      errors[k]!.push(100 * error);
      if (each.deviation) ratios[k]!.push((error * each.depth) / each.deviation);
    });
  }
}
kinds.forEach((kind, k) => {
  const quantiles = [0.5, 0.9, 0.99].map((share) => quantile(errors[k]!, share).toFixed(3)).join(' / ');
  const told = ratios[k]!.length > 0 ? [0.5, 0.9].map((share) => quantile(ratios[k]!, share).toFixed(2)) : [];
  console.log(
    `${kind.padEnd(10)} ${errors[k]!.length} points: ${quantiles} % off (median / p90 / p99)` +
      (told.length > 0 ? `; ${told.join(' / ')} deviations` : ''),
  );
});
workspace.close();
rmSync(folder, { recursive: true });

/** Pixels of the original with their true depth. */
function* flatPlaces({ step, columns, depth }: TrueDepths): Generator<[number, number, number]> {
  for (let row = 1; row < depth.length / columns - 1; row++)
    for (let column = 1; column < columns - 1; column++) {
      const around = [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => depth[(row + i) * columns + column + j]!));
      const least = Math.min(...around);
      if (least > 0 && Math.max(...around) < FLAT * least)
        yield [step * (column + 0.5), step * (row + 0.5), depth[row * columns + column]!];
    }
}

async function look(name: string, x: number, y: number): Promise<Found[]> {
  const index = cameras.findIndex((camera) => camera.name === name);
  const pixel = { photo: cameras[index]!.photo, x, y };
  const map = depthMaps[index]!;
  const [u, v] = viewFromOriginal(map.originalFromView, x, y).map(Math.round) as [number, number];
  const plane = pointAtPixel(pixel, cameras, depthMaps);
  const { depth = plane.depth, deviation } = (await finder.find(pixel)) as Partial<typeof plane>;
  return [{ depth: map.depth[v * map.width + u]! }, plane, { depth, ...(deviation ? { deviation } : {}) }];
}
