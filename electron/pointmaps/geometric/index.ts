import { threadExecution, type Executor } from '../../compute/execution.js';
import type { PhotoReader, StageContext } from '../../geometry/stage.js';
import { createHash } from 'node:crypto';
import { UserError } from '../../contract/errors.js';
import type { SparseLens, SparseModel } from '../../geometry/sparse-model.js';
import { invertRigid, identity4, multiply4, rigid } from '../../numerics/linear.js';
import type { Observation, ObservedView, Pair, Photo, View } from '../../geometry/types.js';
import type { CostEstimate, Estimator, EstimatorSession, PairOutcome } from '../estimator.js';
import { encodeSparseModel } from '../../sparse/model-record.js';
import { depthRange, type StereoGroup } from './dense/groups.js';
import { DenseMaps, STEP_COST, denseWorker, unproject, type DenseDepth, type StereoWorld } from './dense/index.js';
import { pixelLens } from '../sparse-views.js';
import { planPairs, planStereo, type PlannedPair } from './plan.js';
import { decodePlan, encodePlan, type Plan } from './state.js';
import { undistortedView, viewSize } from './view.js';

/** Long side, in pixels, of the views that depth is computed on; time grows with its cube. */
export const VIEW_SIDES = { draft: 384, normal: 512, high: 640 } as const;

export interface GeometricOptions {
  /** `normal` when not given. */
  quality?: keyof typeof VIEW_SIDES;
  /** Instead of the quality's. */
  viewLongSide?: number;
  threads?: number;
}

const VERSION = '13';
const LATEST = `geometric/${VERSION}/latest-plan`;

/**
 * The built-in estimator: no learned weights. Features and a bundle adjustment over the whole set calibrate the
 * cameras, then the depth of each photo is matched against all photos that see the same place well.
 */
export function createGeometricEstimator(reader: PhotoReader, options: GeometricOptions = {}): Estimator {
  const longSide = options.viewLongSide ?? VIEW_SIDES[options.quality ?? 'normal'];
  return {
    id: 'geometric',
    version: VERSION,
    licence: 'Apache-2.0',
    settingsKey: `view=${longSide}`,
    estimateCost: (photos, pairs) => estimateCost(photos, pairs, longSide, options.threads ?? 2),
    sparse: 'required',
    open: async (photos, pairs, context) => {
      const model = context.sparse;
      if (!model) throw new UserError('bad-input', 'the built-in estimator needs the sparse model of the photos');
      const plan = planOrReuse(photos, pairs, model, longSide, context);
      const execution = context.execution ?? threadExecution;
      const pool = execution.open('stereo', denseWorker, options.threads);
      return new GeometricSession(photos, model, plan, { reader, longSide, pool, width: execution.width });
    },
  };
}

/**
 * Measured on two cores of 2024: dense depth 2.4 s a pair at 512 px. The sparse model is made, and forecast, before it.
 */
function estimateCost(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  longSide: number,
  threads: number,
): CostEstimate {
  const dense = Math.min(pairs.length, photos.length * 2);
  const size = (longSide / 512) ** 3;
  return {
    seconds: (dense * 2.4 * size) / threads + 2,
    memory: 300e6 + threads * 130e6 * size + photos.length * 8e6,
  };
}

/**
 * The plan of this model and these pairs: as it was made before, or anew. Pairs of the last plan stay as they are, so
 * that what was computed from them stays valid.
 */
