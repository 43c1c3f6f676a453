import type { RecordArray } from '../compute/record.js';
import { hashOf, type BlobFolder, type BlobHash } from './store.js';
import { arrayOf, bytesOf, decodeValue, encodeValue, type NamedArray } from './value.js';

interface KeptArray {
  array: Promise<RecordArray>;
  bytes: number;
}

/**
 * Values in the store. Arrays that were written or read before are not hashed again, and those read last are kept in
 * memory, as far as a budget goes: the features of a photo are read once for all pairs of it.
 */
export class Parcels {
  private readonly names = new WeakMap<RecordArray, BlobHash>();
  /** In the order of their last use. */
  private readonly kept = new Map<string, KeptArray>();
  private keptBytes = 0;

  /** @param budget bytes of arrays that are kept in memory */
  constructor(
    private readonly store: BlobFolder,
    private readonly budget = 0,
  ) {}

  /** @throws as the store's `put` */
  async put(values: readonly unknown[]): Promise<BlobHash> {
    return this.store.put(
      await encodeValue(values, async (array) => {
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        const hash = this.names.get(array) ?? hashOf(bytes);
        this.names.set(array, hash);
        return this.store.put(bytes, hash);
      }),
    );
  }

  /** @throws LostBlob, or an error when there are no values under this hash */
  async get(hash: BlobHash): Promise<unknown[]> {
    const values = await decodeValue(await this.store.get(hash), (array) => this.array(array));
    if (!Array.isArray(values)) throw new Error('a job or its answer can not be read: it is no list');
    return values;
  }

  private array(named: NamedArray): Promise<RecordArray> {
    const key = `${named.type} ${named.length} ${named.hash}`;
    const entry = this.kept.get(key) ?? this.read(named, key);
    // The last in the order.
    this.kept.delete(key);
    this.kept.set(key, entry);
    this.shrink();
    return entry.array;
  }

  private read(named: NamedArray, key: string): KeptArray {
    const array = this.store.get(named.hash).then((bytes) => arrayOf(named, bytes));
    const entry = { array, bytes: bytesOf(named) };
    this.keptBytes += entry.bytes;
    array.then(
      (read) => this.names.set(read, named.hash),
      () => this.drop(key, entry),
    );
    return entry;
  }

  private shrink(): void {
    for (const [key, entry] of this.kept) {
      if (this.keptBytes <= this.budget) return;
      this.drop(key, entry);
    }
  }

  private drop(key: string, entry: KeptArray): void {
    if (this.kept.get(key) !== entry) return;
    this.kept.delete(key);
    this.keptBytes -= entry.bytes;
  }
}
