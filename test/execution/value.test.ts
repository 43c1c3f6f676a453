import { expect, test } from 'vitest';
import type { RecordArray } from '../../electron/compute/record.js';
import { arrayOf, decodeValue, encodeValue, LARGE_ARRAY } from '../../electron/execution/value.js';

async function roundTrip(value: unknown): Promise<{ value: unknown; named: number }> {
  const blobs = new Map<string, Uint8Array>();
  const bytes = await encodeValue(value, async (array: RecordArray) => {
    const hash = blobs.size.toString(16).padStart(64, '0');
    blobs.set(hash, new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice());
    return hash;
  });
  return {
    value: await decodeValue(bytes, async (named) => arrayOf(named, blobs.get(named.hash)!)),
    named: blobs.size,
  };
}

test('numbers, arrays and what JSON has no word for come back to the last bit', async () => {
  const value = {
    odd: [NaN, Infinity, -Infinity, -0, 0.1 + 0.2, 5e-324],
    nothing: [null, undefined, true, 'text'],
    small: Float64Array.of(-0, NaN, Math.PI),
    part: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
    nested: { indices: Uint32Array.of(4_000_000_000), halves: new Uint16Array(0) },
  };
  const { value: back, named } = await roundTrip(value);
  expect(back).toEqual(value);
  expect(Object.is((back as typeof value).odd[3], -0)).toBe(true);
  expect(named).toBe(0);
});

test('a large array is named, not repeated, and threads share what comes back', async () => {
  const large = Float32Array.from({ length: LARGE_ARRAY }, (_, k) => k / 7);
  const { value, named } = await roundTrip([large, { again: large }]);
  const [first] = value as [Float32Array];
  expect(named).toBeGreaterThan(0);
  expect(first.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(Array.from(first)).toEqual(Array.from(large));
});

test('what can not be sent is refused', async () => {
  await expect(roundTrip({ map: new Map() })).rejects.toThrow("Map can't be sent");
  await expect(roundTrip([() => 1])).rejects.toThrow("function can't be sent");
});

test('bytes that are no value are refused in one line', async () => {
  const bytes = await encodeValue({ a: 1 }, async () => '');
  for (const damaged of [bytes.subarray(0, bytes.length - 1), bytes.map((byte) => byte ^ 1), new Uint8Array(3)])
    await expect(decodeValue(damaged, async () => new Uint8Array())).rejects.toThrow(/can not be read/);
});
