import type { z } from 'zod';
import type { ExecutedRoom } from '../compute/execution.js';
import { denseWorker } from '../pointmaps/geometric/dense/index.js';
import { floatingWorker } from '../scene/kept-pixels.js';
import { sparseWorker } from '../sparse/worker-address.js';
import { surfaceWorker } from '../surface/worker-address.js';
import * as schema from './schemas.js';

/** A kind of work that other machines may do: what is asked, what is answered, and what it takes. */
export interface JobKind<Request = unknown> {
  /** Changes whenever the same request would give another answer. */
  version: number;
  room: ExecutedRoom;
  /** So many requests travel as one job: about half a second of work, beside which the way is short. */
  batch: number;
  request: z.ZodType<Request>;
  answer: z.ZodType;
  /** Bytes that computing one request takes beside what it is given. */
  memory(request: Request): number;
}

function job<Request>(kind: JobKind<Request>): JobKind {
  return kind as JobKind;
}

const MEGABYTE = 1e6;

/** A picture of features: scale space of a picture that may be doubled first. */
const FEATURE_BYTES_A_PIXEL = 150;
/** Of dense matching: hypotheses' costs and their sums (dense/match.ts). */
const STEREO_BYTES_A_PIXEL = 900;
const JUDGE_BYTES_A_PIXEL = 150;
const FUSION_BYTES_A_PIXEL = 24;

/**
 * What is worth sending. Structure and bundle adjustment, the plan of the surface, its cleaning and its texture stay
 * with the coordinator: each is one piece of work over everything, and its input is all that there is.
 */
export const jobs = {
  'sparse/features': job({
    version: 1,
    room: 'sparse',
    batch: 1,
    request: schema.featuresRequest,
    answer: schema.featuresAnswer,
    memory: ({ photo, size }) => {
      const ratio = Math.min(1, size.longSide / Math.max(photo.width, photo.height));
      // Whole, and decoded, before it is reduced.
      return 3 * photo.width * photo.height + FEATURE_BYTES_A_PIXEL * photo.width * photo.height * ratio ** 2;
    },
  }),
  'sparse/match': job({
    version: 1,
    room: 'sparse',
    batch: 8,
    request: schema.matchRequest,
    answer: schema.matchAnswer,
    memory: ({ a, b }) => 512 * (a.count + b.count),
  }),
  'sparse/fit': job({
    version: 1,
    room: 'sparse',
    batch: 16,
    request: schema.fitRequest,
    answer: schema.fitAnswer,
    memory: () => 5 * MEGABYTE,
  }),
  'sparse/focals': job({
    version: 1,
    room: 'sparse',
    batch: 4,
    request: schema.focalsRequest,
    answer: schema.focalsAnswer,
    memory: () => 5 * MEGABYTE,
  }),
  'sparse/pose': job({
    version: 1,
    room: 'sparse',
    batch: 16,
    request: schema.poseRequest,
    answer: schema.poseAnswer,
    memory: () => 5 * MEGABYTE,
  }),
  'sparse/guide': job({
    version: 1,
    room: 'sparse',
    batch: 8,
    request: schema.guideRequest,
    answer: schema.guideAnswer,
    memory: ({ a, b }) => 512 * (a.count + b.count),
  }),
  'stereo/match': job({
    version: 1,
    room: 'stereo',
    batch: 1,
    request: schema.stereoMatchRequest,
    answer: schema.stereoMatchAnswer,
    memory: ({ reference }) => STEREO_BYTES_A_PIXEL * reference.grey.length,
  }),
  'stereo/judge': job({
    version: 5,
    room: 'stereo',
    batch: 1,
    request: schema.stereoJudgeRequest,
    answer: schema.stereoJudgeAnswer,
    memory: ({ reference }) => JUDGE_BYTES_A_PIXEL * reference.view.grey.length,
  }),
  'cloud/floating': job({
    version: 2,
    room: 'cloud',
    batch: 1,
    request: schema.floatingRequest,
    answer: schema.floatingAnswer,
    memory: ({ mask }) => 60 * mask.length,
  }),
  'surface/fuse': job({
    version: 3,
    room: 'surface',
    batch: 1,
    request: schema.fuseRequest,
    answer: schema.fuseAnswer,
    memory: ({ request }) =>
      50 * MEGABYTE + FUSION_BYTES_A_PIXEL * request.views.reduce((sum, { depth }) => sum + depth.length, 0),
  }),
} satisfies Record<string, JobKind>;

export type JobName = keyof typeof jobs;

export const jobNames = Object.keys(jobs) as [JobName, ...JobName[]];

/** The modules that answer each room's requests. */
export const roomWorkers: Record<ExecutedRoom, URL> = {
  sparse: sparseWorker,
  stereo: denseWorker,
  cloud: floatingWorker,
  surface: surfaceWorker,
};

/** Undefined for what is done where it is asked. */
export function jobName(room: ExecutedRoom, request: unknown): JobName | undefined {
  const { kind, step = kind ?? 'floating' } = request as { kind?: string; step?: string };
  const name = `${room}/${step}`;
  return Object.hasOwn(jobs, name) ? (name as JobName) : undefined;
}
