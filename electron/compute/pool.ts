import { Worker, type Transferable } from 'node:worker_threads';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Executor, RequestOptions } from './execution.js';

interface Task {
  request: unknown;
  transfer: readonly Transferable[];
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
  signal?: AbortSignal | undefined;
  pass?: (() => Promise<void>) | undefined;
}

/** Number of threads to compute with when the caller does not say. */
export function defaultThreads(): number {
  return Math.max(1, availableParallelism());
}

/**
 * A fixed set of worker threads that answer one request at a time. The worker module calls `serve` (serve.ts).
 * TypeScript workers run through tsx in a checkout; bundled ones are plain JavaScript.
 */
export class WorkerPool implements Executor {
  private readonly idle: Worker[] = [];
  private readonly all = new Set<Worker>();
  private readonly running = new Map<Worker, Task>();
  private readonly queue: Task[] = [];
  private closed = false;

  constructor(
    private readonly url: URL,
    readonly size = defaultThreads(),
    private readonly workerData?: unknown,
  ) {}

  /**
   * Rejects with the worker's error, or with the signal's reason; an aborted request that is running ends its worker.
   *
   * @param options.pass awaited when a worker is free for the request, before it is given to it: where a pause holds
   * what has not begun
   */
  run<Response>(request: unknown, options: RequestOptions = {}): Promise<Response> {
    if (this.closed) return Promise.reject(new Error('the worker pool is closed'));
    return new Promise<unknown>((resolve, reject) => {
      if (options.signal?.aborted) return reject(options.signal.reason);
      const onAbort = () => this.abort(task);
      const settled = () => options.signal?.removeEventListener('abort', onAbort);
      const task: Task = {
        request,
        transfer: options.transfer ?? [],
        signal: options.signal,
        pass: options.pass,
        resolve: (value) => (settled(), resolve(value)),
        reject: (reason) => (settled(), reject(reason)),
      };
      // Hundreds of requests may wait on one signal: that many listeners are no leak.
      if (options.signal) setMaxListeners(0, options.signal);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.queue.push(task);
      this.pump();
    }) as Promise<Response>;
  }

  async close(): Promise<void> {
    this.closed = true;
    const closed = new Error('the worker pool was closed');
    const unfinished = [...this.queue.splice(0), ...this.running.values()];
    this.running.clear();
    // Nobody answers them any more: what waits for one of them would wait for ever.
    for (const task of unfinished) task.reject(closed);
    await Promise.all([...this.all].map((worker) => worker.terminate()));
  }

  private abort(task: Task): void {
    const waiting = this.queue.indexOf(task);
    if (waiting >= 0) this.queue.splice(waiting, 1);
    for (const [worker, running] of this.running) if (running === task) this.drop(worker);
    task.reject(task.signal?.reason);
    if (!this.closed) this.pump();
  }

  private drop(worker: Worker): void {
    this.running.delete(worker);
    this.all.delete(worker);
    const at = this.idle.indexOf(worker);
    if (at >= 0) this.idle.splice(at, 1);
    void worker.terminate();
  }

  private pump(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? (this.all.size < this.size ? this.start() : undefined);
      if (!worker) return;
      const task = this.queue.shift()!;
      this.running.set(worker, task);
      worker.ref();
      if (task.pass) void this.begin(worker, task, task.pass);
      else worker.postMessage(task.request, task.transfer);
    }
  }

  private async begin(worker: Worker, task: Task, pass: () => Promise<void>): Promise<void> {
    try {
      await pass();
    } catch (reason) {
      // With an abort the worker is gone already; otherwise it has been given nothing, and is free for the next.
      task.reject(reason);
      if (this.running.get(worker) === task) this.free(worker);
      return;
    }
    if (this.running.get(worker) === task) worker.postMessage(task.request, task.transfer);
  }

  /** An idle worker must not keep the program alive. */
  private free(worker: Worker): void {
    this.running.delete(worker);
    this.idle.push(worker);
    worker.unref();
    this.pump();
  }

  private start(): Worker {
    const url = builtWorker(this.url) ?? this.url;
    const worker = url.pathname.endsWith('.ts')
      ? new Worker(typescriptWorker(url), { workerData: this.workerData, eval: true })
      : new Worker(url, { workerData: this.workerData });
    this.all.add(worker);
    worker.on('message', (answer: { value?: unknown; error?: Error }) => {
      const task = this.running.get(worker);
      // It was ended while this was on its way: given to the next request it would never answer.
      if (!task) return;
      if (answer.error) task.reject(answer.error);
      else task.resolve(answer.value);
      this.free(worker);
    });
    const ended = (error: Error): void => {
      const task = this.running.get(worker);
      this.drop(worker);
      task?.reject(error);
      if (!this.closed) this.pump();
    };
    worker.on('error', ended);
    // Also without an error: by `process.exit` in it, or out of memory.
    worker.on('exit', (code) => {
      if (this.all.has(worker)) ended(new Error(`a worker thread ended by itself (code ${code})`));
    });
    return worker;
  }
}

/**
 * In a checkout, where POINTMAP_BUILT names the folder of the built program: the same worker there, if it has it. Bundled
 * ones begin at once, those that tsx compiles after half a second of processor time, each. The tests set it once they have built.
 */
function builtWorker(url: URL): URL | undefined {
  const folder = process.env.POINTMAP_BUILT;
  if (!folder || !url.pathname.endsWith('.ts')) return undefined;
  const [room, file] = url.pathname.split('/').slice(-2) as [string, string];
  const path = join(folder, file === 'worker.ts' ? `${room}-worker.js` : file.replace(/\.ts$/, '.js'));
  return existsSync(path) ? pathToFileURL(path) : undefined;
}

/**
 * In a checkout: Node 20 gives worker threads no module hooks of their own through `--import`, so the worker registers
 * tsx first.
 */
function typescriptWorker(url: URL): string {
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  return `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); });`;
}
