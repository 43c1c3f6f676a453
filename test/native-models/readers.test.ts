import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatFromBfloat16, floatFromHalf, halfFromFloat } from '../../electron/numerics/half.js';
import { openCheckpoint } from '../../native-models/checkpoints/open.js';
import { UserError } from '../../electron/contract/errors.js';
import { writeSafetensors } from './random-network.js';
import { pickleOf, pytorchFile, type Pickled } from './pytorch-file.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'pointmap-readers-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const values = Float32Array.of(1, -2.5, 3e-5, 65504, 0, 7);
const safetensors = async (name: string) => {
  const path = join(folder, name);
  await writeSafetensors(
    path,
    new Map([
      ['a.weight', [2, 3]],
      ['a.bias', [6]],
    ]),
    () => values,
    { format: 'pt' },
  );
  return path;
};
const readAll = async (path: string) => {
  const { checkpoint } = await openCheckpoint(path);
  try {
    for (const name of checkpoint.tensors.keys()) await checkpoint.read(name);
    return checkpoint.tensors;
  } finally {
    await checkpoint.close();
  }
};

describe('half precision', () => {
  it('is exact both ways for every finite half', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, k) => k).filter((bits) => (bits & 0x7c00) !== 0x7c00);
    expect(halfFromFloat(floatFromHalf(all))).toEqual(all);
  });
  it('rounds to nearest even, overflows to infinity, underflows to zero', () => {
    expect([
      ...floatFromHalf(
        halfFromFloat(Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, 2 ** -25, 1.5 * 2 ** -24, NaN)),
      ),
    ]).toEqual([1, 1 + 2 ** -9, Infinity, 0, 2 ** -23, NaN]);
  });
  it('reads bfloat16', () => expect([...floatFromBfloat16(Uint16Array.of(0x3f80, 0xc020))]).toEqual([1, -2.5]));
});

describe('safetensors', () => {
  it('reads names, shapes, metadata, values', async () => {
    const { checkpoint } = await openCheckpoint(await safetensors('good.safetensors'));
    expect(checkpoint.tensors.get('a.weight')).toMatchObject({ shape: [2, 3], type: 'F32' });
    expect(await checkpoint.read('a.bias')).toEqual(values);
    expect(checkpoint.metadata).toEqual({ format: 'pt' });
    await checkpoint.close();
  });

  it('refuses a file cut at any byte', async () => {
    const whole = await readFile(await safetensors('whole.safetensors'));
    const path = join(folder, 'cut.safetensors');
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readAll(path), `cut at ${length}`).rejects.toBeInstanceOf(UserError);
    }
  });

  it('reads a config with the infinities that Python writes', async () => {
    const path = await safetensors('infinite.safetensors');
    await writeFile(
      join(folder, 'config.json'),
      '{"depth_mode": ["exp", -Infinity, Infinity], "note": "to Infinity \\" NaN", "enc_depth": 24}',
    );
    const { checkpoint, config } = await openCheckpoint(path);
    expect(config).toEqual({ depth_mode: ['exp', null, null], note: 'to Infinity " NaN', enc_depth: 24 });
    await checkpoint.close();
    await rm(join(folder, 'config.json'));
  });

  it.each([
    [
      'overlapping tensors',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] }, b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } },
      12,
      'tensor b begins at offset',
    ],
    ['a hole', { a: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }, 8, 'tensor a begins at offset'],
    ['trailing data', { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 9, '5 bytes follow'],
    ['a wrong length', { a: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, 8, 'tensor a at offset'],
    ['a negative size', { a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4, 'tensor a has the shape'],
    [
      'a huge size',
      { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } },
      4,
      'tensor a has the shape',
    ],
    ['an unknown type', { a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4, 'unknown element type'],
    ['null', { a: null }, 0, 'unknown element type'],
  ])('refuses %s', async (_, header, bytes, message) => {
    const text = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(text.length));
    const path = join(folder, 'bad.safetensors');
    await writeFile(path, Buffer.concat([prefix, text, Buffer.alloc(bytes)]));
    await expect(readAll(path)).rejects.toThrow(message);
  });
});

