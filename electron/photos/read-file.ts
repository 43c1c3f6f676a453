import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { UserError } from '../contract/errors.js';
import type { Photo } from '../geometry/types.js';

/** Larger than any photo there is, raw files of 150 megapixels included. */
export const LARGEST_FILE = 2 ** 30;

/**
 * All bytes of an image file. What is no file has no end to be waited for: a pipe that nobody writes to, a device.
 *
 * @throws UserError 'bad-input' (message without the path) for what is no file or too large, the file system's error
 */
export async function readImageFile(path: string): Promise<Buffer> {
  // Without this flag, opening a pipe waits for its other end.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new UserError('bad-input', 'this is not a regular file; copy the photo to a folder');
    if (facts.size > LARGEST_FILE)
      throw new UserError('bad-input', `too large (${Math.round(facts.size / 2 ** 20)} MB); at most 1024 MB are read`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * All bytes of a photo of a project, if they are still those that were added: everything computed from a photo is kept
 * under the hash of its content.
 *
 * @throws UserError 'not-found' when they are others; otherwise as `readImageFile`
 */
export async function readPhotoFile({ path, id, name }: Pick<Photo, 'path' | 'id' | 'name'>): Promise<Buffer> {
  const bytes = await readImageFile(path);
  const isHash = /^[0-9a-f]{64}$/.test(id);
  if (isHash && createHash('sha256').update(bytes).digest('hex') !== id)
    throw new UserError(
      'not-found',
      `the photo ${name} has changed since it was added; put the former file back, or add the new one and disable this: ${path}`,
    );
  return bytes;
}
