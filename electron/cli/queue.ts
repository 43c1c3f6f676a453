import { Option, type Command } from 'commander';
import { UserError } from '../contract/errors.js';
import type { QueueExecution } from '../execution/coordinator.js';
import { programVersion } from '../engine/environment.js';

export interface QueueFlags {
  /** True for the option without an address: the environment has it. */
  queue?: string | true;
  store?: string;
}

export function addQueueOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--queue [url]',
        'Redis of the queue: redis://HOST[:PORT], rediss:// with TLS (default: POINTMAP_QUEUE, or REDIS_URL)',
      ),
    )
    .option('--store <dir>', 'folder that all machines reach, for photos and results (default: POINTMAP_STORE)');
}

/** @throws UserError 'usage' when only one of the two is known */
export function queuePlace({ queue, store }: QueueFlags): { url: string; store: string } | undefined {
  hidePassword(queue);
  const { POINTMAP_QUEUE, REDIS_URL, POINTMAP_STORE } = process.env;
  // Other programs' server is used only where a queue is asked for.
  const url = typeof queue === 'string' ? queue : (POINTMAP_QUEUE ?? (queue ? REDIS_URL : undefined));
  const folder = store ?? POINTMAP_STORE;
  if (url === undefined && queue === undefined && store === undefined) return undefined;
  if (url === undefined)
    throw new UserError('usage', 'no queue is named; give --queue redis://HOST, or set POINTMAP_QUEUE');
  if (folder === undefined)
    throw new UserError(
      'usage',
      'no store is named; give --store DIR, a folder that all machines reach, or set POINTMAP_STORE',
    );
  return { url, store: folder };
}

/** The list of processes shows what a command was given: not for longer than can be helped. */
function hidePassword(queue: string | true | undefined): void {
  if (typeof queue !== 'string' || !/:\/\/[^/]*@/.test(queue)) return;
  process.title = 'pointmap';
  process.stderr.write(
    'pointmap: a password on the command line may be read by other users; set POINTMAP_QUEUE instead\n',
  );
}

/** Execution by the workers of a queue. Loaded when it is asked for: nobody else waits for the queue's client. */
export async function openQueue(
  place: { url: string; store: string },
  onNote: (message: string) => void,
): Promise<QueueExecution> {
  const { openQueue: open } = await import('../execution/open.js');
  return open({ ...place, program: programVersion(), onNote });
}
