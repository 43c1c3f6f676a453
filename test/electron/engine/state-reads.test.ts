import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { ArrayCache } from '../../../electron/compute/lazy-arrays.js';
import type { CameraInfo } from '../../../electron/contract/api.js';
import { Workspace } from '../../../electron/engine/workspace.js';
import { Project } from '../../../electron/project/project.js';
import { hillFlight } from '../../fixtures/hills.js';

const folder = mkdtempSync(join(tmpdir(), 'pointmap-reads-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function flownProject(): Promise<string> {
  const path = join(folder, 'flight.pointmap');
  const project = Project.open(path, 'create');
  const [width, height] = [64, 48];
  const flight = hillFlight(6, { width, height });
  project.addPhotos(
    flight.cameras.map(({ photo, name }) => ({
      photo: { id: photo, path: `/photos/${name}`, name, width, height, size: 1e5, sharpness: 0.5 },
      thumbnail: new Uint8Array([1]),
    })),
  );
  const cameras = flight.cameras.map((camera): CameraInfo => ({ ...camera, component: 0 }));
  await project.putAlignment({
    ...{ key: 'flown', decisions: '', unplaced: [], viewResidual: {}, warnings: [], objective: 0, iterations: 1 },
    ...{ estimator: 'geometric', provider: 'cpu', pairs: 6, seconds: {} },
    components: [{ cameras, views: cameras.map((_, k) => flight.view(k)) }],
  });
  project.close();
  return path;
}

describe('the state of a project', () => {
  test('is told without reading a depth map: hundreds held everything else up', async () => {
    const workspace = Workspace.open(await flownProject());
    const reads = vi.spyOn(ArrayCache.prototype, 'get');
    const before = workspace.state({ state: 'idle' } as never);
    expect(before.photos.every(({ placed }) => placed)).toBe(true);
    expect(reads).not.toHaveBeenCalled();
    await workspace.buildScenes();
    expect(reads).toHaveBeenCalled();
    reads.mockClear();
    const { photos, scene } = workspace.state({ state: 'idle' } as never);
    expect(reads).not.toHaveBeenCalled();
    // What it tells is there all the same: the flight's height, and a frame that stands on the ground.
    for (const { depthRange } of photos) {
      expect(depthRange![0]).toBeGreaterThan(3);
      expect(depthRange![1]).toBeLessThan(6);
    }
    expect(scene!.frames).toHaveLength(1);
    expect(scene!.confidence!.length).toBeGreaterThan(10);
    reads.mockRestore();
    workspace.close();
  });
});
