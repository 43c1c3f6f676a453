import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EngineChannel } from './channel.js';
import { settingsVariable, type EngineSettings } from './settings.js';

const bundled = !import.meta.url.endsWith('.ts');
const defaultEntry = fileURLToPath(new URL(bundled ? './engine-process.js' : '../engine-process.ts', import.meta.url));

/**
 * The engine as a forked Node process; from the TypeScript sources in a checkout, from the bundle in a package.
 *
 * @param entry the module to run; another one in tests
 * @param program the Node that runs it; this process's own where none is named
 */
export function forkEngine(
  settings: EngineSettings,
  entry = defaultEntry,
  program: string = process.execPath,
): EngineChannel {
  const child = fork(entry, [], {
    execPath: program,
    // By its address: the working folder is the user's, and has no tsx.
    execArgv: entry.endsWith('.ts')
      ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
      : [],
    // Typed arrays travel as bytes, not as JSON.
    serialization: 'advanced',
    env: { ...process.env, ...settingsVariable(settings) },
  });
  return {
    send: (message) => {
      if (child.connected) child.send(message as object);
    },
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => {
      child.on('exit', (code, signal) => listener(signal ?? `code ${code}`));
      // It could not even be started.
      child.on('error', (error) => {
        if (child.pid === undefined) listener(error.message);
      });
    },
    kill: () => child.kill('SIGTERM'),
  };
}
