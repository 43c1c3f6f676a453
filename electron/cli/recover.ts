import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { recover } from '../engine/tools.js';
import { answer } from './output.js';

export function addRecover(program: Command): void {
  program
    .command('recover')
    .description('save what can still be read of a damaged project into a new one')
    .argument('<project>', 'the damaged .pointmap file; it is not changed')
    .requiredOption('--out <file>', 'the new project')
    .option('--json', 'print what was saved as one line')
    .action((path: string, { out, json }: { out: string; json?: boolean }) => {
      const target = resolve(out);
      if (existsSync(target))
        throw new UserError('unwritable', `there is a file of this name already; choose another: ${target}`);
      const saved = recover(resolve(path), target);
      answer(json, saved, [`saved ${saved.photos} photos and ${saved.observations} observations in ${target}`]);
    });
}
