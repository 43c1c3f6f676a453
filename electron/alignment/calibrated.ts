import { median } from '../numerics/median.js';
import { UnionFind } from '../numerics/union-find.js';
import { compose, identitySimilarity, invert, transform, type Similarity } from '../geometry/similarity.js';
import { cloudPixels, type ObservationDigest, type ViewDigest } from '../geometry/digest.js';
import { multiply3, rigid, rotationAngle, rotationOf, transpose3 } from '../numerics/linear.js';
import { placeAtAnchors } from './anchors.js';
import { sampleCloud } from './clouds.js';
import type { Setting, SolvedPart } from './component.js';
import { gridLookup, type PreparedProblem } from './prepared.js';
import { placeCamera } from './resection.js';
import type { CalibratedView, SparsePrior } from './sparse-prior.js';
import type { AlignmentState } from './state.js';
import { weightedMedian } from './weighted-median.js';

/** An observation's own relative pose agrees with the bundle's within these (radians) and so shares its unit. */
const SAME = { turn: 0.01, direction: 0.05 };
/** Fewer tie points than this tell no scale. */
const LEAST_TIES = 8;
/**
 * An observation is wrong when its pixels are off the tie points by this many times what is typical, and by more than
 * LEAST_OFF of the depth, in the median.
 */
const OUTLIER_RATIO = 3;
const LEAST_OFF = 0.05;

/** Views of one piece that nothing ties to views outside it, and the observations of them. */
export interface CalibratedGroup {
  views: number[];
  observations: number[];
}

/**
 * The parts of a problem that the bundle has solved: groups of views that are all calibrated in one piece. What is left
 * is solved from the pointmaps.
 */
export function calibratedGroups(
  prior: SparsePrior | undefined,
  viewsOf: readonly (readonly number[])[],
): CalibratedGroup[] {
  if (!prior) return [];
  const joined = new UnionFind(prior.cameras.length);
  for (const views of viewsOf) for (const view of views) joined.join(view, views[0]!);
  const firstOf = new Map<number, number>();
  prior.cameras.forEach((camera, view) => {
    if (!camera) return;
    const first = firstOf.get(camera.piece);
    if (first === undefined) firstOf.set(camera.piece, view);
    else joined.join(view, first);
  });
  const groups = new Map<number, CalibratedGroup>();
  prior.cameras.forEach((_, view) => {
    const root = joined.root(view);
    const group = groups.get(root) ?? { views: [], observations: [] };
    groups.set(root, group);
    group.views.push(view);
  });
  viewsOf.forEach((views, k) => groups.get(joined.root(views[0]!))!.observations.push(k));
  return [...groups.values()].filter(({ views, observations }) => {
    const pieces = new Set(views.map((view) => prior.cameras[view]?.piece));
    return views.length > 1 && observations.length > 0 && pieces.size === 1 && !pieces.has(undefined);
  });
}

/**
 * For groups that hold views outside the largest piece too: the piece's cameras as poses and focals that are given, in
 * the world of the poses that the user or an earlier solution gave.
 */
export function withPieceHeld(
  problem: PreparedProblem,
  setting: Pick<Setting, 'anchors' | 'viewsOf'>,
): PreparedProblem {
  const { sparse: prior, views } = problem;
  if (!prior) return problem;
  const handled = new Set(calibratedGroups(prior, setting.viewsOf).flatMap((group) => group.views));
  const pieces = new Map<number, number[]>();
  prior.cameras.forEach((camera, view) => {
    if (camera && !handled.has(view)) pieces.set(camera.piece, [...(pieces.get(camera.piece) ?? []), view]);
  });
  const largest = [...pieces.values()].sort((p, q) => q.length - p.length)[0];
  if (!largest || largest.length < 2) return problem;
  const cameras = pieceInWorld(problem, setting.anchors, largest);
  const constraints = views.map((_, view) => {
    const given = problem.constraints?.[view];
    const camera = cameras.get(view);
    if (!camera) return given;
    return {
      focal: prior.cameras[view]!.focal,
      ...given,
      pose: { worldFromCamera: rigid(camera.rotation, camera.translation), kind: 'fixed' as const },
    };
  });
  return { ...problem, constraints };
}

/** The piece's cameras in the world of the given poses; where none is given, in the frame of the first one. */
function pieceInWorld(
  { sparse, views }: PreparedProblem,
  anchors: Setting['anchors'],
  piece: readonly number[],
): Map<number, Similarity> {
  const cameras: (Similarity | undefined)[] = views.map(() => undefined);
  const worldFromFirst = poseOf(sparse!.cameras[piece[0]!]!);
  for (const view of piece) cameras[view] = compose(invert(worldFromFirst), poseOf(sparse!.cameras[view]!));
  const given = piece.flatMap((view) => anchors.get(view) ?? []);
  // Of an earlier solution's poses only the world is taken: the bundle has these cameras better.
  const world = placeAtAnchors(
    { cameras, focal: new Float64Array(0), observations: [] },
    given.map((anchor) => (anchor.kind === 'initial' ? { ...anchor, kind: 'rough' } : anchor)),
    [],
  ).state;
  return new Map(piece.map((view) => [view, world.cameras[view]!]));
}

