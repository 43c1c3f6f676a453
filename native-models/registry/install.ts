import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../electron/contract/errors.js';
import { openCheckpoint } from '../checkpoints/open.js';
import { graphPath } from '../network.js';
import type { Precision } from '../onnx/layers.js';
import { buildNetwork } from './architecture.js';
import type { Deviation, ModelCard } from './card.js';
import { measureDeviation } from './deviation.js';
import { checkSpace } from './download.js';
import { installOnnx } from './install-onnx.js';
import { ensureFolder, modelsFolder, readModel, type InstalledModel } from './folder.js';

export interface ImportOptions {
  /** Default: from the file or folder name. */
  id?: string;
  title?: string;
  licence?: string;
  nonCommercial?: boolean;
  /** Where it came from, for the card. Default: the file's name. */
  source?: string;
  /** Built precisions; float32 is needed to measure the others and kept only if named. */
  precisions?: Precision[];
  root?: string;
  /** Replace an installed model of the same id. */
  replace?: boolean;
  signal?: AbortSignal;
  onProgress?: (step: 'building', what: string, done: number, total: number) => void;
}

/** Bytes a weight takes, about, scales included. */
const bytesPerWeight: Record<Precision, number> = { float32: 4, float16: 2, int8: 1.2 };

/** Licences that allow commercial use; of any other it is not assumed. */
const anyUse = new Set(['Apache-2.0', 'MIT', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'CC-BY-4.0']);

function idFrom(path: string): string {
  const id = basename(path)
    .replace(/\.(safetensors|pth|pt|onnx)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return id || 'model';
}

/** Removes what imports killed half-way left behind; one under way keeps its folder fresh. */
async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith('.import-')) continue;
    const path = join(root, name);
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (age > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Builds the graphs of a checkpoint and registers the model. Everything is made in a hidden folder beside the models
 * and renamed at the end, so that a failure at any time leaves nothing registered. Memory: the largest tensor, a few
 * times.
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<InstalledModel> {
  const { root = modelsFolder(), precisions = ['float32'], signal, onProgress } = options;
  const id = options.id ?? idFrom(path);
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(id))
    throw new UserError(
      'usage',
      `A model's id has lower-case letters, digits, '.', '_' and '-' only, and this is '${id}'. Choose another with --id: ${path}`,
    );
  const target = join(root, id);
  if (!options.replace && (await stat(target).catch(() => undefined)))
    throw new UserError(
      'usage',
      `A model ${id} is already installed. Remove it first, or choose another id with --id: ${target}`,
    );
  if (/\.onnx$/i.test(path)) return installOnnx(path, { ...options, id });
  const folder = await openCheckpoint(path);
  const staging = join(root, `.import-${id}-${process.pid}`);
  try {
    const wanted = [...new Set<Precision>(['float32', ...precisions])];
    const first = buildNetwork(folder, 'float32'); // All mistakes in the checkpoint show here, before anything is written.
    await ensureFolder(root);
    await sweep(root);
    await checkSpace(
      root,
      wanted.reduce((sum, precision) => sum + first.parameters * bytesPerWeight[precision], 0),
    );
    await ensureFolder(staging);
    for (const precision of wanted) {
      for (const { name, graph } of buildNetwork(folder, precision).graphs) {
        await graph.save(graphPath(staging, precision, name), { architecture: first.architecture }, (done, total) => {
          signal?.throwIfAborted();
          onProgress?.('building', `${name}, ${precision}`, done, total);
        });
      }
    }
    const hash = createHash('sha256');
    for (const { name } of first.graphs)
      hash
        .update(await readFile(graphPath(staging, 'float32', name)))
        .update(await weightsDigest(`${graphPath(staging, 'float32', name)}.data`));
    const stated: Partial<Record<Precision, Deviation | null>> = {};
    for (const precision of wanted)
      stated[precision] = precision === 'float32' ? null : await measureDeviation(staging, first, precision);
    if (!precisions.includes('float32')) {
      delete stated.float32;
      for (const { name } of first.graphs)
        for (const ending of ['', '.data']) await rm(graphPath(staging, 'float32', name) + ending);
    }
    const { licence: named } = folder.checkpoint.metadata;
    const licence = options.licence ?? (typeof named === 'string' ? named : 'not stated; ask the publisher');
    const card: ModelCard = {
      format: 1,
      id,
      title: options.title ?? `${first.title} (${id})`,
      architecture: first.architecture,
      licence,
      nonCommercial: options.nonCommercial ?? !anyUse.has(licence),
      inputSize: first.inputSize,
      patch: first.patch,
      square: first.square,
      parameters: first.parameters,
      version: hash.digest('hex').slice(0, 16),
      source: options.source ?? basename(path),
      precisions: stated,
    };
    const file = await open(join(staging, 'card.json'), 'w');
    await file.writeFile(`${JSON.stringify(card, null, 2)}\n`);
    await file.sync();
    await file.close();
    signal?.throwIfAborted();
    if (options.replace) await rm(target, { recursive: true, force: true });
    await rename(staging, target);
    return await readModel(target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC')
      throw new UserError(
        'disk-full',
        `The disk is full; nothing was installed. Free some space and import again: ${root}`,
        { cause: error },
      );
    if (code === 'EACCES' || code === 'EROFS')
      throw new UserError(
        'unwritable',
        `The models folder cannot be written (${code}). Choose another with POINTMAP_MODELS: ${root}`,
        { cause: error },
      );
    throw error;
  } finally {
    await folder.checkpoint.close();
  }
}

/**
 * SHA-256 of a large file by a sample of every sixteenth megabyte and its length: it tells checkpoints apart, not
 * tampering.
 */
async function weightsDigest(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(String(size));
    const chunk = new Uint8Array(65_536);
    for (let at = 0; at < size; at += 16 * 65_536) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      hash.update(chunk.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
