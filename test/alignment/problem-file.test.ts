import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAlignmentProblem } from '../../electron/alignment/problem-file.js';
import { UserError } from '../../electron/contract/errors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-problem-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(header: unknown, data = Buffer.alloc(0)): string {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, 'problem.safetensors');
  writeFileSync(path, Buffer.concat([length, text, data]));
  return path;
}
const refused = (path: string): string => {
  try {
    readAlignmentProblem(path);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error('it was read');
};

test.each([
  ['null', null],
  ['a list', [1]],
  ['a number', 7],
  ['no tensors', {}],
  ['a tensor that is null', { edges: null }],
  ['a shape of words', { edges: { dtype: 'I64', shape: ['a', 2], data_offsets: [0, 0] } }],
  ['a negative shape', { edges: { dtype: 'I64', shape: [-1, 2], data_offsets: [0, -16] } }],
  ['no edges', { edges: { dtype: 'I64', shape: [0, 2], data_offsets: [0, 0] } }],
  ['names of JavaScript’s own', { constructor: {}, __proto__: {} }],
])('a header that is %s is refused with a line', (_, header) =>
  expect(refused(file(header))).toMatch(/^not an alignment problem: .*problem\.safetensors$/),
);

test('300,000 observations are counted, not spread over the stack', () => {
  const count = 300_000;
  const edges = Buffer.alloc(count * 16);
  for (let k = 0; k < count; k++) edges.writeBigInt64LE(BigInt(k % 1000), 16 * k);
  const tensors = { edges: { dtype: 'I64', shape: [count, 2], data_offsets: [0, edges.length] } };
  expect(refused(file(tensors, edges))).toMatch(/pointmap_i is missing/);
  const empty = { dtype: 'F32', data_offsets: [edges.length, edges.length] };
  const path = file(
    {
      ...tensors,
      ...Object.fromEntries(['i', 'j'].map((side) => [`pointmap_${side}`, { ...empty, shape: [count, 0, 0, 3] }])),
      ...Object.fromEntries(['i', 'j'].map((side) => [`confidence_${side}`, { ...empty, shape: [count, 0, 0] }])),
    },
    edges,
  );
  expect(readAlignmentProblem(path).views).toHaveLength(1000);
});

test.runIf(existsSync('/proc/self/fd'))('a file that is no problem is closed again', () => {
  const path = join(folder, 'nonsense.safetensors');
  writeFileSync(path, Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
  expect(refused(path)).toMatch(/its header is not JSON/);
  expect(readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === path)).toEqual([]);
});

function targetOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The folder's own descriptor is gone by now.
    return undefined;
  }
}
