import type { PhotoReader } from '../../geometry/stage.js';
import { openPairNetwork, pairNetworkThatGoesOn, type PairNetwork } from '../../../native-models/network.js';
import type { Precision } from '../../../native-models/onnx/layers.js';
import type { Provider } from '../../../native-models/providers.js';
import type { ModelCard } from '../../../native-models/registry/card.js';
import { readModel } from '../../../native-models/registry/folder.js';
import { UserError } from '../../contract/errors.js';
import type { Pair, Photo, PhotoId } from '../../geometry/types.js';
import type { CostEstimate, Estimator, EstimatorSession } from '../estimator.js';
import { bytesPerWeight, chooseNetwork, usualSpeed, type NetworkOptions } from '../network-choice.js';
import { SparseViews } from '../sparse-views.js';
import { PairSession } from './session.js';

export interface Dust3rOptions extends NetworkOptions {
  /** Look at each pair in one direction only: half the cost, a little less robust. */
  oneWay?: boolean;
  /** Keep encoder features in the project file too. */
  storeFeatures?: boolean;
  /** For tests: instead of opening the model's graphs. */
  openNetwork?: (folder: string, card: ModelCard, precision: Precision, provider: Provider) => PairNetwork;
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
  const { provider, precision, precisionOn, settingsKey, notes } = await chooseNetwork(card, options);
  const openNetwork =
    options.openNetwork ??
    ((folder: string, _: ModelCard, kind: Precision, on: Provider) =>
      openPairNetwork(folder, card, kind, on, options.threads));
  const oneWay = options.oneWay ?? false;
  return {
    id: card.id,
    version: card.version,
    licence: card.licence,
    settingsKey,
    alone: true,
    sparse: 'optional',
    provider,
    estimateCost: (photos, pairs) => cost(card, precision, provider, photos, pairs, oneWay),
    open(photos, pairs, context): Promise<EstimatorSession> {
      for (const note of notes.splice(0)) context.onNote?.(note);
      const network = pairNetworkThatGoesOn(
        (on) => openNetwork(modelFolder, card, precisionOn(on), on),
        provider,
        (note) => context.onNote?.(note),
      );
      const sparse = context.sparse && new SparseViews(context.sparse, photos);
      const settings = {
        size: card.inputSize,
        square: card.square,
        keepSquares: card.architecture === 'compact',
        patch: card.patch,
      };
      return Promise.resolve(
        new PairSession(network, reader, photos, directions(photos, pairs, oneWay), {
          view: settings,
          featureKey: (photo: PhotoId, view: string) =>
            `features/${card.id}/${card.version}/${precision}/${photo}${view ? `/${view}` : ''}`,
          storeFeatures: options.storeFeatures ?? false,
          batch: provider === 'cpu' ? 1 : 4,
          ...(sparse ? { lens: (index: number) => sparse.lens(index) } : {}),
        }),
      );
    },
  };
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
  const rate = usualSpeed[provider === 'cpu' ? 'cpu' : 'gpu'][precision];
  const runs = directions(photos, pairs, oneWay).length;
  const weights = card.parameters * bytesPerWeight[precision];
  return { seconds: ((photos.length * 520 + runs * 830) * size) / rate + 2, memory: 1.1 * weights + 700e6 * size };
}
