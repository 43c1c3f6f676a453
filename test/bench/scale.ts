/**
 * What hundreds of photos cost, on sets with exact cameras (test/fixtures/large-set.ts); one table:
 *
 *   node build/wasm.mjs && node --import tsx test/bench/scale.ts [structure] [--sizes 50,100,200,400] [--colmap]
 *
 * structure: geometry of pairs and structure from simulated features and raw matches (an orbit of the first size,
 * streets of the others), in processor seconds of all threads; with --colmap, COLMAP's row on the same input.
 */
import { parseArgs } from 'node:util';
import { orbit, street } from '../fixtures/large-set.js';
import { hasColmap, runOnSame } from './scale/colmap.js';
import { rmse, runOurs, simulate } from './scale/sparse.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '50,100,200,400' },
    colmap: { type: 'boolean' },
    verbose: { type: 'boolean' },
  },
});

const row = (cells: readonly (string | number)[]): void =>
  console.log(cells.map((cell, k) => (k === 0 ? String(cell).padEnd(16) : String(cell).padStart(11))).join(' '));

async function structure(): Promise<void> {
  row(['set', 'placed', 'pairs s', 'structure s', 'sum s', 'rmse', 'peak MB']);
  const costs: [number, number][] = [];
  for (const [k, size] of values.sizes.split(',').map(Number).entries()) {
    const set = size <= 50 && k === 0 ? orbit(size) : street(size);
    const input = simulate(set);
    const { survey, seconds, total } = await runOurs(input);
    const pairs = (seconds['comparing photos'] ?? 0) + (seconds['relating pairs'] ?? 0);
    const largest = survey.pieces[0]?.cameras ?? new Map();
    if (set.name.startsWith('street')) costs.push([size, total - pairs]);
    row([
      set.name,
      `${largest.size}/${size}`,
      pairs.toFixed(1),
      (total - pairs).toFixed(1),
      total.toFixed(1),
      `${(100 * rmse(set, largest)).toFixed(4)} %`,
      (process.resourceUsage().maxRSS / 1024).toFixed(0),
    ]);
    if (values.verbose)
      console.log(
        `    ${Object.entries(seconds)
          .map(([stage, time]) => `${stage} ${time.toFixed(1)} s`)
          .join(', ')}`,
      );
    if (!values.colmap || !hasColmap()) continue;
    const theirs = await runOnSame(input);
    const cameras = new Map([...theirs.cameras].map(([name, camera]) => [Number.parseInt(name), camera]));
    row([
      '  COLMAP',
      `${cameras.size}/${size}`,
      theirs.verifySeconds.toFixed(1),
      theirs.mapSeconds.toFixed(1),
      (theirs.verifySeconds + theirs.mapSeconds).toFixed(1),
      `${(100 * rmse(set, cameras)).toFixed(4)} %`,
      (theirs.memory / 1e6).toFixed(0),
    ]);
  }
  const [first, last] = [costs[0], costs.at(-1)];
  if (first && last && first !== last)
    console.log(
      `structure grows with N^${(Math.log(last[1] / first[1]) / Math.log(last[0] / first[0])).toFixed(2)} from ${first[0]} to ${last[0]} photos`,
    );
}

const parts: Record<string, () => Promise<void>> = { structure };
for (const part of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const work = parts[part];
  if (!work) throw new Error(`no part '${part}'; there are ${Object.keys(parts).join(', ')}`);
  await work();
}
