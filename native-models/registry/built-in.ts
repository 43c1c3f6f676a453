import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openSafetensors } from '../checkpoints/safetensors.js';
import { modelsFolder, readModel, type InstalledModel } from './folder.js';
import { importModel } from './install.js';

/** A checkpoint that the program carries: a folder with config.json and model.safetensors. */
export interface BuiltInModel {
  id: string;
  title: string;
  folder: string;
  licence: string;
  nonCommercial: false;
  /** In one sentence, for people: what it is good for, as its evaluation found. */
  verdict: string;
  /** Whether it passed all gates of that evaluation. */
  proven: boolean;
}

/** Gates of its evaluation.json (native-models/training/README.md): what a network must reach to be worth using. */
const evaluationSchema = z.object({ gates: z.record(z.string(), z.object({ passed: z.boolean() })) });

function evaluated(folder: string): Pick<BuiltInModel, 'verdict' | 'proven'> {
  try {
    const { gates } = evaluationSchema.parse(JSON.parse(readFileSync(join(folder, 'evaluation.json'), 'utf8')));
    const results = Object.values(gates);
    const passed = results.filter((gate) => gate.passed).length;
    if (passed === results.length) return { proven: true, verdict: 'It passed all gates of its evaluation.' };
    return {
      proven: false,
      verdict: `An experiment: it passed ${passed} of ${results.length} gates of its evaluation, so expect wrong poses and clouds; geometric is better.`,
    };
  } catch {
    return { proven: false, verdict: 'An experiment: it was not evaluated.' };
  }
}

/**
 * All in a folder of resources; none where there is no such folder. The program carries nothing but what anyone may
 * use.
 */
export function builtInModels(resources: string): BuiltInModel[] {
  let names: string[];
  try {
    names = readdirSync(resources).sort();
  } catch {
    return [];
  }
  return names
    .filter((name) => ['config.json', 'model.safetensors'].every((file) => existsSync(join(resources, name, file))))
    .map((id) => ({
      id,
      title: `${id[0]!.toUpperCase()}${id.slice(1)} (built in)`,
      folder: join(resources, id),
      licence: 'Apache-2.0',
      nonCommercial: false,
      ...evaluated(join(resources, id)),
    }));
}

/** What its file says of its training: "steps 9000, pairs 2304000". Empty when it says nothing. */
export async function trainingOf({ folder }: BuiltInModel): Promise<string> {
  const checkpoint = await openSafetensors(join(folder, 'model.safetensors'));
  await checkpoint.close();
  const known = new Set(['format', 'licence', 'parameters']);
  return Object.entries(checkpoint.metadata)
    .filter(([key]) => !known.has(key))
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds its graphs among the installed models when they are not there, or are those of an earlier version. About two
 * seconds, once.
 */
export async function installBuiltIn(
  { id, title, folder, licence, nonCommercial }: BuiltInModel,
  root = modelsFolder(),
): Promise<InstalledModel> {
  const source = `built in, ${await digest(join(folder, 'model.safetensors'))}`;
  const present = await readModel(join(root, id)).catch(() => undefined);
  if (present?.card.source === source) return present;
  return importModel(folder, { id, title, licence, nonCommercial, source, root, replace: true });
}