describe('PyTorch files', () => {
  const state: Pickled = {
    dict: [
      [
        'model',
        {
          dict: [
            ['a.weight', { tensor: { key: '0', shape: [2, 3], count: 6 } }],
            ['epoch', 3],
          ],
        },
      ],
      ['args', { call: 'argparse.Namespace', state: [['model', "Net(head='dpt')"]] }],
    ],
  };
  const good = () => pytorchFile(pickleOf(state), { '0': values });

  it('reads tensors and plain metadata', async () => {
    const path = join(folder, 'good.pth');
    await writeFile(path, good());
    const { checkpoint } = await openCheckpoint(path);
    expect([...checkpoint.tensors.keys()]).toEqual(['a.weight']);
    expect(await checkpoint.read('a.weight')).toEqual(values);
    expect(checkpoint.metadata).toEqual({ args: { model: "Net(head='dpt')" } });
    await checkpoint.close();
  });

  it.each([
    'os.system',
    'builtins.eval',
    'posix.system',
    'torch.hub.load',
    '__builtin__.getattr',
    'constructor.constructor',
  ])('refuses a pickle that calls %s', async (name) => {
    const path = join(folder, 'hostile.pth');
    await writeFile(path, pytorchFile(pickleOf({ call: name, args: ['echo hello'] }), {}));
    await expect(readAll(path)).rejects.toThrow(`asks for ${name}`);
  });

  it('follows lists that hold themselves a bounded number of times', async () => {
    const path = join(folder, 'itself.pth');
    const key = Buffer.from([0x58, 1, 0, 0, 0, 0x61]);
    const recall = Buffer.concat(Array.from({ length: 12 }, () => Buffer.from([0x68, 0])));
    // {'a': l} with l = [l, l, ... twelve times]: 12^8 values at depth 8.
    const itself = Buffer.concat([
      Buffer.from([0x80, 2, 0x7d]),
      key,
      Buffer.from(']q\u0000('),
      recall,
      Buffer.from('es.'),
    ]);
    await writeFile(path, pytorchFile(itself, {}));
    const { checkpoint } = await openCheckpoint(path);
    expect(JSON.stringify(checkpoint.metadata).length).toBeLessThan(1e6);
    await checkpoint.close();
  });

  it('refuses a file cut at any byte', async () => {
    const whole = good();
    const path = join(folder, 'cut.pth');
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readAll(path), `cut at ${length}`).rejects.toBeInstanceOf(UserError);
    }
  });

  it('refuses a tensor larger than its storage, and names it', async () => {
    const path = join(folder, 'large.pth');
    await writeFile(
      path,
      pytorchFile(pickleOf({ dict: [['big', { tensor: { key: '0', shape: [7], count: 7 } }]] }), { '0': values }),
    );
    await expect(readAll(path)).rejects.toThrow('tensor big at offset');
  });
});

describe('fuzz', () => {
  it.each(['safetensors', 'pth'])(
    '%s: random damage is read or refused with a UserError, never a crash or a hang',
    async (ending) => {
      const whole =
        ending === 'pth'
          ? pytorchFile(pickleOf({ dict: [['a', { tensor: { key: '0', shape: [6], count: 6 } }]] }), { '0': values })
          : await readFile(await safetensors('fuzz.safetensors'));
      const path = join(folder, `damaged.${ending}`);
      let state = 12345;
      const random = (below: number) => (
        (state = (Math.imul(state, 1664525) + 1013904223) >>> 0),
        Math.floor((state / 2 ** 32) * below)
      );
      let refused = 0;
      // Thousands of rounds are those of test/processes/attacks.test.ts.
      for (let round = 0; round < 150; round++) {
        const bytes = Buffer.from(whole);
        for (let k = random(6); k >= 0; k--) bytes[random(bytes.length)] = random(3) ? random(256) : 255 * random(2);
        await writeFile(path, bytes);
        try {
          await readAll(path);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(10);
    },
    60_000,
  );
});
