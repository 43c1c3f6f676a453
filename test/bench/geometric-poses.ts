import type { PhotoReader } from '../../electron/geometry/stage.js';
/**
 * Poses of the built-in estimator's sparse half against reference cameras, with seconds per stage:
 *
 *   node build/wasm.mjs && node --import tsx test/bench/geometric-poses.ts FOLDER [--exif] [--threads N]
 *
 * FOLDER holds photos and their `cameras.json`. Without --exif nothing is known of the focal. Errors in degrees over
 * all pairs of registered photos: relative rotation, and direction of relative translation.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { invertRigid, multiply4, rigid, rotationOf } from '../../electron/numerics/linear.js';
import type { Pair, Photo } from '../../electron/geometry/types.js';
import { sparseModel } from '../../electron/sparse/stage.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';

interface ReferenceCamera {
  name: string;
  width: number;
  height: number;
  fx: number;
  k1: number;
  worldFromCamera: number[];
}

const reader: PhotoReader = {
  async read(photo, { longSide }) {
    const { data, info } = await sharp(photo.path)
      .rotate()
      .resize(longSide, longSide, { fit: 'inside', withoutEnlargement: true })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: new Uint8Array(data) };
  },
};

const {
  positionals: [folder],
  values: { exif, threads },
} = parseArgs({ allowPositionals: true, options: { exif: { type: 'boolean' }, threads: { type: 'string' } } });
if (!folder || !existsSync(join(folder, 'cameras.json'))) {
  console.error(`no photos with reference cameras (cameras.json) here; name a folder that has them: ${folder ?? ''}`);
  process.exit(2);
}
const reference = (JSON.parse(readFileSync(join(folder, 'cameras.json'), 'utf8')) as { photos: ReferenceCamera[] })
  .photos;
const photos: Photo[] = reference.map(({ name, width, height, fx }) => ({
  id: name,
  path: join(folder, name),
  name,
  width,
  height,
  size: 0,
  sharpness: 1,
  // A manufacturer's figure, a few per cent off.
  ...(exif ? { focal: { pixels: fx * 1.03, source: 'exif-35mm' as const } } : {}),
}));
const pairs: Pair[] = photos.flatMap((_, a) => photos.slice(a + 1).map((__, k) => ({ a, b: a + 1 + k })));

const blobs = new Map<string, Uint8Array>();
const seconds = new Map<string, number>();
let mark = performance.now();
const started = mark;
const open = () =>
  sparseModel(
    photos,
    pairs,
    reader,
    {
      store: { get: (key) => blobs.get(key), put: (key, value) => void blobs.set(key, value) },
      // A stage lasts until its last report.
      onProgress: ({ stage }) => {
        const now = performance.now();
        seconds.set(stage, (seconds.get(stage) ?? 0) + (now - mark) / 1000);
        mark = now;
      },
    },
    threads ? Number(threads) : 2,
  );
const model = await open();
const total = (performance.now() - started) / 1000;
const { user } = process.cpuUsage();
mark = performance.now();
await open();
const reopening = performance.now() - mark;

const placed = model.cameras.map(({ pose: camera }, k) => ({ camera, k })).filter(({ camera }) => camera?.piece === 0);
const rotation: number[] = [];
const direction: number[] = [];
for (const p of placed) {
  for (const q of placed) {
    if (q.k <= p.k) continue;
    const found = multiply4(
      rigid(q.camera!.rotation, q.camera!.translation),
      invertRigid(rigid(p.camera!.rotation, p.camera!.translation)),
    );
    const truth = multiply4(invertRigid(reference[q.k]!.worldFromCamera), reference[p.k]!.worldFromCamera);
    rotation.push(rotationDifference(rotationOf(found), rotationOf(truth)));
    const [u, v] = [found, truth].map((pose) => [pose[3]!, pose[7]!, pose[11]!]) as [number[], number[]];
    const cosine = (u[0]! * v[0]! + u[1]! * v[1]! + u[2]! * v[2]!) / (Math.hypot(...u) * Math.hypot(...v));
    direction.push((Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI);
  }
}
const quantiles = (values: number[]) => {
  values.sort((p, q) => p - q);
  const at = (share: number) => (values[Math.floor((values.length - 1) * share)] ?? NaN).toFixed(3);
  return `median ${at(0.5)}, 90th percentile ${at(0.9)}, most ${at(1)}`;
};
const first = placed[0]?.k ?? 0;
const { focal, k1 } = model.lenses[model.cameras[first]!.lens]!;
const pixels = focal * Math.max(photos[first]!.width, photos[first]!.height);
console.log(`registered   ${placed.length} of ${photos.length}`);
console.log(`rotation     ${quantiles(rotation)}`);
console.log(`direction    ${quantiles(direction)}`);
console.log(
  `focal        ${pixels.toFixed(1)} (reference ${reference[0]!.fx}, ${((pixels / reference[0]!.fx - 1) * 100).toFixed(2)} %), k1 ${k1.toFixed(4)} (${reference[0]!.k1.toFixed(4)})`,
);
console.log(`points       ${model.points.error.length}, ${model.pairs.length} pairs hold`);
const reasons = new Map<string, number>();
for (const { reason } of model.rejected) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
console.log(`rejected     ${[...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ')}`);
console.log(
  `seconds      ${total.toFixed(1)} (main thread and workers ${(user / 1e6).toFixed(1)} of processor): ${[...seconds].map(([stage, time]) => `${stage} ${time.toFixed(1)}`).join(', ')}`,
);
console.log(
  `kept         ${([...blobs.values()].reduce((sum, blob) => sum + blob.length, 0) / 1e6).toFixed(1)} MB; opened again in ${reopening.toFixed(0)} ms`,
);
