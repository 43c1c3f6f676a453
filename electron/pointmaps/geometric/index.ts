import type { PhotoReader, StageContext } from '../../geometry/stage.js';
import { createHash } from 'node:crypto';
import { WorkerPool } from '../../compute/pool.js';
import { invertRigid, identity4 } from '../../numerics/linear.js';
import type { Observation, ObservedView, Pair, Photo, View } from '../../geometry/types.js';
import type { CostEstimate, Estimator, EstimatorSession, PairOutcome } from '../estimator.js';
import { lensKey } from '../../sparse/calibration.js';
import { DensePool, densePair } from './dense/index.js';
import { planPairs, type PlannedPair } from './plan.js';
import { decodeState, encodeState, surveyInputs, type SurveyState } from './state.js';
import { surveySet, type Survey } from '../../sparse/survey.js';
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

const VERSION = '3';
const LATEST = `geometric/${VERSION}/latest`;

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
    open: async (photos, pairs, context) => {
      const state = await surveyOrReuse(photos, pairs, reader, options.threads, context);
      return new GeometricSession(photos, state, reader, longSide, options.threads);
    },
  };
}

/**
 * Measured on two cores of 2024: features 1 s a photo, matching and pose 0.12 s a pair, dense depth 2 s a pair at 512
 * px.
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
    seconds: (photos.length * 1.3 + pairs.length * 0.15 + dense * 2 * size) / threads + 4,
    memory: 300e6 + threads * 130e6 * size + photos.length * 8e6,
  };
}

async function surveyOrReuse(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  reader: PhotoReader,
  threads: number | undefined,
  context: StageContext,
): Promise<SurveyState> {
  const key = `geometric/${VERSION}/survey/${surveyInputs(photos, pairs)}`;
  const kept = decodeState(context.store.get(key));
  if (kept) return kept;
  const earlier = usableEarlier(decodeState(context.store.get(LATEST)), photos);
  const pool = new WorkerPool(
    new URL(import.meta.url.endsWith('.ts') ? '../../sparse/worker.ts' : './sparse-worker.js', import.meta.url),
    threads,
  );
  try {
    const state = stateOf(photos, pairs, await surveySet(photos, pairs, reader, pool, context, earlier), earlier);
    const record = encodeState(state);
    context.store.put(key, record);
    context.store.put(LATEST, record);
    // As a later run will read it, so that both give the same observation keys to the last bit (JSON has no negative
    // zero).
    return decodeState(record)!;
  } finally {
    await pool.close();
  }
}

/**
 * Cameras of the last survey stay where they are when a few photos join or leave, so that the observations computed
 * from them stay valid. When much is new, all of it is solved anew: the new photos may know the lens better than the
 * old ones did.
 */
function usableEarlier(earlier: SurveyState | undefined, photos: readonly Photo[]): SurveyState | undefined {
  if (!earlier) return undefined;
  const now = new Map(photos.map((photo) => [photo.id, lensKey(photo)]));
  const still = earlier.photos.filter(({ id, camera }) => camera && now.has(id));
  // The user typed in another focal since.
  if (still.some(({ id, lensKey: before }) => now.get(id) !== before)) return undefined;
  return still.length >= 3 && still.length * 3 >= photos.length * 2 ? earlier : undefined;
}

function stateOf(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  survey: Survey,
  earlier: SurveyState | undefined,
): SurveyState {
  const index = new Map(photos.map(({ id }, k) => [id, k]));
  const before = (earlier?.observe ?? []).flatMap((planned): PlannedPair[] => {
    const a = index.get(earlier!.photos[planned.pair.a]!.id);
    const b = index.get(earlier!.photos[planned.pair.b]!.id);
    return a === undefined || b === undefined ? [] : [{ ...planned, pair: { a, b } }];
  });
  return {
    photos: photos.map((photo, k) => {
      const { focal, k1 } = survey.lenses[survey.lensOf[k]!]!;
      const piece = survey.pieces.findIndex(({ cameras }) => cameras.has(k));
      const camera = survey.pieces[piece]?.cameras.get(k);
      return {
        id: photo.id,
        lensKey: lensKey(photo),
        lens: { focal, k1, related: survey.related[survey.lensOf[k]!]! },
        camera: camera && { piece, rotation: camera.rotation, translation: camera.translation },
      };
    }),
    ...planPairs(survey, pairs, before),
  };
}

class GeometricSession implements EstimatorSession {
  readonly plan: EstimatorSession['plan'];
  private readonly pool: DensePool;
  private readonly views = new Map<number, Promise<View>>();

  constructor(
    private readonly photos: readonly Photo[],
    private readonly state: SurveyState,
    private readonly reader: PhotoReader,
    private readonly longSide: number,
    threads?: number,
  ) {
    this.plan = { observe: state.observe.map(({ pair }) => pair), rejected: state.rejected };
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
    const { focal, k1 } = this.state.photos[index]!.lens;
    return { pixels: focal * Math.max(this.photos[index]!.width, this.photos[index]!.height), k1 };
  }

  observationKey(pair: Pair): string {
    const planned = this.planned(pair);
    if (!planned) return 'not planned';
    const digest = createHash('sha256');
    const numbers = [pair.a, pair.b].flatMap((photo) => [
      this.state.photos[photo]!.lens.focal,
      this.state.photos[photo]!.lens.k1,
    ]);
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
    const planned = this.planned(pair);
    if (!planned) {
      const refused = this.state.rejected.find(({ pair: { a, b } }) => a === pair.a && b === pair.b);
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

  private planned({ a, b }: Pair): PlannedPair | undefined {
    return this.state.observe.find(({ pair }) => pair.a === a && pair.b === b);
  }

  private viewFocal(index: number): number {
    const size = viewSize(this.photos[index]!, this.longSide);
    return this.state.photos[index]!.lens.focal * Math.max(size.width, size.height);
  }

  /** From long sides relative to the centre of the distorted photo to pixels of the undistorted view. */
  private toView(index: number, sightings: Float64Array): Float64Array {
    const { pixels: focal, k1 } = this.focal(index);
    const photo = this.photos[index]!;
    const map = viewMap(photo, this.longSide, focal, k1);
    const { width, height } = viewSize(photo, this.longSide);
    const { lens } = this.state.photos[index]!;
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
