import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtInModels, installBuiltIn } from '../../native-models/registry/built-in.js';
import { catalog } from '../../native-models/registry/catalog.js';
import { cardSchema, type ModelCard } from '../../native-models/registry/card.js';
import { modelsFolder } from '../../native-models/registry/folder.js';
import type { EstimatorInfo } from '../contract/api.js';
import { createDa3Estimator } from '../pointmaps/da3/estimator.js';
import { createDust3rEstimator } from '../pointmaps/dust3r/estimator.js';
import { installFolder } from './environment.js';
import type { EstimatorEntry } from './estimators.js';

function installedCards(root: string): { folder: string; card: ModelCard }[] {
  let names: string[];
  try {
    names = readdirSync(root).filter((name) => !name.startsWith('.'));
  } catch {
    return []; // No model was ever installed.
  }
  return names.sort().flatMap((name) => {
    try {
      return [
        {
          folder: join(root, name),
          card: cardSchema.parse(JSON.parse(readFileSync(join(root, name, 'card.json'), 'utf8'))),
        },
      ];
    } catch {
      return []; // `models list` tells about damaged ones.
    }
  });
}

/** Networks that give pointmaps or depth; the others have uses of their own. */
const pointmaps: ReadonlySet<ModelCard['architecture']> = new Set(['dust3r', 'compact', 'da3']);

/** Checkpoints that the program carries. */
export const builtInFolder = join(installFolder, 'resources', 'models');

/**
 * Pointmap networks as estimators: those that the program carries in `resources`, those installed in `root`, and those
 * that could be.
 */
export function modelEstimators(resources = builtInFolder, root = modelsFolder()): EstimatorEntry[] {
  const builtIn = builtInModels(resources);
  const installed = installedCards(root).filter(({ card }) => !builtIn.some(({ id }) => id === card.id));
  const entry = (
    info: Omit<EstimatorInfo, 'installed'>,
    folder: string | (() => Promise<string>) | undefined,
    architecture: ModelCard['architecture'] = 'dust3r',
  ): EstimatorEntry => ({
    info: { ...info, installed: folder !== undefined },
    provider: 'auto',
    create: async (reader, { precision, provider, oneWay, storeFeatures }, threads) => {
      const place = typeof folder === 'function' ? await folder() : (folder ?? join(root, info.id));
      const options = { precision, provider, storeFeatures, ...(threads === undefined ? {} : { threads }) };
      return architecture === 'da3'
        ? createDa3Estimator(reader, place, options)
        : createDust3rEstimator(reader, place, { ...options, oneWay });
    },
  });
  const ready = installed
    .filter(({ card }) => pointmaps.has(card.architecture))
    .map(({ folder, card }) => {
      const { id, title, licence, nonCommercial } = card;
      const description = `A pointmap network of ${(card.parameters / 1e6).toFixed(1)} M weights at ${card.inputSize} px; precisions: ${Object.keys(card.precisions).join(', ')}.`;
      return entry({ id, title, licence, nonCommercial, description }, folder, card.architecture);
    });
  const missing = catalog
    .filter(({ id, architecture }) => pointmaps.has(architecture) && !installed.some(({ card }) => card.id === id))
    .map(({ id, title, licence, nonCommercial, bytes, architecture }) =>
      entry(
        {
          id,
          title,
          licence,
          nonCommercial,
          description: `${architecture === 'da3' ? 'A network that looks at many photos at once' : 'A pointmap network'}, ${(bytes / 1e9).toFixed(1)} GB to download from its publisher.`,
        },
        undefined,
      ),
    );
  const carried = builtIn.map((model) => {
    const { id, title, licence, nonCommercial } = model;
    const description = `A small pointmap network, trained on simulated scenes alone. ${model.verdict}`;
    const made = entry(
      { id, title, licence, nonCommercial, description },
      async () => (await installBuiltIn(model, root)).folder,
    );
    return model.proven ? made : { ...made, caution: `${id}: ${model.verdict}` };
  });
  return [...carried, ...ready, ...missing];
}
