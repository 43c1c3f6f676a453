import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { presetIds, presetSettings, type PresetId } from '../contract/presets.js';
import { writePreset } from '../engine/export-preset.js';
import { parseFormats, writeExports, writeSingle, type WrittenFile } from '../engine/exporting.js';
import { Workspace } from '../engine/workspace.js';
import { answer, bytes } from './output.js';
import { ProgressLine } from './progress.js';

interface Flags {
  out: string;
  for?: PresetId;
  formats?: string;
  crop?: string;
  pictures?: string;
  jpegQuality?: number;
  points?: number;
  json?: boolean;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write the cloud and cameras of a project for a purpose or in another format')
    .argument('<project>', 'a .pointmap file')
    .requiredOption('--out <path>', 'with --for or --formats a folder; else a file whose ending names the format')
    .addOption(new Option('--for <purpose>', 'all files that a purpose needs').choices(presetIds).conflicts('formats'))
    .addOption(
      new Option('--crop <crop>', 'of undistorted photos: no empty pixels, the size of the photo, or all it shows')
        .choices(presetSettings.shape.crop.unwrap().options)
        .default(undefined, 'inside'),
    )
    .addOption(
      new Option('--pictures <format>', 'of undistorted photos: as the photos are, 8 or 16 bits a channel')
        .choices(presetSettings.shape.format.unwrap().options)
        .default(undefined, 'auto'),
    )
    .option('--jpeg-quality <percent>', 'of undistorted photos, 1 to 100 (default: 95)', wholeNumber(100))
    .option('--points <count>', 'most points that trainers start with (default: 200000)', wholeNumber(100_000_000))
    .option('--formats <list>', 'comma-separated, as for reconstruct')
    .option('--json', 'print what was written as one line')
    .action(async (path: string, flags: Flags) => {
      const workspace = Workspace.openToRead(path);
      try {
        if (!(await workspace.buildScenes()))
          throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${path}`);
        const files = await written(workspace, flags);
        answer(
          flags.json,
          { files },
          files.map((file) => `${file.path} (${bytes(file.bytes)})`),
        );
      } finally {
        workspace.close();
      }
    });
}

async function written(workspace: Workspace, flags: Flags): Promise<WrittenFile[]> {
  const out = resolve(flags.out);
  if (flags.for) return forPurpose(workspace, out, flags);
  for (const name of ['crop', 'pictures', 'jpegQuality', 'points'] as const)
    if (flags[name] !== undefined)
      throw new UserError(
        'usage',
        `--${name === 'jpegQuality' ? 'jpeg-quality' : name} belongs to --for; name a purpose`,
      );
  return flags.formats === undefined
    ? writeSingle(workspace, out)
    : writeExports(workspace, out, parseFormats(flags.formats));
}

/** Ctrl-C ends it and leaves the folder as it was. */
async function forPurpose(workspace: Workspace, out: string, flags: Flags): Promise<WrittenFile[]> {
  const progress = new ProgressLine();
  const stopping = new AbortController();
  const interrupt = (): void =>
    stopping.abort(new UserError('cancelled', `the export was stopped; nothing was written: ${out}`));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const settings = presetSettings.parse({
      preset: flags.for,
      crop: flags.crop,
      format: flags.pictures,
      quality: flags.jpegQuality,
      mostPoints: flags.points,
    });
    return await writePreset(workspace, out, settings, {
      signal: stopping.signal,
      onProgress: ({ done, total, file }) => progress.line(file ? `writing ${done + 1}/${total}: ${file}` : ''),
    });
  } finally {
    progress.clear();
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
  }
}

const wholeNumber =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`it must be a whole number from 1 to ${most}`);
    return value;
  };
