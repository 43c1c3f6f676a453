import type { z } from 'zod';
import { expect, test } from 'vitest';
import * as schema from '../../electron/execution/schemas.js';
import { jobName, jobs } from '../../electron/execution/jobs.js';
import type { DenseDepth } from '../../electron/pointmaps/geometric/dense/index.js';
import type { Matched } from '../../electron/pointmaps/geometric/dense/match.js';
import type { DenseRequest } from '../../electron/pointmaps/geometric/dense/worker.js';
import type { FloatingTask } from '../../electron/scene/masks.js';
import type { Request } from '../../electron/sparse/worker.js';
import type { Steps } from '../../electron/surface/worker.js';

/** Names of all that stands in a value, at any depth, as one type: what a schema and the rooms must agree about. */
type Names<T> = T extends ArrayBufferView | undefined
  ? never
  : T extends readonly (infer E)[]
    ? Names<E>
    : T extends object
      ? { [K in keyof T & string]: K | Names<NonNullable<T[K]>> }[keyof T & string]
      : never;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Agree<S extends z.ZodType, T> = Same<Names<z.infer<S>>, Names<T>>;
type Sparse<K extends string> = Extract<Request, { kind: K }>;
type Stereo<K extends string> = Extract<DenseRequest, { kind: K }>;
/** Learned features, which have vectors, never travel. */
type BuiltIn<T> = Exclude<Names<T>, 'vectors'>;

test('schemas name what the rooms ask and answer, no less and no more', () => {
  // The compiler's test: a field that a room gains is an error here until the schema has it.
  const agree: true[] = [
    true satisfies Agree<typeof schema.fitRequest, Sparse<'fit'>>,
    true satisfies Agree<typeof schema.focalsRequest, Sparse<'focals'>>,
    true satisfies Agree<typeof schema.poseRequest, Sparse<'pose'>>,
    true satisfies Same<Names<z.infer<typeof schema.matchRequest>>, BuiltIn<Sparse<'match'>>>,
    true satisfies Same<Names<z.infer<typeof schema.guideRequest>>, BuiltIn<Sparse<'guide'>>>,
    true satisfies Agree<typeof schema.stereoMatchRequest, Stereo<'match'>>,
    true satisfies Agree<typeof schema.stereoMatchAnswer, Matched>,
    true satisfies Agree<typeof schema.stereoJudgeRequest, Stereo<'judge'>>,
    true satisfies Agree<typeof schema.stereoJudgeAnswer, DenseDepth>,
    true satisfies Agree<typeof schema.floatingRequest, FloatingTask>,
    true satisfies Agree<typeof schema.fuseRequest, { step: 'fuse'; request: Steps['fuse']['request'] }>,
    true satisfies Agree<typeof schema.fuseAnswer, Steps['fuse']['answer']>,
  ];
  expect(agree).not.toContain(false);
});

test('each kind is found by its request, and what mutates shared memory stays here', () => {
  for (const name of Object.keys(jobs)) {
    const [room, kind] = name.split('/') as ['sparse', string];
    const request = { surface: { step: kind }, cloud: {} }[room as string] ?? { kind };
    expect(jobName(room, request)).toBe(name);
  }
  for (const step of ['plan', 'refine', 'remember', 'bake', 'finish', 'constructor'])
    expect(jobName('surface', { step })).toBeUndefined();
  expect(jobName('sparse', { kind: 'structure' })).toBeUndefined();
});

test('what does not belong into a job is refused', () => {
  const request = {
    kind: 'fit',
    x1: new Float64Array(2),
    x2: new Float64Array(2),
    options: { limit: 1, hypotheses: 1, seed: 1 },
  };
  expect(schema.fitRequest.safeParse(request).success).toBe(true);
  for (const wrong of [
    { ...request, code: 'process.exit()' },
    { ...request, options: { ...request.options, hypotheses: Infinity } },
    { ...request, x1: [0, 0] },
    { ...request, kind: 'pose' },
  ])
    expect(schema.fitRequest.safeParse(wrong).success).toBe(false);
});
