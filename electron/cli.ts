import { Command, CommanderError } from 'commander';
import { addAlign } from './cli/align.js';
import { addDoctor } from './cli/doctor.js';
import { addExport } from './cli/export.js';
import { addInfo } from './cli/info.js';
import { register as addComplete } from './cli/complete.js';
import { addMesh } from './cli/mesh.js';
import { register as addModels } from './cli/models.js';
import { fail, type ExitCode } from './cli/output.js';
import { addServe } from './cli/serve.js';
import { addReconstruct } from './cli/reconstruct.js';
import { addScene } from './cli/scene.js';
import { addWorker, addWorkers } from './cli/worker.js';
import { addRecover } from './cli/recover.js';
import { programVersion } from './engine/environment.js';

/** One file per command: each adds itself to the program. */
const commands: readonly ((program: Command) => void)[] = [
  addReconstruct,
  addAlign,
  addExport,
  addScene,
  addMesh,
  addInfo,
  addDoctor,
  addRecover,
  addModels,
  addComplete,
  addServe,
  addWorker,
  addWorkers,
];

/** @returns 0 on success, 2 on wrong usage, 1 on failure, after one line on standard error */
export async function main(words: readonly string[]): Promise<ExitCode> {
  const program = new Command('pointmap')
    .description('Photos in; camera poses, depth maps and a coloured point cloud out.')
    .version(programVersion())
    .exitOverride()
    .showSuggestionAfterError();
  for (const add of commands) add(program);
  const override = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(override);
  };
  override(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own complaint already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return fail(error);
  }
}

process.exitCode = await main(process.argv.slice(2));
