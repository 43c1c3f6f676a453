import { availableParallelism, totalmem } from 'node:os';
import type { Command } from 'commander';
import { UserError } from '../contract/errors.js';
import { programVersion } from '../engine/environment.js';
import { number } from './arguments.js';
import { answer, bytes } from './output.js';
import { addQueueOptions, queuePlace, type QueueFlags } from './queue.js';

interface WorkerFlags extends QueueFlags {
  threads?: number;
  memory?: number;
}

const GIGABYTE = 1e9;
/** Of the machine's memory, what a worker takes when nobody says. */
const MEMORY_SHARE = 0.5;

export function addWorker(program: Command): void {
  addQueueOptions(program.command('worker'))
    .description('computes for reconstructions that run on other machines, until it is stopped')
    .option('--threads <n>', 'jobs computed at once (default: one per core)', number('--threads', 1))
    .option('--memory <gb>', 'memory that jobs may take, gigabytes (default: half of it)', number('--memory', 0.1))
    .action(async (flags: WorkerFlags) => {
      const { url, store } = placeOrUsage(flags);
      const { QueueWorker } = await import('../execution/worker.js');
      const stopped = new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
      });
      const threads = Math.round(flags.threads ?? availableParallelism());
      const memory = flags.memory === undefined ? MEMORY_SHARE * machineMemory() : flags.memory * GIGABYTE;
      const onNote = (message: string): void => void process.stderr.write(`${message}\n`);
      const worker = await QueueWorker.start({ url, store, program: programVersion(), threads, memory, onNote });
      process.stdout.write(
        `computing ${threads} jobs at once with ${bytes(memory)} of memory; Control+C ends what is under way and stops\n`,
      );
      await stopped;
      await worker.close();
    });
}

/** Of a container, what it may use. */
function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function placeOrUsage(flags: QueueFlags): { url: string; store: string } {
  const place = queuePlace({ ...flags, queue: flags.queue ?? true });
  if (!place) throw new UserError('usage', 'no queue is named; give --queue redis://HOST, or set POINTMAP_QUEUE');
  return place;
}

interface WorkersFlags extends QueueFlags {
  prune?: number;
  json?: boolean;
}

export function addWorkers(program: Command): void {
  addQueueOptions(program.command('workers'))
    .description('who computes for a queue, on what and how fast')
    .option('--prune <days>', 'remove from the store what nobody has used for so many days', number('--prune', 0))
    .option('--json', 'print it as one line of JSON')
    .action(async (flags: WorkersFlags) => {
      if (flags.prune !== undefined) await prune(flags, flags.prune);
      else await list(flags);
    });
}

async function prune({ store, json }: WorkersFlags, days: number): Promise<void> {
  const folder = store ?? process.env.POINTMAP_STORE;
  if (folder === undefined) throw new UserError('usage', 'no store is named; give --store DIR, or set POINTMAP_STORE');
  const { SharedFolder } = await import('../execution/store.js');
  const removed = await (await SharedFolder.open(folder)).prune(days);
  answer(json, removed, [`removed ${removed.blobs} files (${bytes(removed.bytes)})`]);
}

async function list({ queue, json }: WorkersFlags): Promise<void> {
  const { url } = placeOrUsage({ queue: queue ?? true, store: '' });
  const { queueStatus } = await import('../execution/status.js');
  const status = await queueStatus(url);
  const workers = status.workers.flatMap((worker) => {
    const { host, pid, program, slots, memory, done, failed, jobs, kinds } = worker;
    const speeds = Object.entries(kinds).map(
      ([name, { done: count, seconds }]) => `${name} ${count} (${(seconds / Math.max(1, count)).toFixed(2)} s each)`,
    );
    const now = jobs.map(({ name, seconds }) => `${name} for ${seconds.toFixed(1)} s`);
    return [
      `${host} ${pid}: version ${program}, ${slots} at once, ${bytes(memory)}; ${done} done, ${failed} failed`,
      `  now: ${now.length > 0 ? now.join(', ') : 'nothing'}`,
      ...(speeds.length > 0 ? [`  so far: ${speeds.join(', ')}`] : []),
    ];
  });
  const queues = status.queues.map(
    ({ program, waiting, active, done, failed }) =>
      `version ${program}: ${waiting} jobs wait, ${active} are computed, ${done} done and ${failed} failed in the last day`,
  );
  const runs = status.coordinators.map(({ host, pid, program }) => `run ${pid} on ${host}, version ${program}`);
  answer(json, status, [...(workers.length > 0 ? workers : ['no worker answers']), ...runs, ...queues]);
}
