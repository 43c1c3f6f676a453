import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobState } from '../../../electron/contract/api.js';
import { decodeMaps } from '../../../electron/contract/photo-maps.js';
import { decodeCloud } from '../../../electron/contract/cloud.js';
import { Engine } from '../../../electron/engine/engine.js';
import { writeSingle } from '../../../electron/engine/exporting.js';
import { roomEstimator, roomPhotos } from '../../fixtures/room-estimator.js';

let folder: string;
let photos: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-engine-'));
  photos = await roomPhotos(folder, 4);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** @param paths photos to begin with; all of the room, as their folder, where none are named */
async function opened(
  calls = { observed: 0 },
  milliseconds = 0,
  paths: readonly string[] = [photos],
): Promise<{ engine: Engine; path: string; calls: { observed: number } }> {
  const path = join(folder, `${made++}.pointmap`);
  const engine = new Engine({
    dataFolder: join(folder, 'data'),
    threads: 1,
    estimators: [() => [roomEstimator(calls, milliseconds)]],
  });
  await engine.request('project.create', { path });
  await engine.request('photos.add', { paths: [...paths] });
  await engine.request('edit.apply', {
    edit: { kind: 'settings', settings: { estimator: 'room', graph: 'complete' } },
  });
  return { engine, path, calls };
}
/** Of each photo of the room. */
const photoFiles = (): string[] =>
  readdirSync(photos)
    .filter((name) => name.endsWith('.png') || name.endsWith('.jpg'))
    .map((name) => join(photos, name));
const runToEnd = async (engine: Engine): Promise<JobState> => {
  await engine.request('run.start', {});
  return engine.settled();
};

