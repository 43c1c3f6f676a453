/**
 * Speed of the compact network's base shape (about 10 M random weights) on a pair of 224x224, one direction: two
 * encodings and a decoding, float32, on all cores:
 *
 *     npm run bench:compact
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPairNetwork } from '../../native-models/network.js';
import { testImage } from '../../native-models/registry/deviation.js';
import { importModel } from '../../native-models/registry/install.js';
import { baseConfig, compactShapes } from '../native-models/random-compact.js';
import { randomTensor, writeSafetensors } from '../native-models/random-network.js';

const side = 224;
const root = await mkdtemp(join(tmpdir(), 'pointmap-bench-'));
try {
  await writeSafetensors(join(root, 'model.safetensors'), compactShapes(baseConfig), (name, shape, index) =>
    name.endsWith('_scale') ? new Float32Array(shape[0] ?? 1).fill(1) : randomTensor(name, shape, index + 1),
  );
  await writeFile(join(root, 'config.json'), JSON.stringify(baseConfig));
  const { folder, card } = await importModel(root, { id: 'compact', root: join(root, 'models') });
  const network = openPairNetwork(folder, card, 'float32', 'cpu', availableParallelism());
  const best = { encode: Infinity, decode: Infinity, cpu: Infinity };
  for (let run = 0; run < 12; run++) {
    const used = process.cpuUsage();
    const start = performance.now();
    const features = [
      await network.encode(testImage(side, side, 0), side, side),
      await network.encode(testImage(side, side, 9), side, side),
    ] as const;
    const middle = performance.now();
    await network.decode([features]);
    best.encode = Math.min(best.encode, (middle - start) / 2);
    best.decode = Math.min(best.decode, performance.now() - middle);
    const { user, system } = process.cpuUsage(used);
    best.cpu = Math.min(best.cpu, (user + system) / 1000);
  }
  await network.close();
  console.log(
    '| parameters | encode ms | decode ms | a pair, one direction ms (CPU ms) | with its photos encoded before ms |',
  );
  console.log('|---|---|---|---|---|');
  console.log(
    `| ${(card.parameters / 1e6).toFixed(1)} M | ${best.encode.toFixed(0)} | ${best.decode.toFixed(0)} | ${(2 * best.encode + best.decode).toFixed(0)} (${best.cpu.toFixed(0)}) | ${best.decode.toFixed(0)} |`,
  );
  console.log('target: a pair within 300 ms on two cores');
} finally {
  await rm(root, { recursive: true });
}
