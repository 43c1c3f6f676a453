import { utilityProcess } from 'electron';
import { fileURLToPath } from 'node:url';
import type { EngineChannel } from '../engine-process/channel.js';
import { settingsVariable, type EngineSettings } from '../engine-process/settings.js';
import { unpacked } from './unpacked.js';

const entry = unpacked(fileURLToPath(new URL('./engine-process.js', import.meta.url)));

/** The engine as an Electron utility process. */
export function startUtility(settings: EngineSettings): EngineChannel {
  const child = utilityProcess.fork(entry, [], {
    serviceName: 'Pointmap Studio engine',
    stdio: 'inherit',
    env: { ...process.env, ...settingsVariable(settings) },
  });
  return {
    send: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.on('exit', (code) => listener(`code ${code}`)),
    kill: () => child.kill(),
  };
}
