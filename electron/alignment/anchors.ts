import { median } from '../numerics/median.js';
import { multiply3, rotationAngle, rotationOf, transpose3 } from '../numerics/linear.js';
import { compose, invert, type Similarity } from '../geometry/similarity.js';
import type { AlignmentState } from './state.js';
import type { AlignmentProblem } from './types.js';

/** Cameras closer than this share of the anchors' extent do not tell a scale. */
const LEAST_BASELINE = 1e-3;

/** A pose that is given in the world that the result is to be in. */
export interface Anchor {
  view: number;
  worldFromCamera: Similarity;
  /** Held; softly held; where an earlier solution had it. */
  kind: 'fixed' | 'rough' | 'initial';
}

/** Every view's anchor: its constraint, or else its pose in the earlier solution. */
export function anchorsOf({
  views,
  constraints,
  initial,
}: Pick<AlignmentProblem, 'views' | 'constraints' | 'initial'>): Map<number, Anchor> {
  const anchors = new Map<number, Anchor>();
  views.forEach((_, view) => {
    const pose =
      constraints?.[view]?.pose ??
      (initial?.[view] && { worldFromCamera: initial[view].worldFromCamera, kind: 'initial' as const });
    if (!pose) return;
    const m = pose.worldFromCamera;
    anchors.set(view, {
      view,
      kind: pose.kind,
      worldFromCamera: { scale: 1, rotation: rotationOf(m), translation: Float64Array.of(m[3]!, m[7]!, m[11]!) },
    });
  });
  return anchors;
}

export interface Anchored {
  state: AlignmentState;
  /** The anchors' distances give the world its scale. */
  scaled: boolean;
  /** Largest angle between a given pose and where the observations alone would have put the camera, radians. */
  disagreement: number;
}

/**
 * Moves a component's start into the world of its anchors, as a whole: the rotation is the anchors' medoid, the scale
 * the median ratio of distances between them, the translation the median offset (each coordinate), so that one mistaken
 * anchor does not tilt the rest. Then fixed cameras and those of an earlier solution are put exactly in their places,
 * each with the observations that it is first in.
 *
 * @param firstOf first view of every observation
 */
export function placeAtAnchors(
  state: AlignmentState,
  anchors: readonly Anchor[],
  firstOf: readonly number[],
): Anchored {
  if (anchors.length === 0) return { state, scaled: false, disagreement: 0 };
  const from = anchors.map(({ view }) => state.cameras[view]!);
  const to = anchors.map(({ worldFromCamera }) => worldFromCamera);
  const rotations = to.map((given, k) => multiply3(given.rotation, transpose3(from[k]!.rotation)));
  const angle = (a: Float64Array, b: Float64Array): number => rotationAngle(multiply3(a, transpose3(b)));
  const spread = rotations.map((one) => median(rotations.map((other) => angle(one, other)))!);
  const rotation = rotations[spread.indexOf(Math.min(...spread))]!;
  const scale = scaleBetween(from, to);
  const turned: Similarity = { scale: scale ?? 1, rotation, translation: new Float64Array(3) };
  const offsets = to.map((given, k) =>
    given.translation.map((value, i) => value - compose(turned, from[k]!).translation[i]!),
  );
  turned.translation.set([0, 1, 2].map((i) => median(offsets.map((offset) => offset[i]!))!));

  const cameras = state.cameras.map((camera) => camera && { ...compose(turned, camera), scale: 1 });
  const corrections: (Similarity | undefined)[] = cameras.map(() => undefined);
  for (const { view, worldFromCamera, kind } of anchors) {
    if (kind === 'rough') continue;
    corrections[view] = compose(worldFromCamera, invert(cameras[view]!));
    cameras[view] = worldFromCamera;
  }
  const observations = state.observations.map((observation, k) => {
    const placed = observation && compose(turned, observation);
    const correction = corrections[firstOf[k]!];
    return placed && correction ? compose(correction, placed) : placed;
  });
  return {
    state: { cameras, focal: state.focal, observations },
    scaled: scale !== undefined,
    disagreement: Math.max(...rotations.map((one) => angle(one, rotation))),
  };
}

/** Median ratio of the distances between cameras; undefined where they stand in one place. */
function scaleBetween(from: readonly Similarity[], to: readonly Similarity[]): number | undefined {
  const distance = (a: Similarity, b: Similarity): number =>
    Math.hypot(...a.translation.map((value, i) => value - b.translation[i]!));
  const pairs: { from: number; to: number }[] = [];
  for (let a = 0; a < from.length; a++)
    for (let b = 0; b < a; b++) pairs.push({ from: distance(from[a]!, from[b]!), to: distance(to[a]!, to[b]!) });
  const extent = {
    from: Math.max(0, ...pairs.map((pair) => pair.from)),
    to: Math.max(0, ...pairs.map((pair) => pair.to)),
  };
  const told = pairs.filter(
    (pair) => pair.from > LEAST_BASELINE * extent.from && pair.to > LEAST_BASELINE * extent.to && pair.to > 1e-9,
  );
  return told.length === 0 ? undefined : median(told.map((pair) => pair.to / pair.from));
}
