import type { Command } from 'commander';
import sharp from 'sharp';
import { completePhoto } from '../../native-models/croco/complete.js';
import { findModel } from '../../native-models/registry/folder.js';
import { readRegular } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import { number } from './arguments.js';
import { answer } from './output.js';

/** ImageNet statistics, which CroCo normalises with. */
const mean = [0.485, 0.456, 0.406];
const deviation = [0.229, 0.224, 0.225];

/** The centre square of a photo as planar [3, size, size], normalised. */
async function readSquare(path: string, size: number): Promise<Float32Array> {
  let pixels: Buffer;
  try {
    pixels = await sharp(await readRegular(path))
      .autoOrient()
      .resize(size, size, { fit: 'cover' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer();
  } catch (cause) {
    throw new UserError(
      'bad-input',
      `This photo cannot be read (${(cause as Error).message.split('\n')[0]}). Give a JPEG, PNG, WebP or TIFF file: ${path}`,
      { cause },
    );
  }
  const out = new Float32Array(3 * size * size);
  const channels = pixels.length / (size * size);
  for (let p = 0; p < size * size; p++) {
    for (let c = 0; c < 3; c++)
      out[c * size * size + p] = (pixels[p * channels + (channels < 3 ? 0 : c)]! / 255 - mean[c]!) / deviation[c]!;
  }
  return out;
}

/** Planar, normalised images side by side as a PNG. */
async function writeStrip(path: string, images: readonly Float32Array[], size: number): Promise<void> {
  const width = images.length * size;
  const pixels = new Uint8ClampedArray(width * size * 3);
  images.forEach((image, k) => {
    for (let p = 0; p < size * size; p++) {
      const at = (Math.floor(p / size) * width + k * size + (p % size)) * 3;
      for (let c = 0; c < 3; c++) pixels[at + c] = 255 * (image[c * size * size + p]! * deviation[c]! + mean[c]!);
    }
  });
  try {
    await sharp(pixels, { raw: { width, height: size, channels: 3 } })
      .png()
      .toFile(path);
  } catch (cause) {
    throw new UserError('unwritable', `The picture cannot be written (${(cause as Error).message}): ${path}`, {
      cause,
    });
  }
}

/** `pointmap complete PHOTO REFERENCE`: CroCo's pre-training task made visible. */
export function register(program: Command): void {
  program
    .command('complete')
    .description('hide most of a photo and let a CroCo network complete it from another view: masked, completed, truth')
    .argument('<photo>')
    .argument('<reference>', 'another view of the same scene')
    .option('--model <id>', 'an installed CroCo model', 'croco-v2')
    .option('--mask <part>', 'part that is hidden, 0 to 1', number('--mask', 0), 0.9)
    .option('--seed <n>', 'chooses the hidden patches', number('--seed', 0), 1)
    .requiredOption('--out <file>', 'a PNG file')
    .option('--json', 'print the result as one line')
    .action(
      async (
        photo: string,
        reference: string,
        flags: { model: string; mask: number; seed: number; out: string; json?: boolean },
      ) => {
        if (flags.mask > 1)
          throw new UserError('usage', `--mask takes a number from 0 to 1, and this is ${flags.mask}`);
        const model = await findModel(flags.model);
        if (model.card.architecture !== 'croco')
          throw new UserError(
            'unsupported',
            `The model ${flags.model} does not complete images. Import a CroCo checkpoint: ${model.folder}`,
          );
        const size = Math.max(model.card.patch, Math.floor(model.card.inputSize / model.card.patch) * model.card.patch);
        const [first, second] = [await readSquare(photo, size), await readSquare(reference, size)];
        const result = await completePhoto(model, first, second, size, { mask: flags.mask, seed: flags.seed });
        await writeStrip(flags.out, [result.masked, result.completed, first], size);
        answer(
          flags.json,
          {
            out: flags.out,
            hidden: result.hidden.length,
            patches: (size / model.card.patch) ** 2,
            error: result.error,
          },
          [
            `${result.hidden.length} patches hidden, mean squared error ${result.error.toFixed(4)} (patches normalised); masked, completed, truth: ${flags.out}`,
          ],
        );
      },
    );
}
