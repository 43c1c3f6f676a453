import { basename, dirname, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { writeAll, type WrittenFile } from '../engine/exporting.js';
import { layerFiles, meshEndings, type MeshEnding, type MeshFacts } from '../engine/mesh-layer.js';
import { bringUpToDate, buildLayer } from '../engine/meshing.js';
import { Workspace } from '../engine/workspace.js';
import { number } from './arguments.js';
import { answer, bytes, seconds } from './output.js';
import { ProgressLine } from './progress.js';

export interface MeshFlags {
  faces?: number;
  textureSize?: number;
  closeHoles?: boolean;
  anew?: boolean;
  out?: string;
  lit?: boolean;
  vertexColours?: boolean;
  compress?: boolean;
  levels?: number;
  collision?: number | true;
  json?: boolean;
  threads?: number;
}

export function addMesh(program: Command): void {
  program
    .command('mesh')
    .description('build the textured mesh of a project, or bring it up to date with the scene')
    .argument('<project>', 'a .pointmap file')
    .option('--faces <n>', 'faces, about (default: 500000)', number('--faces', 1))
    .option('--texture-size <px>', 'side of a texture page, in pixels (default: 4096)', textureSize)
    .option('--close-holes', 'close large holes too; such faces are marked as inferred')
    .option('--anew', 'build even where it would come out the same, or where things were only deleted')
    .option('--out <file>', 'write it too: a .glb, .obj, .ply or .usdz file')
    .option('--lit', 'under the lamps of the scene; otherwise the colours of the photos as they are (.glb, .obj)')
    .option('--vertex-colours', 'colours in the vertices in place of a texture (.glb)')
    .option('--compress', 'pack the .glb for viewers on the web (EXT_meshopt_compression; Blender does not open it)')
    .option('--levels <n>', 'lighter copies beside it, each a quarter of the one before: NAME-lod1, ...', levelCount)
    .option(
      '--collision [faces]',
      'a light shape for physics beside it: NAME-collision (default: 2000 faces)',
      wholeFaces,
    )
    .option('--threads <n>', 'worker threads (default: one per core)', number('--threads', 1))
    .option('--json', 'print what was built as one line')
    .action(async (path: string, flags: MeshFlags) => {
      const out = flags.out === undefined ? undefined : target(flags.out);
      const workspace = Workspace.open(path);
      try {
        const started = performance.now();
        const facts = await build(workspace, flags);
        const files = out ? await write(workspace, out, flags) : [];
        const total = (performance.now() - started) / 1000;
        answer(flags.json, { ...facts, totalSeconds: Math.round(total * 100) / 100, files }, [
          `${facts.faces.toLocaleString('en')} faces, ${facts.pages} texture ${facts.pages === 1 ? 'page' : 'pages'} of ${facts.textureSize} pixels, ${seconds(total)}`,
          ...files.map((file) => `  ${file.path} (${bytes(file.bytes)})`),
        ]);
      } finally {
        workspace.close();
      }
    });
}

/** Builds the mesh with progress on standard error; an interrupt cancels. */
export async function build(workspace: Workspace, flags: Omit<MeshFlags, 'out' | 'json'>): Promise<MeshFacts> {
  const progress = new ProgressLine();
  const abort = new AbortController();
  const interrupt = (): void =>
    abort.abort(new UserError('cancelled', `stopped; the mesh that was there before is kept: ${workspace.path}`));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const make = flags.anew ? buildLayer : bringUpToDate;
    return await make(
      workspace,
      {
        ...(flags.faces === undefined ? {} : { faces: flags.faces }),
        ...(flags.textureSize === undefined ? {} : { textureSize: flags.textureSize }),
        ...(flags.closeHoles === undefined ? {} : { closeHoles: flags.closeHoles }),
        ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      },
      {
        signal: abort.signal,
        onProgress: ({ stage, done, total }) => progress.step({ title: 'Mesh', detail: stage, done, total }),
        onNote: (message) => progress.note(message),
      },
    );
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
    progress.clear();
  }
}

async function write(
  workspace: Workspace,
  { folder, ending, baseName }: ReturnType<typeof target>,
  { lit, vertexColours, compress, levels, collision }: MeshFlags,
): Promise<WrittenFile[]> {
  const files = await layerFiles(workspace, ending, baseName, {
    unlit: !lit,
    colours: vertexColours ? 'vertices' : 'texture',
    compressed: compress ?? false,
    levels: levels ?? 0,
    collisionFaces: collision === true ? COLLISION_FACES : (collision ?? 0),
  });
  return writeAll(folder, files);
}

const COLLISION_FACES = 2000;
const MOST_LEVELS = 8;

function levelCount(text: string): number {
  const value = number('--levels', 0)(text);
  if (value > MOST_LEVELS || !Number.isInteger(value))
    throw new UserError('usage', `--levels takes a whole number from 0 to ${MOST_LEVELS}, not ${text}`);
  return value;
}

const wholeFaces = (text: string): number => Math.round(number('--collision', 1)(text));

const SMALLEST_TEXTURE = 64;
/** What graphics cards and programs open. */
const LARGEST_TEXTURE = 16_384;

function textureSize(text: string): number {
  const value = number('--texture-size', SMALLEST_TEXTURE)(text);
  if (value > LARGEST_TEXTURE || !Number.isInteger(value))
    throw new UserError('usage', `--texture-size takes a whole number from 64 to ${LARGEST_TEXTURE}, not ${text}`);
  return value;
}

function target(out: string): { folder: string; ending: MeshEnding; baseName: string } {
  const path = resolve(out);
  const ending = extname(path).slice(1).toLowerCase() as MeshEnding;
  if (!meshEndings.includes(ending))
    throw new UserError(
      'usage',
      `a mesh is written as ${meshEndings.map((each) => `.${each}`).join(', ')}; name such a file: ${path}`,
    );
  return { folder: dirname(path), ending, baseName: basename(path, extname(path)) };
}
