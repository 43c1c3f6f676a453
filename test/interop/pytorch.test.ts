import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../native-models/checkpoints/open.js';
import { installed, lastJson, python, run } from './tools.js';

/** Saves what training scripts save, in all the ways a tensor can lie in its storage, and says what it holds. */
const SCRIPT = `
import argparse, collections, json, sys, torch
torch.manual_seed(1)
folder = sys.argv[1]
base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
state = collections.OrderedDict()
state['whole'] = torch.randn(5, 3, 2)
state['parameter'] = torch.nn.Parameter(torch.randn(7))
state['half'] = torch.randn(9).half()
state['bfloat'] = torch.randn(9).bfloat16()
state['double'] = torch.randn(2, 2).double()
state['counter'] = torch.tensor(12345)
state['later rows of a larger storage'] = base[2:]
state['shares the storage'] = base[1]
state['empty'] = torch.zeros(0, 4)
state['large'] = torch.randn(700, 300)
state._metadata = {'': {'version': 1}}
args = argparse.Namespace(model="Net(pos_embed='RoPE100', img_size=(224, 224))", lr=1.5e-4, betas=(0.9, 0.95), resume=None, amp=True)
torch.save({'model': state, 'args': args, 'epoch': 99, 'best_so_far': 0.25}, folder + '/training.pth')
torch.save(state, folder + '/bare.pt')
torch.save({'model': {'turned': torch.randn(3, 4).t()}}, folder + '/turned.pth')
torch.save(torch.nn.Linear(2, 2), folder + '/module.pth')
torch.save({'model': state}, folder + '/old.pth', _use_new_zipfile_serialization=False)
print(json.dumps({name: [list(t.shape), t.detach().double().flatten()[:300].tolist(), float(t.detach().double().sum())] for name, t in state.items()}))
`;

describe.skipIf(!installed(python, '-c', 'import torch'))('Checkpoints that PyTorch wrote', () => {
  let folder: string;
  let truth: Record<string, [number[], number[], number]>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-pytorch-'));
    truth = lastJson(run(python, '-c', SCRIPT, folder));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['training.pth', 'bare.pt'])('%s: every tensor comes back', async (name) => {
    const { checkpoint } = await openCheckpoint(join(folder, name));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(truth).sort());
    for (const [tensor, [shape, first, sum]] of Object.entries(truth)) {
      expect(checkpoint.tensors.get(tensor)!.shape).toEqual(shape);
      const values = await checkpoint.read(tensor);
      expect([...values.subarray(0, 300)]).toEqual(first.map(Math.fround));
      expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 2);
    }
    if (name === 'training.pth')
      expect(checkpoint.metadata).toMatchObject({
        epoch: 99,
        args: { model: "Net(pos_embed='RoPE100', img_size=(224, 224))", betas: [0.9, 0.95], amp: true },
      });
    await checkpoint.close();
  });

  test.each([
    ['turned.pth', /only contiguous ones are read/],
    ['module.pth', /asks for torch\.nn\.modules\.linear\.Linear/],
    ['old.pth', /old PyTorch file from before 1\.6/],
  ])('%s is refused in words', async (name, message) => {
    await expect(openCheckpoint(join(folder, name))).rejects.toThrow(message);
  });
});
