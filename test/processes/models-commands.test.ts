import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../fixtures/program.js';
import { roomPhotos } from '../fixtures/room-estimator.js';
import { configOf, randomTensor, tensorShapes, tiny, writeSafetensors } from '../native-models/random-network.js';

/** Commands as a person types them, each in a process of its own, against a publisher's server that misbehaves. */
let root: string;
let photos: string;
let server: Server;
let host: string;
/** What the server does to the weights on their way. */
let mischief: 'none' | 'breaks' | 'corrupts' | 'has no hash' = 'none';
let weights: Buffer;
let ranges: string[];

const repository = 'naver/DUSt3R_ViTLarge_BaseDecoder_512_dpt';
const config = JSON.stringify({ ...configOf(tiny), img_size: [128, 128] });
const half = (buffer: Buffer) => Math.floor(buffer.length / 2);

function serve(): Server {
  return createServer((request, response) => {
    const path = request.url!;
    if (path === `/api/models/${repository}/tree/main`) {
      const oid = createHash('sha256').update(weights).digest('hex');
      const lfs = mischief === 'has no hash' ? { size: weights.length } : { oid, size: weights.length };
      return void response.end(
        JSON.stringify([
          { path: 'config.json', size: config.length },
          { path: 'model.safetensors', size: 130, lfs },
        ]),
      );
    }
    if (path === `/${repository}/resolve/main/config.json`) return void response.end(config);
    if (path !== `/${repository}/resolve/main/model.safetensors`) return void response.writeHead(404).end();
    ranges.push(request.headers.range ?? 'whole');
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = mischief === 'corrupts' ? Buffer.from(weights).fill(7, weights.length - 99) : weights;
    response.writeHead(start ? 206 : 200, {
      'content-length': body.length - start,
      ...(start ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
    });
    if (mischief === 'breaks' && start === 0)
      return void response.write(body.subarray(0, half(body)), () => setTimeout(() => response.destroy(), 150));
    response.end(body.subarray(start));
  });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pointmap-commands-'));
  photos = await roomPhotos(root, 2);
  await writeSafetensors(join(root, 'tiny.safetensors'), tensorShapes(tiny), (name, shape, index) =>
    randomTensor(name, shape, index + 1),
  );
  await writeFile(join(root, 'config.json'), config);
  weights = await readFile(join(root, 'tiny.safetensors'));
  server = serve().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true, force: true });
});

interface Ending {
  code: number | null;
  errors: string;
  json: Record<string, unknown>;
}

function pointmap(data: string, ...words: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    const environment = { ...process.env, POINTMAP_DATA: join(root, data), HF_ENDPOINT: host };
    const child = spawn(process.execPath, [program, ...words, '--json'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('close', (code) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      resolve({ code, errors, json: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {} });
    });
  });
}
const add = (data: string, how: typeof mischief, ...flags: string[]) => {
  mischief = how;
  ranges = [];
  return pointmap(data, 'models', 'add', 'dust3r-512-dpt', ...flags);
};
const installed = async (data: string) =>
  ((await pointmap(data, 'models', 'list')).json['installed'] as { id: string }[]).map(({ id }) => id);
const left = async (data: string) => (await readdir(join(root, data, 'models')).catch(() => [])).sort();

