// Downloads for the first start: streamed to a file of another name, checked, and only then called by its own.
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';

/** Without a byte for this long, there is no connection worth waiting for. */
const SILENCE_MILLISECONDS = 20_000;

/**
 * @param {string} what names it in words
 * @param {string} url
 * @param {string} file
 * @param {{ sha256?: string, onProgress?: (done: number, total: number) => void, silence?: number }} options
 * @throws {Error} one line: what could not be had and why
 */
export async function download(what, url, file, { sha256, onProgress, silence = SILENCE_MILLISECONDS } = {}) {
  const part = `${file}.part`;
  const abort = new AbortController();
  const late = () => abort.abort(new Error(`no answer for ${silence / 1000} s`));
  let timer = setTimeout(late, silence);
  try {
    const response = await fetch(url, { signal: abort.signal, dispatcher: new EnvHttpProxyAgent() });
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    const hash = createHash('sha256');
    let done = 0;
    const watch = new Transform({
      transform(chunk, _encoding, next) {
        clearTimeout(timer);
        timer = setTimeout(late, silence);
        hash.update(chunk);
        done += chunk.length;
        onProgress?.(done, total);
        next(null, chunk);
      },
    });
    mkdirSync(dirname(file), { recursive: true });
    // Opened here: a pipeline that breaks while the stream still opens its file would create it after its removal
    // below.
    await pipeline(Readable.fromWeb(response.body), watch, createWriteStream(part, { fd: openSync(part, 'w') }), {
      signal: abort.signal,
    });
    if (total > 0 && done !== total) throw new Error(`it broke off after ${done} of ${total} bytes`);
    if (sha256 !== undefined && hash.digest('hex') !== sha256)
      throw new Error('what came is not what was published (its checksum differs)');
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    const why = abort.signal.aborted
      ? abort.signal.reason.message
      : (error.cause?.code ?? error.cause?.message ?? error.message);
    throw new Error(`${what} could not be downloaded (${why}): ${url}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
