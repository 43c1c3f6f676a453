/**
 * Speed and memory of a network of DUSt3R's published size (571 M random weights, 512 DPT) on a 512x384 pair:
 *
 *     npm run bench:dust3r [-- CACHE_DIR]
 *
 * The yardstick is the float32 matrix product that ONNX Runtime reaches in the same process, before and after.
 * Operations are counted from the graph: multiply-adds times two of matrix products, attention and convolutions.
 *
 *
 * Two cores of an EPYC with AVX-512 VNNI, one direction of one pair (two encodings, one decoding). With nothing else
 * running: float32 10.1 s (encoder 3.1, decoder 3.9: 171 and 203 GFLOP/s, a 512x1024x1024 product 133), PyTorch 1.13
 * 21.3 s: 2.1 times. Six other jobs running (load 11), so CPU seconds only:
 *
 * | precision | encoder CPU s | decoder CPU s | one direction CPU s | peak MB |
 * |---|---|---|---|---|
 * | float32 | 6.63 | 10.39 | 23.7 | 2733 |
 * | int8 | 3.71 | 5.91 | 13.3 | 1263 |
 * | PyTorch 1.13 | | | 50.4 | |
 *
 * int8 is 1.77 times faster than float32 and 3.78 times faster than PyTorch, float32 2.13 times; before the dense
 * head's convolutions were in 8 bits 1.54 (1.42 under load), peak 1568 MB. Memory patterns of ONNX Runtime: 230 MB
 * more. Without its arena: 50 MB more, in spikes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPairNetwork, type Features } from '../../native-models/network.js';
import type { Precision } from '../../native-models/onnx/layers.js';
import { probeProviders } from '../../native-models/providers.js';
import { testImage } from '../../native-models/registry/deviation.js';
import { readModel } from '../../native-models/registry/folder.js';
import { importModel } from '../../native-models/registry/install.js';
import { writeRandomCheckpoint } from './dust3r-checkpoint.js';

/** GFLOP at 512x384 (768 tokens): see `operations`. */
function operations(): { encoder: number; decoder: number } {
  const tokens = 768;
  const layer = (from: number, to: number) => 2 * tokens * from * to;
  const attention = (width: number) => 4 * tokens * tokens * width;
  const block = (width: number, products: number) => products * layer(width, width) + 8 * layer(width, width);
  const encoder = 24 * (block(1024, 4) + attention(1024)) + layer(768, 1024);
  const decoders = 2 * (12 * (block(768, 8) + 2 * attention(768)) + layer(1024, 768));
  const convolution = (pixels: number, from: number, to: number, kernel: number) =>
    2 * pixels * from * to * kernel * kernel;
  const grid = [16 * tokens, 4 * tokens, tokens, tokens / 4];
  const levels = [96, 192, 384, 768];
  let head =
    layer(1024, 96) +
    layer(96, 96 * 16) +
    layer(768, 192) +
    layer(192, 192 * 4) +
    layer(768, 384) +
    layer(768, 768) +
    convolution(tokens / 4, 768, 768, 3);
  grid.forEach((pixels, k) => {
    head +=
      convolution(pixels, levels[k]!, 256, 3) +
      (k === 3 ? 2 : 4) * convolution(pixels, 256, 256, 3) +
      convolution(pixels, 256, 256, 1);
  });
  head +=
    convolution(64 * tokens, 256, 128, 3) +
    convolution(256 * tokens, 128, 128, 3) +
    convolution(256 * tokens, 128, 4, 1);
  return { encoder: encoder / 1e9, decoder: (decoders + 2 * head) / 1e9 };
}

interface Timing {
  /** CPU seconds of all threads, the least of the runs: what the work costs whatever else the machine does. */
  cpu: number;
  wall: number;
}

async function least(run: () => Promise<unknown>, times = 4): Promise<Timing> {
  const best = { cpu: Infinity, wall: Infinity };
  for (let k = 0; k < times; k++) {
    const used = process.cpuUsage();
    const start = performance.now();
    await run();
    best.wall = Math.min(best.wall, (performance.now() - start) / 1000);
    const { user, system } = process.cpuUsage(used);
    best.cpu = Math.min(best.cpu, (user + system) / 1e6);
  }
  return best;
}

const gemmRate = async (threads: number) =>
  (await probeProviders(threads)).find(({ provider }) => provider === 'cpu')!.gflops!;

