/**
 * The engine as a process of its own: a child of `pointmap serve` (a forked process' channel) or of the desktop (an Electron
 * utility process' port). It owns the project file, the sessions and the worker threads, so that a crash of any of them leaves
 * the window standing. Speaks contract/wire.ts; binary resources are answered as typed arrays on the same channel.
 */
import { events, type EventName } from './contract/api.js';
import { ask, askBinary, toWire } from './contract/wire.js';
import { Engine } from './engine/engine.js';

interface Channel {
  send(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
}

/** An Electron utility process has `process.parentPort`, a forked one `process.send`. */
function openChannel(): Channel {
  const port = (process as unknown as { parentPort?: { postMessage(message: unknown): void; on(name: 'message', listener: (event: { data: unknown }) => void): void } }).parentPort;
  if (port) return { send: (message) => port.postMessage(message), listen: (listener) => port.on('message', ({ data }) => listener(data)) };
  if (!process.send) throw new Error('the engine process is started by a shell (pointmap serve or the desktop), not by hand');
  // Without its shell nobody could reach it any more; what is stored is safe at any moment.
  process.on('disconnect', () => process.exit(0));
  return { send: (message) => process.send!(message), listen: (listener) => process.on('message', listener) };
}

const channel = openChannel();
const options = JSON.parse(process.env.POINTMAP_ENGINE ?? '{}') as { threads?: number; desktop?: boolean; dataFolder?: string; samplesFolder?: string };
const engine = new Engine({ ...options, partial: true });

for (const name of Object.keys(events) as EventName[]) {
  engine.on(name, (payload) => channel.send({ event: name, payload }));
}
channel.listen((message) => void answer(message));
channel.send({ event: 'ready', payload: null });

async function answer(message: unknown): Promise<void> {
  const request = ask.safeParse(message);
  if (request.success) {
    const { id, name, params } = request.data;
    channel.send(await engine.handle(name, params ?? {}).then((result) => ({ id, result }), (error: unknown) => ({ id, error: toWire(error) })));
    return;
  }
  const { id, binary } = askBinary.parse(message);
  channel.send(await engine.binary(binary).then((result) => ({ id, result }), (error: unknown) => ({ id, error: toWire(error) })));
}
