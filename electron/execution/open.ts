import type { Execution, Executor } from '../compute/execution.js';
import { BullQueue } from './bull.js';
import { QueueExecution } from './coordinator.js';
import { SharedFolder } from './store.js';

export interface QueuePlace {
  /** Of the Redis server; may hold a password. */
  url: string;
  /** Folder that all machines reach. */
  store: string;
  /** Version of this program. */
  program: string;
  onNote: (message: string) => void;
}

/** Execution by the workers of a queue. @throws UserError when the queue or the store can't be reached */
export async function openQueue({ url, store: folder, program, onNote }: QueuePlace): Promise<QueueExecution> {
  const store = await SharedFolder.open(folder, true);
  const queue = await BullQueue.open({ url, program, store: store.id, onNote });
  const execution = new QueueExecution({ queue, store, program, onNote });
  await execution.look();
  return execution;
}

/** Requests worth having under way before it is known who is there. */
const FIRST_SIZE = 64;
const FIRST_WIDTH = 9;

/**
 * Execution that looks for its queue when something is to be computed: a studio starts without, and a run that can't
 * reach it says why.
 */
export class LateQueue implements Execution {
  private opening: Promise<QueueExecution> | undefined;
  private opened: QueueExecution | undefined;

  constructor(private readonly place: QueuePlace) {}

  get width(): number {
    return this.opened?.width ?? FIRST_WIDTH;
  }

  open(room: Parameters<Execution['open']>[0], worker: URL, threads?: number): Executor {
    let executor: Executor | undefined;
    const size = (): number => executor?.size ?? FIRST_SIZE;
    return {
      readsPhotos: true,
      get size() {
        return size();
      },
      run: async (request, options) => {
        const queue = await this.queue();
        executor ??= queue.open(room, worker, threads);
        return executor.run(request, options);
      },
      close: async () => executor?.close(),
    };
  }

  private queue(): Promise<QueueExecution> {
    this.opening ??= openQueue(this.place).then(
      (queue) => (this.opened = queue),
      (error: unknown) => {
        // The next run looks again.
        this.opening = undefined;
        throw error;
      },
    );
    return this.opening;
  }
}
