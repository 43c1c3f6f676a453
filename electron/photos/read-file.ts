import { createHash } from 'node:crypto';
import { NotRegularError, readRegular } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import type { Photo } from '../geometry/types.js';

/**
 * All bytes of an image file. What is no file has no end to be waited for: a pipe that nobody writes to, a device.
 *
 * @throws UserError 'bad-input' (message without the path) for what is no file or too large, the file system's error
 */
export async function readImageFile(path: string): Promise<Buffer> {
  return readRegular(path).catch((error: unknown) => {
    if (error instanceof NotRegularError)
      throw new UserError('bad-input', `${error.message}; copy the photo to a folder`, { cause: error });
    if (error instanceof Error && error.message.startsWith('too large'))
      throw new UserError('bad-input', error.message, { cause: error });
    throw error;
  });
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
