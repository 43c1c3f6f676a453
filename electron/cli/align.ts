import type { Command } from 'commander';
import { alignFile } from '../engine/tools.js';
import { answer } from './output.js';

export function addAlign(program: Command): void {
  program
    .command('align')
    .description('the global alignment alone, on a problem file')
    .argument('<problem>', 'a .safetensors file')
    .option('--json', 'print the whole result as one line')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const result = await alignFile(path);
      answer(json, result, [
        `objective ${result.objective.toFixed(6)} (from ${result.objectiveInitial.toFixed(6)}) after ${result.iterations} iterations, ${result.seconds.toFixed(2)} s`,
      ]);
    });
}
