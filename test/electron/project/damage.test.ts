import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observation } from '../../../electron/geometry/types.js';
import type { StoredAlignment } from '../../../electron/project/alignments.js';
import { Project } from '../../../electron/project/project.js';
import { recover } from '../../../electron/project/recover.js';

let folder: string;
let made = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-damage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const freshPath = (): string => join(folder, `${made++}.pointmap`);

const size = { width: 4, height: 3 };
const map = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
const observation: Observation = {
  views: ['p0', 'p1'].map((photo) => ({
    photo,
    ...size,
    originalFromView: map,
    points: new Float32Array(36).fill(2),
    confidence: new Float32Array(12).fill(3),
  })),
};
const alignment: StoredAlignment = {
  key: 'key',
  decisions: 'decisions',
  components: [
    {
      cameras: ['p0', 'p1'].map((photo) => ({
        photo,
        name: `${photo}.jpg`,
        component: 0,
        ...size,
        ...{ fx: 5, fy: 5, cx: 2, cy: 1, k1: 0 },
        focalSource: 'aligned',
        worldFromCamera: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      })),
      views: ['p0', 'p1'].map((photo) => ({
        photo,
        ...size,
        ...{ focal: 5, centreX: 2, centreY: 1, originalFromView: map },
        depth: new Float32Array(12).fill(2),
        confidence: new Float32Array(12).fill(3),
        pixels: new Uint8Array(36).fill(100),
      })),
    },
  ],
  unplaced: [],
  viewResidual: { p0: 0, p1: 0 },
  warnings: [],
  objective: 1,
  iterations: 2,
  estimator: 'e',
  provider: 'cpu',
  pairs: 1,
  seconds: {},
};

async function full(path = freshPath()): Promise<string> {
  const project = Project.open(path, 'create');
  project.addPhotos(
    ['p0', 'p1', 'p2'].map((id) => ({
      photo: { id, path: `/${id}.jpg`, name: `${id}.jpg`, ...size, size: 9, sharpness: 0.5 },
      thumbnail: new Uint8Array([1]),
    })),
  );
  project.planPairs([
    { a: 'p0', b: 'p1' },
    { a: 'p0', b: 'p2' },
  ]);
  project.putOutcome('outcome', { kind: 'observation', observation });
  await project.putAlignment(alignment);
  project.apply({ kind: 'settings', settings: { quality: 'high', minConfidence: 3 } });
  project.close();
  return path;
}

/** The file as it would be after damage that SQLite itself does not see. */
async function damaged(sql: string): Promise<string> {
  const path = await full();
  const database = new Database(path);
  database.pragma('foreign_keys = OFF');
  expect(database.prepare(sql).run().changes).toBeGreaterThan(0);
  database.close();
  return path;
}
const lines = (project: Project): string[] => project.readLog().map(({ message }) => message);

describe('a project with rows that say nothing', () => {
  test('opens without a photo that is damaged, and without its pairs', async () => {
    const project = Project.open(await damaged("UPDATE photos SET width = 'wide' WHERE id = 'p2'"));
    expect(project.photos().map(({ id }) => id)).toEqual(['p0', 'p1']);
    expect(project.pairs()).toHaveLength(1);
    expect(lines(project)).toContain(
      'the project file was damaged: 1 of its photos were damaged and left out; add them again',
    );
    project.close();
  });

  test.each([
    ["UPDATE settings SET value = '\"hugh\"' WHERE key = 'quality'", 'normal'],
    ["UPDATE settings SET value = '{' WHERE key = 'quality'", 'normal'],
    ["UPDATE settings SET key = 'quolity' WHERE key = 'quality'", 'normal'],
  ])('takes the usual setting where one is damaged: %s', async (sql, quality) => {
    const project = Project.open(await damaged(sql));
    expect(project.settings()).toMatchObject({ quality, minConfidence: 3 });
    expect(lines(project).at(-1)).toMatch(/1 of its settings were damaged/);
    project.close();
  });

  test('forgets undo when a step of it is damaged', async () => {
    const project = Project.open(await damaged("UPDATE edits SET backward = '[{}]'"));
    expect(project.history.label('undo')).toBeUndefined();
    project.close();
  });

  test.each([
    "DELETE FROM aligned_views WHERE photo = 'p1'",
    "UPDATE aligned_views SET depth = x'00' WHERE photo = 'p1'",
    "UPDATE alignments SET summary = '{'",
    "UPDATE alignments SET summary = '{}'",
    "UPDATE alignments SET summary = json_set(summary, '$.components[0].cameras[1].fx', 'far')",
    "UPDATE alignments SET summary = json_remove(summary, '$.components[0].views[1]')",
  ])('has no result where the stored one is not whole: %s', async (sql) => {
    const project = Project.open(await damaged(sql));
    expect(project.alignment()).toBeUndefined();
    expect(project.alignmentKey()).toBeUndefined();
    expect(lines(project).at(-1)).toMatch(/its result is gone; start the run again/);
    project.close();
  });

  test('computes a pair again whose record can not be decoded', async () => {
    const project = Project.open(await damaged("UPDATE observations SET digest = x'0102030405'"));
    expect(project.outcome('outcome')).toBeUndefined();
    expect(project.hasOutcome('outcome')).toBe(false);
    project.close();
  });
});

