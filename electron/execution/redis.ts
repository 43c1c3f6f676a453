import { Redis, type RedisOptions } from 'ioredis';
import { UserError } from '../contract/errors.js';

/** Where a queue is; `name` is what people may be shown: it has no password. */
export interface QueueAddress {
  name: string;
  options: RedisOptions;
}

const PORT = 6379;
/** A server that does not answer for so long when we begin is not there. */
const CONNECT_MILLISECONDS = 5000;
/** Longest pause between two tries to reach a server that was there before. */
const MOST_PAUSE_MILLISECONDS = 2000;

/**
 * `redis://HOST[:PORT][/DATABASE]`, or `rediss://` for TLS; user and password as `USER:PASSWORD@` before the host.
 *
 * @throws UserError 'usage', which does not repeat what was given: there may be a password in it
 */
export function queueAddress(text: string): QueueAddress {
  const wrong = (what: string): UserError =>
    new UserError('usage', `${what}; a queue is named redis://HOST[:PORT], or rediss://HOST[:PORT] with TLS`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong('the address of the queue is no URL');
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw wrong(`a queue can't be reached by ${url.protocol}//`);
  if (url.hostname === '') throw wrong('the address of the queue names no host');
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(database)) throw wrong('the database of the queue is no number');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? PORT : Number(url.port);
  return {
    name: `${url.protocol}//${url.hostname}:${port}${database === '' ? '' : `/${database}`}`,
    options: {
      host,
      port,
      ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ...(database === '' ? {} : { db: Number(database) }),
      ...(url.protocol === 'rediss:' ? { tls: { servername: host } } : {}),
    },
  };
}

type PatientOptions = Omit<RedisOptions, 'retryStrategy'> & { retryStrategy: (times: number) => number };

/** Commands wait while the server is away, and connections come back by themselves. */
export const patient = ({ options }: QueueAddress): PatientOptions => ({
  ...options,
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 10), MOST_PAUSE_MILLISECONDS),
});

/**
 * A connection to a server that was found to answer.
 *
 * @param options of the connection, in place of those of one that is waited for
 * @throws UserError 'not-found' in one line when nothing answers there, or it lets nobody in
 */
export async function connect(address: QueueAddress, options: RedisOptions = {}): Promise<Redis> {
  const probe = new Redis({
    ...address.options,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: CONNECT_MILLISECONDS,
  });
  let reason: unknown;
  // The rejected command says only that the connection was closed; the event says why.
  probe.on('error', (error) => (reason ??= error));
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    throw unreachable(address, reason ?? error);
  } finally {
    probe.disconnect();
  }
  const redis = new Redis({ ...patient(address), ...options });
  // Told by whoever listens to its state; without a listener an error would end the process.
  redis.on('error', () => undefined);
  return redis;
}

function unreachable({ name }: QueueAddress, error: unknown): UserError {
  const message = error instanceof Error ? error.message : String(error);
  if (/NOAUTH|WRONGPASS|invalid password|invalid username/i.test(message))
    return new UserError(
      'not-found',
      `the queue does not take the password, or asks for one; set POINTMAP_QUEUE=redis://:PASSWORD@HOST: ${name}`,
    );
  if (/certificate|self.signed|SSL|TLS|EPROTO/i.test(message))
    return new UserError(
      'not-found',
      `no safe connection to the queue (${message}); name the authority that signed its certificate in NODE_EXTRA_CA_CERTS: ${name}`,
    );
  const code = (error as NodeJS.ErrnoException).code ?? message;
  return new UserError(
    'not-found',
    `no Redis answers there (${code}); start redis-server, or correct --queue: ${name}`,
  );
}
