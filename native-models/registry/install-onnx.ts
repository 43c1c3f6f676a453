import { createHash } from 'node:crypto';
import { copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkRegular } from '../../electron/compute/regular-file.js';
import { UserError } from '../../electron/contract/errors.js';
import { alikedFaults } from '../matching/aliked.js';
import { lightGlueKind } from '../matching/lightglue.js';
import { segmentKind } from '../segmentation/sam.js';
import { graphPath } from '../network.js';
import { openSession, type Session } from '../onnx/session.js';
import type { ModelCard } from './card.js';
import { hashOf } from './download.js';
import { ensureFolder, modelsFolder, readModel, type InstalledModel } from './folder.js';
import type { ImportOptions } from './install.js';

/** What a ready graph is, by its inputs and outputs. */
function recognised(
  session: Session,
): { architecture: ModelCard['architecture']; title: string } | { faults: string[] } {
  const kind = lightGlueKind(session);
  if (!('faults' in kind))
    return { architecture: 'lightglue', title: `LightGlue for ${kind.features === 'sift' ? 'SIFT' : 'ALIKED'}` };
  const faults = alikedFaults(session);
  if (faults.length === 0) return { architecture: 'aliked', title: 'ALIKED' };
  const segment = segmentKind(session);
  if ('kind' in segment) {
    const title = segment.kind === 'sam' ? 'Segment Anything' : 'Segment Anything 2.1';
    return { architecture: `${segment.kind}-${segment.part}`, title: `${title}, ${segment.part}` };
  }
  if (['input_image', 'point_coords'].some((name) => session.inputNames.includes(name))) return segment;
  return { faults: session.inputNames.includes('image') ? faults : kind.faults };
}

/**
 * Installs a graph that its publisher gives ready made (LightGlue, ALIKED, Segment Anything): it is opened, its inputs and outputs are
 * checked, and it is copied as it is.
 *
 * @throws UserError 'bad-input' for another graph or a damaged one
 */
export async function installOnnx(path: string, options: ImportOptions & { id: string }): Promise<InstalledModel> {
  const { root = modelsFolder(), id } = options;
  const target = join(root, id);
  if (!options.replace && (await stat(target).catch(() => undefined)))
    throw new UserError(
      'usage',
      `A model ${id} is already installed. Remove it first, or choose another id with --id: ${target}`,
    );
  let session: Session;
  try {
    checkRegular(path);
    session = await openSession(path, 'cpu', 1);
  } catch (cause) {
    const reason = String((cause as Error).message)
      .split('\n')[0]!
      .slice(0, 160);
    throw new UserError('damaged', `This ONNX file cannot be opened (${reason}). Fetch it again: ${path}`, { cause });
  }
  const kind = recognised(session);
  await session.release();
  if ('faults' in kind)
    throw new UserError(
      'unsupported',
      `This graph is none that the studio runs (LightGlue for SIFT or ALIKED, and ALIKED, as COLMAP publishes them; encoder and decoder of MobileSAM or SAM 2.1): ${kind.faults.slice(0, 4).join('; ')}: ${path}`,
    );
  await ensureFolder(root);
  const staging = join(root, `.import-${id}-${process.pid}`);
  try {
    await mkdir(staging, { recursive: true });
    await copyFile(path, graphPath(staging, 'float32', 'graph'));
    const sha256 = await hashOf(path);
    const licence = options.licence ?? 'not stated; ask the publisher';
    const card: ModelCard = {
      format: 1,
      id,
      title: options.title ?? kind.title,
      architecture: kind.architecture,
      licence,
      nonCommercial: options.nonCommercial ?? options.licence === undefined,
      inputSize: 1600,
      patch: 1,
      square: false,
      parameters: Math.round((await stat(path)).size / 4),
      version: createHash('sha256').update(sha256).digest('hex').slice(0, 16),
      source: options.source ?? basename(path),
      precisions: { float32: null },
    };
    await writeFile(join(staging, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    if (options.replace) await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  return readModel(target);
}
