import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requests, type RequestName } from '../../electron/contract/api.js';
import { UserError } from '../../electron/contract/errors.js';
import { Engine } from '../../electron/engine/engine.js';
import { importPhoto } from '../../electron/photos/import.js';
import { readAlignmentProblem } from '../../electron/alignment/problem-file.js';
import { recover } from '../../electron/project/recover.js';
import { openCheckpoint } from '../../native-models/checkpoints/open.js';
import { roomEstimator, roomPhotos } from '../fixtures/room-estimator.js';
import { pickleOf, pytorchFile } from '../native-models/pytorch-file.js';

/*
 * Random damage and nonsense, from a seed that is printed: POINTMAP_ATTACK_SEED repeats a run, POINTMAP_ATTACK_FACTOR
 * makes it longer (20 is what a release is measured with: 300 damaged projects, 100,000 inputs).
 */
const seed = Number(process.env.POINTMAP_ATTACK_SEED ?? randomBytes(4).readUInt32LE());
const factor = Number(process.env.POINTMAP_ATTACK_FACTOR ?? 1);

function generator(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

let folder: string;
let project: string;
const engineFor = (): Engine =>
  new Engine({ dataFolder: join(folder, 'data'), threads: 1, estimators: [() => [roomEstimator()]] });

beforeAll(async () => {
  console.log(`attacks: seed ${seed}, factor ${factor}`);
  folder = mkdtempSync(join(tmpdir(), 'pointmap-attacks-'));
  project = join(folder, 'whole.pointmap');
  const photos = await roomPhotos(folder, 4);
  const engine = engineFor();
  await engine.request('project.create', { path: project });
  await engine.request('photos.add', { paths: [photos] });
  await engine.request('edit.apply', {
    edit: { kind: 'settings', settings: { estimator: 'room', graph: 'complete' } },
  });
  await engine.request('run.start', {});
  expect(await engine.settled()).toMatchObject({ state: 'finished' });
  await engine.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The positions and colours of the cloud that a project shows, or what it says instead. */
async function cloudOf(path: string): Promise<{ cloud?: Buffer; refused?: string; told: string[] }> {
  const engine = engineFor();
  try {
    await engine.request('project.open', { path });
    const told = (): string[] => engine.open.project.readLog().map(({ level, message }) => `${level}: ${message}`);
    try {
      const scenes = await engine.open.buildScenes();
      const cloud = scenes?.components[0]?.scene.cloud;
      return {
        told: told(),
        ...(cloud
          ? { cloud: Buffer.concat([Buffer.from(cloud.positions.buffer), Buffer.from(cloud.colors.buffer)]) }
          : {}),
      };
    } catch (error) {
      if (!(error instanceof UserError) && !/SQLITE/.test((error as { code?: string }).code ?? '')) throw error;
      return { refused: (error as Error).message, told: told() };
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refused: error.message, told: [] };
  } finally {
    await engine.close();
  }
}

describe('damaged project files', () => {
  test(
    'open, are refused with a line, or are recovered to what opens; no cloud changes without a word',
    { timeout: 3_600_000 },
    async () => {
      const random = generator(seed);
      const whole = readFileSync(project);
      const truth = (await cloudOf(project)).cloud!;
      const counts = { opened: 0, refused: 0, recovered: 0, lost: 0, silent: 0 };
      const silent: string[] = [];
      for (let round = 0; round < 15 * factor; round++) {
        const bytes = Buffer.from(whole);
        const kind = random(4);
        const from = random(bytes.length);
        if (kind === 0) for (let k = 0; k <= random(4); k++) bytes[random(bytes.length)]! ^= 1 << random(8);
        else if (kind === 1) bytes.fill(0, from, from + 1 + random(8192));
        else if (kind === 2) for (let k = 0; k < 512; k++) bytes[Math.min(bytes.length - 1, from + k)] = random(256);
        const path = join(folder, 'damaged.pointmap');
        writeFileSync(path, kind === 3 ? bytes.subarray(0, from) : bytes);
        const { cloud, refused, told } = await cloudOf(path);
        if (refused !== undefined) {
          counts.refused++;
          expect(refused).not.toMatch(/malformed|\n|Zod|undefined/);
        } else counts.opened++;
        if (
          cloud &&
          !cloud.equals(truth) &&
          !told.some((line) => line.startsWith('warning: the project file was damaged'))
        ) {
          counts.silent++;
          silent.push(`round ${round}, kind ${kind}, at ${from}`);
        }
        // Recovered, it opens.
        writeFileSync(path, kind === 3 ? bytes.subarray(0, from) : bytes);
        const target = join(folder, 'recovered.pointmap');
        try {
          recover(path, target);
          counts.recovered++;
          const again = await cloudOf(target);
          expect(again.refused, `round ${round}`).toBeUndefined();
        } catch (error) {
          expect(error, `round ${round}`).toBeInstanceOf(UserError);
          expect(existsSync(target)).toBe(false);
          counts.lost++;
        }
        for (const ending of ['', '-wal', '-shm'])
          for (const file of [path, target]) rmSync(file + ending, { force: true });
      }
      console.log('damaged projects:', JSON.stringify(counts));
      expect(silent).toEqual([]);
    },
  );
});

/** Every tensor, as an import does. */
async function readCheckpoint(path: string): Promise<void> {
  const { checkpoint } = await openCheckpoint(path);
  try {
    for (const name of checkpoint.tensors.keys()) await checkpoint.read(name);
  } finally {
    await checkpoint.close();
  }
}

describe('nonsense', () => {
  const rounds = (): number => 1500 * factor;
  /** What may be thrown at a person; anything else is a bug. */
  const fine = (error: unknown, what: string): void => expect(error, what).toBeInstanceOf(UserError);

  test('in requests is answered or refused, and the engine goes on', { timeout: 3_600_000 }, async () => {
    const random = generator(seed + 1);
    const engine = engineFor();
    cpSync(project, join(folder, 'fuzzed.pointmap'));
    await engine.request('project.open', { path: join(folder, 'fuzzed.pointmap') });
    const ids = engine.open.project.photos().map(({ id }) => id);
    const words = [
      '',
      'geometric',
      'room',
      '../x',
      '\u0000',
      'constructor',
      '__proto__',
      'complete',
      'window:3',
      ...ids,
    ];
    const value = (depth = 0): unknown =>
      [
        () => null,
        () => random(7) - 3,
        () => 1e308,
        () => NaN,
        () => random(2) === 0,
        () => words[random(words.length)],
        () => 'x'.repeat(random(3000)),
        () => (depth > 3 ? [] : Array.from({ length: random(4) }, () => value(depth + 1))),
        () =>
          depth > 3
            ? {}
            : Object.fromEntries(
                Array.from({ length: random(4) }, () => [keys[random(keys.length)]!, value(depth + 1)]),
              ),
      ][random(9)]!();
    const keys = [
      'kind',
      'photos',
      'enabled',
      'pairs',
      'pixels',
      'settings',
      'edit',
      'paths',
      'formats',
      'graph',
      'quality',
      'locked',
      'id',
      '__proto__',
    ];
    // What writes files or leaves the project has tests of its own.
    const names = (Object.keys(requests) as RequestName[]).filter(
      (name) =>
        !/^(project\.(create|saveAs|close|open|openSample)|export\.write|files\.list|photos\.(add|relocate))|^run\.(start|realign|resume)/.test(
          name,
        ),
    );
    for (let k = 0; k < rounds(); k++) {
      const name = random(20) === 0 ? String(value()) : names[random(names.length)]!;
      const params = Object.fromEntries(Array.from({ length: random(4) }, () => [keys[random(keys.length)]!, value()]));
      await engine
        .handle(name, random(10) === 0 ? value() : params)
        .catch((error: unknown) => fine(error, `${name} ${JSON.stringify(params).slice(0, 300)}`));
    }
    expect((await engine.request('project.state', {}))!.photos).toHaveLength(4);
    await engine.close();
  });

  test('in names of binary resources is not found', { timeout: 3_600_000 }, async () => {
    const random = generator(seed + 2);
    const engine = engineFor();
    await engine.request('project.open', { path: project });
    await engine.open.buildScenes();
    const id = engine.open.project.photos()[0]!.id;
    const parts = [
      'thumbnail',
      'photo',
      'cloud',
      'depth',
      'pair',
      'confidence',
      '..',
      '%2e%2e',
      '%E0%A4%A',
      '',
      '0',
      '-1',
      '1e9',
      id,
      '__proto__',
      'x'.repeat(2000),
    ];
    let found = 0;
    for (let k = 0; k < rounds(); k++) {
      const name = Array.from({ length: random(6) }, () => parts[random(parts.length)]).join('/');
      await engine.binary(name).then(
        () => found++,
        (error: unknown) => fine(error, name),
      );
    }
    await engine.close();
    expect(found).toBeLessThan(rounds());
  });

  test('in files is read or refused', { timeout: 3_600_000 }, async () => {
    const random = generator(seed + 3);
    const photo = readFileSync(join(folder, 'photos', '0.png'));
    const checkpoint = pytorchFile(pickleOf({ dict: [['a', { tensor: { key: '0', shape: [2], count: 2 } }]] }), {
      '0': Float32Array.of(1, 2),
    });
    const tensors = Buffer.from(JSON.stringify({ edges: { dtype: 'I64', shape: [1, 2], data_offsets: [0, 16] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(tensors.length));
    const problem = Buffer.concat([length, tensors, Buffer.alloc(16)]);
    const readers: [string, Buffer, (path: string) => Promise<unknown>][] = [
      ['a.png', photo.subarray(0, 4000), (path) => importPhoto(path)],
      ['a.jpg', photo.subarray(0, 4000), (path) => importPhoto(path)],
      ['a.pth', checkpoint, readCheckpoint],
      ['a.safetensors', problem, readCheckpoint],
      ['b.safetensors', problem, async (path) => readAlignmentProblem(path)],
    ];
    for (let k = 0; k < 4 * rounds(); k++) {
      const [name, whole, read] = readers[random(readers.length)]!;
      const bytes =
        random(8) === 0 ? Buffer.from(Array.from({ length: random(64) }, () => random(256))) : Buffer.from(whole);
      for (let n = random(6); n >= 0 && bytes.length > 0; n--) bytes[random(bytes.length)] = random(256);
      const path = join(folder, name);
      writeFileSync(path, bytes.subarray(0, random(10) === 0 ? random(bytes.length + 1) : bytes.length));
      await read(path).catch((error: unknown) => fine(error, `${name} round ${k}`));
    }
  });
});
