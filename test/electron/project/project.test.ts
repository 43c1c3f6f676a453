import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observation, Photo } from '../../../electron/geometry/types.js';
import { fromFloat16, toFloat16 } from '../../../electron/project/float16.js';
import { decodeObservation, encodeObservation } from '../../../electron/project/observation-codec.js';
import { Project } from '../../../electron/project/project.js';
import { recover } from '../../../electron/project/recover.js';

let folder: string;
let made = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-project-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const freshPath = (): string => join(folder, `${made++}.pointmap`);

const photo = (id: string): Photo => ({
  id,
  path: `/photos/${id}.jpg`,
  name: `${id}.jpg`,
  width: 400,
  height: 300,
  size: 9,
  sharpness: 0.5,
});
function withPhotos(path = freshPath(), count = 3): Project {
  const project = Project.open(path, 'create');
  project.addPhotos(
    Array.from({ length: count }, (_, k) => ({ photo: photo(`p${k}`), thumbnail: new Uint8Array([1, 2, 3]) })),
  );
  return project;
}
function observation(width = 40, height = 30): Observation {
  const count = width * height;
  const view = (id: string, offset: number) => ({
    photo: id,
    width,
    height,
    originalFromView: { scaleX: 10, scaleY: 10, offsetX: 4.5, offsetY: 4.5 },
    points: Float32Array.from({ length: count * 3 }, (_, i) => Math.sin(i + offset) * 20),
    confidence: Float32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : 1 + (i % 50))),
  });
  return {
    views: [view('p0', 0), view('p1', 1)],
    focal: [undefined, 44],
    firstFromCamera: [undefined, Float64Array.from({ length: 16 }, (_, i) => i / 7)],
  };
}

describe('half precision', () => {
  test('is within half a step of the last of 11 bits, and exact where it can be', () => {
    const values = Float32Array.of(0, 1, -1, 0.5, 2048, -65504, 1 / 3, 1e-3, 6e-5, 6e-8, 3.14159, -777.7);
    const back = fromFloat16(toFloat16(values, 1), 1);
    values.forEach((value, i) =>
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25)),
    );
    expect([...back.slice(0, 6)]).toEqual([...values.slice(0, 6)]);
  });
  test('saturates instead of overflowing', () =>
    expect([...fromFloat16(toFloat16(Float32Array.of(1e6, -1e30), 1), 1)]).toEqual([65504, -65504]));
});

describe('an observation record', () => {
  test('comes back within its precision, with everything the estimator knew', () => {
    const before = observation();
    const after = decodeObservation(encodeObservation(before));
    expect(after.focal).toEqual(before.focal);
    expect(after.firstFromCamera).toEqual(before.firstFromCamera);
    before.views.forEach((view, k) => {
      const { points, confidence, ...rest } = after.views[k]!;
      expect(rest).toEqual({ photo: view.photo, width: 40, height: 30, originalFromView: view.originalFromView });
      points.forEach((value, i) => expect(Math.abs(value - view.points[i]!)).toBeLessThan(0.01));
      confidence.forEach((value, i) => expect(Math.abs(value / view.confidence[i]! - 1)).toBeLessThan(0.01));
      expect(confidence[0]).toBe(1);
    });
  });
  test('keeps which pixels are inferred, view by view', () => {
    const before = observation();
    const inferred = before.views[1]!.confidence.map((_, k) => (k % 3 === 0 ? 1 : 0));
    const flags = Uint8Array.from(inferred);
    before.views[1] = { ...before.views[1]!, inferred: flags };
    const after = decodeObservation(encodeObservation(before));
    expect(after.views[0]!.inferred).toBeUndefined();
    expect(after.views[1]!.inferred).toEqual(flags);
    expect(after.views[1]!.points).toEqual(decodeObservation(encodeObservation(observation())).views[1]!.points);
  });
  test('that is cut off is refused', () =>
    expect(() => decodeObservation(encodeObservation(observation()).subarray(0, 9000))).toThrow());
});

