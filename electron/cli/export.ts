import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { parseFormats, writeExports, writeSingle } from '../engine/exporting.js';
import { Workspace } from '../engine/workspace.js';
import { answer, bytes } from './output.js';

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write the cloud and cameras of a project in another format')
    .argument('<project>', 'a .pointmap file')
    .requiredOption('--out <file>', 'file whose ending names the format; with --formats, a folder')
    .option('--formats <list>', 'comma-separated, as for reconstruct')
    .option('--json', 'print what was written as one line')
    .action(async (path: string, flags: { out: string; formats?: string; json?: boolean }) => {
      const workspace = Workspace.openToRead(path);
      try {
        if (!(await workspace.buildScenes()))
          throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${path}`);
        const out = resolve(flags.out);
        const files =
          flags.formats === undefined
            ? await writeSingle(workspace, out)
            : await writeExports(workspace, out, parseFormats(flags.formats));
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
