import { median } from '../numerics/median.js';
import type { Similarity } from '../geometry/similarity.js';
import { placeAtAnchors, type Anchor } from './anchors.js';
import { contradicting, observationResiduals } from './contradictions.js';
import { PixelKernel } from './pixels.js';
import type { PreparedProblem } from './prepared.js';
import { scaleNorm } from './reduced-system.js';
import { photoTasks, samplePhoto, samplePhotos, type PhotoSamples } from './samples.js';
import { solveLevel, type LevelResult } from './solver.js';
import type { AlignmentState, Freedom, PosePrior } from './state.js';
import type { AlignmentOptions } from './types.js';

/**
 * Pixels per photo of the two levels that are solved; the fine one takes more where FINE_WORK allows. All pixels are
 * used for the depths at the end.
 */
const COARSE = { name: 'coarse', pixels: 700, smoothing: 0.0065, steps: 12, converged: 2e-5 };
const FINE = { name: 'fine', pixels: 2800, smoothing: 0.0004, steps: 8, converged: 1e-5 };
/** Pixels a photo of the fine level. */
export const FINE_PIXELS = FINE.pixels;
/** One step is what is left to do on more pixels. */
const LAST = { ...FINE, name: 'last', steps: 1 };
/**
 * Multiplications of one assembly that a small problem may spend on more pixels: 2,800 of 12,288 pixels a photo leave
 * the rotations of six photos at 0.37 degrees, all of them at 0.32 (with smoothing 0.0004 instead of 0.0017), for 0.1
 * s.
 */
const FINE_WORK = 4e8;
/**
 * More pixels than these tell the poses nothing new, and gathering them takes longer than the step (11 photos of 512
 * px: 1.2 s).
 */
const MOST_PIXELS = 5 * FINE.pixels;
/**
 * Independent measurements that one observation amounts to. Neighbouring pixels of a pointmap err together, so it is
 * far fewer than its pixels; a soft prior counts as one measurement against them.
 */
const MEASUREMENTS = 200;
/** What a rough pose may be off by where nothing else is said: radians, and the share of the typical depth. */
const ROUGH = { turn: 0.1, shift: 0.1 };
/** Given poses further than this from what the observations say, in radians, are pointed out. */
const DISAGREES = 0.2;

/** What of a problem stays the same over its components. */
export interface Setting {
  problem: PreparedProblem;
  options: AlignmentOptions;
  /** Per view, view pixels. */
  principal: readonly [number, number][];
  /** Per view: its focal is given. */
  focalHeld: readonly boolean[];
  anchors: ReadonlyMap<number, Anchor>;
  /** Views of every observation. */
  viewsOf: readonly (readonly number[])[];
}

/** Poses, focals and similarities of a component; its depths follow from them (recover.ts). */
export interface SolvedPart {
  views: number[];
  state: AlignmentState;
  /** Observations in the solution. */
  usable: number[];
  /** worldFromObservation by view of the observation, where its views are not placed as one. */
  placed?: Map<number, Similarity[]>;
  /** Those left out, with the residual that they were left out for. */
  dropped: Map<number, number>;
  warnings: string[];
  iterations: number;
  /** Objective of the start over that of the solution, from the sampled pixels. */
  ratio: number;
  /** A typical depth. */
  depthScale: number;
  /** Samples gathered for the last step; those of whole photos serve the depths too. */
  gathered: PhotoSamples[];
}

/**
 * Solves one component: into the world of its given poses; coarse level; observations that contradict the solution out;
 * fine level.
 *
 * @param iterations steps made for earlier components
 */
export async function solveComponent(
  setting: Setting,
  initial: AlignmentState,
  views: readonly number[],
  iterations: number,
): Promise<SolvedPart> {
  const { problem, options, principal, viewsOf } = setting;
  const inside = new Set(views);
  let usable = problem.observations.flatMap((_, k) =>
    initial.observations[k] && viewsOf[k]!.every((view) => inside.has(view)) ? [k] : [],
  );
  const anchors = views.flatMap((view) => setting.anchors.get(view) ?? []);
  const anchored = placeAtAnchors(
    restrict(initial, inside, usable),
    anchors,
    viewsOf.map((seen) => seen[0]!),
  );
  let state = anchored.scaled
    ? anchored.state
    : rescale(anchored.state, usable, anchors[0]?.worldFromCamera.translation ?? new Float64Array(3));
  const warnings =
    anchored.disagreement > DISAGREES
      ? [
          `given poses and observations disagree by up to ${Math.round((anchored.disagreement * 180) / Math.PI)} degrees: check the poses that were given`,
        ]
      : [];

  let photos = samplePhotos(problem, usable, 'coarse', principal);
  const depthScale = typicalDepth(state, photos);
  const freedom = freedomOf(setting, state, views, anchors, photos, depthScale, usable.length);
  const begun = state;
  const level = async (settings: typeof COARSE, newton: boolean): Promise<LevelResult> => {
    const solved = await solveLevel(
      state,
      { ...settings, photos, smoothing: settings.smoothing * depthScale },
      freedom,
      viewsOf,
      options,
      iterations,
      newton,
    );
    ({ state, iteration: iterations } = solved);
    return solved;
  };
  const { pixels } = await level(COARSE, false);
  const found = observationResiduals(pixels, photos, state);
  const dropped = contradicting(found, usable, viewsOf);
  if (dropped.size > 0) {
    usable = usable.filter((k) => !dropped.has(k));
    state = restrict(state, inside, usable);
    photos = samplePhotos(problem, usable, 'coarse', principal);
    await level(COARSE, false);
  }
  photos = samplePhotos(problem, usable, 'fine', principal);
  await level(FINE, true);
  const most = affordable(problem, usable);
  if (most > 1.5 * FINE.pixels) {
    photos = await allSamples(setting, usable, most);
    await level(LAST, true);
  }
  const few = samplePhotos(problem, usable, 'coarse', principal);
  const ratio = objectiveOf(restrict(begun, inside, usable), few, depthScale) / objectiveOf(state, few, depthScale);

  return {
    views: [...views],
    state,
    usable,
    dropped: new Map([...dropped].map((k) => [k, found.get(k)!])),
    warnings,
    iterations,
    ratio: Number.isFinite(ratio) ? ratio : 1,
    depthScale,
    gathered: photos,
  };
}

