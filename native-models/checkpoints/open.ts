import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readRegular } from '../../electron/compute/regular-file.js';
import { UserError } from '../../electron/contract/errors.js';
import { openPyTorch } from './pytorch.js';
import { openSafetensors } from './safetensors.js';
import { damaged, type Checkpoint, type TensorInfo } from './tensor.js';

export interface CheckpointFolder {
  checkpoint: Checkpoint;
  /** `config.json` beside the weights; undefined when there is none. */
  config: Record<string, unknown> | undefined;
}

/** Python writes infinities, as in DUSt3R's ranges of depth, that JSON does not know; none of them is read here. */
function withoutInfinities(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:Infinity|NaN)\b/g, (token) => (token.startsWith('"') ? token : 'null'));
}

/** Bytes; those of published models have a few kilobytes. */
const LARGEST_CONFIG = 16 * 2 ** 20;

async function readConfig(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = (await readRegular(path, LARGEST_CONFIG)).toString('utf8');
  } catch {
    return undefined; // A checkpoint without one may carry its options inside.
  }
  try {
    const config: unknown = JSON.parse(withoutInfinities(text));
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      return config as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new UserError('damaged', `The model's config is not a JSON object. Fetch it again: ${path}`);
}

/** Several shards as one checkpoint. Throws when two hold a tensor of the same name. */
function joinShards(path: string, shards: Checkpoint[]): Checkpoint {
  const owner = new Map<string, Checkpoint>();
  const tensors = new Map<string, TensorInfo>();
  for (const shard of shards) {
    for (const [name, tensor] of shard.tensors) {
      if (tensors.has(name)) throw damaged(path, `two of its shards hold a tensor ${name}`);
      tensors.set(name, tensor);
      owner.set(name, shard);
    }
  }
  return {
    path,
    tensors,
    metadata: Object.assign({}, ...shards.map((shard) => shard.metadata)) as Record<string, unknown>,
    read(name) {
      const shard = owner.get(name);
      return shard ? shard.read(name) : Promise.reject(damaged(path, `there is no tensor ${name}`));
    },
    close: async () => void (await Promise.all(shards.map((shard) => shard.close()))),
  };
}

async function openMany(path: string, files: string[]): Promise<Checkpoint> {
  const shards: Checkpoint[] = [];
  try {
    for (const file of files) shards.push(await openSafetensors(file));
    return joinShards(path, shards);
  } catch (error) {
    await Promise.all(shards.map((shard) => shard.close()));
    throw error;
  }
}

/**
 * Opens a checkpoint: a folder (model.safetensors, its shards, or one .pth/.pt, with config.json) or one file.
 * Throws UserError 'not-found', 'bad-input' or 'damaged'.
 */
export async function openCheckpoint(path: string): Promise<CheckpointFolder> {
  const status = await stat(path).catch(() => undefined);
  if (!status)
    throw new UserError(
      'not-found',
      `There is no checkpoint here. Give a folder or a .safetensors, .pth or .pt file: ${path}`,
    );
  const folder = status.isDirectory() ? path : dirname(path);
  const config = await readConfig(join(folder, 'config.json'));
  if (!status.isDirectory()) {
    if (/\.(pth|pt)$/i.test(path)) return { checkpoint: await openPyTorch(path), config };
    if (/\.safetensors$/i.test(path)) return { checkpoint: await openSafetensors(path), config };
    throw new UserError('bad-input', `A checkpoint ends in .safetensors, .pth or .pt: ${path}`);
  }
  const names = (await readdir(path)).sort();
  const shards = names.filter((name) => /-\d{5}-of-\d{5}\.safetensors$/.test(name));
  if (shards.length) {
    const expected = Number(/-of-(\d{5})/.exec(shards[0]!)![1]);
    if (shards.length !== expected)
      throw new UserError(
        'bad-input',
        `This checkpoint has ${shards.length} of its ${expected} shards. Fetch the missing ones: ${path}`,
      );
    return {
      checkpoint: await openMany(
        path,
        shards.map((name) => join(path, name)),
      ),
      config,
    };
  }
  const single = names.includes('model.safetensors')
    ? 'model.safetensors'
    : names.find((name) => /\.(pth|pt)$/i.test(name));
  if (!single)
    throw new UserError('not-found', `There is no model.safetensors and no .pth file in this folder: ${path}`);
  return {
    checkpoint: single.endsWith('.safetensors')
      ? await openSafetensors(join(path, single))
      : await openPyTorch(join(path, single)),
    config,
  };
}
