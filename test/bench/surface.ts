/**
 * The mesh against its targets: `node --import tsx test/bench/surface.ts [samples|sceaux|fox ...] [--projects DIR]
 * [--faces N]`. Needs ../shared/photos for the real sets, python3-open3d for what Open3D judges, Blender for the samples'
 * true scene. With --projects, DIR/<set>/scene.pointmap is used where it exists and made where it does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Workspace } from '../../electron/engine/workspace.js';
import { registerPoints, transform } from '../../electron/geometry/similarity.js';
import type { Camera, DepthMap, LightGain } from '../../electron/geometry/types.js';
import { readPixels } from '../../electron/photos/reader.js';
import { lightGains } from '../../electron/scene/light.js';
import { packBits } from '../../electron/numerics/bits.js';
import { buildMesh, type Built } from '../../electron/surface/build.js';
import { eraseFrom } from '../../electron/surface/erasing.js';
import { welded } from '../../electron/surface/levels.js';
import { Rasteriser } from '../../electron/surface/raster.js';
import { lightCopy } from '../../electron/surface/simplify.js';
import type { TexturedMesh } from '../../electron/surface/textured.js';
import type { Mesh, SurfaceView } from '../../electron/surface/types.js';
import { surfaceViews } from '../../electron/surface/views.js';
import { drawMesh, type Pages } from '../../electron/surface/draw.js';

const SETS: Record<string, { folder: string; psnr: number }> = {
  samples: { folder: 'resources/samples/courtyard', psnr: 26 },
  sceaux: { folder: '../shared/photos/sceaux', psnr: 24 },
  fox: { folder: '../shared/photos/fox', psnr: 23 },
};

const words = process.argv.slice(2);
const option = (name: string): string | undefined =>
  words.includes(name) ? words.splice(words.indexOf(name), 2)[1] : undefined;
const projects = option('--projects');
const faces = Number(option('--faces') ?? 500_000);

function line(what: string, value: number, target?: number, better: 'less' | 'more' = 'less', unit = ''): void {
  const met = target === undefined ? '' : (better === 'less' ? value <= target : value >= target) ? 'met' : 'MISSED';
  const aim = target === undefined ? '' : `target ${target} ${met}`;
  console.log(`  ${what.padEnd(44)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(3)} ${aim}`);
}

interface Subject {
  workspace: Workspace;
  cameras: Camera[];
  maps: (DepthMap & { pixels: Uint8Array })[];
  views: SurfaceView[];
  light: LightGain[];
}

async function open(folder: string, name: string, out: string): Promise<Subject> {
  const path = join(out, 'scene.pointmap');
  if (!existsSync(path)) {
    console.log(`  reconstructing ${name}`);
    const run = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'electron/cli.ts', 'reconstruct', folder, '--out', out, '--json'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (run.status !== 0) throw new Error(`reconstruct ended with ${run.status}`);
  }
  const workspace = Workspace.open(path);
  const component = workspace.alignment!.components[0]!;
  const cameras = component.cameras.map((camera) => ({
    ...camera,
    worldFromCamera: Float64Array.from(camera.worldFromCamera),
  })) as unknown as Camera[];
  const light = await lightGains(cameras, component.views, (k) => component.views[k]!.pixels);
  const { whole } = await surfaceViews(cameras, component.views);
  const views = cameras.map((_, k) => whole(k));
  return { workspace, cameras, maps: component.views, views, light };
}

async function build({ workspace, cameras, maps, light }: Subject, without: ReadonlySet<number>): Promise<Built> {
  const photos = new Map(workspace.project.photos().map((photo) => [photo.id, photo]));
  return buildMesh(
    {
      cameras,
      maps,
      pixelsOf: (k) => maps[k]!.pixels,
      light,
      sharpness: cameras.map(({ photo }) => photos.get(photo)!.sharpness),
      picture: async (index, longSide) =>
        without.has(index) ? undefined : readPixels(photos.get(cameras[index]!.photo)!, { longSide }),
      encode: (pixels, size) =>
        sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
          .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
          .toBuffer(),
    },
    { faces },
  );
}

async function decodePages(mesh: TexturedMesh): Promise<Pages> {
  const pixels = await Promise.all(mesh.pages.map(({ picture }) => sharp(picture).removeAlpha().raw().toBuffer()));
  return { size: mesh.pageSize, pixels };
}

/** Per photo: PSNR over the pixels whose depth is known, after levelling each channel by gain and offset; and coverage. */
async function compare(mesh: TexturedMesh, subject: Subject): Promise<{ psnr: number; coverage: number }[]> {
  const pages = await decodePages(mesh);
  return subject.views.map((view, k) => {
    // Drawn at twice the size and averaged: as a photo gathers light over a pixel.
    const camera = {
      width: 2 * view.width,
      height: 2 * view.height,
      fx: 2 * view.focal,
      fy: 2 * view.focal,
      cx: 2 * view.centreX + 0.5,
      cy: 2 * view.centreY + 0.5,
      cameraFromWorld: view.cameraFromWorld,
    };
    const drawn = drawMesh(mesh, pages, camera);
    const picture = subject.maps[k]!.pixels;
    const pairs: [number[], number[]][] = [[], [], []].map(() => [[], []]);
    let [known, covered] = [0, 0];
    for (let p = 0; p < view.depth.length; p++) {
      if (view.depth[p] === 0) continue;
      known++;
      const first = 2 * (p % view.width) + 2 * Math.floor(p / view.width) * camera.width;
      const four = [first, first + 1, first + camera.width, first + camera.width + 1];
      if (four.some((at) => drawn.face[at] === 0)) continue;
      covered++;
      for (let i = 0; i < 3; i++) {
        pairs[i]![0].push(four.reduce((sum, at) => sum + drawn.pixels[3 * at + i]!, 0) / 4);
        pairs[i]![1].push(picture[3 * p + i]!);
      }
    }
    const error = pairs.map(([a, b]) => levelledError(a, b)).reduce((sum, value) => sum + value, 0) / 3;
    return { psnr: 10 * Math.log10(255 ** 2 / Math.max(error, 1e-9)), coverage: covered / Math.max(1, known) };
  });
}

