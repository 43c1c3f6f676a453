/**
 * Ten million points to a file, each format in a process of its own: seconds, size, and memory beyond the cloud's own.
 * `node --import tsx test/bench/export.ts [POINTS]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatById } from '../../electron/export/formats.js';
import { writeFiles } from '../../electron/export/write-files.js';

const [count = '10000000', id] = process.argv.slice(2);
if (id) await write(id, Number(count));
else
  for (const each of ['ply', 'glb'])
    execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), count, each], {
      stdio: 'inherit',
    });

async function write(format: string, points: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-export-'));
  const cloud = {
    positions: new Float32Array(3 * points).map(() => Math.random()),
    normals: new Float32Array(3 * points).fill(Math.sqrt(1 / 3)),
    colors: new Uint8Array(3 * points).fill(100),
    confidence: new Float32Array(points).fill(3),
    source: new Uint16Array(points),
  };
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const files = await writeFiles(folder, formatById(format)!.write({ cameras: [], depthMaps: [], cloud }));
  const seconds = (performance.now() - start) / 1000;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  console.log(
    `${format}: ${points} points, ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(2)} s, ${((process.resourceUsage().maxRSS - before) / 1e3).toFixed(0)} MB of memory beyond the cloud`,
  );
  rmSync(folder, { recursive: true });
}
