import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMask } from '../../../electron/contract/mask.js';
import { Engine } from '../../../electron/engine/engine.js';
import { currentLayer, layerFiles, storedFacts, storedLayer } from '../../../electron/engine/mesh-layer.js';
import { bringUpToDate, buildLayer } from '../../../electron/engine/meshing.js';
import { roomEstimator, roomPhotos } from '../../fixtures/room-estimator.js';

const options = { faces: 2000, textureSize: 256, threads: 1 };

describe('The mesh layer of a project', () => {
  let folder: string;
  let photos: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-mesh-'));
    photos = await roomPhotos(folder, 4);
    engine = new Engine({ dataFolder: join(folder, 'data'), threads: 1, estimators: [() => [roomEstimator()]] });
    await engine.request('project.create', { path: join(folder, 'room.pointmap') });
    await engine.request('photos.add', { paths: [photos] });
    const settings = { estimator: 'room', graph: 'complete' };
    await engine.request('edit.apply', { edit: { kind: 'settings', settings } });
    await engine.request('run.start', {});
    expect(await engine.settled()).toMatchObject({ state: 'finished' });
  }, 60_000);
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const undo = (): Promise<unknown> => engine.request('edit.undo', {});
  /** Deletes the upper part of every depth map. */
  const deleteUpper = async (share: number): Promise<void> => {
    const maps = engine.open.scenes!.components[0]!.scene.depthMaps;
    const mask = encodeMask(
      maps.map(({ photo, width, height }) => {
        const bits = new Uint8Array((width * height + 7) >> 3).fill(255, 0, (share * width * height) / 8);
        return { photo, width, height, bits };
      }),
    );
    const operation = {
      kind: 'clean',
      mode: 'delete',
      title: 'upper part',
      mask: Buffer.from(mask).toString('base64'),
    };
    await engine.request('scene.edit', { operations: [operation as never] });
  };

  it('goes on after the surface when its texture was cancelled', async () => {
    const abort = new AbortController();
    const cancelled = buildLayer(engine.open, options, {
      signal: abort.signal,
      onProgress: ({ stage }) => stage === 'choosing photos' && abort.abort(new Error('enough')),
    });
    await expect(cancelled).rejects.toThrow('enough');
    expect(storedLayer(engine.open)).toBeUndefined();
    const stages: string[] = [];
    const resumed = await buildLayer(engine.open, options, { onProgress: ({ stage }) => void stages.push(stage) });
    expect(stages).not.toContain('building the surface');
    expect(resumed.faces).toBe(storedLayer(engine.open)!.mesh.photo.length);
    // Another number of faces is another surface.
    const fewer = await buildLayer(
      engine.open,
      { ...options, faces: 500 },
      { onProgress: ({ stage }) => void stages.push(stage) },
    );
    expect(stages).toContain('building the surface');
    expect(fewer.faces).toBeLessThan(resumed.faces / 2);
  }, 120_000);

  it('is cancelled at every stage, and the one before stays', async () => {
    const stages = new Set<string>();
    await buildLayer(engine.open, { ...options, faces: 900 }, { onProgress: ({ stage }) => void stages.add(stage) });
    const before = storedFacts(engine.open)!;
    expect(stages.size).toBeGreaterThanOrEqual(6);
    // In the order of the stages: what stands before the texture is made once, and kept.
    for (const wanted of stages) {
      const abort = new AbortController();
      const going = buildLayer(
        engine.open,
        { ...options, faces: 1000 },
        {
          signal: abort.signal,
          onProgress: ({ stage }) => stage === wanted && abort.abort(new Error(`cancelled at ${wanted}`)),
        },
      );
      await expect(going).rejects.toThrow(`cancelled at ${wanted}`);
      expect(storedFacts(engine.open)).toEqual(before);
    }
  }, 120_000);

  it('stays as it was where the disk is full, and is built when there is room again', async () => {
    const before = await buildLayer(engine.open, { ...options, faces: 700 });
    const { database } = engine.open.project as unknown as { database: { pragma(text: string): unknown } };
    // No page more than the file has: SQLite says then what it says on a full disk.
    database.pragma('max_page_count = 1');
    const large = { ...options, faces: 100_000, textureSize: 2048 };
    await expect(buildLayer(engine.open, large)).rejects.toMatchObject({ code: 'disk-full' });
    expect(storedFacts(engine.open)).toMatchObject({ ...before, stale: false });
    expect((await currentLayer(engine.open))!.mesh.photo).toHaveLength(before.faces);
    database.pragma('max_page_count = 1073741823');
    expect((await buildLayer(engine.open, large)).faces).toBeGreaterThan(before.faces);
  }, 60_000);

  it('loses what is deleted without a build, and is built anew when something comes back', async () => {
    const whole = await buildLayer(engine.open, options);
    await deleteUpper(0.5);
    const stages: string[] = [];
    const told = { onProgress: ({ stage }: { stage: string }) => void stages.push(stage) };
    const less = await bringUpToDate(engine.open, options, told);
    expect(stages).toEqual([]);
    expect(less.faces).toBeGreaterThan(whole.faces * 0.3);
    expect(less.faces).toBeLessThan(whole.faces * 0.7);
    expect((await currentLayer(engine.open))!.mesh.photo).toHaveLength(less.faces);
    // Built from what is left, and then the deletion taken back: what came back must be built.
    await buildLayer(engine.open, options);
    await undo();
    expect((await bringUpToDate(engine.open, options, told)).faces).toBe(whole.faces);
    expect(stages).toContain('building the surface');
    // Nothing changed since: nothing is done.
    stages.length = 0;
    expect((await bringUpToDate(engine.open, options, told)).faces).toBe(whole.faces);
    expect(stages).toEqual([]);
  }, 120_000);

  it('says that nothing is left where all was deleted', async () => {
    await bringUpToDate(engine.open, options);
    await deleteUpper(1);
    await expect(layerFiles(engine.open, 'glb', 'mesh')).rejects.toMatchObject({ code: 'nothing-to-do' });
    await expect(buildLayer(engine.open, options)).rejects.toMatchObject({ code: 'bad-input' });
    await undo();
    expect((await layerFiles(engine.open, 'glb', 'mesh')).map(({ name }) => name)).toEqual(['mesh.glb']);
  }, 60_000);

  it('is made of one face and upwards, and without the photos, in the colours of none', async () => {
    const one = await buildLayer(engine.open, { ...options, faces: 1 });
    expect(one.faces).toBeGreaterThan(0);
    expect(one.faces).toBeLessThan(100);
    renameSync(photos, `${photos} moved`);
    const notes: string[] = [];
    await buildLayer(engine.open, options, { onNote: (note) => notes.push(note) });
    renameSync(`${photos} moved`, photos);
    expect(notes).toEqual(['4 photos are missing; the mesh is coloured from the others']);
    expect([...storedLayer(engine.open)!.mesh.photo].every((photo) => photo === -1)).toBe(true);
  }, 60_000);
});
