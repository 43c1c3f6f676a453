import { describe, expect, test } from 'vitest';
import { ArrayCache, withLazyArrays, withOtherArrays } from '../../electron/compute/lazy-arrays.js';

interface Thing {
  name: string;
  values: Float32Array;
  flags?: Uint8Array;
}

/** Counts how often each array is made. */
function things(cache: ArrayCache, count: number): { all: Thing[]; made: number[] } {
  const made = Array.from({ length: count }, () => 0);
  const all = made.map((_, k) =>
    withLazyArrays<Thing>(cache, { name: `t${k}` }, { values: () => (made[k]!++, new Float32Array(10).fill(k)) }),
  );
  return { all, made };
}

describe('arrays behind a cache', () => {
  test('are made when they are read, once while they fit', () => {
    const { all, made } = things(new ArrayCache(() => 1000), 3);
    expect(made).toEqual([0, 0, 0]);
    expect([all[1]!.values[0], all[1]!.values[9]]).toEqual([1, 1]);
    expect(made).toEqual([0, 1, 0]);
  });

  test('those read longest ago go first, and what is kept never exceeds the budget', () => {
    const cache = new ArrayCache(() => 100);
    const { all, made } = things(cache, 4);
    for (const k of [0, 1, 0, 2, 0, 1]) {
      expect(all[k]!.values[0]).toBe(k);
      expect(cache.bytesKept).toBeLessThanOrEqual(100);
    }
    // 1 went when 2 came, as 0 had been read since.
    expect(made).toEqual([1, 2, 1, 0]);
  });

  test('one that is larger than the budget is there as long as it is in use', () => {
    const { all } = things(new ArrayCache(() => 1), 2);
    expect([...all[0]!.values, ...all[1]!.values]).toEqual([...Array(10).fill(0), ...Array(10).fill(1)]);
  });

  test('are properties like any other for copies and messages', () => {
    const { all } = things(new ArrayCache(() => 1000), 1);
    const expected = { name: 't0', values: new Float32Array(10) };
    expect({ ...all[0]! }).toEqual(expected);
    expect(structuredClone(all[0])).toEqual(expected);
    expect(Object.getOwnPropertyDescriptor({ ...all[0]! }, 'values')!.value).toBeInstanceOf(Float32Array);
  });

  test('others in their place lie behind the same cache, and are made at once without one', () => {
    const { all, made } = things(new ArrayCache(() => 1000), 2);
    const doubled = withOtherArrays<Thing>(all[1]!, { values: () => all[1]!.values.map((value) => 2 * value) });
    expect(made).toEqual([0, 0]);
    expect({ ...doubled }).toEqual({ name: 't1', values: new Float32Array(10).fill(2) });
    const plain: Thing = { name: 'p', values: Float32Array.of(1, 2) };
    const changed = withOtherArrays<Thing>(plain, { values: () => plain.values.map((value) => value + 1) });
    expect(changed).toEqual({ name: 'p', values: Float32Array.of(2, 3) });
    expect(Object.getOwnPropertyDescriptor(changed, 'values')!.get).toBeUndefined();
  });
});
