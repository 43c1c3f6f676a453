import { createWriteStream, mkdirSync, openSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomBytes } from 'node:crypto';
import { UserError } from '../contract/errors.js';

/** A browser does not tell where a dropped file lies, so its bytes are stored; larger than any photo there is. */
export const UPLOAD_LIMIT = 512 * 2 ** 20;

/** A name that is safe as the last part of a path on every system, and still tells a person what it is. */
export function safeName(name: string): string {
  const last = name.split(/[\\/]/).pop() ?? '';
  // eslint-disable-next-line no-control-regex
  const clean = last.slice(-120).replace(/[\u0000-\u001f\u007f<>:"|?*]/g, '_').replace(/^[.\s]+|[.\s]+$/g, '');
  // Names of devices on Windows, whatever their ending.
  return clean === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(clean) ? `photo-${clean}`.replace(/-$/, '') : clean;
}

/**
 * Streams the body into a folder of its own, so that two photos of one name keep their names.
 * @returns the path; @throws UserError when it is too large or can't be written, after removing what was
 */
export async function storeUpload(request: IncomingMessage, folder: string, name: string): Promise<string> {
  const tooLarge = (): UserError => new UserError('bad-input', `this file is larger than ${UPLOAD_LIMIT / 2 ** 20} MB; add it by its path instead: ${safeName(name)}`);
  if (Number(request.headers['content-length'] ?? 0) > UPLOAD_LIMIT) throw tooLarge();
  const own = join(folder, randomBytes(6).toString('hex'));
  const path = join(own, safeName(name));
  let length = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length > UPLOAD_LIMIT) done(tooLarge());
      else done(null, chunk);
    },
  });
  try {
    mkdirSync(own, { recursive: true });
    // Opened here: a pipeline that breaks while the stream still opens its file would create it after its removal below.
    await pipeline(request, limit, createWriteStream(path, { fd: openSync(path, 'w') }));
    return path;
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (error instanceof UserError) throw error;
    throw new UserError('unwritable', `the dropped file could not be stored (${(error as NodeJS.ErrnoException).code ?? 'connection broken'}): ${path}`);
  }
}
