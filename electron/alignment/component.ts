import { rigid } from '../numerics/linear.js';
import type { Similarity } from '../geometry/similarity.js';
import { placeAtAnchors, type Anchor } from './anchors.js';
import { conditioningWarnings } from './conditioning.js';
import { contradicting, observationResiduals } from './contradictions.js';
import { PixelKernel } from './pixels.js';
import { recoverDepths, type RecoveredView } from './recover.js';
import { scaleNorm } from './reduced-system.js';
import { samplePhotos, type PhotoSamples } from './samples.js';
import { solveLevel, type LevelResult } from './solver.js';
import type { AlignmentState, Freedom, PosePrior } from './state.js';
import type { AlignedComponent, AlignmentOptions, AlignmentProblem } from './types.js';

/**
 * Pixels per photo of the two levels that are solved; the fine one takes more where FINE_WORK allows. All pixels are
 * used for the depths at the end.
 */
const COARSE = { name: 'coarse', pixels: 700, smoothing: 0.0065, steps: 12, converged: 2e-5 };
const FINE = { name: 'fine', pixels: 2800, smoothing: 0.0004, steps: 8, converged: 1e-5 };
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
  problem: AlignmentProblem;
  options: AlignmentOptions;
  /** Per view, view pixels. */
  principal: readonly [number, number][];
  /** Per view: its focal is given. */
  focalHeld: readonly boolean[];
  anchors: ReadonlyMap<number, Anchor>;
  /** Views of every observation. */
  viewsOf: readonly (readonly number[])[];
}

export interface SolvedComponent {
  component: AlignedComponent;
  recovered: RecoveredView[];
  /** By observation; those dropped have the residual that they were dropped for. */
  residuals: Map<number, number>;
  dropped: ReadonlySet<number>;
  warnings: string[];
  iterations: number;
  initial: number;
}

/**
 * Solves one component: into the world of its given poses; coarse level; observations that contradict the solution out;
 * fine level; depths of all pixels.
 *
 * @param iterations steps made for earlier components
 */
export async function solveComponent(
  setting: Setting,
  initial: AlignmentState,
  views: readonly number[],
  iterations: number,
): Promise<SolvedComponent> {
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

  let photos = samplesAt(setting, usable, COARSE.pixels);
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
    photos = samplesAt(setting, usable, COARSE.pixels);
    await level(COARSE, false);
  }
  photos = samplesAt(setting, usable, FINE.pixels);
  await level(FINE, true);
  const most = affordable(problem, usable);
  if (most > 1.5 * FINE.pixels) {
    photos = samplesAt(setting, usable, most);
    await level(LAST, true);
  }
  const few = samplesAt(setting, usable, COARSE.pixels);
  const ratio = objectiveOf(restrict(begun, inside, usable), few, depthScale) / objectiveOf(state, few, depthScale);

  const recovered = await recoverDepths(problem, usable, state, views, principal, depthScale, photos, options);
  const residuals = new Map([...dropped].map((k) => [k, found.get(k)!]));
  let objective = 0;
  for (const depth of recovered) {
    objective += depth.objective * scaleNorm(state);
    depth.targets.forEach((observation, t) =>
      residuals.set(observation, Math.max(residuals.get(observation) ?? 0, depth.targetResiduals[t]!)),
    );
  }
  warnings.push(...conditioningWarnings(problem, state, views, recovered, usable, viewsOf));
  const component: AlignedComponent = {
    views: [...views],
    worldFromCamera: views.map((view) => rigid(state.cameras[view]!.rotation, state.cameras[view]!.translation)),
    focal: Float64Array.from(views, (view) => state.focal[view]!),
    principalPoint: views.map((view) => principal[view]!),
    depth: recovered.map(({ depth }) => depth),
    confidence: recovered.map(({ confidence }) => confidence),
    objective,
  };
  // The objective of the start is told from the sampled pixels: a full pass for it would take as long as the solution.
  return {
    component,
    recovered,
    residuals,
    dropped,
    warnings,
    iterations,
    initial: objective * (Number.isFinite(ratio) ? ratio : 1),
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
  const isRough = given.some(({ kind }) => kind === 'rough');
  const weight = isRough
    ? (objectiveOf(state, photos, depthScale) * scaleNorm(state)) / (MEASUREMENTS * Math.max(1, observations))
    : 0;
  const rough: (PosePrior | undefined)[] = problem.views.map(() => undefined);
  for (const { view, kind, worldFromCamera } of given) {
    const expected = problem.constraints?.[view]?.pose?.expected;
    if (kind === 'rough')
      rough[view] = {
        worldFromCamera,
        weight,
        turn: expected?.turn ?? ROUGH.turn,
        shift: expected?.shift ?? ROUGH.shift * depthScale,
      };
  }
  const inside = new Set(views);
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
    scaled: apart,
  };
}

function objectiveOf(state: AlignmentState, photos: readonly PhotoSamples[], depthScale: number): number {
  return new PixelKernel(photos).evaluate(state, 1e-4 * depthScale);
}

/**
 * Pixels a photo for FINE_WORK: each costs half the square of seven unknowns for every time that the photo was seen.
 */
function affordable(problem: AlignmentProblem, usable: readonly number[]): number {
  const seen = new Map<string, number>();
  for (const k of usable)
    for (const { photo } of problem.observations[k]!.views) seen.set(photo, (seen.get(photo) ?? 0) + 1);
  return Math.min(
    MOST_PIXELS,
    Math.floor(FINE_WORK / [...seen.values()].reduce((sum, times) => sum + (7 * times + 1) ** 2 / 2, 0)),
  );
}

function samplesAt({ problem, principal }: Setting, usable: readonly number[], pixels: number): PhotoSamples[] {
  const largest = Math.max(...problem.views.map(({ width, height }) => width * height));
  return samplePhotos(problem, usable, Math.max(1, Math.round(Math.sqrt(largest / pixels))), principal);
}

function typicalDepth(state: AlignmentState, photos: readonly PhotoSamples[]): number {
  const kernel = new PixelKernel(photos);
  kernel.evaluate(state, 1e-9);
  kernel.accept();
  const positive = Float64Array.from(
    photos.flatMap((_, k) => Array.from(kernel.depths(k)).filter((depth) => depth > 0)),
  ).sort();
  return positive[positive.length >> 1] ?? 1;
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