describe('a project', () => {
  test('keeps photos, outcomes and settings when closed and opened', () => {
    const project = withPhotos();
    project.putOutcome('k1', { kind: 'observation', observation: observation() });
    project.putOutcome('k2', { kind: 'rejected', reason: 'no-overlap', detail: '4 matches' });
    project.apply({ kind: 'settings', settings: { minConfidence: 5 } });
    project.close();
    const again = Project.open(project.path);
    expect(again.photos().map(({ name }) => name)).toEqual(['p0.jpg', 'p1.jpg', 'p2.jpg']);
    expect(again.outcome('k1')!.kind).toBe('observation');
    expect(again.outcome('k2')).toEqual({ kind: 'rejected', reason: 'no-overlap', detail: '4 matches' });
    expect(again.outcome('k3')).toBeUndefined();
    expect(again.settings().minConfidence).toBe(5);
    again.close();
  });

  test('undoes and redoes every kind of edit, also after reopening', () => {
    const first = withPhotos();
    first.planPairs([
      { a: 'p0', b: 'p1' },
      { a: 'p1', b: 'p2' },
    ]);
    const snapshot = (project: Project) => JSON.stringify([project.photos(), project.pairs(), project.settings()]);
    const states = [snapshot(first)];
    for (const edit of [
      { kind: 'photos-enabled', photos: ['p0', 'p1'], enabled: false },
      { kind: 'focal', photos: ['p2'], pixels: 555 },
      { kind: 'pairs-enabled', pairs: [['p1', 'p0']], enabled: false },
      { kind: 'photos-locked', photos: ['p2'], locked: true },
      { kind: 'settings', settings: { graph: 'complete', voxelSize: 0.1 } },
    ] as const) {
      first.apply(structuredClone(edit) as Parameters<Project['apply']>[0]);
      states.push(snapshot(first));
    }
    expect(new Set(states).size).toBe(states.length);
    first.close();
    const project = Project.open(first.path);
    for (const expected of [...states].reverse()) {
      expect(snapshot(project)).toBe(expected);
      project.history.undo();
    }
    expect(project.history.undo()).toBeUndefined();
    for (const expected of states.slice(1)) {
      expect(project.history.redo()).toBeDefined();
      expect(snapshot(project)).toBe(expected);
    }
    project.history.undo();
    project.apply({ kind: 'photos-enabled', photos: ['p2'], enabled: false });
    expect(project.history.label('redo')).toBeUndefined();
    project.close();
  });

  test('a planned pair that the user disabled stays disabled', () => {
    const project = withPhotos();
    project.planPairs([
      { a: 'p0', b: 'p1' },
      { a: 'p0', b: 'p2' },
    ]);
    project.apply({ kind: 'pairs-enabled', pairs: [['p0', 'p2']], enabled: false });
    project.planPairs([
      { a: 'p0', b: 'p1' },
      { a: 'p0', b: 'p2' },
      { a: 'p1', b: 'p2' },
    ]);
    expect(project.pairs().map(({ a, b, enabled }) => `${a} ${b} ${enabled}`)).toEqual([
      'p0 p1 true',
      'p0 p2 false',
      'p1 p2 true',
    ]);
    project.close();
  });
});

describe('files that are no project', () => {
  test('absent', () => expect(() => Project.open(join(folder, 'absent.pointmap'))).toThrow(/no such project/));
  test('text', () => {
    const path = freshPath();
    writeFileSync(path, 'dear diary, this is not a database at all');
    expect(() => Project.open(path)).toThrow(/not a Pointmap Studio project/);
    expect(readFileSync(path, 'utf8')).toMatch(/^dear diary/);
  });
  test("another program's database", () => {
    const path = freshPath();
    const other = new Database(path);
    other.exec('CREATE TABLE songs (title)');
    other.close();
    expect(() => Project.open(path)).toThrow(/another program's database/);
  });
  test('from a newer version', () => {
    const path = freshPath();
    withPhotos(path).close();
    const raw = new Database(path);
    raw.pragma('user_version = 999');
    raw.close();
    expect(() => Project.open(path)).toThrow(/newer Pointmap Studio.*999/);
  });
  test('cut off: said so, and what can be read is saved into a new file', () => {
    const path = freshPath();
    const project = withPhotos(path);
    for (let k = 0; k < 8; k++) project.putOutcome(`k${k}`, { kind: 'observation', observation: observation(80, 60) });
    project.close();
    const bytes = readFileSync(path);
    truncateSync(path, Math.floor(bytes.length * 0.6));
    expect(() => {
      const damaged = Project.open(path);
      try {
        for (let k = 0; k < 8; k++) damaged.outcome(`k${k}`);
      } finally {
        damaged.close();
      }
    }).toThrow(/damaged.*recover/);
    const target = freshPath();
    const saved = recover(path, target);
    expect(saved.photos).toBe(3);
    expect(saved.observations).toBeGreaterThan(0);
    const rescued = Project.open(target);
    expect(rescued.photos().length).toBe(3);
    rescued.close();
  });
});

test('every part of the scene document comes back, and is undone on its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-scene-'));
  const path = join(folder, 'scene.pointmap');
  const project = Project.open(path, 'create');
  const a = { photo: 'a', x: 1, y: 2 };
  const lengths = [{ metres: 2, a, b: { ...a, x: 9 }, measured: { alignment: 'k', distance: 0.5 } }];
  const region = {
    centre: [0, 0, 0] as [number, number, number],
    size: [1, 2, 3] as [number, number, number],
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
  const deletions = [{ mask: project.putMask(Uint8Array.of(1, 2, 3)), mode: 'delete' as const, title: 'Delete' }];
  project.apply({ kind: 'scene', change: { lengths }, title: 'Scale' });
  project.apply({ kind: 'scene', change: { deletions }, title: 'Delete' });
  project.apply({ kind: 'scene', change: { region }, title: 'Crop' });
  project.close();
  const again = Project.open(path);
  expect(again.scene()).toEqual({ lengths, deletions, region, measurements: [] });
  expect(again.mask(deletions[0]!.mask)).toEqual(Uint8Array.of(1, 2, 3));
  expect(again.history.undo()).toBe('Crop');
  expect(again.scene()).toEqual({ lengths, deletions, measurements: [] });
  again.close();
  rmSync(folder, { recursive: true, force: true });
});
