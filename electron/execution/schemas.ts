import { z } from 'zod';
import { DESCRIPTOR } from '../features/features.js';

/**
 * What may stand in jobs and in their answers. A value that is not of this shape is computed by nobody and believed by
 * nobody: arrays have the lengths that kernels will rely on, and nothing else may be there.
 */

const bytes = z.instanceof(Uint8Array);
const floats = z.instanceof(Float32Array);
const doubles = z.instanceof(Float64Array);
const wholes = z.instanceof(Uint32Array);
const finite = z.number();
/** Also what is not finite: a score of nothing, an evidence beyond all doubt. */
const any = z.union([z.number(), z.nan(), z.literal(Infinity), z.literal(-Infinity)]);
const count = z.int().min(0).max(1e8);
const side = z.int().min(1).max(1e5);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const matrix = doubles.refine(({ length }) => length === 16, 'a 4x4 matrix has 16 numbers');

const features = z
  .strictObject({ count, keypoints: floats, descriptors: bytes })
  .refine(
    (all) => all.keypoints.length === 4 * all.count && all.descriptors.length === DESCRIPTOR * all.count,
    'features have as many places and descriptors as they say',
  );
const matches = wholes.refine(({ length }) => length % 2 === 0, 'matches are pairs');
const correspondences = { x1: doubles, x2: doubles };
const pose = z.strictObject({ rotation: doubles, translation: doubles });

/** A photo that travels by the hash of its file; its mask, where it has one, too. */
export const sentPhoto = z.strictObject({
  file: sha256,
  id: z.string().max(1000),
  name: z.string().max(1000),
  width: side,
  height: side,
  mask: z
    .strictObject({
      file: sha256,
      id: z.string().max(1000),
      channel: z.enum(['brightness', 'alpha']),
      inverted: z.boolean(),
    })
    .optional(),
});
export type SentPhoto = z.infer<typeof sentPhoto>;

export const featuresRequest = z.strictObject({
  kind: z.literal('features'),
  photo: sentPhoto,
  size: z.strictObject({ longSide: side }),
  options: z.strictObject({ maximum: count, contrast: finite, doubledSide: finite.optional() }),
});
export const featuresAnswer = features;

export const matchRequest = z.strictObject({ kind: z.literal('match'), a: features, b: features });
export const matchAnswer = matches;

export const fitRequest = z.strictObject({
  kind: z.literal('fit'),
  ...correspondences,
  options: z.strictObject({ limit: finite, hypotheses: count, seed: finite }),
});
export const fitAnswer = z
  .strictObject({ inliers: bytes, inlierCount: count, evidence: any, planarShare: any })
  .optional();

export const focalsRequest = z.strictObject({
  kind: z.literal('focals'),
  ...correspondences,
  focals: z.array(z.tuple([finite, finite])).max(10_000),
  limit: finite,
  seed: finite,
});
export const focalsAnswer = z.strictObject({ scores: z.array(any).max(10_000), hasParallax: z.boolean() });

export const poseRequest = z.strictObject({
  kind: z.literal('pose'),
  ...correspondences,
  options: z.strictObject({
    threshold: finite,
    hypotheses: count,
    seed: finite,
    extent: finite.optional(),
    likely: count.optional(),
    start: pose.optional(),
  }),
});
export const poseAnswer = z
  .strictObject({
    rotation: doubles,
    translation: doubles,
    inliers: bytes,
    inlierCount: count,
    score: any,
    evidence: any,
    rotationShare: any,
    parallax: any,
  })
  .optional();

export const guideRequest = z.strictObject({
  kind: z.literal('guide'),
  a: features,
  b: features,
  ...correspondences,
  pose,
  taken: matches,
  threshold: finite,
});
export const guideAnswer = matches;

const greyView = z
  .strictObject({ grey: bytes, width: side, height: side, focal: finite, centreX: finite, centreY: finite })
  .refine(({ grey, width, height }) => grey.length === width * height, 'a view has a byte for each pixel');
const matched = z.strictObject({ inverseDepth: floats, unique: floats, score: floats, texture: floats });

export const stereoMatchRequest = z.strictObject({
  kind: z.literal('match'),
  reference: greyView,
  neighbours: z.array(z.strictObject({ view: greyView, fromReference: matrix })).max(64),
  range: z.tuple([finite, finite]),
});
export const stereoMatchAnswer = matched;

export const stereoJudgeRequest = z.strictObject({
  kind: z.literal('judge'),
  reference: z
    .strictObject({ view: greyView, matched, pixels: bytes })
    .refine(({ view, pixels }) => pixels.length === 3 * view.grey.length, 'a pixel has three colours'),
  neighbours: z
    .array(z.strictObject({ view: greyView, matched: z.strictObject({ inverseDepth: floats }), fromReference: matrix }))
    .max(64),
  farthest: any,
});
export const stereoJudgeAnswer = z.strictObject({ depth: floats, confidence: floats, inferred: bytes, sky: bytes });

const seenMap = z
  .strictObject({ width: side, height: side, focal: finite, centreX: finite, centreY: finite, depth: floats })
  .refine(({ depth, width, height }) => depth.length === width * height, 'a depth map has a depth for each pixel');
export const floatingRequest = z.strictObject({
  map: seenMap,
  mask: bytes,
  others: z.array(z.strictObject({ map: seenMap, mask: bytes, open: bytes.optional(), T: matrix })).max(100_000),
});
export const floatingAnswer = bytes;

const surfaceView = z
  .strictObject({
    width: side,
    height: side,
    focal: finite,
    centreX: finite,
    centreY: finite,
    cameraFromWorld: matrix,
    window: z.strictObject({ left: count, top: count, width: side, height: side }).optional(),
    depth: floats,
    confidence: floats,
    inferred: bytes.optional(),
    open: bytes.optional(),
  })
  .refine(
    ({ depth, confidence, window, ...view }) =>
      depth.length === (window ?? view).width * (window ?? view).height && confidence.length === depth.length,
    'a view has a depth and a confidence for each pixel',
  )
  .refine(
    ({ window, width, height }) =>
      !window || (window.left + window.width <= width && window.top + window.height <= height),
    'a window lies inside its picture',
  );
export const fuseRequest = z.strictObject({
  step: z.literal('fuse'),
  request: z.strictObject({
    views: z.array(surfaceView).max(100_000),
    block: z.strictObject({
      corner: z.tuple([finite, finite, finite]),
      bits: z.int().min(0).max(32),
      cell: finite,
      coarsestBits: z.int().min(0).max(32),
      halo: finite,
      views: z.array(count).max(100_000),
    }),
    options: z.strictObject({
      cellPixels: finite.optional(),
      bandPixels: finite.optional(),
      leastWeight: finite.optional(),
      skyTrust: finite.optional(),
    }),
  }),
});
export const fuseAnswer = z.strictObject({ positions: doubles, support: floats, indices: wholes });