function planOrReuse(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  model: SparseModel,
  longSide: number,
  { store, cachedOnly = false }: StageContext,
): Plan {
  const inputs = createHash('sha256')
    .update(encodeSparseModel(model))
    .update(JSON.stringify([longSide, cachedOnly, pairs.map(({ a, b }) => [a, b])]))
    .digest('hex');
  const key = `geometric/${VERSION}/plan/${inputs}`;
  const kept = decodePlan(store.get(key));
  if (kept) return kept;
  const latest = store.get(LATEST);
  const earlier = latest && decodePlan(store.get(new TextDecoder().decode(latest)));
  const ids = photos.map(({ id }) => id);
  const plan: Plan = {
    photos: ids,
    ...planPairs(model, pairs, stillValid(earlier, model)),
    groups: planStereo(
      model,
      photos.map((photo) => viewSize(photo, longSide)),
      pairs,
      validGroups(earlier, model, cachedOnly ? undefined : pairs),
    ),
    cameras: model.cameras.map((_, k) => cameraDigest(model, k)),
  };
  const record = encodePlan(plan);
  store.put(key, record);
  store.put(LATEST, new TextEncoder().encode(key));
  return decodePlan(record)!;
}

/** Pairs of an earlier plan whose cameras stand to each other as they did. */
function stillValid(earlier: Plan | undefined, { cameras }: SparseModel): PlannedPair[] {
  const index = new Map(cameras.map(({ photo }, k) => [photo, k]));
  return (earlier?.observe ?? []).flatMap((planned): PlannedPair[] => {
    const a = index.get(earlier!.photos[planned.pair.a]!);
    const b = index.get(earlier!.photos[planned.pair.b]!);
    if (a === undefined || b === undefined) return [];
    const [p, q] = [cameras[a]!.pose, cameras[b]!.pose];
    if (!p || !q || p.piece !== q.piece) return [];
    const now = multiply4(rigid(q.rotation, q.translation), invertRigid(rigid(p.rotation, p.translation)));
    return now.every((value, k) => value === planned.secondFromFirst[k]) ? [{ ...planned, pair: { a, b } }] : [];
  });
}

/**
 * Groups of an earlier plan whose cameras are what they were.
 *
 * @param pairs that may be looked at: a group with any other is planned anew; undefined where nothing is computed anew
 */
function validGroups(earlier: Plan | undefined, model: SparseModel, pairs: readonly Pair[] | undefined): StereoGroup[] {
  const allowed = pairs && new Set(pairs.flatMap(({ a, b }) => [`${a}-${b}`, `${b}-${a}`]));
  const index = new Map(model.cameras.map(({ photo }, k) => [photo, k]));
  const now = (old: number): number | undefined => {
    const k = index.get(earlier!.photos[old]!);
    return k !== undefined && earlier!.cameras[old] === cameraDigest(model, k) ? k : undefined;
  };
  return (earlier?.groups ?? []).flatMap(({ reference, neighbours, range }) => {
    const at = now(reference);
    const others = neighbours.map(now);
    const holds = others.every((other) => other !== undefined && (allowed?.has(`${at}-${other}`) ?? true));
    return at !== undefined && holds ? [{ reference: at, neighbours: others as number[], range }] : [];
  });
}

/** Identifies a camera's place, world and lens to the last bit; empty where it is not placed. */
function cameraDigest({ cameras, lenses }: SparseModel, index: number): string {
  const { pose, lens } = cameras[index]!;
  if (!pose) return '';
  const { focal, k1, k2 = 0, cx = 0, cy = 0 } = lenses[lens]!;
  return createHash('sha256')
    .update(Float64Array.of(pose.piece, ...pose.rotation, ...pose.translation, focal, k1, k2, cx, cy))
    .digest('hex');
}

/** What a session computes with. */
interface SessionTools {
  reader: PhotoReader;
  longSide: number;
  pool: Executor;
  width: number | undefined;
}

class GeometricSession implements EstimatorSession {
  readonly plan: EstimatorSession['plan'];
  readonly width: number | undefined;
  private readonly reader: PhotoReader;
  private readonly longSide: number;
  private readonly pool: Executor;
  private readonly views = new Map<number, Promise<View>>();
  private readonly groups: ReadonlyMap<number, StereoGroup>;
  private readonly maps: DenseMaps;
  /** What was matched and judged, in STEP_COST, and the planned pairs still to be observed. */
  private done = 0;
  private readonly waiting: Set<PlannedPair>;

