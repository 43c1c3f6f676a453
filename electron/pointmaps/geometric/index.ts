import type { PhotoReader, StageContext } from '../../geometry/stage.js';
import { createHash } from 'node:crypto';
import { UserError } from '../../contract/errors.js';
import type { SparseLens, SparseModel } from '../../geometry/sparse-model.js';
import { invertRigid, identity4, multiply4, rigid } from '../../numerics/linear.js';
import type { Observation, ObservedView, Pair, Photo, View } from '../../geometry/types.js';
import type { CostEstimate, Estimator, EstimatorSession, PairOutcome } from '../estimator.js';
import { encodeSparseModel } from '../../sparse/model-record.js';
import { DensePool, densePair } from './dense/index.js';
import { planPairs, type PlannedPair } from './plan.js';
import { decodePlan, encodePlan, type Plan } from './state.js';
import { undistort } from '../../sparse/triangulate.js';
import { undistortedView, viewMap, viewSize } from './view.js';

/** Long side, in pixels, of the views that depth is computed on; time grows with its cube. */
export const VIEW_SIDES = { draft: 384, normal: 512, high: 640 } as const;

export interface GeometricOptions {
  /** `normal` when not given. */
  quality?: keyof typeof VIEW_SIDES;
  /** Instead of the quality's. */
  viewLongSide?: number;
  threads?: number;
}

const VERSION = '4';
const LATEST = `geometric/${VERSION}/latest-plan`;

/**
 * The built-in estimator: no learned weights. Features and a bundle adjustment over the whole set calibrate the
 * cameras, then dense depth is swept along the known geometry of the pairs with the best parallax.
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
      const plan = planOrReuse(photos, pairs, model, context);
      return new GeometricSession(photos, model, plan, reader, longSide, options.threads);
    },
  };
}

/**
 * Measured on two cores of 2024: dense depth 2 s a pair at 512 px. The sparse model is made, and forecast, before it.
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
    seconds: (dense * 2 * size) / threads + 2,
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
  { store }: StageContext,
): Plan {
  const inputs = createHash('sha256')
    .update(encodeSparseModel(model))
    .update(JSON.stringify(pairs.map(({ a, b }) => [a, b])))
    .digest('hex');
  const key = `geometric/${VERSION}/plan/${inputs}`;
  const kept = decodePlan(store.get(key));
  if (kept) return kept;
  const latest = store.get(LATEST);
  const earlier = latest && decodePlan(store.get(new TextDecoder().decode(latest)));
  const ids = photos.map(({ id }) => id);
  const plan = { photos: ids, ...planPairs(model, pairs, stillValid(earlier, model)) };
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

class GeometricSession implements EstimatorSession {
  readonly plan: EstimatorSession['plan'];
  private readonly pool: DensePool;
  private readonly views = new Map<number, Promise<View>>();

  constructor(
    private readonly photos: readonly Photo[],
    private readonly model: SparseModel,
    private readonly planned: Plan,
    private readonly reader: PhotoReader,
    private readonly longSide: number,
    threads?: number,
  ) {
    this.plan = { observe: planned.observe.map(({ pair }) => pair), rejected: planned.rejected };
    this.pool = new DensePool(threads);
  }

  view(index: number): Promise<View> {
    let view = this.views.get(index);
    if (!view) {
      const { pixels, k1 } = this.focal(index);
      view = undistortedView(this.photos[index]!, this.longSide, pixels, k1, this.reader);
      this.views.set(index, view);
    }
    return view;
  }

  focal(index: number): { pixels: number; k1: number } {
    const { focal, k1 } = this.lens(index);
    return { pixels: focal * Math.max(this.photos[index]!.width, this.photos[index]!.height), k1 };
  }

  observationKey(pair: Pair): string {
    const planned = this.plannedPair(pair);
    if (!planned) return 'not planned';
    const digest = createHash('sha256');
    const numbers = [pair.a, pair.b].flatMap((photo) => [this.lens(photo).focal, this.lens(photo).k1]);
    for (const part of [
      Float64Array.from(numbers),
      planned.secondFromFirst,
      planned.points,
      planned.sightingsA,
      planned.sightingsB,
    ])
      digest.update(part);
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
    const dense = await densePair(
      a,
      b,
      {
        secondFromFirst: planned.secondFromFirst,
        focalA,
        focalB,
        centreA: [a.width / 2, a.height / 2],
        centreB: [b.width / 2, b.height / 2],
        points: planned.points,
        pixelsA: this.toView(pair.a, planned.sightingsA),
        pixelsB: this.toView(pair.b, planned.sightingsB),
        parallax: planned.parallax,
      },
      this.pool,
      { signal: context.signal },
    );
    const confident = share(dense.confidenceA) + share(dense.confidenceB);
    if (confident < 0.01) return { kind: 'rejected', reason: 'failed', detail: 'almost no pixel has a reliable depth' };
    const observed = (view: View, points: Float32Array, confidence: Float32Array): ObservedView => ({
      photo: view.photo,
      width: view.width,
      height: view.height,
      originalFromView: view.originalFromView,
      points,
      confidence,
    });
    const observation: Observation = {
      views: [observed(a, dense.pointsA, dense.confidenceA), observed(b, dense.pointsB, dense.confidenceB)],
      focal: [focalA, focalB],
      firstFromCamera: [identity4(), invertRigid(planned.secondFromFirst)],
    };
    return { kind: 'observation', observation };
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

  /** From long sides relative to the centre of the distorted photo to pixels of the undistorted view. */
  private toView(index: number, sightings: Float64Array): Float64Array {
    const { pixels: focal, k1 } = this.focal(index);
    const photo = this.photos[index]!;
    const map = viewMap(photo, this.longSide, focal, k1);
    const { width, height } = viewSize(photo, this.longSide);
    const lens = this.lens(index);
    const out = new Float64Array(sightings.length);
    for (let k = 0; k < sightings.length; k += 2) {
      const [u, v] = undistort(lens, sightings[k]!, sightings[k + 1]!);
      out[k] = (focal * u) / map.scaleX + width / 2;
      out[k + 1] = (focal * v) / map.scaleY + height / 2;
    }
    return out;
  }
}

function share(confidence: Float32Array): number {
  let count = 0;
  for (const value of confidence) if (value > 1) count++;
  return count / confidence.length;
}
