/** Keeps an engine process running for a shell: starts it, passes questions on, starts it again after a crash. */
import { z } from 'zod';
import type { EventName } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { BINARY_NAME_LIMIT, createExchange, type Exchange } from '../contract/wire.js';
import type { EngineChannel } from './channel.js';

export interface BinaryAnswer {
  /** MIME type. */
  type: string;
  bytes: Uint8Array;
}

const binaryAnswer = z.object({ type: z.string(), bytes: z.instanceof(Uint8Array) });
const opened = z.object({ path: z.string(), photos: z.array(z.unknown()) });
type Listener = (event: string, payload: unknown) => void;
type Question = { name: string; params: unknown } | { binary: string };

/** More crashes than this within a minute, and it is not an accident: it stays down until something is asked. */
const CRASHES_A_MINUTE = 3;
/**
 * How long a run may take to stop and the project to close before the process is ended anyway; nothing stored is lost
 * by that.
 */
const CLOSING_MILLISECONDS = 3000;

export class EngineHost {
  private channel: EngineChannel | undefined;
  /** With the engine that runs now. */
  private exchange: Exchange<Question> | undefined;
  private readonly listeners = new Set<Listener>();
  private project: string | undefined;
  private crashes: number[] = [];
  private closing = false;
  /** After a crash, until the project is open again: questions wait, so that nobody is told that no project is open. */
  private reopening: Promise<void> | undefined;

  /** @param spawn starts one engine process; called at once and after every crash */
  constructor(private readonly spawn: () => EngineChannel) {
    this.start();
  }

  /** Asks the engine. The contract's schemas are checked in the engine, on both ways. @throws UserError */
  async ask(name: string, params: unknown): Promise<unknown> {
    await this.ready();
    const result = await this.post({ name, params });
    this.remember(name, result);
    return result;
  }

  /** A binary resource (contract/api.ts, BinaryName). @throws UserError 'not-found' */
  async binary(name: string): Promise<BinaryAnswer> {
    if (name.length > BINARY_NAME_LIMIT)
      throw new UserError('not-found', `there is no such resource: ${name.slice(0, 60)}...`);
    await this.ready();
    return binaryAnswer.parse(await this.post({ binary: name }));
  }

  /** Every event of the contract, and `engine.stopped`. @returns stops listening */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops a run, closes the project and ends the process. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    const { channel } = this;
    if (!channel) return;
    const ended = new Promise<void>((resolve) => channel.onExit(() => resolve()));
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSING_MILLISECONDS).unref());
    await Promise.race([this.post({ name: 'project.close', params: {} }).catch(() => undefined), ended, late]);
    this.exchange?.fail('the studio is closing');
    channel.kill();
    await Promise.race([ended, late]);
  }

  private start(): void {
    const channel = this.spawn();
    this.channel = channel;
    const exchange = createExchange<Question>(
      (message) => channel.send(message),
      (event, payload) => this.hear(event, payload),
    );
    this.exchange = exchange;
    channel.onMessage((message) => {
      try {
        exchange.receive(message);
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error;
        // Nothing after it can be trusted; its end is handled as a crash.
        channel.kill();
      }
    });
    channel.onExit((how) => {
      if (this.channel === channel) this.stopped(how);
    });
    this.reopen();
  }

  private async ready(): Promise<void> {
    if (!this.channel && !this.closing) this.start();
    await this.reopening;
  }

  private post(question: Question): Promise<unknown> {
    if (this.channel) return this.exchange!.post(question);
    return Promise.reject(
      new UserError(
        'unsupported',
        this.closing ? 'the studio is closing' : 'the engine stopped before it was asked; try again',
      ),
    );
  }

  private hear(event: EventName, payload: unknown): void {
    const found = event === 'project.changed' ? opened.safeParse(payload) : undefined;
    if (found?.success) this.project = found.data.path;
    this.emit(event, payload);
  }

  private remember(name: string, result: unknown): void {
    if (name === 'project.close') this.project = undefined;
    const found = name.startsWith('project.') ? opened.safeParse(result) : undefined;
    if (found?.success) this.project = found.data.path;
  }

  private stopped(how: string): void {
    this.channel = undefined;
    if (this.closing) return;
    // A project that ends the engine as it is opened would do so before every question to come.
    const culprit = this.reopening ? this.project : undefined;
    if (culprit !== undefined) {
      this.project = undefined;
      this.reopening = undefined;
    }
    this.exchange?.fail(`the engine stopped (${how}) before it answered; try again`);
    const now = Date.now();
    this.crashes = [...this.crashes.filter((time) => now - time < 60_000), now];
    const again = this.crashes.length <= CRASHES_A_MINUTE;
    // Started first, so that whoever asks as soon as he is told waits for the project to be open again.
    if (again) this.start();
    this.emit('engine.stopped', {
      reason: !again
        ? `the engine stopped ${this.crashes.length} times within a minute (${how}); it is started again by what you do next`
        : culprit !== undefined
          ? `the engine stopped (${how}) while it opened the project again, so the project stays closed; save what can be read with \`pointmap recover\`: ${culprit}`
          : this.project
            ? `the engine stopped (${how}) and was started again; every pair computed so far is kept, start the run again to go on from there`
            : `the engine stopped (${how}) and was started again`,
    });
  }

  private reopen(): void {
    const path = this.project;
    if (path === undefined) return;
    const done = this.post({ name: 'project.open', params: { path } })
      .then(
        () => undefined,
        (error: Error) =>
          this.emit('engine.stopped', { reason: `the project could not be opened again: ${error.message}` }),
      )
      .finally(() => {
        if (this.reopening === done) this.reopening = undefined;
      });
    this.reopening = done;
  }

  private emit(event: string, payload: unknown): void {
    for (const listener of this.listeners) listener(event, payload);
  }
}