  constructor(
    private readonly photos: readonly Photo[],
    private readonly model: SparseModel,
    private readonly planned: Plan,
    { reader, longSide, pool, width }: SessionTools,
  ) {
    this.reader = reader;
    this.longSide = longSide;
    this.pool = pool;
    this.width = width;
    this.plan = { observe: planned.observe.map(({ pair }) => pair), rejected: planned.rejected };
    this.waiting = new Set(planned.observe);
    this.groups = new Map(planned.groups.map((group) => [group.reference, group]));
    this.maps = new DenseMaps(
      {
        view: (index) => this.view(index),
        focal: (index) => this.viewFocal(index),
        cameraFromWorld: (index) => this.cameraFromWorld(index),
        group: (index) => this.groups.get(index),
      },
      this.pool,
    );
  }

  view(index: number): Promise<View> {
    let view = this.views.get(index);
    if (!view) {
      const photo = this.photos[index]!;
      view = undistortedView(photo, this.longSide, pixelLens(this.lens(index), photo), this.reader);
      this.views.set(index, view);
    }
    return view;
  }

  focal(index: number): { pixels: number; k1: number; assumed?: boolean | undefined } {
    const { focal, k1, assumed } = this.lens(index);
    return { pixels: focal * Math.max(this.photos[index]!.width, this.photos[index]!.height), k1, assumed };
  }

  observationKey(pair: Pair): string {
    const planned = this.plannedPair(pair);
    if (!planned) return 'not planned';
    const digest = createHash('sha256');
    digest.update(planned.secondFromFirst);
    // A photo's depth follows from its group, and from the groups of those that it is compared with.
    const told = new Set<number>();
    const tell = (photo: number, depth: number): void => {
      if (!told.has(photo)) digest.update(this.photos[photo]!.id).update(this.cameraNumbers(photo));
      told.add(photo);
      const group = this.isPlaced(pair) ? this.groups.get(photo) : undefined;
      if (!group) return;
      digest.update(Float64Array.from([group.range[0], group.range[1], group.neighbours.length]));
      for (const other of depth > 0 ? group.neighbours : []) {
        digest.update(relativePose(this.cameraFromWorld(photo), this.cameraFromWorld(other)));
        tell(other, depth - 1);
      }
    };
    for (const photo of [pair.a, pair.b]) tell(photo, 2);
    if (!this.isPlaced(pair)) digest.update(planned.points);
    return digest.digest('hex');
  }

  async observe(pair: Pair, context: StageContext): Promise<PairOutcome> {
    context.signal?.throwIfAborted();
    const planned = this.plannedPair(pair);
    if (!planned) {
      const refused = this.planned.rejected.find(({ pair: { a, b } }) => a === pair.a && b === pair.b);
      return {
        kind: 'rejected',
        reason: refused?.reason ?? 'failed',
        detail: refused?.detail ?? 'the pair was not among those that the session was opened with',
      };
    }
    const [a, b] = await Promise.all([this.view(pair.a), this.view(pair.b)]);
    const focalA = this.viewFocal(pair.a);
    const focalB = this.viewFocal(pair.b);
    const [denseA, denseB] = await this.depths(planned, context);
    const firstFromSecond = invertRigid(planned.secondFromFirst);
    this.finish(planned);
    const confident = share(denseA.confidence) + share(denseB.confidence);
    if (confident < 0.01) return { kind: 'rejected', reason: 'failed', detail: 'almost no pixel has a reliable depth' };
    const observed = (view: View, points: Float32Array, { confidence, inferred, sky }: DenseDepth): ObservedView => ({
      photo: view.photo,
      width: view.width,
      height: view.height,
      originalFromView: view.originalFromView,
      points,
      confidence,
      inferred,
      sky,
    });
    const observation: Observation = {
      views: [
        observed(a, unproject(a, focalA, denseA.depth), denseA),
        observed(b, unproject(b, focalB, denseB.depth, firstFromSecond), denseB),
      ],
      focal: [focalA, focalB],
      firstFromCamera: [identity4(), firstFromSecond],
    };
    return { kind: 'observation', observation };
  }