/**
 * What may move. The world is held by the given poses; where there are none by the first camera. Its scale is held by
 * two given poses in different places, else by the scales' geometric mean.
 */
function freedomOf(
  { problem, focalHeld }: Setting,
  state: AlignmentState,
  views: readonly number[],
  anchors: readonly Anchor[],
  photos: readonly PhotoSamples[],
  depthScale: number,
  observations: number,
): Freedom {
  const given = anchors.filter(({ kind }) => kind !== 'initial');
  const held = new Set(given.filter(({ kind }) => kind === 'fixed').map(({ view }) => view));
  if (given.length === 0) held.add(anchors[0]?.view ?? views[0]!);
  const inside = new Set(views);
  const expected = problem.views.map((_, view) =>
    inside.has(view) && !focalHeld[view] ? problem.constraints?.[view]?.expectedFocal : undefined,
  );
  const isSoft = given.some(({ kind }) => kind === 'rough') || expected.some(Boolean);
  const weight = isSoft
    ? (objectiveOf(state, photos, depthScale) * scaleNorm(state)) / (MEASUREMENTS * Math.max(1, observations))
    : 0;
  const rough: (PosePrior | undefined)[] = problem.views.map(() => undefined);
  for (const { view, kind, worldFromCamera } of given) {
    const off = problem.constraints?.[view]?.pose?.expected;
    if (kind === 'rough')
      rough[view] = {
        worldFromCamera,
        weight,
        turn: off?.turn ?? ROUGH.turn,
        shift: off?.shift ?? ROUGH.shift * depthScale,
      };
  }
  const apart = given.some(({ worldFromCamera: a }) =>
    given.some(
      ({ worldFromCamera: b }) =>
        Math.hypot(...a.translation.map((value, i) => value - b.translation[i]!)) > 1e-3 * depthScale,
    ),
  );
  return {
    camera: problem.views.map((_, view) => inside.has(view) && !held.has(view)),
    focal: problem.views.map((_, view) => inside.has(view) && !focalHeld[view]),
    sharedFocal: problem.sharedFocal ?? false,
    rough,
    focals: expected.map((one) => one && { ...one, weight }),
    scaled: apart,
  };
}

function objectiveOf(state: AlignmentState, photos: readonly PhotoSamples[], depthScale: number): number {
  return new PixelKernel(photos).evaluate(state, 1e-4 * depthScale);
}

/**
 * Pixels a photo for FINE_WORK: each costs half the square of seven unknowns for every time that the photo was seen.
 */
export function affordable(problem: PreparedProblem, usable: readonly number[]): number {
  const seen = new Map<string, number>();
  for (const k of usable)
    for (const { photo } of problem.observations[k]!.views) seen.set(photo, (seen.get(photo) ?? 0) + 1);
  return Math.min(
    MOST_PIXELS,
    Math.floor(FINE_WORK / [...seen.values()].reduce((sum, times) => sum + (7 * times + 1) ** 2 / 2, 0)),
  );
}

/** About this many pixels of every photo, from the whole pointmaps. */
async function allSamples(
  { problem, principal, options }: Setting,
  usable: readonly number[],
  pixels: number,
): Promise<PhotoSamples[]> {
  const samples: PhotoSamples[] = [];
  for (const task of photoTasks(problem, usable, principal)) {
    await new Promise((resolve) => setImmediate(resolve));
    options.signal?.throwIfAborted();
    const stride = Math.max(1, Math.round(Math.sqrt((task.width * task.height) / pixels)));
    samples.push(
      samplePhoto(task, stride, (t) => problem.observations[task.seen[t]!.observation]!.full(task.seen[t]!.role)),
    );
  }
  return samples;
}

function typicalDepth(state: AlignmentState, photos: readonly PhotoSamples[]): number {
  const kernel = new PixelKernel(photos);
  kernel.evaluate(state, 1e-9);
  kernel.accept();
  return median(photos.flatMap((_, k) => Array.from(kernel.depths(k)).filter((depth) => depth > 0))) ?? 1;
}

function restrict(state: AlignmentState, inside: ReadonlySet<number>, usable: readonly number[]): AlignmentState {
  const used = new Set(usable);
  return {
    cameras: state.cameras.map((camera, k) => (inside.has(k) ? camera : undefined)),
    focal: state.focal,
    observations: state.observations.map((similarity, k) => (used.has(k) ? similarity : undefined)),
  };
}

/** Brings the geometric mean of the scales to what the objective demands, about a centre that stays. */
function rescale(state: AlignmentState, usable: readonly number[], centre: Float64Array): AlignmentState {
  if (usable.length === 0) return state;
  const factor = scaleNorm(state);
  const grow = (similarity: Similarity | undefined, withScale: boolean) =>
    similarity && {
      ...similarity,
      scale: withScale ? similarity.scale * factor : 1,
      translation: similarity.translation.map((value, i) => centre[i]! + (value - centre[i]!) * factor),
    };
  return {
    cameras: state.cameras.map((camera) => grow(camera, false)),
    focal: state.focal,
    observations: state.observations.map((observation) => grow(observation, true)),
  };
}
