import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../../electron/contract/errors.js';
import { connectionFailure, fetchOutside } from './connection.js';

export interface RemoteFile {
  address: string;
  /** Bytes and lower-case hex, from the publisher's metadata; undefined where it gives none. */
  size?: number;
  sha256?: string;
}

export interface DownloadOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number | undefined) => void;
  /** Tries after the first that brought nothing new. */
  retries?: number;
  /** A connection that stays silent this long is given up, milliseconds. */
  silence?: number;
}

/**
 * Names, lengths and hashes of a Hugging Face model's files, from its own metadata. `host` is for mirrors (HF_ENDPOINT,
 * as its own tools call it).
 */
export async function publishedFiles(
  repository: string,
  files: readonly string[],
  host = 'https://huggingface.co',
  signal?: AbortSignal,
): Promise<RemoteFile[]> {
  const address = `${host}/api/models/${repository}/tree/main`;
  let listing: unknown;
  try {
    const response = await fetchOutside(address, { signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    listing = await response.json();
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new UserError(
      'not-found',
      `The publisher's list of files could not be fetched (${connectionFailure(cause)}). Check the connection, or import a file that you have: ${address}`,
      { cause },
    );
  }
  const entries = Array.isArray(listing)
    ? (listing as { path?: unknown; size?: unknown; lfs?: { oid?: unknown; size?: unknown } }[])
    : [];
  return files.map((name) => {
    const entry = entries.find((candidate) => candidate.path === name);
    const size = entry?.lfs?.size ?? entry?.size;
    const hash = entry?.lfs?.oid;
    const isHash = typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
    if (typeof size !== 'number' || (entry?.lfs && !isHash))
      throw new UserError(
        'not-found',
        `The publisher's list does not name ${name} with its length and hash. Import a file that you have: ${address}`,
      );
    return { address: `${host}/${repository}/resolve/main/${name}`, size, ...(isHash ? { sha256: hash } : {}) };
  });
}

export async function checkSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < needed) {
    const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
    throw new UserError(
      'disk-full',
      `This needs ${gigabytes(needed)} GB and ${gigabytes(free)} GB are free. Free some space, or choose another folder with POINTMAP_MODELS: ${folder}`,
    );
  }
}

/** SHA-256 in lower-case hex. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Writes one response to the file from `start` on; returns the file's length then. A broken connection just ends it.
 */
async function receive(
  file: RemoteFile,
  part: string,
  start: number,
  options: DownloadOptions,
  silence: number,
): Promise<{ length: number; total: number | undefined; failure?: Error }> {
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(new Error('the server fell silent')), silence);
  const signals = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let length = start;
  let total = file.size;
  try {
    const response = await fetchOutside(file.address, {
      signal: signals,
      headers: { 'accept-encoding': 'identity', ...(start ? { range: `bytes=${start}-` } : {}) },
    });
    if (response.status === 416) return { length: 0, total, failure: new Error('the server has no such range') };
    if (!response.ok || !response.body)
      throw new UserError(
        'not-found',
        `The publisher answered HTTP ${response.status}. Try later, or import a file that you have: ${file.address}`,
      );
    // A server that ignores the range sends the whole file again.
    const rangeStart = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
    length = response.status === 206 && Number(rangeStart) === start ? start : 0;
    if (response.status === 206 && length !== start)
      return { length: start, total, failure: new Error('the server answered with another range') };
    const announced = Number(response.headers.get('content-length'));
    total ??= announced > 0 ? length + announced : undefined;
    const handle = await open(part, length ? 'r+' : 'w');
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(new Error('the server fell silent')), silence);
        if (total !== undefined && length + chunk.length > total)
          return { length: 0, total, failure: new Error('the server sent more than the file holds') };
        await handle.write(chunk, 0, chunk.length, length);
        length += chunk.length;
        options.onProgress?.(length, total);
      }
    } finally {
      await handle.close();
    }
    return { length, total };
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC')
      throw new UserError(
        'disk-full',
        `The disk is full. Free some space and start again; what has come is kept: ${part}`,
        { cause: error },
      );
    return { length, total, failure: error as Error };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Downloads a file to `path`, going on from `<path>.part` where one was left. Checks the length and, where known, the
 * SHA-256; a file that fails the check is deleted. Throws UserError; an abort rejects with the signal's reason and
 * keeps the part.
 */
export async function download(file: RemoteFile, path: string, options: DownloadOptions = {}): Promise<void> {
  const part = `${path}.part`;
  const { retries = 5, silence = 60_000 } = options;
  let length = await stat(part).then(
    (status) => status.size,
    () => 0,
  );
  if (file.size !== undefined) {
    if (length > file.size) length = 0;
    await checkSpace(dirname(path), file.size - length);
  }
  let total = file.size;
  for (let failures = 0; total === undefined || length < total;) {
    options.signal?.throwIfAborted();
    const result = await receive(file, part, length, options, silence);
    failures = result.length > length ? 0 : failures + 1;
    ({ length } = result);
    total = result.total ?? total;
    // Without any stated length, the end of a clean response is the end of the file.
    if (total === undefined && !result.failure) break;
    if (failures > retries) {
      throw new UserError(
        'not-found',
        `The download of ${basename(path)} broke off at ${length} of ${total ?? 'unknown'} bytes (${result.failure ? connectionFailure(result.failure) : 'the server sent nothing more'}). Start it again to go on from there: ${file.address}`,
      );
    }
  }
  if (file.sha256 && (await hashOf(part)) !== file.sha256) {
    await rm(part);
    throw new UserError(
      'damaged',
      `What was downloaded is not what the publisher describes (SHA-256 differs), so it was deleted. Try again: ${file.address}`,
    );
  }
  await rename(part, path);
}
