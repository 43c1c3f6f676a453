/**
 * Trains the visual words of retrieval (electron/retrieval/vocabulary.ts): `node --import tsx build/vocabulary.ts FOLDER...`
 * reads the photos in the folders and writes resources/vocabulary/words.bin. resources/vocabulary/README.md says what the
 * words in the repository were trained from. Deterministic.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { DESCRIPTOR, findFeatures } from '../electron/features/features.js';
import { randomNumbers } from '../electron/numerics/linear.js';
import { encodeVocabulary, nearest } from '../electron/retrieval/vocabulary.js';
import { FEATURE_OPTIONS, FEATURE_SIDE } from '../electron/sparse/correspondence.js';

const BRANCHES = 64;
const LEAVES = 64;
const ROUNDS = 8;
/** Of each photo, so that none rules the words. */
const PER_PHOTO = 2500;

async function descriptorsOf(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(path)
    .rotate()
    .resize(FEATURE_SIDE, FEATURE_SIDE, { fit: 'inside', withoutEnlargement: true })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const grey = new Float32Array(info.width * info.height);
  for (let k = 0; k < grey.length; k++) grey[k] = data[k * info.channels]! / 255;
  const { descriptors, count } = findFeatures(grey, info.width, info.height, FEATURE_OPTIONS);
  return descriptors.subarray(0, Math.min(count, PER_PHOTO) * DESCRIPTOR);
}

/** Lloyd's algorithm; an empty cluster takes a random member. */
function cluster(samples: readonly Uint8Array[], count: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  const draw = () => samples[Math.floor(random() * samples.length)]!;
  const centres = new Float32Array(count * DESCRIPTOR);
  for (let k = 0; k < count; k++) centres.set(draw(), k * DESCRIPTOR);
  for (let round = 0; round < ROUNDS; round++) {
    const sum = new Float64Array(count * DESCRIPTOR);
    const members = new Int32Array(count);
    for (const sample of samples) {
      const { index } = nearest(centres, 0, count, sample, 1)[0]!;
      members[index] = members[index]! + 1;
      for (let i = 0; i < DESCRIPTOR; i++) sum[index * DESCRIPTOR + i] = sum[index * DESCRIPTOR + i]! + sample[i]!;
    }
    for (let k = 0; k < count; k++) {
      if (members[k] === 0) centres.set(draw(), k * DESCRIPTOR);
      else for (let i = k * DESCRIPTOR; i < (k + 1) * DESCRIPTOR; i++) centres[i] = sum[i]! / members[k]!;
    }
  }
  return centres;
}

/** Descriptors of all photos in some folders, the folders and photos in order. */
export async function samplesOf(folders: readonly string[]): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = [];
  for (const folder of folders) {
    for (const name of readdirSync(folder).sort()) {
      if (!/\.(jpe?g|png)$/i.test(name)) continue;
      const found = await descriptorsOf(join(folder, name));
      for (let k = 0; k < found.length; k += DESCRIPTOR) samples.push(found.subarray(k, k + DESCRIPTOR));
    }
  }
  return samples;
}

export function train(samples: readonly Uint8Array[]): Uint8Array {
  if (samples.length < BRANCHES * LEAVES * 10) throw new Error(`${samples.length} features are too few to train from`);
  const roots = cluster(samples, BRANCHES, 1);
  const members: Uint8Array[][] = Array.from({ length: BRANCHES }, () => []);
  for (const sample of samples) members[nearest(roots, 0, BRANCHES, sample, 1)[0]!.index]!.push(sample);
  const words = new Float32Array(BRANCHES * LEAVES * DESCRIPTOR);
  members.forEach((own, k) => words.set(cluster(own, LEAVES, k + 2), k * LEAVES * DESCRIPTOR));
  return encodeVocabulary({ branches: BRANCHES, leaves: LEAVES, roots, words });
}

if (process.argv[1] === import.meta.filename) {
  const folder = join(import.meta.dirname, '..', 'resources', 'vocabulary');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'words.bin'), train(await samplesOf(process.argv.slice(2))));
}
