/**
 * Speed and memory of Depth Anything 3 networks of the published sizes (random weights), 1, 2 and 8 views of 504x378:
 *
 *     npm run bench:da3 [-- CACHE_DIR [small|base]]
 *
 * CPU seconds of all threads, so that other work on the machine matters little. The yardstick is the float32 matrix
 * product that ONNX Runtime reaches in the same process. PyTorch runs the same layers where Debian's Python has it.
 *
 * Two cores of an EPYC with AVX2 and no VNNI, a load of 15 to 25 beside, CPU seconds a view (backbone + depth + rays;
 * before the outlier columns of int8 products were kept apart). The matrix product's rate says little under such load.
 *
 * | network | views | float32 | peak MB | int8 | peak MB | PyTorch 1.13 |
 * |---|---|---|---|---|---|---|
 * | Small | 1 | 1.47 + 0.36 + 0.46 | 512 | 1.81 + 0.38 + 0.43 | 447 | 3.77 + 0.98 + 1.07 |
 * | Small | 2 | 1.54 + 0.34 + 0.39 | 549 | 1.87 + 0.38 + 0.46 | 472 | 3.56 + 1.24 + 1.18 |
 * | Small | 8 | 2.07 + 0.35 + 0.42 | 808 | 2.41 + 0.39 + 0.48 | 698 | |
 * | Base | 1 | 4.95 + 1.03 + 1.60 | 1142 | 4.73 + 1.12 + 1.57 | 867 | 7.11 + 2.01 + 2.17 |
 * | Base | 2 | 5.37 + 1.13 + 1.62 | 1228 | 4.61 + 1.03 + 1.34 | 944 | 7.58 + 2.05 + 2.50 |
 * | Base | 8 | 6.76 + 1.15 + 1.68 | 1750 | 5.92 + 1.06 + 1.63 | 1377 | |
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGroupNetwork, type GroupFeatures, type PhotoTokens } from '../../native-models/da3/network.js';
import type { Precision } from '../../native-models/onnx/layers.js';
import { probeProviders } from '../../native-models/providers.js';
import { testImage } from '../../native-models/registry/deviation.js';
import { importModel } from '../../native-models/registry/install.js';
import { base, da3Config, da3Shapes, small, type Da3Sizes } from '../native-models/random-da3.js';
import { randomTensor, writeSafetensors } from '../native-models/random-network.js';

const [height, width] = [378, 504];
const networks: Record<string, Da3Sizes> = { small, base };
/** MB that eight views may take. */
const most: Record<string, number> = { small: 2000, base: 3000 };

/** GFLOP of one view: backbone without and with its share of attention over `views`, and the two heads. */
function operations(
  { width: c, features: f, channels }: Da3Sizes,
  views: number,
): { tokens: number; depth: number; rays: number } {
  const patches = (height / 14) * (width / 14);
  const tokens = patches + 1;
  const attention = (keys: number) => 4 * tokens * keys * c;
  const backbone =
    12 * 24 * tokens * c * c + 8 * attention(tokens) + 4 * attention(views * tokens) + 2 * patches * 588 * c;
  const convolution = (pixels: number, from: number, to: number, kernel: number) =>
    2 * pixels * from * to * kernel ** 2;
  const grid = [16, 4, 1, 0.25].map((times) => times * patches);
  let fusion =
    convolution(patches, channels[0], 16 * channels[0], 1) + convolution(patches, channels[1], 4 * channels[1], 1);
  fusion += convolution(patches / 4, channels[3], channels[3], 3);
  grid.forEach((pixels, k) => {
    fusion += convolution(patches, 2 * c, channels[k]!, 1) + convolution(pixels, channels[k]!, f, 3);
    fusion += (k === 3 ? 2 : 4) * convolution(pixels, f, f, 3) + convolution(pixels, f, f, 1);
  });
  const [fine, all] = [64 * patches, 196 * patches];
  const depth = fusion + convolution(fine, f, f / 2, 3) + convolution(all, f / 2, 32, 3) + convolution(all, 32, 2, 1);
  const rays =
    fusion + 5 * convolution(fine, f, f / 2, 3) + convolution(fine, f / 2, 32, 3) + convolution(fine, 32, 7, 1);
  return { tokens: backbone / 1e9, depth: depth / 1e9, rays: rays / 1e9 };
}

interface Row {
  views: number;
  /** CPU seconds a view. */
  tokens: number;
  depth: number;
  rays: number;
  /** MB, of the process at its largest. */
  peak: number;
  gemm: number;
  /** CPU seconds for each second: threads that really ran. */
  share: number;
}

async function used(run: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> {
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - start) / 1000 };
}

