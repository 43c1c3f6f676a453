import { groupNetworkThatGoesOn, openGroupNetwork, type GroupNetwork } from '../../../native-models/da3/network.js';
import type { Precision } from '../../../native-models/onnx/layers.js';
import type { Provider } from '../../../native-models/providers.js';
import type { ModelCard } from '../../../native-models/registry/card.js';
import { readModel } from '../../../native-models/registry/folder.js';
import type { PhotoReader } from '../../geometry/stage.js';
import type { Photo } from '../../geometry/types.js';
import type { CostEstimate, Estimator } from '../estimator.js';
import { bytesPerWeight, chooseNetwork, usualSpeed, type NetworkOptions } from '../network-choice.js';
import { GROUP_DEFAULTS, type GroupOptions } from './groups.js';
import { GroupSession } from './session.js';
import { SparseViews } from '../sparse-views.js';

export interface Da3Options extends NetworkOptions {
  groups?: GroupOptions;
  /** Keep photos' tokens in the project file too. */
  storeFeatures?: boolean;
  /** For tests: instead of opening the model's graphs. */
  openNetwork?: (folder: string, card: ModelCard, precision: Precision, provider: Provider) => GroupNetwork;
}

/** Changes whenever the same photos would give other observations. */
const VERSION = 1;

/**
 * An installed Depth Anything 3 network as a source of observations: groups of photos at once, with the sparse stage's
 * cameras and points where there are any. One photo alone gives its depth.
 *
 * @throws UserError 'not-found' or 'damaged' when the model or the precision is not installed
 */
export async function createDa3Estimator(
  reader: PhotoReader,
  modelFolder: string,
  options: Da3Options = {},
): Promise<Estimator> {
  const { card } = await readModel(modelFolder);
  const { provider, precision, precisionOn, settingsKey, notes } = await chooseNetwork(card, options);
  const groups = options.groups ?? GROUP_DEFAULTS;
  const open =
    options.openNetwork ??
    ((folder: string, { patch }: ModelCard, kind: Precision, on: Provider) =>
      openGroupNetwork(folder, patch, kind, on, options.threads));
  return {
    id: card.id,
    version: `${card.version}.${VERSION}`,
    licence: card.licence,
    settingsKey: `${settingsKey};groups=${groups.size},${groups.overlap}`,
    alone: true,
    sparse: 'optional',
    provider,
    estimateCost: (photos) => cost(card, precision, provider, photos, groups),
    open(photos, pairs, context) {
      for (const note of notes.splice(0)) context.onNote?.(note);
      const session = new GroupSession({
        network: groupNetworkThatGoesOn(
          (on) => open(modelFolder, card, precisionOn(on), on),
          provider,
          (note) => context.onNote?.(note),
        ),
        reader,
        photos,
        pairs,
        sparse: context.sparse && new SparseViews(context.sparse, photos),
        options: {
          longSide: card.inputSize,
          patch: card.patch,
          groups,
          tokenKey: (photo, view) => `tokens/${card.id}/${card.version}/${precision}/${photo}/${view}`,
          storeTokens: options.storeFeatures ?? false,
        },
      });
      return Promise.resolve(session);
    },
  };
}

/** GFLOP a view of 4:3 in groups of eight: 110 M weights (Base) take 320, in proportion. */
function cost(
  card: ModelCard,
  precision: Precision,
  provider: Provider,
  photos: readonly Photo[],
  { size, overlap }: GroupOptions,
): CostEstimate {
  const rate = usualSpeed[provider === 'cpu' ? 'cpu' : 'gpu'][precision];
  const groups = Math.max(1, Math.ceil((photos.length - overlap) / Math.max(1, size - overlap)));
  const looked = photos.length + (groups - 1) * overlap;
  const perView = (card.parameters / 110e6) * 320 * (card.inputSize / 504) ** 2;
  // Features of eight views at four levels, and what the heads and attention need.
  const memory = 1.1 * card.parameters * bytesPerWeight[precision] + Math.min(size, photos.length) * 120e6 + 500e6;
  return { seconds: (looked * perView) / rate + 2, memory };
}
