import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/*
 * Reading what a person named. A name may stand for anything: a pipe that nobody writes to, on which an open waits for
 * ever, a device without an end, a socket, a folder.
 */

/** Opening a pipe with this flag does not wait for its other end; there is no such thing on Windows. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** No file that is read whole is larger: raw photos of 150 megapixels and camera models of 10,000 photos included. */
const LARGEST = 2 ** 30;

/** Thrown for what is no file; its code reads well in brackets where other codes stand (ENOENT, EACCES). */
export class NotRegularError extends Error {
  readonly code: string;
  constructor(facts: Stats) {
    const what = facts.isDirectory() ? 'this is a folder' : 'this is not a regular file';
    super(what);
    this.code = facts.isDirectory() ? 'EISDIR' : what.replace('this is ', '');
  }
}

/** @throws NotRegularError, or the file system's error */
export function checkRegular(path: string): void {
  const facts = statSync(path);
  if (!facts.isFile()) throw new NotRegularError(facts);
}

/**
 * A file opened to be read at any place.
 *
 * @throws NotRegularError, or the file system's error
 */
export async function openRegular(path: string): Promise<{ file: FileHandle; size: number }> {
  const file = await open(path, READ);
  const facts = await file.stat();
  if (facts.isFile()) return { file, size: facts.size };
  await file.close();
  throw new NotRegularError(facts);
}

/** As `openRegular`, for callers that can't wait; the caller closes the descriptor. */
export function openRegularSync(path: string): { descriptor: number; size: number } {
  const descriptor = openSync(path, READ);
  const facts = fstatSync(descriptor);
  if (facts.isFile()) return { descriptor, size: facts.size };
  closeSync(descriptor);
  throw new NotRegularError(facts);
}

const tooLarge = (size: number, most: number): Error & { code: string } => {
  const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  const message = `too large (${megabytes(size)} MB); at most ${megabytes(most)} MB are read`;
  return Object.assign(new Error(message), { code: message });
};

/**
 * All bytes of a file.
 *
 * @param most bytes that are read; a larger file is refused
 * @throws NotRegularError, an error that says "too large", or the file system's error
 */
export async function readRegular(path: string, most = LARGEST): Promise<Buffer> {
  const { file, size } = await openRegular(path);
  try {
    if (size > most) throw tooLarge(size, most);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** As `readRegular`, for callers that can't wait. */
export function readRegularSync(path: string, most = LARGEST): Buffer {
  const { descriptor, size } = openRegularSync(path);
  try {
    if (size > most) throw tooLarge(size, most);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