describe('recovering', () => {
  test('writes what opens, without what is not whole, and leaves the damaged file as it was', async () => {
    const path = await damaged("DELETE FROM aligned_views WHERE photo = 'p1'");
    const before = readFileSync(path);
    const target = freshPath();
    expect(recover(path, target)).toMatchObject({ photos: 3, pairs: 2, observations: 1, alignments: 0 });
    expect(readFileSync(path).equals(before)).toBe(true);
    const project = Project.open(target);
    expect(project.photos()).toHaveLength(3);
    expect(project.settings()).toMatchObject({ quality: 'high' });
    expect(project.outcome('outcome')).toMatchObject({ kind: 'observation' });
    expect(project.alignment()).toBeUndefined();
    project.close();
    expect(readdirSync(folder).filter((name) => /partial|-wal|-shm/.test(name))).toEqual([]);
  });

  test('keeps a result that is whole', async () => {
    const target = freshPath();
    expect(recover(await full(), target)).toMatchObject({ alignments: 1, aligned_views: 2 });
    const project = Project.open(target);
    expect(project.alignment()).toEqual(alignment);
    project.close();
  });

  test('makes the digests of pointmaps anew that are whole without them, exactly, and drops others', async () => {
    const path = freshPath();
    const project = Project.open(path, 'create');
    const pose = Float64Array.of(1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
    const given = { ...observation, focal: [7, undefined], firstFromCamera: [undefined, pose] };
    for (const key of ['lost', 'cut', 'kept']) project.putOutcome(key, { kind: 'observation', observation: given });
    const before = project.outcome('lost');
    project.close();
    const database = new Database(path);
    database.exec("DELETE FROM observations WHERE key <> 'kept'");
    database.exec("DELETE FROM observation_views WHERE observation = 'cut' AND role = 1");
    database.close();
    const target = freshPath();
    expect(recover(path, target)).toMatchObject({ observations: 2, observation_views: 5 });
    const recovered = Project.open(target);
    expect(recovered.outcome('lost')).toEqual(before);
    expect(recovered.outcome('cut')).toBeUndefined();
    expect(recovered.viewRecord('cut', 0)).toBeUndefined();
    recovered.close();
  });

  test('finds the rows between two damaged pages', async () => {
    const path = freshPath();
    const project = Project.open(path, 'create');
    for (let k = 0; k < 600; k++) project.log('info', `${k} ${'x'.repeat(200)}`);
    project.close();
    const bytes = readFileSync(path);
    // Wiped: the pages that hold the lines 100 and 500.
    for (const line of [100, 500]) {
      const page = Math.floor(bytes.indexOf(`info${line} xxx`) / 4096) * 4096;
      bytes.fill(0, page, page + 4096);
    }
    writeFileSync(path, bytes);
    const target = freshPath();
    // A page holds sixteen lines or so; what lies between the two is two thirds of all.
    expect(recover(path, target).log).toBeGreaterThan(540);
  });

  test('of what holds nothing leaves no file behind, and can be tried again', async () => {
    const path = await full();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 0, bytes.length));
    const target = freshPath();
    for (let k = 0; k < 2; k++) expect(() => recover(path, target)).toThrow(/nothing in this project can be read/);
    expect(existsSync(target)).toBe(false);
    const directory = join(folder, 'a-folder');
    mkdirSync(directory);
    expect(() => recover(directory, target)).toThrow(/this is not a file/);
    expect(() => recover(join(folder, 'none.pointmap'), target)).toThrow(/there is no such project/);
  });
});
