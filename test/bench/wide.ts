/**
 * Wide pictures of the rendered room through the whole run: poses and depths against the truth.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/wide.ts [equirectangular|fisheye|circular|known] [--keep FOLDER]
 *     [--pictures 6] [--size 1] [--quality normal|draft]
 *
 * `fisheye`: 150 degrees across, whose camera nothing tells; `known`: the same with its calibration in a file;
 * `circular`: 180 degrees in a black frame. Prints the largest and median error of relative rotation and of the
 * direction of relative translation over all pairs, degrees, and the share of depths within 2 % and its median error.
 * Six pictures of 360 degrees are some fifty views, of which half an hour of two busy cores computed a third; fewer
 * pictures (--pictures), smaller ones (--size, a factor) and --quality draft answer sooner.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { reconstruct } from '../../electron/cli/reconstruct.js';
import { camerasDocument } from '../../electron/export/cameras.js';
import type { Projection } from '../../electron/geometry/projection.js';
import { invertRigid, multiply4, rotationOf } from '../../electron/numerics/linear.js';
import { Workspace } from '../../electron/engine/workspace.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { lookAt, Room } from '../fixtures/room.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'string' },
    pictures: { type: 'string', default: '6' },
    size: { type: 'string', default: '1' },
    quality: { type: 'string', default: 'normal' },
  },
});
const size = Number(values.size);
const scaled = (pixels: number): number => 2 * Math.round((pixels * size) / 2);
const kind = positionals[0] ?? 'equirectangular';

const fisheye = (fullWidth: number, fullHeight: number, fullFocal: number): Projection => {
  const [width, height, focal] = [scaled(fullWidth), scaled(fullHeight), fullFocal * size];
  const middle = { cx: (width - 1) / 2, cy: (height - 1) / 2 };
  const terms = kind === 'circular' ? { k1: 0, k2: 0, k3: 0, k4: 0 } : { k1: 0.03, k2: -0.008, k3: 0.001, k4: 0 };
  return { kind: 'fisheye', width, height, fx: focal, fy: focal, ...middle, ...terms };
};
const cameras: Record<string, Projection> = {
  equirectangular: { kind: 'equirectangular', width: scaled(2048), height: scaled(1024) },
  fisheye: fisheye(1600, 1200, 1600 / ((150 / 180) * Math.PI)),
  known: fisheye(1600, 1200, 1600 / ((150 / 180) * Math.PI)),
  circular: fisheye(1400, 1400, 690 / (Math.PI / 2)),
};
const camera = cameras[kind]!;

/** Places in the middle of the room; wide pictures that look one way do so towards its far half. */
function poses(): Float64Array[] {
  return Array.from({ length: Number(values.pictures) }, (_, k) => {
    const eye = [-1.5 + 0.6 * k, -0.4 + 0.15 * Math.sin(2 * k), -1.2 + 0.5 * Math.cos(1.3 * k)];
    return lookAt(eye, [eye[0]! + 0.5 * Math.sin(k), 0.1, eye[2]! + 3], 0.05 * Math.cos(k));
  });
}

const quantile = (list: number[], share: number): number =>
  list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))] ?? Number.NaN;

function poseErrors(found: ReadonlyMap<string, Float64Array>, truth: ReadonlyMap<string, Float64Array>): string {
  const [turns, directions]: [number[], number[]] = [[], []];
  const names = [...found.keys()];
  for (const [i, a] of names.entries())
    for (const b of names.slice(0, i)) {
      const between = (set: ReadonlyMap<string, Float64Array>) => multiply4(invertRigid(set.get(b)!), set.get(a)!);
      const [is, should] = [between(found), between(truth)];
      turns.push(rotationDifference(rotationOf(is), rotationOf(should)));
      const [t, s] = [is, should].map((M) => [M[3]!, M[7]!, M[11]!]) as [number[], number[]];
      const cosine = t.reduce((sum, value, k) => sum + value * s[k]!, 0) / (Math.hypot(...t) * Math.hypot(...s));
      directions.push((Math.acos(Math.min(1, cosine)) * 180) / Math.PI);
    }
  const text = (list: number[]) => `${quantile(list, 0.5).toFixed(3)} / ${quantile(list, 1).toFixed(3)}`;
  return `rotation ${text(turns)}, translation ${text(directions)} degrees (median / worst)`;
}

const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'wide-'));
mkdirSync(join(folder, 'photos'), { recursive: true });
const room = new Room(5, 8);
const truth = new Map<string, Float64Array>();
for (const [k, pose] of poses().entries()) {
  const name = `wide-${k}.png`;
  truth.set(name, pose);
  const { pixels, width, height } = room.renderWide(pose, camera);
  if (kind === 'circular')
    for (let p = 0; p < width * height; p++)
      if (Math.hypot((p % width) - (width - 1) / 2, Math.floor(p / width) - (height - 1) / 2) > 690 * size)
        pixels.fill(0, 3 * p, 3 * p + 3);
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(join(folder, 'photos', name));
}
const known = join(folder, 'known.json');
const { kind: model, ...terms } = camera;
writeFileSync(known, JSON.stringify({ photos: [...truth.keys()].map((name) => ({ name, model, ...terms })) }));
const out = join(folder, 'out');
await reconstruct([join(folder, 'photos')], {
  out,
  formats: 'cameras',
  quality: values.quality as 'normal' | 'draft',
  ...(kind === 'known' ? { knownCameras: known, knownCamerasUse: 'intrinsics' as const } : {}),
});
const workspace = Workspace.openToRead(join(out, 'scene.pointmap'));
await workspace.buildScenes();
const { cameras: placed, depthMaps } = workspace.exported();
const document = camerasDocument(placed) as { photos: { name: string; worldFromCamera: number[] }[] };
const found = new Map(document.photos.map(({ name, worldFromCamera }) => [name, Float64Array.from(worldFromCamera)]));
console.log(`${kind}: ${found.size} of ${truth.size} placed; ${poseErrors(found, truth)}`);

/** Depths against those of the view's own camera, in the unit that fits best. */
const ratios: number[] = [];
for (const [k, map] of depthMaps.entries()) {
  const { face, name } = placed[k]!;
  const pose = truth.get(face?.picture ?? name)!;
  const turn = face ? [...face.faceFromPicture] : [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const pictureFromFace = Float64Array.of(
    ...[0, 1, 2].flatMap((i) => [turn[i]!, turn[3 + i]!, turn[6 + i]!, 0]),
    ...[0, 0, 0, 1],
  );
  const view = room.render(multiply4(pose, pictureFromFace), map.focal, map.width, map.height);
  for (let p = 0; p < map.depth.length; p += 7)
    if (map.confidence[p]! >= 2 && map.depth[p]! > 0) ratios.push(map.depth[p]! / view.depth[p]!);
}
const unit = quantile(ratios, 0.5);
const errors = ratios.map((ratio) => Math.abs(ratio / unit - 1));
const within = errors.filter((error) => error < 0.02).length / errors.length;
const pixels = depthMaps.reduce((sum, { depth }) => sum + depth.length, 0) / 7;
console.log(
  `depth: ${(100 * within).toFixed(1)} % within 2 %, median ${(100 * quantile(errors, 0.5)).toFixed(2)} %, ` +
    `${((100 * ratios.length) / pixels).toFixed(0)} % of the pixels known`,
);
workspace.close();
if (!values.keep) rmSync(folder, { recursive: true });
