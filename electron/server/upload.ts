import { createHash, randomBytes } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { extname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { partialPath, removeAbandoned } from '../compute/partial-file.js';
import { UserError } from '../contract/errors.js';
import { videoEndings } from '../contract/photo-endings.js';
import { safeFileName } from '../contract/file-names.js';

/** A browser does not tell where a dropped file lies, so its bytes are stored; larger than any photo there is. */
export const UPLOAD_LIMIT = 512 * 2 ** 20;
/** An hour of a phone's video at its best quality. */
export const VIDEO_LIMIT = 24 * 2 ** 30;
/** What all stored files may take together: ten thousand photos. Beyond that, or on a full disk, a path is the way. */
export const UPLOADS_LIMIT = 128 * 2 ** 30;
/** Left free on the disk for projects, which would fail without it. */
const DISK_RESERVE = 2 ** 30;

/** Bytes in each folder of uploads that this process stored into; walking it for each photo would be quadratic. */
const stored = new Map<string, number>();

/**
 * Streams the body into a folder named after its content, so that two photos of one name keep their names, and one that
 * is dropped again takes no room.
 * @returns the path; @throws UserError when it is too large or can't be written, after removing what was
 */
export async function storeUpload(
  request: IncomingMessage,
  folder: string,
  name: string,
  limits = { total: UPLOADS_LIMIT, reserve: DISK_RESERVE },
): Promise<string> {
  const largest = videoEndings.includes(extname(name).toLowerCase()) ? VIDEO_LIMIT : UPLOAD_LIMIT;
  const tooLarge = (): UserError =>
    new UserError(
      'bad-input',
      `this file is larger than ${largest / 2 ** 20} MB; add it by its path instead: ${safeFileName(name)}`,
    );
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > largest) throw tooLarge();
  const part = partialPath(join(folder, randomBytes(6).toString('hex')));
  const hash = createHash('sha256');
  let length = 0;
  // Taken before it is there: many that come at once would each find the same room.
  let taken = 0;
  const take = (bytes: number): void => {
    checkRoom(folder, bytes, limits);
    taken += bytes;
    stored.set(folder, stored.get(folder)! + bytes);
  };
  const giveBack = (): void => void stored.set(folder, (stored.get(folder) ?? taken) - taken);
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      hash.update(chunk);
      try {
        if (length > largest) throw tooLarge();
        // A request need not say how long it is.
        if (length > taken) take(length - taken);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    mkdirSync(folder, { recursive: true });
    take(announced);
    // Opened here: a pipeline that breaks while the stream still opens its file would create it after its removal
    // below.
    await pipeline(request, limit, createWriteStream(part, { fd: openSync(part, 'w') }));
    const own = join(folder, hash.digest('hex').slice(0, 16));
    const path = join(own, safeFileName(name));
    mkdirSync(own, { recursive: true });
    if (existsSync(path)) {
      rmSync(part);
      giveBack();
    } else renameSync(part, path);
    return path;
  } catch (error) {
    giveBack();
    rmSync(part, { force: true });
    if (error instanceof UserError) throw error;
    throw new UserError(
      'unwritable',
      `the dropped file could not be stored (${(error as NodeJS.ErrnoException).code ?? 'connection broken'}): ${join(folder, safeFileName(name))}`,
    );
  }
}

/** @throws UserError 'disk-full' when this many bytes more would fill the folder or the disk */
function checkRoom(folder: string, bytes: number, { total, reserve }: { total: number; reserve: number }): void {
  if (!stored.has(folder)) {
    removeAbandoned(folder);
    stored.set(folder, bytesIn(folder));
  }
  if (stored.get(folder)! + bytes > total)
    throw new UserError(
      'disk-full',
      `the files that were dropped so far take ${Math.round(total / 2 ** 30)} GB; remove those of old projects, or add photos by their path instead: ${folder}`,
    );
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize - bytes < reserve)
    throw new UserError('disk-full', `the disk is full; make room, or add photos by their path instead: ${folder}`);
}

function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}
