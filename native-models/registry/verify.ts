import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../electron/contract/errors.js';
import { openSafetensors } from '../checkpoints/safetensors.js';
import { openGroupNetwork } from '../da3/network.js';
import { runDa3Case } from '../da3/verify.js';
import { graphPath } from '../network.js';
import type { Precision } from '../onnx/layers.js';
import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, intTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import type { ModelCard } from './card.js';
import { deviationOf } from './deviation.js';
import { importModel } from './install.js';

export interface VerifiedOutput {
  case: string;
  output: string;
  /** Largest difference over the output's root mean square. */
  deviation: number;
  limit: number;
}

const limits = { features: 2e-5, other: 2e-4, compact: 1e-4, da3: 1e-4 };

/**
 * Builds a checkpoint's graphs and holds them against the recorded cases beside it (`case*.safetensors`, README of the
 * format in the documentation). Limits hold for float32.
 */
export async function verifyCheckpoint(
  path: string,
  precision: Precision = 'float32',
  provider: Provider = 'cpu',
): Promise<VerifiedOutput[]> {
  const files = (await readdir(path).catch(() => [])).filter((name) => /^case.*\.safetensors$/.test(name)).sort();
  if (!files.length)
    throw new UserError(
      'not-found',
      `There are no recorded cases (case*.safetensors) beside this checkpoint, so there is nothing to compare with: ${path}`,
    );
  const root = await mkdtemp(join(tmpdir(), 'pointmap-verify-'));
  try {
    const { folder, card } = await importModel(path, { id: 'verified', root, precisions: [precision] });
    const results: VerifiedOutput[] = [];
    if (card.architecture === 'da3') {
      const network = openGroupNetwork(folder, card.patch, precision, provider);
      for (const file of files) {
        const recorded = await openSafetensors(join(path, file));
        const deviations = await runDa3Case(recorded, network).finally(() => recorded.close());
        for (const [output, deviation] of deviations)
          results.push({ case: caseName(file), output, deviation, limit: limits.da3 });
      }
      await network.close();
      return results;
    }
    const open = (name: string) => openSession(graphPath(folder, precision, name), provider);
    const sessions = await Promise.all(
      card.architecture === 'croco' ? [open('completion')] : [open('encoder'), open('decoder')],
    );
    for (const file of files) results.push(...(await runCase(join(path, file), caseName(file), sessions, card)));
    await Promise.all(sessions.map((session) => session.release()));
    return results;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const caseName = (file: string) => file.replace(/\.safetensors$/, '');

async function runCase(
  path: string,
  name: string,
  sessions: Session[],
  { patch, architecture }: ModelCard,
): Promise<VerifiedOutput[]> {
  const recorded = await openSafetensors(path);
  try {
    const results: VerifiedOutput[] = [];
    const load = async (tensor: string) =>
      floatTensor(await recorded.read(tensor), recorded.tensors.get(tensor)!.shape);
    const compare = async (output: string, actual: Tensor, limit: number) => {
      const { largest } = deviationOf(actual.data as Float32Array, await recorded.read(output));
      results.push({ case: name, output, deviation: largest, limit });
    };
    const [image1, image2] = [await load('image1'), await load('image2')];
    const [first, decoder] = sessions as [Session, Session | undefined];
    if (!decoder) {
      const mask = await recorded.read('mask');
      const visible = [...mask.keys()].filter((token) => mask[token] === 0);
      await compare(
        'prediction',
        (await first.run({ image1, image2, visible: intTensor(visible) }))['prediction']!,
        limits.other,
      );
      return results;
    }
    const features1 = (await first.run({ image: image1 }))['features']!;
    const features2 = (await first.run({ image: image2 }))['features']!;
    const grid = (image: Tensor) => intTensor([image.dims[2]! / patch, image.dims[3]! / patch]);
    const outputs = await decoder.run({ features1, features2, grid1: grid(image1), grid2: grid(image2) });
    if (architecture === 'compact') await compare('correlation', outputs['correlation']!, limits.compact);
    else {
      await compare('features1', features1, limits.features);
      await compare('features2', features2, limits.features);
    }
    const names = { pts3d_1: 'points1', conf_1: 'confidence1', pts3d_2_in_view_1: 'points2', conf_2: 'confidence2' };
    for (const [output, ours] of Object.entries(names))
      await compare(output, outputs[ours]!, architecture === 'compact' ? limits.compact : limits.other);
    return results;
  } finally {
    await recorded.close();
  }
}
