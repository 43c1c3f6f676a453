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