/** Mean square of b - (gain a + offset), at its least. */
function levelledError(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / n;
  const [ma, mb] = [mean(a), mean(b)];
  let [aa, ab] = [0, 0];
  for (let k = 0; k < n; k++) {
    aa += (a[k]! - ma) ** 2;
    ab += (a[k]! - ma) * (b[k]! - mb);
  }
  const gain = aa > 0 ? ab / aa : 1;
  return mean(a.map((value, k) => (b[k]! - mb - gain * (value - ma)) ** 2));
}

/** What a lasso round the middle of each photo takes: the seconds until the mesh is there without it. */
async function lassoed(mesh: TexturedMesh, { cameras, maps }: Subject): Promise<{ seconds: number; share: number }> {
  const deleted = maps.map(({ width, height }) => {
    const isInside = (k: number): boolean =>
      Math.hypot((k % width) - width / 2, Math.floor(k / width) - height / 2) < width / 8;
    return packBits(Uint8Array.from({ length: width * height }, (_, k) => Number(isInside(k))));
  });
  const started = performance.now();
  const left = await eraseFrom(mesh, { cameras, maps, deleted });
  return { seconds: (performance.now() - started) / 1000, share: 1 - left.photo.length / mesh.photo.length };
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function ply({ positions, indices }: Pick<Mesh, 'positions' | 'indices'>): Buffer {
  const header = `ply\nformat binary_little_endian 1.0\nelement vertex ${positions.length / 3}\nproperty float x\nproperty float y\nproperty float z\nelement face ${indices.length / 3}\nproperty list uchar int vertex_indices\nend_header\n`;
  const body = Buffer.alloc((indices.length / 3) * 13);
  for (let t = 0; t < indices.length / 3; t++) {
    body[13 * t] = 3;
    for (let c = 0; c < 3; c++) body.writeInt32LE(indices[3 * t + c]!, 13 * t + 1 + 4 * c);
  }
  return Buffer.concat([Buffer.from(header), Buffer.from(positions.buffer, 0, positions.byteLength), body]);
}

interface Judged {
  mesh: { edgeManifold: boolean; vertexManifold: boolean };
  light: { faces: number; edgeManifold: boolean; vertexManifold: boolean; selfIntersecting: boolean };
  ours?: Score;
  ourLight?: Score;
  tsdf?: Score & { seconds: number };
  poisson?: Score & { seconds: number };
}
interface Score {
  f: number;
  precision: number;
  completeness: number;
  accuracy: number;
}

async function judge(name: string, mesh: TexturedMesh, subject: Subject): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-surface-'));
  try {
    const whole = welded(mesh);
    const light = await lightCopy(whole, 20_000);
    writeFileSync(join(folder, 'mesh.ply'), ply(whole));
    writeFileSync(join(folder, 'light.ply'), ply(light));
    writeFileSync(
      join(folder, 'views.json'),
      JSON.stringify(
        subject.views.map(({ width, height, focal, centreX, centreY, cameraFromWorld }) => ({
          ...{ width, height, focal, centreX, centreY },
          cameraFromWorld: [...cameraFromWorld],
        })),
      ),
    );
    subject.views.forEach(({ depth }, k) => {
      writeFileSync(join(folder, `${k}.depth`), Buffer.from(Float32Array.from(depth).buffer));
      writeFileSync(join(folder, `${k}.rgb`), subject.maps[k]!.pixels);
    });
    if (name === 'samples') writeTruth(folder, subject);
    const run = spawnSync('/usr/bin/python3', ['test/bench/surface.py', folder], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Judged;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Faces whose edges are at most a twentieth of the middle depth: faces that reach behind a camera are not drawn, and
 * those that reach out of the box that is compared are not looked at. The ground, of two faces, was in neither.
 */
function finer({ positions, indices }: Pick<Mesh, 'positions' | 'indices'>, views: readonly SurfaceView[]) {
  const depths = views.flatMap(({ depth }) => Array.from(depth).filter((z, k) => z > 0 && k % 97 === 0));
  const most = depths.sort((p, q) => p - q)[depths.length >> 1]! / 20;
  const far = 400 * most;
  const points: number[] = [];
  const stack: number[][][] = [];
  for (let t = 0; t < indices.length; t += 3)
    stack.push([0, 1, 2].map((c) => [...positions.subarray(3 * indices[t + c]!, 3 * indices[t + c]! + 3)]));
  for (let face = stack.pop(); face; face = stack.pop()) {
    const lengths = [0, 1, 2].map((c) => Math.hypot(...[0, 1, 2].map((i) => face![c]![i]! - face![(c + 1) % 3]![i]!)));
    const longest = lengths.indexOf(Math.max(...lengths));
    const isFar = face.every((corner) => Math.hypot(...corner) > far);
    if (lengths[longest]! <= most || isFar) {
      points.push(...face.flat());
      continue;
    }
    const [a, b, c] = [0, 1, 2].map((k) => face![(longest + k) % 3]!) as [number[], number[], number[]];
    const middle = a.map((value, i) => (value + b[i]!) / 2);
    stack.push([a, middle, c], [middle, b, c]);
  }
  return {
    positions: Float32Array.from(points),
    indices: Uint32Array.from({ length: points.length / 3 }, (_, k) => k),
  };
}

/** The true scene in the frame of the reconstruction, and its depth through the reconstructed cameras. */
function writeTruth(folder: string, { cameras, views }: Subject): void {
  const made = join(tmpdir(), 'pointmap-courtyard');
  const path = join(made, 'geometry.ply');
  if (!existsSync(path)) {
    mkdirSync(made, { recursive: true });
    const script = ['-b', '--python', 'build/samples/render.py', '--', made, '--only', 'none', '--geometry', path];
    if (spawnSync('blender', script, { stdio: 'ignore' }).status !== 0) throw new Error('Blender made no geometry');
  }
  const bytes = readFileSync(path);
  const end = bytes.indexOf('end_header\n') + 'end_header\n'.length;
  const count = (what: string): number =>
    Number(new RegExp(`element ${what} (\\d+)`).exec(bytes.subarray(0, end).toString())![1]);
  const vertices = count('vertex');
  const positions = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + end, bytes.byteOffset + end + 12 * vertices),
  );
  const indices = new Uint32Array(3 * count('face'));
  for (let k = 0; k < indices.length; k++)
    indices[k] = bytes.readInt32LE(end + 12 * vertices + 13 * Math.floor(k / 3) + 1 + 4 * (k % 3));
  const reference = JSON.parse(readFileSync(join(SETS.samples!.folder, 'cameras.json'), 'utf8')) as {
    photos: { name: string; worldFromCamera: number[] }[];
  };
  const centre = (pose: ArrayLike<number>): number[] => [pose[3]!, pose[7]!, pose[11]!];
  const poseOf = new Map(reference.photos.map((photo) => [photo.name, photo.worldFromCamera]));
  const { similarity } = registerPoints(
    Float64Array.from(cameras.flatMap((camera) => centre(poseOf.get(camera.name)!))),
    Float64Array.from(cameras.flatMap((camera) => centre(camera.worldFromCamera))),
    new Float64Array(cameras.length).fill(1),
    1,
  )!;
  for (let k = 0; k < positions.length; k += 3) positions.set(transform(similarity, positions.subarray(k, k + 3)), k);
  const truth = finer({ positions, indices }, views);
  writeFileSync(join(folder, 'geometry.ply'), ply(truth));
  const rasteriser = new Rasteriser(truth.positions, truth.indices);
  views.forEach(({ width, height, focal, centreX, centreY, cameraFromWorld }, k) => {
    const lens = { fx: focal, fy: focal, cx: centreX, cy: centreY };
    const { inverseDepth } = rasteriser.draw({ width, height, ...lens, cameraFromWorld });
    const depth = inverseDepth.map((inverse) => (inverse > 0 ? 1 / inverse : 0));
    writeFileSync(join(folder, `${k}.truth`), Buffer.from(depth.buffer));
  });
}

for (const [name, { folder, psnr }] of Object.entries(SETS)) {
  if (words.length > 0 && !words.includes(name)) continue;
  if (!existsSync(folder)) {
    console.log(`${name}: skipped, there is no ${folder}`);
    continue;
  }
  console.log(name);
  const out = projects ? join(projects, name) : mkdtempSync(join(tmpdir(), `pointmap-${name}-`));
  const subject = await open(folder, name, out);
  const started = performance.now();
  const built = await build(subject, new Set());
  const total = (performance.now() - started) / 1000;
  console.log(`  ${JSON.stringify(built.facts)}`);
  line('finished cloud to mesh', total, 120, 'less', 's');
  line('of which surface and simplification', built.facts.seconds.surface!, 45, 'less', 's');
  line('peak memory', process.resourceUsage().maxRSS / 1e6, 2, 'less', 'GB');
  const lasso = await lassoed(built.mesh, subject);
  line(`without ${(100 * lasso.share).toFixed(0)} % of the faces, after a lasso`, lasso.seconds, 15, 'less', 's');
  const through = await compare(built.mesh, subject);
  line('PSNR, mean over photos', average(through.map((each) => each.psnr)), psnr, 'more', 'dB');
  line('coverage, least of all photos', Math.min(...through.map(({ coverage }) => coverage)), 0.85, 'more');
  const heldOut = new Set(subject.cameras.flatMap((_, k) => (k % 4 === 2 ? [k] : [])));
  const held = await compare((await build(subject, heldOut)).mesh, subject);
  const loss = [...heldOut].map((k) => through[k]!.psnr - held[k]!.psnr);
  line(`PSNR lost by ${heldOut.size} photos held out, mean`, average(loss), 2.5, 'less', 'dB');
  const judged = await judge(name, built.mesh, subject);
  line('edge- and vertex-manifold', Number(judged.mesh.edgeManifold && judged.mesh.vertexManifold), 1, 'more');
  line(`self-intersecting at ${judged.light.faces} faces`, Number(judged.light.selfIntersecting), 0);
  if (judged.ours) {
    line('F-score at 1 % of the median depth', judged.ours.f, 0.85, 'more');
    line('accuracy, median, % of the median depth', 100 * judged.ours.accuracy, 0.3, 'less', '%');
    line('completeness', judged.ours.completeness, 0.9, 'more');
    line('F-score of the 20,000 faces', judged.ourLight!.f);
    line("F-score of Open3D's signed-distance fusion", judged.tsdf!.f);
    line('  its seconds', judged.tsdf!.seconds);
    line("F-score of Open3D's Poisson", judged.poisson!.f);
    line('  its seconds', judged.poisson!.seconds);
  }
  const { workspace } = subject;
  workspace.close();
  if (!projects) rmSync(out, { recursive: true, force: true });
}
