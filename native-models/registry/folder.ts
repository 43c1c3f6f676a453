import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../electron/contract/errors.js';
import { cardSchema, type ModelCard } from './card.js';

export interface InstalledModel {
  folder: string;
  card: ModelCard;
  /** Bytes on disk. */
  bytes: number;
}

/**
 * Where models are kept: POINTMAP_MODELS, else in the program's data folder (POINTMAP_DATA, else this system's usual
 * place).
 */
export function modelsFolder(): string {
  const override = process.env['POINTMAP_MODELS'];
  if (override) return override;
  const data = process.env['POINTMAP_DATA'];
  if (data) return join(data, 'models');
  const home = homedir();
  if (process.platform === 'win32')
    return join(process.env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'Pointmap Studio', 'models');
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'Pointmap Studio', 'models');
  return join(process.env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'pointmap-studio', 'models');
}

/** Reads one model's card; throws UserError 'not-found' or 'damaged'. */
export async function readModel(folder: string): Promise<InstalledModel> {
  const path = join(folder, 'card.json');
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UserError(
      'not-found',
      `There is no installed model here. Import one with: pointmap models import: ${folder}`,
    );
  });
  try {
    const card = cardSchema.parse(JSON.parse(text));
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    return { folder, card, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  } catch (cause) {
    throw new UserError('damaged', `This model's card cannot be read. Remove the model and import it again: ${path}`, {
      cause,
    });
  }
}

/** All models in a folder, by id; a damaged one is left out and told to `onNote`. */
export async function installedModels(
  root = modelsFolder(),
  onNote?: (message: string) => void,
): Promise<InstalledModel[]> {
  const names = await readdir(root).catch(() => [] as string[]);
  const models: InstalledModel[] = [];
  for (const name of names.sort()) {
    if (name.startsWith('.')) continue; // An import under way.
    try {
      models.push(await readModel(join(root, name)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      onNote?.(error.message);
    }
  }
  return models;
}

/** Throws UserError 'not-found' naming what is installed. */
export async function findModel(id: string, root = modelsFolder()): Promise<InstalledModel> {
  const models = await installedModels(root);
  const found = models.find((model) => model.card.id === id);
  if (found) return found;
  const known = models.map((model) => model.card.id).join(', ') || 'none';
  throw new UserError(
    'not-found',
    `There is no installed model ${id} (installed: ${known}). Import one first, into: ${root}`,
  );
}

export async function removeModel(id: string, root = modelsFolder()): Promise<InstalledModel> {
  const model = await findModel(id, root);
  await rm(model.folder, { recursive: true });
  return model;
}

export async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new UserError(
      'unwritable',
      `The models folder cannot be made: ${(cause as NodeJS.ErrnoException).code}. Choose another with POINTMAP_MODELS: ${path}`,
      { cause },
    );
  }
}
