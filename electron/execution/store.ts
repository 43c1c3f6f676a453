import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../contract/errors.js';

/** Lower-case hexadecimal SHA-256 of a blob: its only name. */
export type BlobHash = string;

export const hashOf = (bytes: Uint8Array): BlobHash => createHash('sha256').update(bytes).digest('hex');

/** A blob that is not there, or not what its name says; `hash` tells which. */
export class LostBlob extends Error {
  constructor(
    readonly hash: BlobHash,
    reason: 'missing' | 'damaged',
  ) {
    super(`a file of the store is ${reason === 'missing' ? 'missing' : 'not what its name says'}: ${hash}`);
    this.name = 'LostBlob';
  }
}

/** Bytes under the hash of their content, reached by all who work together. */
export interface BlobFolder {
  /** Identifies the store: whoever sees another one can't work with us. */
  readonly id: string;
  has(hash: BlobHash): Promise<boolean>;
  /** Replaces what lies there and is not what its name says. @throws UserError 'disk-full', 'unwritable' */
  put(bytes: Uint8Array, hash?: BlobHash): Promise<BlobHash>;
  /** @throws LostBlob */
  get(hash: BlobHash): Promise<Buffer>;
  /** A file of this content, read and found to be that. @throws LostBlob */
  file(hash: BlobHash): Promise<string>;
}

/** Of the folder; a newer layout gets another number. */
const MARKER = 'pointmap-store.json';
const marker = z.strictObject({ pointmapStore: z.literal(1), id: z.uuid() });

/** A file that was being written for so long has nobody any more who writes it. */
const ABANDONED_MILLISECONDS = 86_400_000;

/**
 * The store as a folder that every machine mounts: `blobs/ab/abcdef...`. A blob is written under another name and
 * renamed, so that nobody ever reads half of one; whoever reads checks its hash, so that nobody takes another for it.
 * Reading marks it as used; `prune` removes what nobody has used for some time.
 */
export class SharedFolder implements BlobFolder {
  private readonly known = new Set<BlobHash>();
  private suspicious: boolean;

  private constructor(
    readonly folder: string,
    readonly id: string,
    private readonly trusting: boolean,
  ) {
    this.suspicious = !trusting;
  }

  /**
   * @param trusting that a file is what its name says, and still there if it was once, until `forget` is called: of a
   * hundred requests that share an array only the first looks. Others read what lies there before they leave it
   * @throws UserError 'unwritable' where the folder can't be used, 'bad-input' where it is no store of ours
   */
  static async open(path: string, trusting = false): Promise<SharedFolder> {
    const folder = resolve(path);
    const file = join(folder, MARKER);
    try {
      await mkdir(join(folder, 'blobs'), { recursive: true });
      await mkdir(join(folder, 'partial'), { recursive: true });
      // Exclusive: of two that begin a store at once, both take the first one's name.
      const fresh = JSON.stringify({ pointmapStore: 1, id: randomUUID() });
      await writeFile(file, `${fresh}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      await removeAbandoned(join(folder, 'partial'));
    } catch (error) {
      throw storeError(error, folder);
    }
    const id = await readMarker(file, folder);
    return new SharedFolder(folder, id, trusting);
  }

  async has(hash: BlobHash): Promise<boolean> {
    if (this.known.has(hash)) return true;
    try {
      if (this.suspicious) await this.get(hash);
      else await stat(this.pathOf(hash));
    } catch {
      return false;
    }
    this.remember(hash);
    return true;
  }

  async put(bytes: Uint8Array, hash = hashOf(bytes)): Promise<BlobHash> {
    if (await this.has(hash)) return hash;
    const target = this.pathOf(hash);
    const partial = join(this.folder, 'partial', randomUUID());
    try {
      await mkdir(join(target, '..'), { recursive: true });
      await writeWhole(partial, bytes);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      throw storeError(error, this.folder);
    }
    this.remember(hash);
    return hash;
  }

  async get(hash: BlobHash): Promise<Buffer> {
    const path = this.pathOf(hash);
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      this.known.delete(hash);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new LostBlob(hash, 'missing');
      throw storeError(error, this.folder);
    }
    if (hashOf(bytes) !== hash) {
      // Left where it is: another may have put the true one there since these bytes were read.
      this.known.delete(hash);
      throw new LostBlob(hash, 'damaged');
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return bytes;
  }

  async file(hash: BlobHash): Promise<string> {
    await this.get(hash);
    return this.pathOf(hash);
  }

  /** To be called when a blob was not there, or not right: each is read before it is believed to be there. */
  forget(): void {
    this.suspicious = true;
    this.known.clear();
  }

  /** @returns how many blobs nobody used for so many days, and their bytes; they are removed */
  async prune(days: number): Promise<{ blobs: number; bytes: number }> {
    const limit = Date.now() - days * 86_400_000;
    const removed = { blobs: 0, bytes: 0 };
    this.known.clear();
    for (const part of await readdir(join(this.folder, 'blobs'))) {
      for (const name of await readdir(join(this.folder, 'blobs', part))) {
        const path = join(this.folder, 'blobs', part, name);
        const facts = await stat(path).catch(() => undefined);
        if (!facts || facts.mtimeMs > limit) continue;
        await rm(path, { force: true });
        removed.blobs++;
        removed.bytes += facts.size;
      }
    }
    return removed;
  }

  private remember(hash: BlobHash): void {
    if (this.trusting) this.known.add(hash);
  }

  private pathOf(hash: BlobHash): string {
    // Names come from other machines: nothing else may become part of a path.
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new LostBlob('(no hash)', 'missing');
    return join(this.folder, 'blobs', hash.slice(0, 2), hash);
  }
}

/** A full disk may be told by the write, or only when the file is closed. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  const { size } = await stat(path);
  if (size !== bytes.byteLength) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
}

async function readMarker(file: string, folder: string): Promise<string> {
  try {
    return marker.parse(JSON.parse(await readFile(file, 'utf8'))).id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw storeError(error, folder);
    throw new UserError(
      'bad-input',
      `this is no store of this program, or a newer one's; name another folder: ${folder}`,
    );
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts && Date.now() - facts.mtimeMs > ABANDONED_MILLISECONDS) await rm(path, { force: true });
  }
}

function storeError(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UserError(
      'disk-full',
      `the store is full; make room ("pointmap workers --store DIR --prune DAYS" removes what is no longer used): ${folder}`,
      { cause: error },
    );
  return new UserError('unwritable', `the store can't be used (${code}); mount it, or name another folder: ${folder}`, {
    cause: error,
  });
}