  progress(): { done: number; total: number } {
    const alone = this.planned.observe.filter(({ pair }) => !this.isPlaced(pair)).length;
    // Each view is matched once and judged once; photos that are not placed together, pair by pair.
    const total = (STEP_COST.match + STEP_COST.judge) * (this.groups.size + 2 * alone);
    return { done: Math.min(this.done, total), total };
  }

  async close(): Promise<void> {
    this.views.clear();
    await this.pool.close();
  }

  private lens(index: number): SparseLens {
    return this.model.lenses[this.model.cameras[index]!.lens]!;
  }

  private plannedPair({ a, b }: Pair): PlannedPair | undefined {
    return this.planned.observe.find(({ pair }) => pair.a === a && pair.b === b);
  }

  private viewFocal(index: number): number {
    const size = viewSize(this.photos[index]!, this.longSide);
    return this.lens(index).focal * Math.max(size.width, size.height);
  }

  /** Forgets what no pair that is still to come needs. */
  private finish(planned: PlannedPair): void {
    this.waiting.delete(planned);
    const needed = new Set([...this.waiting].flatMap(({ pair: { a, b } }) => [a, b]));
    const compared = new Set([...needed].flatMap((photo) => this.groups.get(photo)?.neighbours ?? []));
    for (const photo of this.groups.keys()) {
      if (needed.has(photo)) continue;
      this.maps.forget(photo);
      if (!compared.has(photo)) this.maps.forgetMatch(photo);
    }
  }

  private isPlaced({ a, b }: Pair): boolean {
    const [p, q] = [this.model.cameras[a]!.pose, this.model.cameras[b]!.pose];
    return p !== undefined && p.piece === q?.piece && this.groups.has(a) && this.groups.has(b);
  }

  private cameraFromWorld(index: number): Float64Array {
    const { rotation, translation } = this.model.cameras[index]!.pose!;
    return rigid(rotation, translation);
  }

  private cameraNumbers(index: number): Float64Array {
    const { focal, k1, k2 = 0, cx = 0, cy = 0 } = this.lens(index);
    return Float64Array.of(focal, k1, k2, cx, cy);
  }

  /** Of both photos: against their groups, or for photos that are not placed together against each other alone. */
  private depths(planned: PlannedPair, context: StageContext): Promise<[DenseDepth, DenseDepth]> {
    const { a, b } = planned.pair;
    const maps = this.isPlaced(planned.pair) ? this.maps : new DenseMaps(this.pairWorld(planned), this.pool);
    const stereo = {
      signal: context.signal,
      pass: context.pass,
      onDone: (step: keyof typeof STEP_COST) => {
        this.done += STEP_COST[step];
        context.onProgress?.({ stage: 'computing depth', ...this.progress() });
      },
    };
    return Promise.all([maps.depth(a, stereo), maps.depth(b, stereo)]);
  }

  private pairWorld({ pair: { a, b }, secondFromFirst: T, points }: PlannedPair): StereoWorld {
    const depthsA: number[] = [];
    const depthsB: number[] = [];
    for (let k = 0; k < points.length; k += 3) {
      depthsA.push(points[k + 2]!);
      depthsB.push(T[8]! * points[k]! + T[9]! * points[k + 1]! + T[10]! * points[k + 2]! + T[11]!);
    }
    return {
      view: (index) => this.view(index),
      focal: (index) => this.viewFocal(index),
      cameraFromWorld: (index) => (index === a ? identity4() : T),
      group: (index) => ({
        reference: index,
        neighbours: [index === a ? b : a],
        range: depthRange((index === a ? depthsA : depthsB).filter((z) => z > 0)),
      }),
    };
  }
}

function relativePose(from: Float64Array, to: Float64Array): Float64Array {
  return multiply4(to, invertRigid(from));
}

function share(confidence: Float32Array): number {
  let count = 0;
  for (const value of confidence) if (value > 1) count++;
  return count / confidence.length;
}
