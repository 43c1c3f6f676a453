import { createInterface } from 'node:readline/promises';
import { Option, type Command } from 'commander';
import { precisionNames } from '../../native-models/registry/card.js';
import { builtInModels, trainingOf } from '../../native-models/registry/built-in.js';
import { catalog } from '../../native-models/registry/catalog.js';
import { fetchModel } from '../../native-models/registry/fetch.js';
import {
  installedModels,
  modelsFolder,
  removeModel,
  type InstalledModel,
} from '../../native-models/registry/folder.js';
import { importModel, type ImportOptions } from '../../native-models/registry/install.js';
import { verifyCheckpoint } from '../../native-models/registry/verify.js';
import { chooseProvider, type Provider } from '../../native-models/providers.js';
import type { Precision } from '../../native-models/onnx/layers.js';
import { builtInFolder } from '../engine/models.js';
import { UserError } from '../contract/errors.js';
import { answer, bytes } from './output.js';

interface BuildFlags {
  id?: string;
  licence?: string;
  precision: string;
  replace?: boolean;
  json?: boolean;
}

function parsePrecisions(text: string): Precision[] {
  const names = text.split(',');
  for (const name of names)
    if (!(precisionNames as readonly string[]).includes(name))
      throw new UserError('usage', `There is no precision ${name}. Choose among: ${precisionNames.join(', ')}`);
  return names as Precision[];
}

