import { basename, dirname, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { writeAll } from '../engine/exporting.js';
import { buildLayer, layerFiles, meshEndings, type MeshEnding, type MeshFacts } from '../engine/meshing.js';
import { Workspace } from '../engine/workspace.js';
import { number } from './arguments.js';
import { answer, bytes, seconds } from './output.js';
import { ProgressLine } from './progress.js';

export interface MeshFlags {
  faces?: number;
  textureSize?: number;
  out?: string;
  json?: boolean;
  threads?: number;
}

export function addMesh(program: Command): void {
  program
    .command('mesh')
    .description('build the textured mesh of a project, or build it anew')
    .argument('<project>', 'a .pointmap file')
    .option('--faces <n>', 'faces, about (default: 500000)', number('--faces', 1))
    .option('--texture-size <px>', 'side of a texture page, in pixels (default: 4096)', textureSize)
    .option('--out <file>', 'write it too: a .glb, .obj, .ply or .usdz file')
    .option('--threads <n>', 'worker threads (default: one per core)', number('--threads', 1))
    .option('--json', 'print what was built as one line')
    .action(async (path: string, flags: MeshFlags) => {
      const out = flags.out === undefined ? undefined : target(flags.out);
      const workspace = Workspace.open(path);
      try {
        const started = performance.now();
        const facts = await build(workspace, flags);
        const files = out ? await writeAll(out.folder, await layerFiles(workspace, out.ending, out.baseName)) : [];
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
    return await buildLayer(
      workspace,
      {
        ...(flags.faces === undefined ? {} : { faces: flags.faces }),
        ...(flags.textureSize === undefined ? {} : { textureSize: flags.textureSize }),
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
