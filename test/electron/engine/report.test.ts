import { expect, test } from 'vitest';
import { report } from '../../../electron/engine/report.js';
import type { Workspace } from '../../../electron/engine/workspace.js';
import type { StoredAlignment } from '../../../electron/project/alignments.js';

const names = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg'];

test('names every photo that is not in what was exported, once, and what the run cost', async () => {
  const project = { photos: () => names.map((name) => ({ id: `id-${name}`, name, enabled: true })), pairs: () => [] };
  const cameras = (...of: string[]) =>
    of.map((name) => ({ photo: `id-${name}`, name, fx: 1, focalSource: 'calibrated' }));
  const alignment = {
    pairs: 10,
    observations: 2,
    objective: 0,
    seconds: { sparse: 2 },
    estimator: 'geometric',
    provider: 'cpu',
    components: [{ cameras: cameras('a.jpg', 'b.jpg') }, { cameras: cameras('c.jpg') }],
    unplaced: [
      { photo: 'id-d.jpg', reason: 'it matches no other photo' },
      { photo: 'id-e.jpg', reason: 'blurred' },
    ],
    warnings: ['e.jpg is too soft to be matched'],
  };
  const made = await report(
    { project, scenes: undefined } as unknown as Workspace,
    alignment as unknown as StoredAlignment,
    {
      computed: 2,
      cpuSeconds: { sparse: 3.5 },
    },
  );
  expect(made).toMatchObject({
    photos: 5,
    registered: 2,
    registeredNames: ['a.jpg', 'b.jpg'],
    cpuSeconds: { sparse: 3.5 },
  });
  expect(made.peakMemoryBytes).toBeGreaterThan(1e7);
  expect(made.warnings).toEqual([
    'e.jpg is too soft to be matched',
    'not placed: d.jpg: it matches no other photo',
    'a separate piece that shares too little with the largest, not exported: c.jpg',
  ]);
});
