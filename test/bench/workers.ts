/**
 * How much faster worker processes are, and what a queue costs: the sample photos reconstructed by threads of one
 * process, by one worker and by more, on this machine. Prints seconds, and whether the results are the same to the last
 * bit. On N cores more than N workers can't be faster; several machines are what they are for.
 *
 *     node --import tsx test/bench/workers.ts [PHOTOS] [workers, default 1,2,4]
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../../build/build.mjs';
import { hasRedis, Program, RedisServer } from '../fixtures/farm.js';

const [photos = 'resources/samples/courtyard', counts = '1,2,4'] = process.argv.slice(2);
if (!hasRedis) throw new Error('this bench needs redis-server');
await ensureBuilt();
const folder = mkdtempSync(join(tmpdir(), 'pointmap-bench-workers-'));
const server = await RedisServer.start(join(folder, 'redis'));

interface Report {
  seconds: Record<string, number>;
}

async function measure(title: string, words: string[], out: string): Promise<string> {
  const run = new Program(['reconstruct', photos, '--out', out, '--quality', 'draft', '--json', ...words]);
  const { code, output, errors } = await run.ended;
  if (code !== 0) throw new Error(errors);
  const { seconds } = JSON.parse(output.trim().split('\n').at(-1)!) as Report;
  const hash = createHash('sha256')
    .update(readFileSync(join(out, 'scene.ply')))
    .update(readFileSync(join(out, 'cameras.json')))
    .digest('hex');
  const { sparse = 0, pointmaps = 0, total = 0 } = seconds;
  console.log(
    `${title.padEnd(28)} sparse ${sparse.toFixed(1)} s, depth ${pointmaps.toFixed(1)} s, all ${total.toFixed(1)} s`,
  );
  return hash;
}

try {
  console.log(`${availableParallelism()} cores, ${photos}`);
  const hashes = [
    await measure('1 thread, no queue', ['--threads', '1'], join(folder, 'one')),
    await measure('all threads, no queue', [], join(folder, 'threads')),
  ];
  for (const count of counts.split(',').map(Number)) {
    const store = join(folder, `store-${count}`);
    const place = ['--queue', server.url, '--store', store];
    const workers = Array.from({ length: count }, () => new Program(['worker', ...place, '--threads', '1']));
    while (workers.some(({ output }) => output === '')) await new Promise((resolve) => setTimeout(resolve, 100));
    const title = `${count} worker${count === 1 ? '' : 's'} of 1 thread`;
    hashes.push(await measure(title, [...place, '--threads', '1'], join(folder, `workers-${count}`)));
    await Promise.all(workers.map((worker) => worker.stop('SIGTERM')));
  }
  console.log(`results: ${new Set(hashes).size === 1 ? 'the same to the last bit' : 'NOT the same'}`);
} finally {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
}