describe('models add and remove', () => {
  it('shows the licence, and downloads nothing before it is accepted', async () => {
    const { code, errors } = await add('refused', 'none');
    expect(errors).toMatch(/CC-BY-NC-SA-4\.0.*creativecommons/);
    expect(code).toBe(2);
    expect(ranges).toEqual([]);
    expect(await left('refused')).toEqual([]);
  }, 60_000);

  it('goes on where a connection broke, installs, lists and removes', async () => {
    const { code, json, errors } = await add('good', 'breaks', '--accept-licence');
    expect(errors).not.toMatch(/\n {4}at /);
    expect(code).toBe(0);
    expect(ranges).toEqual(['whole', `bytes=${half(weights)}-`]);
    expect(json).toMatchObject({
      id: 'dust3r-512-dpt',
      licence: 'CC-BY-NC-SA-4.0',
      nonCommercial: true,
      inputSize: 128,
    });
    expect(await installed('good')).toEqual(['dust3r-512-dpt']);
    expect(await left('good')).toEqual(['dust3r-512-dpt']);
    expect((await pointmap('good', 'models', 'remove', 'dust3r-512-dpt')).json).toMatchObject({
      removed: 'dust3r-512-dpt',
    });
    expect(await installed('good')).toEqual([]);
    expect(await left('good')).toEqual([]);
    const again = await pointmap('good', 'models', 'remove', 'dust3r-512-dpt');
    expect(again.code).toBe(1);
    expect(again.errors).toMatch(/no installed model dust3r-512-dpt/);
  }, 60_000);

  it.each([
    ['sends other bytes than it announced', 'corrupts', /SHA-256 differs/],
    ['states no hash', 'has no hash', /does not name model.safetensors with its length and hash/],
  ] as const)(
    'installs nothing from a server that %s',
    async (title, how, message) => {
      const { code, errors } = await add(title, how, '--accept-licence');
      expect(errors).toMatch(message);
      expect(code).toBe(1);
      expect(await installed(title)).toEqual([]);
      expect((await left(title)).every((name) => name.startsWith('.download-'))).toBe(true);
    },
    60_000,
  );

  it('says so when the publisher cannot be reached', async () => {
    const unreachable = host;
    host = 'http://127.0.0.1:1';
    const { code, errors } = await add('offline', 'none', '--accept-licence');
    host = unreachable;
    expect(errors).toMatch(/could not be fetched.*import a file that you have/);
    expect(code).toBe(1);
  }, 60_000);
});

describe('reconstruct with a network', () => {
  const reconstruct = (...words: string[]) =>
    pointmap('networks', 'reconstruct', ...words, '--provider', 'cpu', '--model', 'tiny');

  beforeAll(async () => {
    const { code, errors } = await pointmap(
      'networks',
      'models',
      'import',
      join(root, 'tiny.safetensors'),
      '--id',
      'tiny',
      '--precision',
      'float32,int8',
    );
    expect(errors).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  it('takes one photo alone', async () => {
    const out = join(root, 'alone');
    const { code, errors, json } = await reconstruct(join(photos, '0.png'), '--out', out, '--min-confidence', '1');
    expect(errors).not.toMatch(/\n {4}at /);
    expect(code).toBe(0);
    expect(json).toMatchObject({ photos: 1, registered: 1, pairs: 0, observations: 1, computed: 1, provider: 'cpu' });
    expect(json['points']).toBeGreaterThan(100);
    expect(existsSync(join(out, 'scene.ply'))).toBe(true);
  }, 60_000);

  it('looks in both directions or in one, and computes anew only what another precision changes', async () => {
    const two = ['0.png', '1.png'].map((name) => join(photos, name));
    const flags = ['--out', join(root, 'pair'), '--min-confidence', '1'];
    const oneWay = await reconstruct(...two, ...flags, '--one-way', '--store-features');
    expect(oneWay.errors).not.toMatch(/\n {4}at /);
    expect(oneWay.json).toMatchObject({ pairs: 1, observations: 1, computed: 1 });
    const int8 = await reconstruct(...two, ...flags, '--precision', 'int8');
    expect(int8.json).toMatchObject({ observations: 1, computed: 1 });
    const again = await reconstruct(...two, ...flags, '--precision', 'float32');
    expect(again.json).toMatchObject({ observations: 1, computed: 0 });
    const both = await reconstruct(...two, '--out', join(root, 'both'), '--min-confidence', '1');
    expect(both.json).toMatchObject({ pairs: 1, observations: 2, computed: 2 });
  }, 60_000);

  it('refuses a precision that is not installed', async () => {
    const { code, errors } = await reconstruct(
      join(photos, '0.png'),
      '--out',
      join(root, 'none'),
      '--precision',
      'float16',
    );
    expect(errors).toMatch(/not installed in float16 \(installed: float32, int8\)/);
    expect(code).toBe(1);
  }, 60_000);
});
