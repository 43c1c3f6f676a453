import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observation, Photo } from '../../../electron/geometry/types.js';
import { decodeDigest, decodeView } from '../../../electron/geometry/view-record.js';
import { halfFromFloat } from '../../../electron/numerics/half.js';
import type { StoredAlignment } from '../../../electron/project/alignments.js';
import { encodeObservation } from '../../../electron/project/observation-codec.js';
import { Project } from '../../../electron/project/project.js';
import { recover } from '../../../electron/project/recover.js';
import { APPLICATION_ID, migrations } from '../../../electron/project/schema.js';

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

describe('the records of an observation', () => {
  test('come back within their precision, with everything the estimator knew', () => {
    const before = observation();
    const { digest, views } = encodeObservation(before);
    const after = decodeDigest(digest)!;
    expect(after.focal).toEqual(before.focal);
    expect(after.firstFromCamera).toEqual(before.firstFromCamera);
    before.views.forEach((view, k) => {
      const { points, confidence, ...rest } = decodeView(views[k])!;
      expect(rest).toEqual({ photo: view.photo, width: 40, height: 30, originalFromView: view.originalFromView });
      points.forEach((value, i) => expect(Math.abs(value - view.points[i]!)).toBeLessThan(0.01));
      confidence.forEach((value, i) => expect(Math.abs(value / view.confidence[i]! - 1)).toBeLessThan(0.01));
      expect(confidence[0]).toBe(1);
      expect(after.views[k]!.telling).toBeCloseTo(view.confidence.filter((value) => value > 1).length / 1200, 6);
    });
  });
  test('keep which pixels are inferred and which show the sky, view by view', () => {
    const before = observation();
    const flags = Uint8Array.from(before.views[1]!.confidence, (_, k) => (k % 3 === 0 ? 1 : 0));
    const sky = flags.map((flag) => 1 - flag);
    before.views[0] = { ...before.views[0]!, sky };
    before.views[1] = { ...before.views[1]!, inferred: flags, sky };
    const [first, second] = encodeObservation(before).views.map((record) => decodeView(record)!);
    expect(first!.inferred).toBeUndefined();
    expect(first!.sky).toEqual(sky);
    expect(second!.inferred).toEqual(flags);
    expect(second!.sky).toEqual(sky);
    expect(second!.points).toEqual(decodeView(encodeObservation(observation()).views[1])!.points);
  });

  test('are absent when any bit changed or an end is missing', () => {
    const { digest, views } = encodeObservation(observation(12, 9));
    for (let at = 0; at < digest.length; at += 7) {
      const damaged = digest.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      expect(decodeDigest(damaged)).toBeUndefined();
    }
    for (let at = 0; at < views[0]!.length; at++) {
      const damaged = views[0]!.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      expect(decodeView(damaged)).toBeUndefined();
    }
    expect(decodeView(views[0]!.subarray(0, 200))).toBeUndefined();
    expect(decodeDigest(undefined)).toBeUndefined();
  });
});

/** Changes a byte in the middle of a stored value. */
function damage(path: string, table: string, column: string, where = '1'): void {
  const raw = new Database(path);
  const row = raw.prepare(`SELECT rowid AS id, ${column} AS value FROM ${table} WHERE ${where} LIMIT 1`).get() as {
    id: number;
    value: Buffer;
  };
  const bytes = Buffer.from(row.value);
  bytes[bytes.length >> 1]! ^= 4;
  raw.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(bytes, row.id);
  raw.close();
}

function alignment(key = 'a', size = 4): StoredAlignment {
  const camera = {
    photo: 'p0',
    name: 'p0.jpg',
    component: 0,
    width: 400,
    height: 300,
    fx: 400,
    fy: 400,
    cx: 200,
    cy: 150,
    k1: 0,
    focalSource: 'aligned',
    worldFromCamera: Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
  };
  const view = {
    photo: 'p0',
    width: size,
    height: size,
    originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    focal: 4,
    centreX: 2,
    centreY: 2,
    depth: new Float32Array(size * size).fill(2),
    confidence: new Float32Array(size * size).fill(3),
    pixels: new Uint8Array(3 * size * size).fill(7),
  };
  return {
    key,
    decisions: '',
    components: [{ cameras: [camera], views: [view] }],
    unplaced: [],
    viewResidual: {},
    warnings: [],
    objective: 0,
    iterations: 1,
    estimator: 'e',
    provider: 'cpu',
    pairs: 1,
    seconds: {},
  };
}

describe('what is damaged in a project', () => {
  test('counts as absent: a blob, a digest, a pointmap, a depth map', async () => {
    const path = freshPath();
    const project = withPhotos(path);
    project.blobs.put('b', new Uint8Array(100).fill(5));
    project.putOutcome('k', { kind: 'observation', observation: observation() });
    project.putOutcome('l', { kind: 'observation', observation: observation() });
    await project.putAlignment(alignment());
    expect(project.alignment()).toEqual(alignment());
    project.close();
    damage(path, 'blobs', 'value');
    damage(path, 'observations', 'digest', "key = 'k'");
    damage(path, 'observation_views', 'record', "observation = 'l' AND role = 1");
    damage(path, 'aligned_views', 'depth');
    const again = Project.open(path);
    expect(again.blobs.get('b')).toBeUndefined();
    expect(again.outcome('k')).toBeUndefined();
    expect(again.outcome('l')!.kind).toBe('observation');
    expect(again.observedView('l', 0)).toBeDefined();
    expect(again.observedView('l', 1)).toBeUndefined();
    expect(again.alignment()).toBeUndefined();
    again.dropOutcome('l');
    expect(again.hasOutcome('l')).toBe(false);
    expect(again.viewRecord('l', 0)).toBeUndefined();
    again.close();
  });
});

