/**
 * Writes a checkpoint of the published size with random weights: `node --import tsx test/bench/dust3r-checkpoint.ts DIR
 * [linear|dpt|croco]`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  configOf,
  published,
  randomTensor,
  tensorShapes,
  writeSafetensors,
  type NetworkSizes,
} from '../native-models/random-network.js';

export async function writeRandomCheckpoint(folder: string, head: NetworkSizes['head'] = 'dpt'): Promise<number> {
  const sizes = { ...published, head };
  const shapes = tensorShapes(sizes);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(sizes)));
  await writeSafetensors(join(folder, 'model.safetensors'), shapes, (name, shape, index) =>
    randomTensor(name, shape, index + 1),
  );
  return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

if (process.argv[1]?.endsWith('dust3r-checkpoint.ts')) {
  const [folder = 'random-checkpoint', head = 'dpt'] = process.argv.slice(2);
  console.log(
    `${((await writeRandomCheckpoint(folder, head as NetworkSizes['head'])) / 1e6).toFixed(1)} M parameters in ${folder}`,
  );
}
