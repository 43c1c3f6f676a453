import { basename, dirname } from 'node:path';
import type { z } from 'zod';
import type { modelProgress, ModelInfo } from '../contract/models.js';
import { UserError } from '../contract/errors.js';
import { builtInModels } from '../../native-models/registry/built-in.js';
import { catalog, type CatalogEntry } from '../../native-models/registry/catalog.js';
import type { ModelCard } from '../../native-models/registry/card.js';
import { fetchModel } from '../../native-models/registry/fetch.js';
import { installedModels, modelsFolder } from '../../native-models/registry/folder.js';
import { importModel } from '../../native-models/registry/install.js';
import { builtInFolder } from './models.js';

export type ModelProgress = z.infer<typeof modelProgress>;

const uses: Readonly<Record<ModelCard['architecture'], ModelInfo['use']>> = {
  dust3r: 'pointmaps',
  compact: 'pointmaps',
  da3: 'depth',
  lightglue: 'matching',
  aliked: 'features',
  croco: 'pretraining',
  'sam-encoder': 'masks',
  'sam-decoder': 'masks',
  'sam2-encoder': 'masks',
  'sam2-decoder': 'masks',
};

/** The account or site that a model comes from. */
function publisherOf({ origin }: CatalogEntry): string {
  if ('repository' in origin) return origin.repository.split('/')[0]!;
  const { host, pathname } = new URL(origin.address);
  return host === 'github.com' ? pathname.split('/')[1]! : host;
}

/** Built-in, installed and known networks, in this order. @param onNote told of installed ones that are damaged */
export async function listNetworks(onNote: (message: string) => void): Promise<ModelInfo[]> {
  const builtIn = builtInModels(builtInFolder);
  const installed = (await installedModels(modelsFolder(), onNote)).filter(
    ({ card }) => !builtIn.some(({ id }) => id === card.id),
  );
  return [
    ...builtIn.map(({ id, title, licence, verdict }): ModelInfo => ({
      ...{ id, title, publisher: 'Pointmap Studio', licence, nonCommercial: false },
      ...{ state: 'built-in', use: 'pointmaps', verdict },
    })),
    ...installed.map(({ card, bytes }): ModelInfo => {
      const { id, title, licence, nonCommercial, architecture, source } = card;
      const known = catalog.find((entry) => entry.id === id);
      return {
        ...{ id, title, publisher: known ? publisherOf(known) : basename(source), licence, nonCommercial, bytes },
        ...(known ? { licenceAddress: known.licenceAddress } : {}),
        ...{ state: 'installed', use: uses[architecture] },
      };
    }),
    ...catalog
      .filter(({ id }) => !installed.some(({ card }) => card.id === id))
      .map((entry): ModelInfo => {
        const { id, title, licence, licenceAddress, nonCommercial, bytes, architecture } = entry;
        return {
          ...{ id, title, publisher: publisherOf(entry), licence, licenceAddress, nonCommercial, bytes },
          ...{ state: 'available', use: uses[architecture] },
        };
      }),
  ];
}

interface Building {
  signal: AbortSignal;
  onProgress: (progress: ModelProgress) => void;
  onNote: (message: string) => void;
}

/** @throws UserError 'not-found' for a network that nobody publishes, and as fetchModel */
export async function getNetwork(id: string, { signal, onProgress, onNote }: Building): Promise<void> {
  const entry = catalog.find((candidate) => candidate.id === id);
  if (!entry) throw new UserError('not-found', `there is no network '${id}' to fetch; choose one of the list`);
  onProgress({ id, step: 'asking', what: publisherOf(entry) });
  await fetchModel(entry, { signal, onNote, onProgress: progressOf(id, onProgress) });
}

/**
 * From a checkpoint or graph on this machine. Published checkpoints are all called "model": those are named by their
 * folder.
 *
 * @throws UserError as importModel
 */
export async function importNetwork(path: string, { signal, onProgress }: Building): Promise<void> {
  onProgress({ id: basename(path), step: 'building', what: basename(path) });
  await importModel(basename(path) === 'model.safetensors' ? dirname(path) : path, {
    signal,
    onProgress: progressOf(basename(path), onProgress),
  });
}

const progressOf =
  (id: string, onProgress: Building['onProgress']) =>
  (step: 'fetching' | 'building', what: string, done: number, total: number | undefined): void =>
    onProgress({ id, step, what, ...(total ? { share: Math.min(1, done / total) } : {}) });