/**
 * Places the observations of a calibrated group on cameras that stay as they are: each view's pointmap gets a scale
 * from the tie points (Observation.firstFromCamera, where it agrees with the bundle, has the bundle's unit already).
 */
export function placeOnCameras(
  setting: Setting,
  { views, observations }: CalibratedGroup,
  focal: Float64Array,
): SolvedPart {
  const { problem, viewsOf } = setting;
  const prior = problem.sparse!;
  const cameras = pieceInWorld(problem, setting.anchors, views);
  const unit = worldUnit(prior, cameras, views);
  const ties = new TieIndex(prior, views);
  const state: AlignmentState = {
    cameras: problem.views.map((_, view) => cameras.get(view)),
    focal: focal.slice(),
    observations: problem.observations.map(() => undefined),
  };
  for (const view of views) state.focal[view] = problem.constraints?.[view]?.focal ?? prior.cameras[view]!.focal;
  const placed = new Map<number, Similarity[]>();
  const off = new Map<number, number>();
  for (const k of observations) {
    const roles = placeObservation(setting, k, state, ties, unit);
    off.set(k, roles ? ties.worst(viewsOf[k]!, problem.observations[k]!, roles, cameras, unit) : Infinity);
    if (roles) placed.set(k, roles);
  }
  // The lower third, as in contradictions.ts: with 40 % wrong ones the median itself is spoilt.
  const typical = [...off.values()].sort((p, q) => p - q)[Math.floor(0.35 * off.size)]!;
  const dropped = new Map([...off].filter(([, value]) => !(value <= Math.max(LEAST_OFF, OUTLIER_RATIO * typical))));
  for (const k of dropped.keys()) placed.delete(k);
  for (const [k, roles] of placed) state.observations[k] = roles[0]!;
  return {
    views: [...views],
    state,
    usable: observations.filter((k) => placed.has(k)),
    placed,
    dropped,
    warnings: [],
    iterations: 0,
    ratio: 1,
    depthScale: ties.typicalRange * unit,
    gathered: [],
  };
}

/** World units per unit of the piece. */
function worldUnit(prior: SparsePrior, cameras: ReadonlyMap<number, Similarity>, views: readonly number[]): number {
  const first = views[0]!;
  let most = 0;
  let unit = 1;
  for (const view of views) {
    const before = distance(poseOf(prior.cameras[view]!), poseOf(prior.cameras[first]!));
    if (before <= most) continue;
    most = before;
    unit = distance(cameras.get(view)!, cameras.get(first)!) / before;
  }
  return unit;
}

const distance = (a: Similarity, b: Similarity): number =>
  Math.hypot(...a.translation.map((value, i) => value - b.translation[i]!));

/** worldFromObservation for each view of an observation; undefined where its scale can't be told. */
function placeObservation(
  { problem, viewsOf, principal }: Setting,
  k: number,
  state: AlignmentState,
  ties: TieIndex,
  unit: number,
): Similarity[] | undefined {
  const observation = problem.observations[k]!;
  const seen = viewsOf[k]!;
  const first = state.cameras[seen[0]!]!;
  const scaled = (camera: Similarity, scale: number): Similarity => compose(camera, { ...identitySimilarity(), scale });
  const shared = sharedUnit(
    observation,
    seen.map((view) => state.cameras[view]!),
  );
  if (shared !== undefined) return seen.map(() => scaled(first, shared));
  const own = ties.scale(seen[0]!, observation.views[0]!, identitySimilarity());
  const others = seen.map((view, role) => {
    if (role === 0) return { frame: identitySimilarity(), scale: own };
    // The view's camera as its own pixels have it: rays of the bundle's camera then meet the points exactly.
    const { width, height } = observation.views[role]!;
    const frame = placeCamera(
      sampleCloud(problem, k, role),
      cloudPixels(width, height),
      principal[view]!,
      state.focal[view]!,
      observation.firstFromCamera?.[role],
    );
    return frame && { frame, scale: ties.scale(view, observation.views[role]!, invert(frame)) };
  });
  const placed = others.map((other, role): Similarity | undefined => {
    const scale = other?.scale ?? own ?? others.find((each) => each?.scale !== undefined)?.scale;
    if (!other || scale === undefined) return undefined;
    return compose(scaled(state.cameras[seen[role]!]!, scale * unit), invert(other.frame));
  });
  return placed.every((each) => each !== undefined) ? placed : undefined;
}

