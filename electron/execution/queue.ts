import { z } from 'zod';
import { jobNames } from './jobs.js';

/** What stands in the queue for a job: ids and numbers; requests and answers lie in the store. */
export const jobData = z.strictObject({
  name: z.enum(jobNames),
  /** Of the kind of job. */
  version: z.int(),
  /** Version of the program that asks. */
  program: z.string().max(100),
  /** Of the blob with the requests. */
  input: z.string().regex(/^[0-9a-f]{64}$/),
  /** What it is computed for: when that is given up, so is the job. */
  epoch: z.string().max(100),
  /** Bytes that computing it takes. */
  memory: z.number().min(0),
});
export type JobData = z.infer<typeof jobData>;

/** Where a job stands. */
export type JobStanding =
  { state: 'unknown' } | { state: 'waiting' } | { state: 'done'; output: string } | { state: 'failed'; reason: string };

/** What a coordinator needs of a queue. */
export interface JobQueue {
  /** Puts a job there, unless one of this id waits, is computed or is done. */
  submit(id: string, data: JobData): Promise<void>;
  standing(id: string): Promise<JobStanding>;
  /** Forgets a job that is done, failed or waits; one that is being computed is left alone. */
  forget(id: string): Promise<void>;
  /** Told the id of each job that is done or failed. What comes while the server is away is not told. */
  onSettled(listener: (id: string) => void): void;
  /** From now on, jobs of this epoch are computed. */
  begin(epoch: string): Promise<void>;
  /** Nobody computes jobs of this epoch any more; what is under way is ended. */
  cancel(epoch: string): Promise<void>;
  /** Workers that can do this coordinator's jobs, and what else answers. */
  presence(): Promise<Presence>;
  close(): Promise<void>;
}

export interface Presence {
  /** Jobs that the workers compute at once. */
  slots: number;
  workers: number;
  /** What the largest worker may use, bytes. */
  memory: number;
  /** Of workers that can't do our jobs: why, a line each. */
  others: string[];
}

/** Why a worker did not do a job; what the coordinator acts on. */
export type FailureCode = 'lost-input' | 'cancelled' | 'store-full' | 'refused' | 'failed';

/** Travels through the queue as the text of an error: `[code] reason`. */
export class JobFailure extends Error {
  constructor(
    readonly code: FailureCode,
    reason: string,
  ) {
    super(`[${code}] ${reason}`);
    this.name = 'JobFailure';
  }
}

export function parseFailure(text: string): { code: FailureCode; reason: string } {
  const found = /^\[(lost-input|cancelled|store-full|refused|failed)\] (.*)$/s.exec(text);
  return found ? { code: found[1] as FailureCode, reason: found[2]! } : { code: 'failed', reason: text };
}
