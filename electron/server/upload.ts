import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../contract/errors.js';

/** A browser does not tell where a dropped file lies, so its bytes are stored; larger than any photo there is. */
export const UPLOAD_LIMIT = 512 * 2 ** 20;

/** A name that is safe as the last part of a path on every system, and still tells a person what it is. */
export function safeName(name: string): string {
  const last = name.split(/[\\/]/).pop() ?? '';
  const clean = last
    .slice(-120)
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f<>:"|?*]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  // Names of devices on Windows, whatever their ending.
  return clean === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(clean)
    ? `photo-${clean}`.replace(/-$/, '')
    : clean;
}

/**
 * Streams the body into a folder named after its content, so that two photos of one name keep their names, and one that
 * is dropped again takes no room.
 * @returns the path; @throws UserError when it is too large or can't be written, after removing what was
 */
export async function storeUpload(request: IncomingMessage, folder: string, name: string): Promise<string> {
  const tooLarge = (): UserError =>
    new UserError(
      'bad-input',
      `this file is larger than ${UPLOAD_LIMIT / 2 ** 20} MB; add it by its path instead: ${safeName(name)}`,
    );
  if (Number(request.headers['content-length'] ?? 0) > UPLOAD_LIMIT) throw tooLarge();
  const part = join(folder, `${randomBytes(6).toString('hex')}.part`);
  const hash = createHash('sha256');
  let length = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      hash.update(chunk);
      if (length > UPLOAD_LIMIT) done(tooLarge());
      else done(null, chunk);
    },
  });
  try {
    mkdirSync(folder, { recursive: true });
    // Opened here: a pipeline that breaks while the stream still opens its file would create it after its removal
    // below.
    await pipeline(request, limit, createWriteStream(part, { fd: openSync(part, 'w') }));
    const own = join(folder, hash.digest('hex').slice(0, 16));
    const path = join(own, safeName(name));
    mkdirSync(own, { recursive: true });
    if (existsSync(path)) rmSync(part);
    else renameSync(part, path);
    return path;
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof UserError) throw error;
    throw new UserError(
      'unwritable',
      `the dropped file could not be stored (${(error as NodeJS.ErrnoException).code ?? 'connection broken'}): ${join(folder, safeName(name))}`,
    );
  }
}
