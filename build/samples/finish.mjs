// Turns the rendered PNGs into the sample photos: JPEG with EXIF, as a camera would have written them.
//
//   node build/samples/finish.mjs RENDERED resources/samples/courtyard
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const FOCAL_35MM = 28;
/** Stored lying on its side with EXIF orientation 6, as phones store portrait photos. */
const LYING = new Set(['courtyard-04.jpg']);

const [from, to] = process.argv.slice(2);
mkdirSync(to, { recursive: true });
for (const name of ['cameras.json', 'depth.json']) copyFileSync(join(from, name), join(to, name));
for (const { name } of JSON.parse(readFileSync(join(from, 'cameras.json'), 'utf8')).photos) {
  const rendered = join(from, name.replace(/\.jpg$/, '.png'));
  // A camera's own noise reduction: the renderer's grain is finer than a pixel and carries nothing.
  const upright = await sharp(rendered).median(3).removeAlpha().png().toBuffer();
  const lying = LYING.has(name);
  const { size } = await sharp(upright)
    .rotate(lying ? 270 : 0)
    .jpeg({ quality: 90, chromaSubsampling: '4:2:0', mozjpeg: true })
    .withExif({
      IFD0: { Make: 'Pointmap Studio', Model: 'Sample camera' },
      IFD2: { FocalLengthIn35mmFilm: String(FOCAL_35MM), DateTimeOriginal: '2026:06:01 16:00:00' },
    })
    .withMetadata({ orientation: lying ? 6 : 1 })
    .toFile(join(to, name));
  console.log(`${name} ${(size / 1024).toFixed(0)} KB`);
}
