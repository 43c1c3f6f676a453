import type { PhotoReader, StageContext } from '../../geometry/stage.js';
import type { Features, PairNetwork, Pointmap } from '../../../native-models/network.js';
import type { ObservedView, Pair, Photo, PhotoId, View } from '../../geometry/types.js';
import type { EstimatorSession, PairOutcome } from '../estimator.js';
import { isPlain, viewLensKey, type ViewLens } from '../resample.js';
import { FeatureCache } from './features.js';
import { planarImage, readView, type ViewSettings } from './preprocess.js';

export interface PairSessionOptions {
  view: ViewSettings;
  /** Says all that a photo's features depend on. */
  featureKey: (photo: PhotoId, view: string) => string;
  storeFeatures: boolean;
  /** Pairs decoded at a time, where their views have one shape. */
  batch: number;
  /** What the sparse stage found out about a photo's lens: views are made without its distortion. */
  lens?: (index: number) => ViewLens | undefined;
}

interface Request {
  pair: Pair;
  context: StageContext;
  resolve: (outcome: PairOutcome) => void;
  reject: (reason: unknown) => void;
}

/** Features kept in memory: 340 photos of the published networks at 512x384. */
const featureMemory = 2 ** 30;

/**
 * Encodes each photo once and decodes pairs one after the other: the runtime uses all cores for one. Requests that wait
 * are decoded in batches; a cancelled one is dropped before its turn.
 */
export class PairSession implements EstimatorSession {
  readonly plan: EstimatorSession['plan'];
  private readonly views = new Map<number, Promise<View>>();
  private readonly features: FeatureCache;
  private readonly waiting: Request[] = [];
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly network: PairNetwork,
    private readonly reader: PhotoReader,
    private readonly photos: readonly Photo[],
    pairs: Pair[],
    private readonly options: PairSessionOptions,
  ) {
    this.plan = { observe: pairs, rejected: [] };
    this.features = new FeatureCache(featureMemory, options.storeFeatures);
  }

  view(index: number): Promise<View> {
    let found = this.views.get(index);
    if (!found) {
      found = readView(this.reader, this.photos[index]!, this.options.view, this.options.lens?.(index));
      found.catch(() => this.views.delete(index));
      this.views.set(index, found);
    }
    return found;
  }

  observationKey(pair: Pair): string {
    const { size, square, patch } = this.options.view;
    const lenses = [pair.a, pair.b].map((index) => this.lensKey(index));
    const removed = lenses.some((key) => key !== '') ? `;lenses=${lenses.join('/')}` : '';
    return `view=${size},${square},${patch};${pair.a === pair.b ? 'alone' : 'pair'}${removed}`;
  }

  focal(index: number): { pixels: number; k1: number } | undefined {
    const lens = this.options.lens?.(index);
    return lens && { pixels: lens.focal, k1: lens.k1 };
  }

  /** Of a view without distortion; empty for one that shows the photo as it is. */
  private lensKey(index: number): string {
    const lens = this.options.lens?.(index);
    return lens && !isPlain(lens) ? viewLensKey(lens) : '';
  }

  observe(pair: Pair, context: StageContext): Promise<PairOutcome> {
    if (this.closed) return Promise.reject(new Error('the session is closed'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ pair, context, resolve, reject });
      this.running ??= this.work().finally(() => (this.running = undefined));
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const request of this.waiting.splice(0)) request.reject(new Error('the session was closed'));
    await this.running;
    await this.network.close();
  }

  private async work(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const taken = [next];
      try {
        const features = [await this.encodePair(next)];
        // Those behind it that have the same shapes go along.
        while (taken.length < this.options.batch && this.waiting.length) {
          const candidate = this.waiting[0]!;
          const encoded = await this.encodePair(candidate).catch(() => undefined);
          if (!encoded || shapeOf(encoded) !== shapeOf(features[0]!)) break;
          this.waiting.shift();
          taken.push(candidate);
          features.push(encoded);
        }
        const results = await this.network.decode(features);
        for (const [k, request] of taken.entries()) request.resolve(await this.outcome(request.pair, results[k]!));
      } catch (error) {
        for (const request of taken) request.reject(error);
      }
    }
  }

  private async encodePair({ pair, context }: Request): Promise<[Features, Features]> {
    context.signal?.throwIfAborted();
    const first = await this.encode(pair.a, context);
    context.signal?.throwIfAborted();
    const second = await this.encode(pair.b, context);
    context.signal?.throwIfAborted();
    return [first, second];
  }

  private async encode(index: number, { store }: StageContext): Promise<Features> {
    const key = this.options.featureKey(this.photos[index]!.id, this.lensKey(index));
    const known = this.features.get(key, store);
    if (known) return known;
    const view = await this.view(index);
    const features = await this.network.encode(planarImage(view), view.height, view.width);
    this.features.put(key, features, store);
    return features;
  }

  private async outcome({ a, b }: Pair, [first, second]: [Pointmap, Pointmap]): Promise<PairOutcome> {
    const views = [observed(await this.view(a), first), observed(await this.view(b), second)];
    // A photo alone: both maps show the same camera; the first, of which it is the reference, is kept.
    return { kind: 'observation', observation: { views: a === b ? views.slice(0, 1) : views } };
  }
}

function shapeOf([first, second]: [Features, Features]): string {
  return [first.rows, first.columns, second.rows, second.columns].join();
}

function observed(view: View, { width, height, points, confidence }: Pointmap): ObservedView {
  const inferred = new Uint8Array(confidence.length).fill(1);
  return { photo: view.photo, width, height, originalFromView: view.originalFromView, points, confidence, inferred };
}
