/** A typed array; what counts is how many bytes it holds. */
type Numbers = ArrayBufferView<ArrayBufferLike> & { readonly length: number };

/**
 * Arrays that can be made again, kept while they fit a number of bytes; those read longest ago go first. What is made
 * must depend on nothing that changes: a reader can't tell whether an array was kept or made anew.
 */
export class ArrayCache {
  private readonly kept = new Map<object, Numbers>();
  private bytes = 0;

  /** @param budget bytes, asked whenever something is made */
  constructor(private readonly budget: () => number) {}

  /** @param key one for each array */
  get<T extends Numbers>(key: object, make: () => T): T {
    const found = this.kept.get(key) as T | undefined;
    if (found) {
      // The order of a Map is that of its insertions: the first is the one that was read longest ago.
      this.kept.delete(key);
      this.kept.set(key, found);
      return found;
    }
    const made = make();
    this.kept.set(key, made);
    this.bytes += made.byteLength;
    this.shrink();
    return made;
  }

  clear(): void {
    this.kept.clear();
    this.bytes = 0;
  }

  get bytesKept(): number {
    return this.bytes;
  }

  /** The last one stays even where it is larger than all that is allowed: it is in use. */
  private shrink(): void {
    const most = this.budget();
    for (const [key, array] of this.kept) {
      if (this.bytes <= most || this.kept.size === 1) return;
      this.kept.delete(key);
      this.bytes -= array.byteLength;
    }
  }
}

/** Which cache the arrays of an object lie behind. */
const caches = new WeakMap<object, ArrayCache>();

type Makers<T> = { [K in keyof T]?: T[K] extends Numbers | undefined ? () => NonNullable<T[K]> : never };

/**
 * The object with arrays that are made when they are read. They are properties like any other: a copy of the object
 * (`{ ...object }`) or a message to a thread holds the arrays themselves. Loops read them once, before they begin.
 */
export function withLazyArrays<T extends object>(cache: ArrayCache, rest: object, makers: Makers<T>): T {
  return withArraysOn(cache, { ...rest } as T, makers);
}

/**
 * The object with other arrays: made when they are read, behind the same cache, where its own are; made at once
 * otherwise.
 */
export function withOtherArrays<T extends object>(object: T, makers: Makers<T>): T {
  const cache = caches.get(object);
  const others = Object.entries(makers) as [string, () => Numbers][];
  if (!cache) return { ...object, ...Object.fromEntries(others.map(([name, make]) => [name, make()])) };
  const lazy = {} as T;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(object)))
    if (!(name in makers)) Object.defineProperty(lazy, name, property);
  return withArraysOn(cache, lazy, makers);
}

function withArraysOn<T extends object>(cache: ArrayCache, lazy: T, makers: Makers<T>): T {
  for (const [name, make] of Object.entries(makers) as [string, () => Numbers][]) {
    const key = {};
    Object.defineProperty(lazy, name, { enumerable: true, configurable: true, get: () => cache.get(key, make) });
  }
  caches.set(lazy, cache);
  return lazy;
}
