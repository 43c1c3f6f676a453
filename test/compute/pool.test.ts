import { expect, test } from 'vitest';
import { WorkerPool } from '../../electron/compute/pool.js';

const echo = new URL(
  `data:text/javascript,${encodeURIComponent("import { parentPort } from 'node:worker_threads'; parentPort.on('message', (value) => parentPort.postMessage({ value }));")}`,
);

test('a request that is turned away before it begins leaves its worker to the next', async () => {
  const pool = new WorkerPool(echo, 1);
  const held = pool.run('first', { pass: () => Promise.reject(new Error('turned away')) });
  const next = pool.run('second', { pass: () => Promise.resolve() });
  await expect(held).rejects.toThrow('turned away');
  expect(await next).toBe('second');
  await pool.close();
});

const script = (code: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; parentPort.on('message', (value) => { ${code} });`)}`,
  );

test('requests that run or wait when the pool closes are told so', async () => {
  const pool = new WorkerPool(script('/* never answers */'), 1);
  const ends = Promise.allSettled([pool.run('running'), pool.run('waiting')]);
  await pool.close();
  for (const end of await ends)
    expect(end).toMatchObject({ status: 'rejected', reason: { message: 'the worker pool was closed' } });
});

test('a worker that ends by itself fails its request, and the next gets a new one', async () => {
  const pool = new WorkerPool(script("if (value === 'leave') process.exit(3); parentPort.postMessage({ value });"), 1);
  await expect(pool.run('leave')).rejects.toThrow('ended by itself (code 3)');
  expect(await pool.run('stay')).toBe('stay');
  await pool.close();
});
