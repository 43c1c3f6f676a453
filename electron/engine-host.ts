/** Keeps an engine process running for a shell: starts it, passes questions on, starts it again after a crash. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from './contract/errors.js';
import { fromEngine, fromWire, type WireError } from './contract/wire.js';

/** A running engine process, whatever started it. */
export interface EngineChannel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** @param listener gets a word on how it ended: an exit code or a signal */
  onExit(listener: (how: string) => void): void;
  kill(): void;
}

export interface EngineSettings {
  threads?: number | undefined;
  desktop?: boolean;
  dataFolder?: string | undefined;
  samplesFolder?: string | undefined;
}

/** The engine as a forked Node process; from the TypeScript sources in a checkout, from the bundle in a package. */
export function forkEngine(settings: EngineSettings): EngineChannel {
  const bundled = !import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(bundled ? './engine-process.js' : './engine-process.ts', import.meta.url));
  const child = fork(entry, [], {
    execArgv: bundled ? [] : ['--import', 'tsx'],
    // Typed arrays travel as bytes, not as JSON.
    serialization: 'advanced',
    env: { ...process.env, POINTMAP_ENGINE: JSON.stringify(settings) },
  });
  return {
    send: (message) => { if (child.connected) child.send(message as object); },
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.on('exit', (code, signal) => listener(signal ?? `code ${code}`)),
    kill: () => child.kill('SIGTERM'),
  };
}

export interface BinaryAnswer {
  type: string;
  bytes: Uint8Array;
}

const binaryAnswer = z.object({ type: z.string(), bytes: z.instanceof(Uint8Array) });
const opened = z.object({ path: z.string(), photos: z.array(z.unknown()) });
type Listener = (event: string, payload: unknown) => void;

/** More crashes than this within a minute, and it is not an accident: it stays down until something is asked. */
const CRASHES_A_MINUTE = 3;

export class EngineHost {
  private channel: EngineChannel | undefined;
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  private readonly listeners = new Set<Listener>();
  private last = 0;
  private project: string | undefined;
  private crashes: number[] = [];
  private closing = false;

  /** @param spawn starts one engine process; called at once and after every crash */
  constructor(private readonly spawn: () => EngineChannel) {
    this.start();
  }

  /** Asks the engine. The contract's schemas are checked in the engine, on both ways. @throws UserError */
  ask(name: string, params: unknown): Promise<unknown> {
    return this.post({ name, params }).then((result) => {
      this.remember(name, result);
      return result;
    });
  }

  /** A binary resource (contract/api.ts, BinaryName). @throws UserError 'not-found' */
  async binary(name: string): Promise<BinaryAnswer> {
    return binaryAnswer.parse(await this.post({ binary: name }));
  }

  /** Every event of the contract, and `engine.stopped`. @returns stops listening */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.closing = true;
    this.channel?.kill();
    this.failAll('the studio is closing');
  }

  private start(): EngineChannel {
    const channel = this.spawn();
    this.channel = channel;
    channel.onMessage((message) => this.receive(message));
    channel.onExit((how) => { if (this.channel === channel) this.stopped(how); });
    return channel;
  }

  private post(question: { name: string; params: unknown } | { binary: string }): Promise<unknown> {
    const channel = this.channel ?? this.start();
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      channel.send({ id, ...question });
    });
  }

  private receive(message: unknown): void {
    const parsed = fromEngine.parse(message);
    if ('event' in parsed) {
      if (parsed.event === 'project.changed') this.project = (parsed.payload as { path: string }).path;
      this.emit(parsed.event, parsed.payload);
      return;
    }
    const entry = this.waiting.get(parsed.id);
    this.waiting.delete(parsed.id);
    if ('error' in parsed) entry?.reject(fromWire(parsed.error as WireError));
    else entry?.resolve(parsed.result);
  }

  private remember(name: string, result: unknown): void {
    if (name === 'project.close') this.project = undefined;
    const found = opened.safeParse(result);
    if (name.startsWith('project.') && found.success) this.project = found.data.path;
  }

  private stopped(how: string): void {
    this.channel = undefined;
    if (this.closing) return;
    this.failAll(`the engine stopped (${how}) before it answered; try again`);
    const now = Date.now();
    this.crashes = [...this.crashes.filter((time) => now - time < 60_000), now];
    const again = this.crashes.length <= CRASHES_A_MINUTE;
    const { project } = this;
    this.emit('engine.stopped', {
      reason: !again ? `the engine stopped ${this.crashes.length} times within a minute (${how}); it is started again by what you do next`
        : project ? `the engine stopped (${how}) and was started again; every pair computed so far is kept, start the run again to go on from there`
        : `the engine stopped (${how}) and was started again`,
    });
    if (!again) return;
    this.start();
    if (project) this.ask('project.open', { path: project }).catch((error: Error) => this.emit('engine.stopped', { reason: `the project could not be opened again: ${error.message}` }));
  }

  private failAll(reason: string): void {
    const pending = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of pending) reject(new UserError('unsupported', reason));
  }

  private emit(event: string, payload: unknown): void {
    for (const listener of this.listeners) listener(event, payload);
  }
}