function showProgress(step: string, what: string, done: number, total: number | undefined): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r${step} ${what} ${total ? `${Math.floor((100 * done) / total)} %` : bytes(done)}\x1b[K`);
}

function describe({ card, bytes: size }: InstalledModel): string[] {
  return Object.entries(card.precisions).map(([precision, deviation]) => {
    const worst = deviation
      ? `, deviates from float32 by ${Math.max(...Object.values(deviation.typical)).toPrecision(2)} (root mean square)`
      : '';
    return `${card.id}  ${precision}  ${card.inputSize} px  ${bytes(size)}  ${card.licence}  installed${worst}`;
  });
}

async function list(json: boolean | undefined): Promise<void> {
  const installed = await installedModels(modelsFolder(), (note) => process.stderr.write(`pointmap: ${note}\n`));
  const known = catalog.filter(({ id }) => !installed.some(({ card }) => card.id === id));
  const builtIn = await Promise.all(
    builtInModels(builtInFolder).map(async (model) => ({ ...model, training: await trainingOf(model) })),
  );
  const lines = [
    ...builtIn.map(
      ({ id, licence, training, verdict }) => `${id}  ${licence}  built in${training && ` (${training})`}. ${verdict}`,
    ),
    ...installed.filter(({ card }) => !builtIn.some(({ id }) => id === card.id)).flatMap(describe),
    ...known.map(
      (entry) =>
        `${entry.id}  ${entry.inputSize} px  ${bytes(entry.bytes)}  ${entry.licence}  not installed: pointmap models add ${entry.id}`,
    ),
  ];
  answer(
    json,
    {
      folder: modelsFolder(),
      installed: installed.map(({ card, bytes: size }) => ({ ...card, bytes: size })),
      builtIn,
      available: known,
    },
    lines,
  );
}

async function accept(title: string, licence: string, address: string, accepted: boolean | undefined): Promise<void> {
  process.stderr.write(`${title} is published under ${licence}: ${address}\n`);
  if (accepted) return;
  if (!process.stdin.isTTY)
    throw new UserError('usage', `The licence must be accepted first. Read it, then add --accept-licence: ${address}`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const reply = await prompt.question('Do you accept it? [y/N] ');
  prompt.close();
  if (!/^y(es)?$/i.test(reply.trim()))
    throw new UserError('cancelled', 'The licence was not accepted; nothing was downloaded');
}

async function add(id: string, flags: BuildFlags & { acceptLicence?: boolean }): Promise<void> {
  const entry = catalog.find((candidate) => candidate.id === id);
  if (!entry)
    throw new UserError(
      'not-found',
      `There is no model ${id} to download. Known: ${catalog.map((candidate) => candidate.id).join(', ')}`,
    );
  await accept(entry.title, entry.licence, entry.licenceAddress, flags.acceptLicence);
  const stop = new AbortController();
  process.once('SIGINT', () =>
    stop.abort(new UserError('cancelled', `Stopped; what has come is kept. Go on with: pointmap models add ${id}`)),
  );
  const model = await fetchModel(entry, {
    precisions: parsePrecisions(flags.precision),
    ...(flags.replace ? { replace: true } : {}),
    signal: stop.signal,
    onProgress: showProgress,
    onNote: (message) => process.stderr.write(`pointmap: ${message}\n`),
  });
  tell(model, flags);
}

async function build(path: string, flags: BuildFlags, options: ImportOptions): Promise<void> {
  const model = await importModel(path, {
    precisions: parsePrecisions(flags.precision),
    replace: flags.replace,
    ...options,
    onProgress: showProgress,
  });
  tell(model, flags);
}

function tell(model: InstalledModel, { json }: BuildFlags): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
  answer(json, { ...model.card, bytes: model.bytes, folder: model.folder }, [...describe(model), model.folder]);
}

async function verify(
  path: string,
  flags: { precision: Precision; provider: Provider | 'auto'; json?: boolean },
): Promise<void> {
  const provider = await chooseProvider(
    flags.provider,
    (note) => process.stderr.write(`pointmap: ${note}\n`),
    flags.precision === 'float16',
  );
  const results = await verifyCheckpoint(path, flags.precision, provider);
  const failed = results.filter(({ deviation, limit }) => !(deviation <= limit));
  answer(flags.json, { precision: flags.precision, provider, results, passed: failed.length === 0 }, [
    ...results.map(
      (result) =>
        `${result.case}  ${result.output}  ${result.deviation.toExponential(1)}${flags.precision === 'float32' ? `  (limit ${result.limit})` : ''}`,
    ),
  ]);
  if (flags.precision === 'float32' && failed.length)
    throw new UserError(
      'bad-input',
      `${failed.length} of ${results.length} outputs deviate more than they may: ${path}`,
    );
}

/** `pointmap models list | import | add | verify | remove`. */
export function register(program: Command): void {
  const models = program.command('models').description('networks: what is installed, import, download, verify, remove');
  const building = (command: Command): Command =>
    command
      .option('--precision <list>', `comma-separated: ${precisionNames.join(', ')}`, 'float32')
      .option('--replace', 'replace an installed model of the same id')
      .option('--json', 'print the result as one line');
  models
    .command('list')
    .description('installed and known models')
    .option('--json', 'print as one line')
    .action(({ json }: { json?: boolean }) => list(json));
  building(
    models
      .command('import')
      .description('build a model from a checkpoint')
      .argument('<path>', 'a folder, or a .safetensors, .pth, .pt or .onnx file'),
  )
    .option('--id <id>', 'name to install it under')
    .option('--licence <name>', 'its licence, as the publisher states it')
    .action((path: string, flags: BuildFlags) => build(path, flags, { id: flags.id, licence: flags.licence }));
  building(models.command('add').description('download a model from its publisher').argument('<id>'))
    .option('--accept-licence', 'you have read the licence and accept it')
    .action((id: string, flags: BuildFlags & { acceptLicence?: boolean }) => add(id, flags));
  models
    .command('verify')
    .description('run the recorded cases beside a checkpoint and print how far each output deviates')
    .argument('<path>')
    .addOption(new Option('--precision <name>').choices([...precisionNames]).default('float32'))
    .addOption(
      new Option('--provider <name>').choices(['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml']).default('cpu'),
    )
    .option('--json', 'print as one line')
    .action(verify);
  models
    .command('remove')
    .argument('<id>')
    .option('--json', 'print as one line')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const model = await removeModel(id);
      answer(json, { removed: id, bytes: model.bytes }, [`removed ${id}, ${bytes(model.bytes)} free again`]);
    });
}
