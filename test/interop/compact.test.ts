import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { verifyCheckpoint } from '../../native-models/registry/verify.js';
import { installed, python, run } from './tools.js';

describe.skipIf(!installed(python, '-c', 'import torch'))('The compact network, exported by the training kit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-parity-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['small', 'base'])('%s: the graphs compute what PyTorch computes', async (shape) => {
    const out = join(folder, shape);
    const kit = join(import.meta.dirname, '../../native-models/training');
    run(
      '/bin/sh',
      '-c',
      `cd "$0" && exec "$1" -m pointmap_training --threads 1 export --random "$2" --cases "$3" "$3"`,
      kit,
      python,
      shape,
      out,
    );
    const results = await verifyCheckpoint(out);
    expect(new Set(results.map(({ case: name }) => name)).size).toBeGreaterThanOrEqual(6);
    expect(results.length).toBe(5 * new Set(results.map(({ case: name }) => name)).size);
    for (const { case: name, output, deviation, limit } of results)
      expect(deviation, `${name} ${output}`).toBeLessThanOrEqual(limit);
  });
});
