/**
 * The engine as a process of its own: a child of `pointmap serve` (a forked process' channel) or of the desktop (an
 * Electron utility process' port). It owns the project file, the sessions and the worker threads, so that a crash of
 * any of them leaves the window standing. Speaks contract/wire.ts; binary resources are answered as typed arrays on the
 * same channel.
 */
import { answerShell } from './engine-process/answer.js';
import { openShellChannel } from './engine-process/channel.js';
import { openLog } from './engine-process/log.js';
import { readSettings } from './engine-process/settings.js';
import { pruneDataFolder } from './engine/data-folder.js';
import { Engine } from './engine/engine.js';
import { defaultDataFolder, programVersion } from './engine/environment.js';
import type { QueueWatch } from './execution/status.js';

const settings = readSettings();
const log = openLog(settings.dataFolder ?? defaultDataFolder());
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'the engine crashed');
  console.error(error);
  process.exit(1);
});
// Something that nobody waited for (a preview, say) failed: worth knowing, not worth ending a run.
process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled'));
log.info(
  { version: programVersion(), node: process.version, platform: `${process.platform}-${process.arch}` },
  'engine started',
);
const removed = pruneDataFolder(settings.dataFolder ?? defaultDataFolder());
if (removed.projects + removed.photos > 0) log.info(removed, 'removed what nobody has used for a month');
const { POINTMAP_QUEUE: url, POINTMAP_STORE: store } = process.env;
const execution =
  url && store
    ? new (await import('./execution/open.js')).LateQueue({
        ...{ url, store, program: programVersion() },
        onNote: (message) => engine.note(message),
      })
    : undefined;
let watch: Promise<QueueWatch> | undefined;
const workers = url
  ? async () => (await (watch ??= import('./execution/status.js').then(({ QueueWatch }) => new QueueWatch(url)))).look()
  : undefined;
const engine = new Engine({ ...settings, partial: true, execution, workers });
answerShell(engine, openShellChannel(), log);
