/** Every benchmark in this folder, one after another: `npm run bench`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
/** What benchmarks share, and this file. */
const notBenchmarks = new Set(['all.ts', 'poses.ts', 'dust3r-checkpoint.ts']);
let failed = 0;
for (const name of readdirSync(folder)
  .filter((each) => each.endsWith('.ts') && !each.startsWith('.') && !notBenchmarks.has(each))
  .sort()) {
  console.log(`\n# ${name}`);
  failed +=
    spawnSync(process.execPath, ['--import', 'tsx', join(folder, name)], { stdio: 'inherit' }).status === 0 ? 0 : 1;
}
process.exitCode = failed > 0 ? 1 : 0;
