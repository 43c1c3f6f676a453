/** Who computes for the queue that the studio was started with. */
import { z } from 'zod';

export const queueState = z.object({
  workers: z.array(
    z.object({
      host: z.string(),
      pid: z.number(),
      program: z.string(),
      /** Jobs at once. */
      slots: z.number(),
      done: z.number(),
      failed: z.number(),
      /** What is computed now, and for how long, seconds. */
      jobs: z.array(z.object({ name: z.string(), seconds: z.number() })),
      /** Per kind, how many jobs took how long together, seconds. */
      kinds: z.record(z.string(), z.object({ done: z.number(), seconds: z.number() })),
    }),
  ),
  queues: z.array(z.object({ program: z.string(), waiting: z.number(), active: z.number() })),
});
export type QueueState = z.infer<typeof queueState>;
