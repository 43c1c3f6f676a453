import type { PhotoReader } from '../../geometry/stage.js';
import { openPairNetwork, type PairNetwork } from '../../../native-models/network.js';
import type { Precision } from '../../../native-models/onnx/layers.js';
import { chooseProvider, computesHalf, type Provider } from '../../../native-models/providers.js';
import type { ModelCard } from '../../../native-models/registry/card.js';
import { readModel } from '../../../native-models/registry/folder.js';
import { UserError } from '../../contract/errors.js';
import type { Pair, Photo, PhotoId } from '../../geometry/types.js';
import type { CostEstimate, Estimator, EstimatorSession } from '../estimator.js';
import { PairSession } from './session.js';

export interface Dust3rOptions {
  provider?: Provider | 'auto';
  /** Default: float16 on a GPU and float32 elsewhere, where installed; else what is. */
  precision?: Precision | 'auto';
  /** Look at each pair in one direction only: half the cost, a little less robust. */
  oneWay?: boolean;
  /** Keep encoder features in the project file too. */
  storeFeatures?: boolean;
  threads?: number;
  /** For tests: instead of opening the model's graphs. */
  openNetwork?: (folder: string, card: ModelCard, precision: Precision, provider: Provider) => PairNetwork;
}

async function choosePrecision(card: ModelCard, wanted: Precision | 'auto', provider: Provider): Promise<Precision> {
  const installed = Object.keys(card.precisions) as Precision[];
  if (wanted !== 'auto') {
    if (installed.includes(wanted)) return wanted;
    throw new UserError(
      'not-found',
      `The model ${card.id} is not installed in ${wanted} (installed: ${installed.join(', ')}). Import it again with --precision ${wanted}`,
    );
  }
  const half = provider !== 'cpu' && (await computesHalf(provider));
  const order: Precision[] = half ? ['float16', 'float32', 'int8'] : ['float32', 'int8', 'float16'];
  return order.find((precision) => installed.includes(precision)) ?? 'float32';
}

/**
 * An installed pointmap network as a source of observations: each photo is encoded once, each pair decoded in both
 * directions or in one. A direction is an observation of its own (its frame is its first view's camera), so the plan
 * lists (a, b) and (b, a).
 *
 * @throws UserError 'not-found' or 'damaged' when the model or the precision is not installed
 */
export async function createDust3rEstimator(
  reader: PhotoReader,
  modelFolder: string,
  options: Dust3rOptions = {},
): Promise<Estimator> {
  const { card } = await readModel(modelFolder);
  if (card.architecture === 'croco')
    throw new UserError(
      'unsupported',
      `The model ${card.id} completes images and gives no pointmaps. Use it with: pointmap complete: ${modelFolder}`,
    );
  const notes: string[] = [];
  const half = 'float16' in card.precisions && ['auto', 'float16'].includes(options.precision ?? 'auto');
  const provider = await chooseProvider(options.provider, (note) => notes.push(note), half);
  const precision = await choosePrecision(card, options.precision ?? 'auto', provider);
  const openNetwork =
    options.openNetwork ?? ((folder: string) => openPairNetwork(folder, card, precision, provider, options.threads));
  const oneWay = options.oneWay ?? false;
  return {
    id: card.id,
    version: card.version,
    licence: card.licence,
    settingsKey: settingsKey(precision, provider),
    alone: true,
    sparse: 'optional',
    provider,
    estimateCost: (photos, pairs) => cost(card, precision, provider, photos, pairs, oneWay),
    open(photos, pairs, context): Promise<EstimatorSession> {
      for (const note of notes.splice(0)) context.onNote?.(note);
      const network = openNetwork(modelFolder, card, precision, provider);
      const settings = {
        size: card.inputSize,
        square: card.square,
        keepSquares: card.architecture === 'compact',
        patch: card.patch,
      };
      return Promise.resolve(
        new PairSession(network, reader, photos, directions(photos, pairs, oneWay), {
          view: settings,
          featureKey: (photo: PhotoId) => `features/${card.id}/${card.version}/${precision}/${photo}`,
          storeFeatures: options.storeFeatures ?? false,
          batch: provider === 'cpu' ? 1 : 4,
        }),
      );
    },
  };
}

/**
 * One direction of a pair says the same whether the other is asked for or not. In float32 all providers agree to
 * rounding; the smaller types are computed differently on a CPU and on a GPU (int8 activations, float16 sums).
 */
function settingsKey(precision: Precision, provider: Provider): string {
  return precision === 'float32' ? 'precision=float32' : `precision=${precision};${provider === 'cpu' ? 'cpu' : 'gpu'}`;
}

/** Both directions, side by side so that their features are still at hand. One photo alone is paired with itself. */
function directions(photos: readonly Photo[], pairs: readonly Pair[], oneWay: boolean): Pair[] {
  if (photos.length === 1) return [{ a: 0, b: 0 }];
  return pairs.flatMap(({ a, b }) =>
    oneWay || a === b
      ? [{ a, b }]
      : [
          { a, b },
          { a: b, b: a },
        ],
  );
}

/**
 * GFLOP/s that two cores of 2024, and a GPU, reach; the estimate is shown before a run and replaced by measured
 * progress in it.
 */
const speed = { cpu: { float32: 170, float16: 100, int8: 300 }, gpu: { float32: 5000, float16: 10_000, int8: 2000 } };

function cost(
  card: ModelCard,
  precision: Precision,
  provider: Provider,
  photos: readonly Photo[],
  pairs: readonly Pair[],
  oneWay: boolean,
): CostEstimate {
  const pixels = card.square ? card.inputSize ** 2 : 0.75 * card.inputSize ** 2;
  // Operations grow with weights and pixels: 571 M weights take 520 an image and 830 a direction at 512x384.
  const size = (card.parameters / 571e6) * (pixels / (512 * 384));
  const rate = speed[provider === 'cpu' ? 'cpu' : 'gpu'][precision];
  const runs = directions(photos, pairs, oneWay).length;
  const weights = card.parameters * (precision === 'float32' ? 4 : precision === 'float16' ? 2 : 1.2);
  return { seconds: ((photos.length * 520 + runs * 830) * size) / rate + 2, memory: 1.1 * weights + 700e6 * size };
}
