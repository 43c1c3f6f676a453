import { expect, test } from 'vitest';
import { queueAddress } from '../../electron/execution/redis.js';
import { parseFailure, JobFailure } from '../../electron/execution/queue.js';

test('an address has host, port, database, user and password, and is shown without the last two', () => {
  const { name, options } = queueAddress('redis://someone:p%40ss@studio.lan:7000/3');
  expect(options).toEqual({ host: 'studio.lan', port: 7000, username: 'someone', password: 'p@ss', db: 3 });
  expect(name).toBe('redis://studio.lan:7000/3');
  expect(queueAddress('redis://[::1]').options).toEqual({ host: '::1', port: 6379 });
});

test('rediss asks for TLS, with the name that the certificate must have', () => {
  expect(queueAddress('rediss://studio.lan').options.tls).toEqual({ servername: 'studio.lan' });
});

test('a wrong address is refused in one line that does not repeat it', () => {
  for (const text of ['studio', 'http://:secret@studio', 'redis://', 'redis://:secret@studio/x', '://secret']) {
    let message = '';
    try {
      queueAddress(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/a queue is named redis:\/\/HOST/);
    expect(message).not.toContain('secret');
  }
});

test('why a job was not done survives the way through the queue', () => {
  const { message } = new JobFailure('store-full', 'no room\nleft');
  expect(parseFailure(message)).toEqual({ code: 'store-full', reason: 'no room\nleft' });
  expect(parseFailure('job stalled more than allowable limit')).toMatchObject({ code: 'failed' });
});
