import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { matchings, type RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { Engine } from '../engine/engine.js';
import { parseFormats, previewFile, writeExports, type WrittenFile } from '../engine/exporting.js';
import { report } from '../engine/report.js';
import { layerFiles } from '../engine/mesh-layer.js';
import { parseStrategy } from '../engine/tools.js';
import { number } from './arguments.js';
import { engineOptions } from './engine-options.js';
import { build as buildMesh } from './mesh.js';
import { addQueueOptions, openQueue, queuePlace, type QueueFlags } from './queue.js';
import type { Workspace } from '../engine/workspace.js';
import { answer, bytes, seconds } from './output.js';
import { ProgressLine } from './progress.js';

interface Flags
  extends
    QueueFlags,
    Partial<
      Pick<
        RunSettings,
        | 'estimator'
        | 'graph'
        | 'precision'
        | 'provider'
        | 'oneWay'
        | 'storeFeatures'
        | 'quality'
        | 'matching'
        | 'focal'
        | 'sharedFocal'
        | 'minConfidence'
        | 'voxelSize'
      >
    > {
  out: string;
  project?: string;
  formats: string;
  json?: boolean;
  mesh?: boolean;
  threads?: number;
  keepFloating?: boolean;
  measuredOnly?: boolean;
  model?: string;
  frames?: number;
  framesPerSecond?: number;
  masks?: string;
  invertMasks?: boolean;
  knownCameras?: string;
  knownCamerasUse?: 'fixed' | 'prior' | 'intrinsics';
  knownCamerasWeight?: number;
}

export function addReconstruct(program: Command): void {
  addQueueOptions(program.command('reconstruct'))
    .description('photos in; camera poses, depth maps and a coloured point cloud out')
    .argument('<photos...>', 'photo and video files, and folders')
    .option(
      '--frames <n>',
      'how many frames of each video are used (default: two a second, 24 to 200)',
      number('--frames', 1),
    )
    .option('--frames-per-second <x>', 'how many frames of a second of video', number('--frames-per-second', 0.001))
    .requiredOption('--out <dir>', 'folder for the results')
    .option('--project <file>', 'project file to use or make (default: scene.pointmap in the output folder)')
    .option('--estimator <id>', 'what finds the pointmaps (default: geometric, built in)')
    .addOption(new Option('--model <id>', 'the same as --estimator').conflicts('estimator'))
    .option('--graph <graph>', 'auto, complete, window:N, cyclic-window:N, log-window:N or reference:I', checkedGraph)
    .addOption(
      new Option(
        '--matching <kind>',
        'who finds and matches features: built-in; where installed, learned (LightGlue) or ALIKED with LightGlue',
      ).choices([...matchings]),
    )
    .addOption(new Option('--quality <quality>').choices(['draft', 'normal', 'high']))
    .addOption(
      new Option('--focal <px>', 'focal length of all photos, in pixels of the original')
        .argParser(number('--focal', 1))
        .conflicts('sharedFocal'),
    )
    .option('--shared-focal', 'one focal for all photos')
    .option(
      '--min-confidence <x>',
      'leave out depths of less confidence, as the studio tells it beside its percentage; at least 1 (default: 2)',
      number('--min-confidence', 1),
    )
    .option('--voxel-size <x>', 'keep one point per cube of this side, in world units', number('--voxel-size', 0))
    .option('--keep-floating', 'keep points that float in front of surfaces seen by other photos')
    .option('--measured-only', 'leave out plain surfaces that are completed from what was measured around them')
    .option(
      '--formats <list>',
      'comma-separated: ply, glb, cameras, depth-png, depth-pfm, colmap-text, colmap-bin, nerfstudio',
      'ply,glb,cameras',
    )
    .addOption(
      new Option(
        '--precision <name>',
        'of a network (default: float16 on a GPU and float32 elsewhere, where installed)',
      ).choices(['auto', 'float32', 'float16', 'int8']),
    )
    .addOption(
      new Option('--provider <name>', 'what a network runs on (default: the fastest that works)').choices([
        'auto',
        'cpu',
        'cuda',
        'webgpu',
        'dml',
        'coreml',
      ]),
    )
    .option('--one-way', 'a network looks at each pair in one direction only: half the cost, a little less robust')
    .option('--store-features', 'a network keeps encoded photos in the project file, for photos that are added later')
    .option(
      '--masks <dir>',
      'masks of the photos by name (photo.jpg.png, photo_mask.png, photo.png), white is kept; "auto" finds them: ' +
        'what turns before a background that stands still, what stands before a plain one, all but the sky',
    )
    .option('--invert-masks', 'white marks what is to be left out')
    .option('--mesh', 'build a textured mesh too: mesh.glb')
    .option(
      '--known-cameras <file>',
      'cameras.json, transforms.json, a COLMAP model, Metashape XML, bundle.out, or a CSV of positions',
    )
    .addOption(
      new Option(
        '--known-cameras-use <how>',
        'fixed: as they are; prior: frame and scale, and where the photos tell little the poses; intrinsics: the lenses',
      )
        .choices(['fixed', 'prior', 'intrinsics'])
        .default('prior'),
    )
    .option(
      '--known-cameras-weight <w>',
      'of a prior (default: 1, right to a degree and one per cent of the spread of the cameras; 4: twice as exact)',
      number('--known-cameras-weight', 0),
    )
    .option('--threads <n>', 'worker threads (default: one per core)', number('--threads', 1))
    .option('--json', 'print the report as the last line of standard output')
    .action(reconstruct);
}

/** Also what `npm run demo` calls. */
export async function reconstruct(paths: readonly string[], flags: Flags): Promise<void> {
  if (flags.invertMasks && (flags.masks === undefined || flags.masks === 'auto'))
    throw new UserError(
      'usage',
      '--invert-masks tells of the folder in --masks; for masks beside the photos give theirs',
    );
  const formats = parseFormats(flags.formats);
  const out = prepareFolder(flags.out);
  const projectPath = resolve(flags.project ?? join(out, 'scene.pointmap'));
  const progress = new ProgressLine();
  const place = queuePlace(flags);
  const execution = place && (await openQueue(place, (message) => progress.note(message)));
  const engine = new Engine({ ...engineOptions(), ...(flags.threads ? { threads: flags.threads } : {}), execution });
  engine.on('job.changed', (state) => progress.show(state));
  engine.on('log.line', ({ message }) => progress.note(message));
  const interrupt = (): void => {
    progress.note('stopping; finished pairs are kept');
    void engine.request('run.cancel', {});
  };
  try {
    await engine.request(existsSync(projectPath) ? 'project.open' : 'project.create', { path: projectPath });
    const leftOut = await bringPhotos(engine, paths, flags);
    if (flags.masks !== undefined) await bringMasks(engine, flags.masks, flags.invertMasks ?? false);
    if (flags.knownCameras !== undefined) await bringCameras(engine, flags.knownCameras, flags);
    await applySettings(engine, flags);
    const cost = await engine.request('run.preflight', {});
    progress.note(
      `${cost.photos} photos, ${cost.pairs} pairs; about ${seconds(cost.seconds)} and ${bytes(cost.memory)} of memory if nothing is cached`,
    );
    for (const warning of cost.warnings) progress.note(warning);
    const started = performance.now();
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
    await engine.request('run.start', {});
    const end = await engine.settled();
    progress.clear();
    if (end.state === 'cancelled')
      throw new UserError(
        'cancelled',
        `stopped; run the same command again to continue where it was, the project is ${projectPath}`,
      );
    if (end.state === 'failed') throw new UserError('bad-input', end.error ?? 'the run failed');
    const exporting = performance.now();
    const workspace = engine.open;
    const summary = { ...(await report(workspace, workspace.alignment!, engine.lastRun)), leftOut };
    const written = await writeExports(workspace, out, formats, flags.mesh ? [] : [await previewFile(workspace)]);
    const meshing = performance.now();
    const withoutMesh = flags.mesh ? await writeMesh(workspace, out, flags.threads, written) : undefined;
    summary.seconds = {
      ...summary.seconds,
      ...(flags.mesh ? { mesh: round((performance.now() - meshing) / 1000) } : {}),
      export: round((meshing - exporting) / 1000),
      total: round((performance.now() - started) / 1000),
    };
    written.push(
      ...(await writeExports(
        workspace,
        out,
        [],
        [{ name: 'report.json', chunks: [Buffer.from(`${JSON.stringify(summary, null, 2)}\n`)] }],
      )),
    );
    if (withoutMesh !== undefined) throw withoutMesh;
    answer(flags.json, { ...summary, files: written.map(({ path }) => path), project: projectPath }, [
      `${summary.registered} of ${summary.photos} photos placed, ${summary.points.toLocaleString('en')} points, ${seconds((performance.now() - started) / 1000)}`,
      ...summary.components.slice(1).map((names) => `a separate component, not exported: ${names.join(', ')}`),
      ...summary.unplaced.map(({ name, reason }) => `not placed: ${name}: ${reason}`),
      ...written.map(({ path, bytes: size }) => `  ${path} (${bytes(size)})`),
      `  ${projectPath} (project; running again with other settings uses what it holds)`,
    ]);
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
    progress.clear();
    await engine.close();
    await execution?.close();
  }
}

/** @returns what went wrong: the report is written all the same */
async function writeMesh(
  workspace: Workspace,
  out: string,
  threads: number | undefined,
  written: WrittenFile[],
): Promise<unknown> {
  try {
    await buildMesh(workspace, threads === undefined ? {} : { threads });
    written.push(...(await writeExports(workspace, out, [], await layerFiles(workspace, 'glb', 'mesh'))));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    written.push(...(await writeExports(workspace, out, [], [await previewFile(workspace)])));
  }
}

/**
 * Exactly the given photos take part: others that the project holds from earlier runs are disabled, not forgotten.
 *
 * @returns files that can't be used
 */
async function bringPhotos(
  engine: Engine,
  paths: readonly string[],
  flags: Flags,
): Promise<{ path: string; reason: string }[]> {
  const { given, refused } = await engine.addPhotos(paths, {
    frames: flags.frames && Math.round(flags.frames),
    perSecond: flags.framesPerSecond,
  });
  const photos = engine.open.project.photos();
  const change = async (ids: string[], enabled: boolean): Promise<void> => {
    if (ids.length > 0) await engine.request('edit.apply', { edit: { kind: 'photos-enabled', photos: ids, enabled } });
  };
  await change(
    photos.filter(({ id, enabled }) => given.has(id) && !enabled).map(({ id }) => id),
    true,
  );
  await change(
    photos.filter(({ id, enabled }) => !given.has(id) && enabled).map(({ id }) => id),
    false,
  );
  return refused;
}

async function bringMasks(engine: Engine, folder: string, inverted: boolean): Promise<void> {
  if (folder === 'auto') {
    await engine.request('photos.findMasks', {});
    return;
  }
  const { found } = await engine.request('photos.masks', { folder: resolve(folder), inverted });
  if (found > 0) return;
  throw new UserError(
    'bad-input',
    `no mask there has the name of a photo; name them photo.jpg.png, photo_mask.png or photo.png: ${resolve(folder)}`,
  );
}

async function bringCameras(
  engine: Engine,
  path: string,
  { knownCamerasUse: use, knownCamerasWeight: weight }: Flags,
): Promise<void> {
  const { found } = await engine.request('photos.knownCameras', { path, use, weight });
  if (found > 0) return;
  throw new UserError('bad-input', `no camera there has the name of a photo; check the names: ${resolve(path)}`);
}

async function applySettings(engine: Engine, flags: Flags): Promise<void> {
  const {
    estimator = flags.model,
    graph,
    quality,
    matching,
    focal,
    sharedFocal,
    minConfidence,
    voxelSize,
    keepFloating,
    measuredOnly,
    precision,
    provider,
    oneWay,
    storeFeatures,
  } = flags;
  const settings = {
    precision,
    provider,
    oneWay,
    storeFeatures,
    estimator,
    graph,
    quality,
    matching,
    focal,
    sharedFocal,
    minConfidence,
    voxelSize,
    removeFloating: keepFloating ? false : undefined,
    inferred: measuredOnly ? false : undefined,
  };
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length > 0)
    await engine.request('edit.apply', { edit: { kind: 'settings', settings: given } });
}

/** Found out before minutes of computing, not after. */
function prepareFolder(path: string): string {
  const folder = resolve(path);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UserError(
      'unwritable',
      `can't write into the output folder (${(error as NodeJS.ErrnoException).code}); choose another: ${folder}`,
      { cause: error },
    );
  }
  return folder;
}

function checkedGraph(text: string): string {
  parseStrategy(text);
  return text;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
