import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogEntry } from './catalog.js';
import { download, hashOf, publishedFiles, type RemoteFile } from './download.js';
import { modelsFolder, type InstalledModel } from './folder.js';
import { importModel, type ImportOptions } from './install.js';

export interface FetchOptions extends Pick<ImportOptions, 'precisions' | 'replace' | 'root'> {
  /** Its abort ends the download; what has come is kept for the next time. */
  signal?: AbortSignal | undefined;
  /** @param what the file that is fetched, or the graph that is built */
  onProgress?: (step: 'fetching' | 'building', what: string, done: number, total: number | undefined) => void;
  onNote?: (message: string) => void;
}

/**
 * Fetches a model from its publisher and installs it. Whoever calls this has had its licence accepted.
 *
 * @throws UserError as `download` and `importModel`
 */
export async function fetchModel(entry: CatalogEntry, options: FetchOptions = {}): Promise<InstalledModel> {
  const { signal, onProgress, onNote, root = modelsFolder(), ...building } = options;
  const { id, title, licence, nonCommercial, origin } = entry;
  const files = await remoteFiles(origin, signal);
  const folder = join(root, `.download-${id}`);
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const name = file.address.slice(file.address.lastIndexOf('/') + 1);
    await download(file, join(folder, name), {
      signal,
      onProgress: (done, total) => onProgress?.('fetching', name, done, total),
    });
    if (!file.sha256 && !('repository' in origin))
      onNote?.(
        `the publisher states no checksum for ${name}, so only its length and contents are checked; its SHA-256 is ${await hashOf(join(folder, name))}`,
      );
  }
  const ready = files.length === 1 && files[0]!.address.endsWith('.onnx');
  const model = await importModel(ready ? join(folder, `${id}.onnx`) : folder, {
    ...{ ...building, root, id, title, licence, nonCommercial, onProgress },
    ...(signal ? { signal } : {}),
  });
  await rm(folder, { recursive: true });
  return model;
}

async function remoteFiles(origin: CatalogEntry['origin'], signal: AbortSignal | undefined): Promise<RemoteFile[]> {
  if ('repository' in origin)
    return publishedFiles(origin.repository, origin.files, process.env['HF_ENDPOINT'] || undefined, signal);
  return [{ address: origin.address, ...(origin.sha256 ? { sha256: origin.sha256 } : {}) }];
}