/** One precision in a process of its own, so that its peak memory is its own. */
async function measure(folder: string, precision: Precision): Promise<void> {
  const threads = availableParallelism();
  const { card } = await readModel(folder);
  const before = await gemmRate(threads);
  const network = openPairNetwork(folder, card, precision, 'cpu', threads);
  const image = testImage(384, 512, 0);
  let features: Features | undefined;
  const encoder = await least(async () => (features = await network.encode(image, 384, 512)));
  const decoder = await least(() => network.decode([[features!, features!]]));
  const peak = process.resourceUsage().maxRSS / 1024;
  await network.close();
  console.log(JSON.stringify({ precision, encoder, decoder, peak, gemm: Math.max(before, await gemmRate(threads)) }));
}

interface Row {
  precision: Precision;
  encoder: Timing;
  decoder: Timing;
  /** MB */
  peak: number;
  gemm: number;
}

/** The same network in PyTorch, where Debian's Python has it. */
function pytorch(): { version: string; encoder: number; decoder: number; cpu: number } | undefined {
  try {
    const script = join(import.meta.dirname, 'dust3r_pytorch.py');
    return JSON.parse(
      execFileSync('/usr/bin/python3', [script, String(availableParallelism())], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as ReturnType<typeof pytorch>;
  } catch {
    console.log('PyTorch is not installed here; no comparison');
    return undefined;
  }
}

async function main(cache: string | undefined): Promise<void> {
  const root = cache ?? (await mkdtemp(join(tmpdir(), 'pointmap-bench-')));
  const models = join(root, 'models');
  const folder = join(models, 'published-size');
  if (!existsSync(join(folder, 'card.json'))) {
    const checkpoint = join(root, 'checkpoint');
    if (!existsSync(join(checkpoint, 'config.json'))) await writeRandomCheckpoint(checkpoint);
    const start = performance.now();
    await importModel(checkpoint, { id: 'published-size', root: models, precisions: ['float32', 'int8'] });
    console.log(
      `import and build, float32 and int8, with the deviation measured: ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
  }
  const rows = (['float32', 'int8'] as const).map((precision) => {
    const lines = execFileSync(
      process.execPath,
      ['--import', 'tsx', import.meta.filename, '--measure', folder, precision],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    return JSON.parse(lines.trim().split('\n').at(-1)!) as Row;
  });
  const work = operations();
  console.log(
    `operations: encoder ${work.encoder.toFixed(0)} GFLOP, decoders and heads ${work.decoder.toFixed(0)} GFLOP; ${availableParallelism()} threads`,
  );
  console.log(
    '| precision | encoder s (CPU s) | GFLOP/s | of GEMM | decoder s (CPU s) | GFLOP/s | of GEMM | one direction s | GEMM GFLOP/s | peak MB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const { precision, encoder, decoder, peak, gemm } of rows) {
    const part = (timing: Timing, gflop: number) =>
      `${timing.wall.toFixed(2)} (${timing.cpu.toFixed(2)}) | ${(gflop / timing.wall).toFixed(0)} | ${((100 * gflop) / timing.wall / gemm).toFixed(0)} %`;
    console.log(
      `| ${precision} | ${part(encoder, work.encoder)} | ${part(decoder, work.decoder)} | ${(2 * encoder.wall + decoder.wall).toFixed(2)} | ${gemm} | ${peak.toFixed(0)} |`,
    );
  }
  const [full, small] = rows.map(({ encoder, decoder }) => 2 * encoder.cpu + decoder.cpu) as [number, number];
  console.log(`int8 against float32, CPU time of one direction: ${(full / small).toFixed(2)} times`);
  const torch = pytorch();
  if (torch) {
    const theirs = 2 * torch.encoder + torch.decoder;
    const ours = rows.map(({ precision, encoder, decoder }) => {
      const [wall, cpu] = [theirs / (2 * encoder.wall + decoder.wall), torch.cpu / (2 * encoder.cpu + decoder.cpu)];
      return `${precision} ${wall.toFixed(2)} times faster (${cpu.toFixed(2)} times in CPU seconds)`;
    });
    console.log(
      `PyTorch ${torch.version}: one direction ${theirs.toFixed(1)} s (CPU ${torch.cpu.toFixed(1)} s); ${ours.join(', ')}`,
    );
  }
  const { card } = await readModel(folder);
  console.log(`int8 deviates from float32, root mean square: ${JSON.stringify(card.precisions.int8?.typical)}`);
  if (!cache) await rm(root, { recursive: true });
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--measure') await measure(rest[0]!, rest[1] as Precision);
else await main(first);
