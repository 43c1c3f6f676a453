/**
 * Memory of everything that comes after alignment, with many photos: opening the project, the cloud, its export, what a
 * viewer is sent, the surface, the textured mesh (which `erase` takes from `mesh`). The photos are made up: a flight over hills, exact depth with a little noise.
 *
 *   node --import tsx test/bench/dense-memory.ts [--photos 400] [--width 640] [--memory GB] [--steps cloud,ply,...]
 *
 * Each step is a process of its own: it opens the project, does what comes before it, and prints the time of its own
 * part, its peak of resident memory, and a digest of what came out, which no budget may change.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import type { CameraInfo } from '../../electron/contract/api.js';
import { encodeCloud } from '../../electron/contract/cloud.js';
import { writeExports } from '../../electron/engine/exporting.js';
import { Workspace } from '../../electron/engine/workspace.js';
import { hillFlight, type HillPhoto } from '../fixtures/hills.js';
import { Project } from '../../electron/project/project.js';
import { packBits } from '../../electron/numerics/bits.js';
import { buildMesh, type BuildInput } from '../../electron/surface/build.js';
import { eraseFrom } from '../../electron/surface/erasing.js';
import { decodeMesh, encodeMesh } from '../../electron/surface/layer.js';
import type { Mesh } from '../../electron/surface/types.js';

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: '400' },
    width: { type: 'string', default: '640' },
    memory: { type: 'string' },
    steps: { type: 'string', default: 'open,cloud,ply,las,glb,viewer,surface,mesh,erase' },
    project: { type: 'string' },
    step: { type: 'string' },
  },
});
const count = Number(flags.photos);
const width = Number(flags.width);
const height = (width * 3) / 4;

type Step = (workspace: Workspace, folder: string) => Promise<string | Uint8Array | undefined>;

const digest = (...parts: NodeJS.ArrayBufferView[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 12);
};

const exported =
  (format: string): Step =>
  async (workspace, folder) => {
    const files = await writeExports(workspace, folder, [format]);
    return `${(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(0)} MB`;
  };

const steps: Record<string, Step> = {
  open: async () => undefined,
  cloud: async () => undefined,
  ply: exported('ply'),
  glb: exported('glb'),
  viewer: async (workspace) => {
    const { cloud, depthMaps } = workspace.scenes!.components[0]!.scene;
    return `${(encodeCloud(cloud, depthMaps).length / 1e6).toFixed(0)} MB`;
  },
  surface: async (workspace) => {
    let found = '';
    const stop = new Error('the surface is there');
    const input = { ...meshInput(workspace), picture: () => Promise.reject(stop) };
    const onSurface = ({ positions, indices, confidence }: Mesh): void => {
      found = `${indices.length / 3} faces, ${digest(positions, indices, confidence!)}`;
    };
    await buildMesh({ ...input, onSurface }).catch((error: unknown) => {
      if (error !== stop) throw error;
    });
    return found;
  },
  mesh: async (workspace) => {
    const { mesh, facts } = await buildMesh(meshInput(workspace));
    writeFileSync(meshBeside(workspace), encodeMesh(mesh, facts));
    const pages = mesh.pages.map(({ picture }) => picture);
    const seconds = Object.entries(facts.seconds).map(([step, time]) => `${step} ${time.toFixed(1)} s`);
    const bits = digest(mesh.positions, mesh.indices, mesh.photo, mesh.colours, mesh.confidence, ...pages);
    return `${mesh.photo.length} faces, ${bits} (${seconds.join(', ')})`;
  },
  erase: async (workspace) => {
    const { cameras, depthMaps: maps } = workspace.scenes!.components[0]!.scene;
    const { mesh } = decodeMesh(readFileSync(meshBeside(workspace)))!;
    // The right half of every fourth photo.
    const deleted = maps.map(({ width: wide, height: high }, k) =>
      k % 4 === 0
        ? packBits(Uint8Array.from({ length: wide * high }, (_, p) => (2 * (p % wide) > wide ? 1 : 0)))
        : undefined,
    );
    const { photo, positions, indices } = await eraseFrom(mesh, { cameras, maps, deleted });
    return `${photo.length} faces, ${digest(positions, indices)}`;
  },
};

const meshBeside = (workspace: Workspace): string => `${workspace.path}.mesh`;

function meshInput(workspace: Workspace): BuildInput {
  const { scene, pixelsOf } = workspace.scenes!.components[0]!;
  return {
    cameras: scene.cameras,
    maps: scene.depthMaps,
    pixelsOf,
    light: scene.light,
    sharpness: scene.cameras.map(() => 1),
    picture: async (index) => ({ width, height, pixels: pixelsOf(index) }),
    encode: (pixels, size) =>
      sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .jpeg({ quality: 92 })
        .toBuffer(),
  };
}

async function runStep(name: string, path: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dense-memory-'));
  let started = performance.now();
  const workspace = Workspace.open(path);
  if (name !== 'open') {
    if (name !== 'cloud') await workspace.buildScenes();
    started = performance.now();
    if (name === 'cloud') await workspace.buildScenes();
  }
  const told = await steps[name]!(workspace, folder);
  const seconds = (performance.now() - started) / 1000;
  const points = workspace.scenes ? `${sum(workspace)} points` : '';
  workspace.close();
  rmSync(folder, { recursive: true });
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(7)} s ${peak.toFixed(0).padStart(6)} MB  ${told ?? points}`,
  );
}

const sum = (workspace: Workspace): number => workspace.state({ state: 'idle' } as never).scene?.points ?? 0;

async function writeProject(path: string): Promise<void> {
  const project = Project.open(path, 'create');
  const flight = hillFlight(count, { width, height });
  project.addPhotos(
    flight.cameras.map(({ photo, name }) => ({
      photo: { id: photo, path: `/photos/${name}`, name, width, height, size: 1e5, sharpness: 0.5 },
      thumbnail: new Uint8Array([1]),
    })),
  );
  project.apply({ kind: 'settings', settings: flags.memory ? { memory: Number(flags.memory) } : {} });
  const cameras = flight.cameras.map((camera): CameraInfo => ({ ...camera, component: 0 }));
  await project.putAlignment({
    ...{ key: 'bench', decisions: '', unplaced: [], viewResidual: {}, warnings: [], objective: 0, iterations: 1 },
    ...{ estimator: 'geometric', provider: 'cpu', pairs: count, seconds: {} },
    components: [{ cameras, views: cameras.map((_, k) => whenRead(() => flight.view(k), flight.summary(k))) }],
  });
  project.close();
}

/** A view that is made when it is written, and kept while it is: otherwise the bench itself would hold all of them. */
function whenRead(make: () => HillPhoto, summary: Omit<HillPhoto, 'depth' | 'confidence' | 'pixels'>): HillPhoto {
  let made: HillPhoto | undefined;
  const get = (name: 'depth' | 'confidence' | 'pixels') => {
    made ??= make();
    const value = made[name];
    if (name === 'pixels') made = undefined;
    return value;
  };
  const view = { ...summary };
  for (const name of ['depth', 'confidence', 'pixels'] as const)
    Object.defineProperty(view, name, { enumerable: true, get: () => get(name) });
  return view as HillPhoto;
}

if (flags.step) await runStep(flags.step, flags.project!);
else {
  const folder = mkdtempSync(join(tmpdir(), 'dense-memory-'));
  const path = flags.project ?? join(folder, 'bench.pointmap');
  await writeProject(path);
  console.log(`${count} photos of ${width} x ${height}, memory ${flags.memory ?? 'a third of the machine'}`);
  for (const step of flags.steps.split(','))
    if (step in steps)
      spawnSync(
        process.execPath,
        ['--import', 'tsx', fileURLToPath(import.meta.url), '--step', step, '--project', path],
        { stdio: 'inherit' },
      );
  rmSync(folder, { recursive: true });
}
