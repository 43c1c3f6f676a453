import { z } from 'zod';
import {
  packRecord,
  recordTypeOf,
  recordTypes,
  unpackRecord,
  type RecordArray,
  type RecordTypeName,
} from '../compute/record.js';

/**
 * Requests and answers as bytes: plain data with typed arrays in it. Large arrays are left out and named by their hash,
 * so that what many requests share is written once; all others lie in the record. Numbers come back to the last bit.
 */

/** Arrays of more bytes are blobs of their own. */
export const LARGE_ARRAY = 32_768;

/** A large array that the record names. */
export interface NamedArray {
  type: RecordTypeName;
  length: number;
  hash: string;
}

const named = z.array(
  z.strictObject({
    type: z.enum(Object.keys(recordTypes) as [RecordTypeName, ...RecordTypeName[]]),
    length: z.int().min(0),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);
const header = z.strictObject({ tree: z.unknown(), named });

/** What stands in the tree for what JSON has no word for. */
type Stand = { $small: number } | { $large: number } | { $number: string } | { $undefined: true };

const ODD_NUMBERS: Record<string, number> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity, '-0': -0 };

/** @param nameOf puts a large array where others find it, and gives its hash */
export async function encodeValue(
  value: unknown,
  nameOf: (array: RecordArray) => Promise<string>,
): Promise<Uint8Array> {
  const small: RecordArray[] = [];
  const large: RecordArray[] = [];
  const tree = toTree(value, small, large);
  const entries = await Promise.all(
    large.map(async (array) => ({ type: recordTypeOf(array)!, length: array.length, hash: await nameOf(array) })),
  );
  return packRecord({ tree, named: entries }, small);
}

/**
 * @param read gives the large arrays that the record names
 * @throws an error when these are not the bytes of a value
 */
export async function decodeValue(
  bytes: Uint8Array,
  read: (array: NamedArray) => Promise<RecordArray>,
): Promise<unknown> {
  const record = unpackRecord<unknown>(bytes);
  if (!record) throw new Error('a job or its answer can not be read: it was cut off or written by something else');
  const parsed = header.safeParse(record.header);
  if (!parsed.success) throw new Error('a job or its answer can not be read: it is not laid out as one');
  const { tree, named: entries } = parsed.data;
  const large = await Promise.all(entries.map(read));
  return fromTree(tree, record.arrays, large);
}

export const bytesOf = ({ type, length }: NamedArray): number => length * recordTypes[type].BYTES_PER_ELEMENT;

/** @throws an error when the bytes are not that many */
export function arrayOf({ type, length }: NamedArray, bytes: Uint8Array): RecordArray {
  const Type = recordTypes[type] as { BYTES_PER_ELEMENT: number; new (buffer: SharedArrayBuffer): RecordArray };
  if (bytes.byteLength !== length * Type.BYTES_PER_ELEMENT)
    throw new Error('a job names an array of another length than its file has');
  // Shared, so that all threads of a worker read it without a copy.
  const array = new Type(new SharedArrayBuffer(bytes.byteLength));
  new Uint8Array(array.buffer).set(bytes);
  return array;
}

function toTree(value: unknown, small: RecordArray[], large: RecordArray[]): unknown {
  if (value === undefined) return { $undefined: true } satisfies Stand;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : ({ $number: Object.is(value, -0) ? '-0' : String(value) } satisfies Stand);
  if (ArrayBuffer.isView(value)) {
    const array = value as RecordArray;
    if (!recordTypeOf(array)) throw new TypeError(`${value.constructor.name} can't be sent to another machine`);
    const isLarge = array.byteLength > LARGE_ARRAY;
    const list = isLarge ? large : small;
    const at = list.push(array) - 1;
    return (isLarge ? { $large: at } : { $small: at }) satisfies Stand;
  }
  if (Array.isArray(value)) return value.map((each) => toTree(each, small, large));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    throw new TypeError(
      `${typeof value === 'object' ? value.constructor.name : typeof value} can't be sent to another machine`,
    );
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, toTree(each, small, large)]),
  );
}

function fromTree(tree: unknown, small: readonly RecordArray[], large: readonly RecordArray[]): unknown {
  if (Array.isArray(tree)) return tree.map((each) => fromTree(each, small, large));
  if (typeof tree !== 'object' || tree === null) return tree;
  const stand = tree as Partial<Record<'$small' | '$large', number> & { $number: string; $undefined: true }>;
  if (stand.$undefined) return undefined;
  if (stand.$number !== undefined) return ODD_NUMBERS[stand.$number];
  if (stand.$small !== undefined) return small[stand.$small];
  if (stand.$large !== undefined) return large[stand.$large];
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([key]) => key !== '__proto__')
      .map(([key, each]) => [key, fromTree(each, small, large)]),
  );
}