/** One precision and number of views in a process of its own, so that its peak memory is its own. */
async function measure(folder: string, precision: Precision, views: number): Promise<void> {
  const threads = availableParallelism();
  const network = openGroupNetwork(folder, 14, precision, 'cpu', threads);
  const run = async (): Promise<Omit<Row, 'peak' | 'gemm' | 'views'>> => {
    const photos: PhotoTokens[] = [];
    let group: GroupFeatures | undefined;
    const tokens = await used(async () => {
      for (let k = 0; k < views; k++) photos.push(await network.photo(testImage(height, width, 20 * k), height, width));
      group = await network.group(photos);
    });
    const depth = await used(async () => {
      for (let k = 0; k < views; k++) await network.depth(group!, k);
    });
    const rays = await used(async () => {
      for (let k = 0; k < views; k++) await network.rays(group!, k);
    });
    const parts = [tokens, depth, rays];
    const share = parts.reduce((sum, { cpu }) => sum + cpu, 0) / parts.reduce((sum, { wall }) => sum + wall, 0);
    return { tokens: tokens.cpu / views, depth: depth.cpu / views, rays: rays.cpu / views, share };
  };
  const first = await run();
  const second = views < 8 ? await run() : first;
  const peak = process.resourceUsage().maxRSS / 1024;
  await network.close();
  const gemm = (await probeProviders(1)).find(({ provider }) => provider === 'cpu')!.gflops!;
  const best = { ...second };
  for (const part of ['tokens', 'depth', 'rays'] as const) best[part] = Math.min(first[part], second[part]);
  console.log(JSON.stringify({ views, ...best, peak, gemm } satisfies Row));
}

/** CPU seconds a view of the same layers in PyTorch. */
function pytorch(
  name: string,
  views: number,
): { version: string; tokens: number; depth: number; rays: number } | undefined {
  try {
    const script = join(import.meta.dirname, 'da3_pytorch.py');
    const output = execFileSync('/usr/bin/python3', [script, name, String(views), String(availableParallelism())], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output) as ReturnType<typeof pytorch>;
  } catch {
    return undefined;
  }
}

async function prepared(root: string, name: string): Promise<string> {
  const folder = join(root, 'models', name);
  if (existsSync(join(folder, 'card.json'))) return folder;
  const sizes = networks[name]!;
  const checkpoint = join(root, name);
  await mkdir(checkpoint, { recursive: true });
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify(da3Config(sizes)));
  await writeSafetensors(join(checkpoint, 'model.safetensors'), da3Shapes(sizes), (tensor, shape, index) =>
    randomTensor(tensor, shape, index + 1),
  );
  const start = performance.now();
  const { card } = await importModel(checkpoint, {
    id: name,
    root: join(root, 'models'),
    precisions: ['float32', 'int8'],
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${(card.parameters / 1e6).toFixed(1)} M weights, imported in float32 and int8 in ${seconds} s`);
  console.log(`int8 deviates from float32, root mean square: ${JSON.stringify(card.precisions.int8?.typical)}`);
  return folder;
}

async function main(cache: string | undefined, only: string | undefined): Promise<void> {
  const root = cache ?? (await mkdtemp(join(tmpdir(), 'pointmap-bench-')));
  for (const name of only ? [only] : Object.keys(networks)) {
    const folder = await prepared(root, name);
    console.log(
      '| network | precision | views | backbone CPU s a view | depth head | ray head | GFLOP/s a core | of GEMM | peak MB |',
    );
    console.log('|---|---|---|---|---|---|---|---|---|');
    const total = new Map<string, number>();
    for (const precision of ['float32', 'int8'] as const) {
      for (const views of [1, 2, 8]) {
        const args = ['--import', 'tsx', import.meta.filename, '--measure', folder, precision, String(views)];
        const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
        const row = JSON.parse(output.trim().split('\n').at(-1)!) as Row;
        const work = operations(networks[name]!, views);
        const cpu = row.tokens + row.depth + row.rays;
        total.set(`${precision} ${views}`, cpu);
        const rate = (work.tokens + work.depth + work.rays) / cpu;
        const within = row.peak <= most[name]! ? '' : ' (too much)';
        const seconds = [row.tokens, row.depth, row.rays].map((part) => part.toFixed(2)).join(' | ');
        const share = `${rate.toFixed(1)} | ${((100 * rate) / row.gemm).toFixed(0)} % of ${row.gemm}`;
        console.log(`| ${name} | ${precision} | ${views} | ${seconds} | ${share} | ${row.peak.toFixed(0)}${within} |`);
      }
    }
    for (const views of [1, 2]) {
      const torch = pytorch(name, views);
      if (!torch) console.log('PyTorch is not installed here; no comparison');
      else {
        const theirs = torch.tokens + torch.depth + torch.rays;
        const parts = [torch.tokens, torch.depth, torch.rays].map((part) => part.toFixed(2)).join(' + ');
        const ratio = (precision: string) => (theirs / total.get(`${precision} ${views}`)!).toFixed(2);
        console.log(
          `PyTorch ${torch.version}, ${views} views: ${parts} CPU s a view; float32 ${ratio('float32')} times fewer, int8 ${ratio('int8')} times`,
        );
      }
    }
    console.log(
      `int8 against float32, 2 views: ${(total.get('float32 2')! / total.get('int8 2')!).toFixed(2)} times faster`,
    );
  }
  if (!cache) await rm(root, { recursive: true });
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--measure') await measure(rest[0]!, rest[1] as Precision, Number(rest[2]));
else await main(first, rest[0]);
