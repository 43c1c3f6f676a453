import type { FileHandle } from 'node:fs/promises';
import { NotRegularError, openRegular } from '../../electron/compute/regular-file.js';
import { UserError } from '../../electron/contract/errors.js';
import { damaged } from './tensor.js';

/** A file read by position, with its length known: every read is whole or an error. */
export interface RandomAccess {
  readonly path: string;
  readonly size: number;
  /** `what` names the part in the error: "header", "tensor enc_norm.weight". */
  read(offset: number, length: number, what: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

export async function openFile(path: string): Promise<RandomAccess> {
  let handle: FileHandle;
  let size: number;
  try {
    ({ file: handle, size } = await openRegular(path));
  } catch (cause) {
    if (cause instanceof NotRegularError)
      throw new UserError('bad-input', `A checkpoint must be a file, and this is not one: ${path}`, { cause });
    throw new UserError(
      'not-found',
      `This checkpoint cannot be opened: ${(cause as NodeJS.ErrnoException).code}. Check the path: ${path}`,
      { cause },
    );
  }
  return {
    path,
    size,
    async read(offset, length, what) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw damaged(path, `${what} at offset ${offset} needs ${length} bytes and the file ends at ${size}`);
      }
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw damaged(path, `${what} ends early at offset ${offset + done}`);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}