describe('a run', () => {
  test('places photos that come later into the scene, which stays where it is until it is levelled anew', async () => {
    const files = photoFiles();
    const { engine } = await opened(undefined, 0, files.slice(0, 2));
    const placed = async (): Promise<Map<string, number[]>> => {
      expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
      return new Map(engine.open.exported().cameras.map((camera) => [camera.name, [...camera.worldFromCamera]]));
    };
    const before = await placed();
    await engine.request('photos.add', { paths: files });
    const after = await placed();
    expect([before.size, after.size]).toEqual([2, 4]);
    const centre = (pose: number[]): number[] => [pose[3]!, pose[7]!, pose[11]!];
    const apart = (a: number[], b: number[]): number =>
      Math.hypot(...centre(a).map((value, k) => value - centre(b)[k]!));
    const [one, two] = [...before.values()];
    for (const [name, pose] of before) expect(apart(pose, after.get(name)!)).toBeLessThan(0.01 * apart(one!, two!));
    // Asked for, the frame is that of all photos, and can be taken back.
    await engine.request('scene.edit', { operations: [{ kind: 'level', by: 'auto' }] });
    const anew = engine.open.exported().cameras.map((camera) => [...camera.worldFromCamera]);
    expect(apart(anew[0]!, after.get(engine.open.exported().cameras[0]!.name)!)).toBeGreaterThan(
      0.02 * apart(one!, two!),
    );
    await engine.request('edit.undo', {});
    expect([...engine.open.exported().cameras[0]!.worldFromCamera]).toEqual([...after.values()][0]);
    await engine.close();
  });

  test('a length tells what it is in the scene when control points give the scale after it, also after another run', async () => {
    const files = photoFiles();
    const { engine } = await opened(undefined, 0, files.slice(0, 3));
    await runToEnd(engine);
    const photo = engine.open.project.photos()[0]!.id;
    const points = [
      { photo, x: 60, y: 60 },
      { photo, x: 200, y: 70 },
      { photo, x: 130, y: 150 },
    ] as const;
    const measured = (of: number[]) =>
      engine.request('scene.measure', { kind: 'distance', points: of.map((k) => points[k]!) });
    const [a, b] = [points[0], points[1]];
    await engine.request('scene.edit', { operations: [{ kind: 'scale', lengths: [{ metres: 1, a, b }] }] });
    const alone = await measured([0, 1]);
    expect(alone.value).toBeCloseTo(1, 6);
    const { positions } = await measured([0, 1, 2]);
    const controls = points.map((at, k) => ({
      ...{ name: `point ${k}`, role: 'control' as const, at },
      known: positions[k]!.map((value) => 3 * value) as [number, number, number],
    }));
    await engine.request('scene.edit', { operations: [{ kind: 'controls', points: controls }] });
    const told = async (): Promise<number> => (await engine.request('scene.describe', {})).lengths[0]!.measured;
    expect(Math.abs((await told()) / 3 - 1)).toBeLessThan(0.02);
    await engine.request('photos.add', { paths: files });
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    expect(Math.abs((await told()) / 3 - 1)).toBeLessThan(0.05);
    expect(Math.abs((await measured([0, 1])).value / 3 - 1)).toBeLessThan(0.05);
    await engine.close();
  });

  test('places the cameras of a synthetic room where they are', async () => {
    const { engine, calls } = await opened();
    const states: string[] = [];
    engine.on('job.changed', ({ stage }) => {
      if (stage && states.at(-1) !== stage) states.push(stage);
    });
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    expect(states).toEqual(['photos', 'pairs', 'pointmaps', 'alignment', 'cloud']);
    expect(calls.observed).toBe(6);
    const { scene, photos: infos, pairs } = (await engine.request('project.state', {}))!;
    expect(infos.every(({ placed }) => placed)).toBe(true);
    expect(pairs.every(({ state, residual }) => state === 'observed' && residual! < 0.01)).toBe(true);
    const centres = scene!.cameras.map(({ worldFromCamera: M }) => [M[3]!, M[7]!, M[11]!]);
    const step = Math.hypot(...[0, 1, 2].map((k) => centres[1]![k]! - centres[0]![k]!));
    for (let i = 0; i < 4; i++)
      expect(Math.abs(Math.hypot(...[0, 1, 2].map((k) => centres[i]![k]! - centres[0]![k]!)) / step - i)).toBeLessThan(
        0.02,
      );
    for (const { fx, cx } of scene!.cameras) {
      expect(Math.abs(fx / 240 - 1)).toBeLessThan(0.02);
      // The middle of 256 pixels.
      expect(cx).toBeCloseTo(127.5, 5);
    }
    const { bytes, type } = await engine.binary(`cloud/${scene!.revision}/0`);
    expect(type).toBe('application/octet-stream');
    const cloud = decodeCloud(new Uint8Array(bytes).buffer);
    expect(cloud.confidence.length).toBe(scene!.points);
    const maps = decodeMaps(new Uint8Array((await engine.binary(`maps/${infos[0]!.id}`)).bytes).buffer);
    expect([maps.depth.length, maps.normals!.length / 3]).toEqual(Array(2).fill(maps.width * maps.height));
    const ofPair = await engine.binary(`pair/${infos[1]!.id}/${infos[0]!.id}/maps/1`);
    expect(decodeMaps(new Uint8Array(ofPair.bytes).buffer).confidence.every((value) => value >= 1)).toBe(true);
    // One scale, of all depths: the threshold's percentage of them is left out of the cloud.
    expect(scene!.confidence!.length).toBe(101);
    expect([...scene!.confidence!].sort((a, b) => a - b)).toEqual(scene!.confidence);
    // One that it has replaced since the page heard of it.
    expect((await engine.binary(`cloud/${scene!.revision - 1}/0`)).bytes).toEqual(bytes);
    await expect(engine.binary(`cloud/${scene!.revision + 1}/0`)).rejects.toThrow(/no such resource/);
    await engine.close();
  });

  test('calls the estimator for nothing twice: another threshold, a disabled pair, a reopened project, one photo less', async () => {
    const { engine, path, calls } = await opened();
    await runToEnd(engine);
    const ids = engine.open.project.photos().map(({ id }) => id);
    await engine.request('edit.apply', { edit: { kind: 'settings', settings: { minConfidence: 3 } } });
    await runToEnd(engine);
    await engine.request('edit.apply', {
      edit: { kind: 'pairs-enabled', pairs: [[ids[0]!, ids[3]!]], enabled: false },
    });
    expect((await engine.request('project.state', {}))!.stale).toBe(true);
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    expect((await engine.request('project.state', {}))!.stale).toBe(false);
    await engine.close();
    await engine.request('project.open', { path });
    await engine.request('edit.apply', { edit: { kind: 'photos-enabled', photos: [ids[3]!], enabled: false } });
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    expect((await engine.request('project.state', {}))!.scene!.cameras.length).toBe(3);
    expect(calls.observed).toBe(6);
    await engine.close();
  });

  test('loses the points of a photo that is removed, and gets them back with undo, its pairs too', async () => {
    const { engine, path } = await opened();
    const off = engine.on('project.changed', () => undefined);
    await runToEnd(engine);
    const state = async () => (await engine.request('project.state', {}))!;
    const before = await state();
    const [gone, other] = [before.photos[1]!.id, before.photos[2]!.id];
    const pair = before.pairs.find(({ a, b }) => [a, b].includes(gone) && [a, b].includes(other))!;
    await engine.request('edit.apply', { edit: { kind: 'pairs-enabled', pairs: [[pair.a, pair.b]], enabled: false } });
    await engine.request('edit.apply', { edit: { kind: 'photos-removed', photos: [gone], removed: true } });
    const { points } = await engine.request('scene.describe', {});
    const after = await state();
    expect(after.photos.map(({ id }) => id)).toEqual(before.photos.map(({ id }) => id).filter((id) => id !== gone));
    expect(after.pairs.length).toBe(3);
    expect(after.scene!.cameras.length).toBe(3);
    expect(after.stale).toBe(true);
    expect(points).toBeLessThan(before.scene!.points);
    const target = join(folder, 'without one');
    await engine.request('export.write', { folder: target, formats: ['cameras', 'colmap-text'] });
    // Opened again, the photo is still out, and undo still knows it.
    await engine.close();
    await engine.request('project.open', { path });
    expect((await state()).photos.length).toBe(3);
    await engine.request('edit.undo', {});
    expect((await engine.request('scene.describe', {})).points).toBe(before.scene!.points);
    const back = await state();
    expect(back.photos.map(({ id }) => id)).toEqual(before.photos.map(({ id }) => id));
    expect(back.pairs.find(({ a, b }) => a === pair.a && b === pair.b)!.enabled).toBe(false);
    // All of them: nothing is left to be shown.
    const all = back.photos.map(({ id }) => id);
    await engine.request('edit.apply', { edit: { kind: 'photos-removed', photos: all, removed: true } });
    expect((await state()).scene).toBeUndefined();
    await engine.request('photos.add', { paths: [photos] });
    expect((await state()).photos.length).toBe(4);
    off();
    await engine.close();
  });

  test('after a change that gives the same photos and pairs, is not stale, then and when opened again', async () => {
    const { engine, path } = await opened();
    await runToEnd(engine);
    await engine.request('edit.apply', { edit: { kind: 'settings', settings: { graph: 'window:10' } } });
    expect((await engine.request('project.state', {}))!.stale).toBe(true);
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    expect((await engine.request('project.state', {}))!.stale).toBe(false);
    await engine.close();
    expect((await engine.request('project.open', { path })).stale).toBe(false);
    await engine.close();
  });

  test('asked for while photos are being read, begins once, with all of them', async () => {
    const { engine } = await opened();
    await engine.request('project.create', { path: join(folder, `${made++}.pointmap`) });
    await engine.request('edit.apply', {
      edit: { kind: 'settings', settings: { estimator: 'room', graph: 'complete' } },
    });
    const added = engine.request('photos.add', { paths: [photos] });
    await Promise.all([engine.request('run.start', {}), engine.request('run.start', {})]);
    expect(await engine.settled()).toMatchObject({ state: 'finished' });
    expect((await added).added).toBe(4);
    expect((await engine.request('project.state', {}))!.scene!.cameras.length).toBe(4);
    await engine.close();
  });

  test('pauses between pairs, goes on, and cancels; the next run continues', async () => {
    const { engine, calls } = await opened({ observed: 0 }, 30);
    let paused = false;
    engine.on('job.changed', ({ state, stage, done }) => {
      if (state === 'running' && stage === 'pointmaps' && done === 2 && !paused) {
        paused = true;
        void engine.request('run.pause', {});
      }
    });
    await engine.request('run.start', {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(paused).toBe(true);
    expect(calls.observed).toBeLessThanOrEqual(3);
    await engine.request('run.resume', {});
    await engine.request('run.cancel', {});
    expect(await engine.settled()).toMatchObject({ state: 'cancelled' });
    const before = calls.observed;
    expect(before).toBeLessThan(6);
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    // The pair in flight when it was cancelled is the only one seen twice.
    expect(calls.observed).toBeLessThanOrEqual(7);
    await engine.close();
  });

  test.each(['pairs', 'pointmaps'])('cancelled at its stage %s leaves what was known, to be realigned', async (at) => {
    const { engine, calls } = await opened();
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    const known = engine.open.project.pairs();
    await engine.request('edit.apply', { edit: { kind: 'settings', settings: { graph: 'window:1' } } });
    const stop = engine.on('job.changed', ({ state, stage }) => {
      if (state === 'running' && stage === at) void engine.request('run.cancel', {});
    });
    expect(await runToEnd(engine)).toMatchObject({ state: 'cancelled' });
    stop();
    expect(engine.open.project.pairs()).toEqual(known);
    await engine.request('run.realign', {});
    expect(await engine.settled()).toMatchObject({ state: 'finished' });
    expect(calls.observed).toBe(6);
    await engine.close();
  });
});

describe('an export for Gaussian splatting', () => {
  test('holds every photo that its cameras point at, and names one that is gone before anything is written', async () => {
    const { engine } = await opened();
    await runToEnd(engine);
    const out = join(folder, 'splats');
    const formats = ['nerfstudio', 'colmap-bin', 'colmap-text'] as const;
    const { files } = await engine.request('export.write', { folder: out, formats: [...formats] });
    expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    const estimated = (await engine.request('export.estimate', { formats: [...formats] })).bytes;
    const written = files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(estimated / written).toBeGreaterThan(0.7);
    expect(estimated / written).toBeLessThan(1.4);
    const { frames, ply_file_path } = JSON.parse(readFileSync(join(out, 'nerfstudio', 'transforms.json'), 'utf8')) as {
      frames: { file_path: string; w: number; h: number }[];
      ply_file_path: string;
    };
    expect(existsSync(join(out, 'nerfstudio', ply_file_path))).toBe(true);
    expect(frames).toHaveLength(4);
    for (const { file_path, w, h } of frames) {
      const { width, height } = await sharp(join(out, 'nerfstudio', file_path)).metadata();
      expect([width, height]).toEqual([w, h]);
    }

    // Named as a single file, it keeps its photos and its cloud beside it.
    const single = join(folder, 'single');
    const alone = await writeSingle(engine.open, join(single, 'transforms.json'));
    expect(alone.map(({ path }) => path.slice(single.length + 1)).sort()).toEqual(
      [...frames.map(({ file_path }) => join(file_path)), 'points.ply', 'transforms.json'].sort(),
    );

    const { path } = engine.open.project.photos()[2]!;
    renameSync(path, `${path}.away`);
    const elsewhere = join(folder, 'elsewhere');
    await expect(engine.request('export.write', { folder: elsewhere, formats: ['ply', 'nerfstudio'] })).rejects.toThrow(
      /can't be found for the nerfstudio export; .*relocate.*: .*2\.png$/,
    );
    expect(existsSync(elsewhere)).toBe(false);
    renameSync(`${path}.away`, path);
    await engine.close();
  });
});

describe('adding photos', () => {
  test('twice at once adds each once; into a project that is closed meanwhile, none', async () => {
    const engine = new Engine({ dataFolder: join(folder, 'data'), threads: 1 });
    await engine.request('project.create', { path: join(folder, `${made++}.pointmap`) });
    const [first, second] = await Promise.all([
      engine.request('photos.add', { paths: [photos] }),
      engine.request('photos.add', { paths: [photos] }),
    ]);
    expect([first.added, second.added, second.refused]).toEqual([4, 0, []]);
    expect((await engine.request('project.state', {}))!.photos).toHaveLength(4);

    await engine.request('project.create', { path: join(folder, `${made++}.pointmap`) });
    const late = engine.request('photos.add', { paths: [photos] });
    const next = await engine.request('project.create', { path: join(folder, `${made++}.pointmap`) });
    await expect(late).rejects.toThrow(/closed before all photos were added/);
    expect(next.photos).toEqual([]);
    expect((await engine.request('project.state', {}))!.photos).toEqual([]);
    await engine.close();
  });
});

describe('what can go wrong', () => {
  test('requests that the contract does not know, or with other parameters', async () => {
    const engine = new Engine({ dataFolder: join(folder, 'data') });
    await expect(engine.handle('no.such', {})).rejects.toThrow(/no request 'no.such'/);
    await expect(engine.handle('project.open', { path: 7 })).rejects.toThrow(/bad parameters for project.open/);
    await expect(engine.handle('photos.add', { paths: [] })).rejects.toThrow(/no project is open/);
  });

  test('too few photos, and an estimator that is not there', async () => {
    const { engine } = await opened();
    const ids = engine.open.project.photos().map(({ id }) => id);
    await engine.request('edit.apply', { edit: { kind: 'photos-enabled', photos: ids.slice(1), enabled: false } });
    await expect(engine.request('run.preflight', {})).rejects.toThrow(/only one photo/);
    await engine.request('edit.undo', {});
    await engine.request('edit.apply', { edit: { kind: 'settings', settings: { estimator: 'absent' } } });
    expect(await runToEnd(engine)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/no estimator 'absent'/) as string,
    });
    await engine.close();
  });

  test('a moved photo is named, and found again in another folder', async () => {
    const { engine } = await opened();
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    renameSync(join(photos, '2.png'), join(elsewhere, 'renamed.png'));
    expect(await runToEnd(engine)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/2\.png.*relocate/) as string,
    });
    expect(await engine.request('photos.relocate', { folder: elsewhere })).toEqual({ found: 1, missing: 0 });
    expect(await runToEnd(engine)).toMatchObject({ state: 'finished' });
    await engine.close();
    renameSync(join(elsewhere, 'renamed.png'), join(photos, '2.png'));
  });
});