describe('depth maps of the last alignment', () => {
  test('lie in the file until they are used; those of the one before as long as something may show it', async () => {
    const path = freshPath();
    const project = withPhotos(path);
    const first = await project.putAlignment(alignment('a'));
    const view = first.components[0]!.views[0]!;
    expect(Object.getOwnPropertyDescriptor(view, 'depth')!.get).toBeDefined();
    const second = alignment('b');
    second.components[0]!.views[0]!.depth.fill(9);
    await project.putAlignment(second);
    expect(project.alignmentKey()).toBe('b');
    expect([view.depth[0], project.alignment()!.components[0]!.views[0]!.depth[0]]).toEqual([2, 9]);
    const unread = first.components[0]!.views[0]!;
    project.dropEarlierAlignment();
    expect(() => unread.confidence).toThrow(/run it again/);
    expect(project.alignment()).toEqual(second);
    project.close();
  });
});

describe('old generations', () => {
  test('go when none of five finished runs used them; "save as" keeps what the last one used', () => {
    const path = freshPath();
    const project = withPhotos(path);
    const run = (n: number) => {
      project.blobs.put(`blob ${n}`, Uint8Array.of(n));
      project.putOutcome(`k${n}`, { kind: 'observation', observation: observation(8, 6) });
      project.blobs.get('always');
      project.finishRun([`k${n}`]);
    };
    project.blobs.put('always', Uint8Array.of(1));
    for (let n = 1; n <= 5; n++) run(n);
    expect(project.hasOutcome('k1')).toBe(true);
    run(6);
    expect(project.hasOutcome('k1')).toBe(false);
    expect(project.viewRecord('k1', 0)).toBeUndefined();
    expect(project.blobs.get('blob 1')).toBeUndefined();
    expect(project.hasOutcome('k2')).toBe(true);
    const copy = freshPath();
    project.copyTo(copy);
    project.close();
    const saved = Project.open(copy);
    expect(['k2', 'k5', 'k6'].map((key) => saved.hasOutcome(key))).toEqual([false, false, true]);
    expect(saved.blobs.get('always')).toEqual(Uint8Array.of(1));
    expect(saved.blobs.get('blob 6')).toEqual(Uint8Array.of(6));
    saved.close();
  });
});

/** An observation as files up to version 5 kept it. */
function oldRecord({ views, focal }: Observation): Uint8Array {
  const parts = views.map(({ points, confidence }) => {
    const halves = halfFromFloat(points.map((value) => value * 64));
    return Buffer.concat([Buffer.from(halves.buffer), Buffer.from(confidence.map((value) => (value > 1 ? 255 : 0)))]);
  });
  const header = JSON.stringify({
    views: views.map(({ points: _, confidence: __, ...rest }) => ({ ...rest, scale: 64, logConfidence: Math.log(9) })),
    focal: focal!.map((value) => value ?? null),
  });
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 4) * 4));
  return Buffer.concat([Buffer.from(Uint32Array.of(text.length).buffer), text, ...parts]);
}

test('a project of version 5 opens, and its observations are used and brought into the present form', () => {
  const path = freshPath();
  const raw = new Database(path);
  for (const step of migrations.slice(0, 5)) raw.exec(step);
  raw.pragma('user_version = 5');
  raw.pragma(`application_id = ${APPLICATION_ID}`);
  raw.prepare('INSERT INTO observations (key, record) VALUES (?, ?)').run('old', oldRecord(observation()));
  raw
    .prepare('INSERT INTO observations (key, record) VALUES (?, ?)')
    .run('cut', oldRecord(observation()).slice(0, 999));
  raw.prepare("INSERT INTO observations (key, reason, detail) VALUES ('no', 'no-overlap', '3 matches')").run();
  raw.prepare('INSERT INTO blobs (key, value) VALUES (?, ?)').run('b', Buffer.from([4, 5]));
  raw.close();
  const project = Project.open(path);
  const outcome = project.outcome('old');
  if (outcome?.kind !== 'observation') throw new Error('the observation of the old file is lost');
  expect(outcome.digest.focal).toEqual([undefined, 44]);
  expect(outcome.digest.views.map(({ photo }) => photo)).toEqual(['p0', 'p1']);
  const { points, confidence } = project.observedView('old', 1)!;
  const before = observation().views[1]!;
  points.forEach((value, i) => expect(Math.abs(value - before.points[i]!)).toBeLessThan(0.02));
  expect(confidence[1]).toBeCloseTo(9, 2);
  expect(project.outcome('cut')).toBeUndefined();
  expect(project.outcome('no')).toEqual({ kind: 'rejected', reason: 'no-overlap', detail: '3 matches' });
  expect(project.blobs.get('b')).toEqual(Uint8Array.of(4, 5));
  project.finishRun(['old']);
  expect(project.blobs.get('b')).toEqual(Uint8Array.of(4, 5));
  project.close();
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
    for (let k = 0; k < 6; k++) project.putOutcome(`k${k}`, { kind: 'observation', observation: observation(80, 60) });
    project.close();
    const bytes = readFileSync(path);
    truncateSync(path, Math.floor(bytes.length * 0.6));
    expect(() => {
      const damaged = Project.open(path);
      try {
        for (let k = 0; k < 6; k++) damaged.outcome(`k${k}`);
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
  expect(again.scene()).toEqual({ lengths, deletions, region, measurements: [], controls: [] });
  expect(again.mask(deletions[0]!.mask)).toEqual(Uint8Array.of(1, 2, 3));
  expect(again.history.undo()).toBe('Crop');
  expect(again.scene()).toEqual({ lengths, deletions, measurements: [], controls: [] });
  again.close();
  rmSync(folder, { recursive: true, force: true });
});