/** World units per unit of an observation whose own relative poses are those of the cameras. */
function sharedUnit({ firstFromCamera }: ObservationDigest, cameras: readonly Similarity[]): number | undefined {
  const ratios: number[] = [];
  for (let role = 1; role < cameras.length; role++) {
    const said = firstFromCamera?.[role];
    if (!said) return undefined;
    const known = compose(invert(cameras[0]!), cameras[role]!);
    const t = [said[3]!, said[7]!, said[11]!];
    const [long, far] = [Math.hypot(...t), Math.hypot(...known.translation)];
    const cosine = t.reduce((sum, value, i) => sum + value * known.translation[i]!, 0) / (long * far);
    const turn = rotationAngle(multiply3(rotationOf(said), transpose3(known.rotation)));
    if (!(turn < SAME.turn && Math.acos(Math.min(1, cosine)) < SAME.direction)) return undefined;
    ratios.push(far / long);
  }
  return median(ratios);
}

/** Tie points by view. */
class TieIndex {
  /** Per view: x, y in view pixels and the point in the view's camera, one row of five each. */
  private readonly rows = new Map<number, Float64Array>();
  /** Median distance of the points from the cameras, in the piece's unit. */
  readonly typicalRange: number;

  constructor({ cameras, ties }: SparsePrior, views: readonly number[]) {
    const lists = new Map(views.map((view) => [view, [] as number[]]));
    const ranges: number[] = [];
    const inverses = new Map(views.map((view) => [view, invert(poseOf(cameras[view]!))]));
    ties.view.forEach((view, k) => {
      const list = lists.get(view);
      if (!list) return;
      const point = transform(inverses.get(view)!, ties.positions.subarray(3 * k, 3 * k + 3));
      list.push(ties.at[2 * k]!, ties.at[2 * k + 1]!, point[0]!, point[1]!, point[2]!);
      ranges.push(point[2]!);
    });
    for (const [view, list] of lists) this.rows.set(view, Float64Array.from(list));
    this.typicalRange = median(ranges) ?? 1;
  }

  /** Units of the piece per unit of a view's pointmap: the median ratio of distances from the camera. */
  scale(view: number, digest: ViewDigest, cameraFromObservation: Similarity): number | undefined {
    const ratios: number[] = [];
    const weights: number[] = [];
    this.visit(view, digest, cameraFromObservation, (said, known, weight) => {
      ratios.push(Math.hypot(...known) / Math.max(1e-12, Math.hypot(...said)));
      weights.push(weight);
    });
    if (ratios.length < LEAST_TIES) return undefined;
    return weightedMedian(Float64Array.from(ratios), Float64Array.from(weights), ratios.length);
  }

  /** Of an observation's views the largest median distance over depth from the tie points. */
  worst(
    views: readonly number[],
    observation: ObservationDigest,
    worldFromObservation: readonly Similarity[],
    cameras: ReadonlyMap<number, Similarity>,
    unit: number,
  ): number {
    return Math.max(
      ...views.map((view, role) => {
        const cameraFromObservation = compose(invert(cameras.get(view)!), worldFromObservation[role]!);
        return this.residual(view, observation.views[role]!, cameraFromObservation, unit);
      }),
    );
  }

  /** 0 where there are too few points to tell. */
  private residual(view: number, digest: ViewDigest, cameraFromObservation: Similarity, unit: number): number {
    const off: number[] = [];
    const weights: number[] = [];
    this.visit(view, digest, cameraFromObservation, (said, known, weight) => {
      off.push(Math.hypot(...known.map((value, i) => value * unit - said[i]!)) / (unit * Math.hypot(...known)));
      weights.push(weight);
    });
    if (off.length < LEAST_TIES) return 0;
    return weightedMedian(Float64Array.from(off), Float64Array.from(weights), off.length);
  }

  /** What the grid says nearest to each tie point: off by half a stride, which the median over many does not feel. */
  private visit(
    view: number,
    digest: ViewDigest,
    cameraFromObservation: Similarity,
    use: (said: Float64Array, known: number[], weight: number) => void,
  ): void {
    const { points, weights } = digest.grid;
    const entryAt = gridLookup(digest);
    const rows = this.rows.get(view)!;
    for (let k = 0; k < rows.length; k += 5) {
      const entry = entryAt(rows[k]!, rows[k + 1]!);
      const weight = weights[entry]!;
      if (!(weight > 0)) continue;
      const said = transform(cameraFromObservation, points.subarray(3 * entry, 3 * entry + 3));
      use(said, [rows[k + 2]!, rows[k + 3]!, rows[k + 4]!], weight);
    }
  }
}

const poseOf = ({ worldFromCamera: m }: CalibratedView): Similarity => ({
  scale: 1,
  rotation: rotationOf(m),
  translation: Float64Array.of(m[3]!, m[7]!, m[11]!),
});
