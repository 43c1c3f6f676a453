// Draws the program's icon in every form that packages want, from resources/icon/web/icon.svg: `node build/icon.mjs`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const drawing = readFileSync(join(root, 'resources', 'icon', 'web', 'icon.svg'));
const DRAWN_SIZE = 64;

/** @param {number} size in pixels @param {number} part of the square that the drawing fills, in the middle of it */
async function picture(size, part = 1) {
  const inner = Math.round(size * part);
  // Drawn at its final size, not scaled from another.
  const drawn = await sharp(drawing, { density: (72 * inner) / DRAWN_SIZE })
    .resize(inner, inner)
    .png()
    .toBuffer();
  const before = Math.floor((size - inner) / 2);
  const after = size - inner - before;
  return sharp(drawn)
    .extend({ top: before, left: before, bottom: after, right: after, background: '#0000' })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Windows: a directory of pictures, which may be PNG files since Vista. */
export function ico(pictures) {
  const header = Buffer.alloc(6 + pictures.length * 16);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(pictures.length, 4);
  let offset = header.length;
  pictures.forEach(({ size, png }, k) => {
    const at = 6 + k * 16;
    // 256 is written as 0.
    header.writeUInt8(size % 256, at);
    header.writeUInt8(size % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([header, ...pictures.map(({ png }) => png)]);
}

/** macOS: tagged blocks of PNG; the tag tells size and screen density. */
export function icns(pictures) {
  const blocks = pictures.map(({ tag, png }) => {
    const head = Buffer.alloc(8);
    head.write(tag, 'latin1');
    head.writeUInt32BE(png.length + 8, 4);
    return Buffer.concat([head, png]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 'latin1');
  head.writeUInt32BE(8 + blocks.reduce((sum, block) => sum + block.length, 0), 4);
  return Buffer.concat([head, ...blocks]);
}

const macTags = { ic11: 32, ic12: 64, ic07: 128, ic13: 256, ic08: 256, ic14: 512, ic09: 512, ic10: 1024 };
/** Icons of a Mac leave room around them: 824 of 1024. */
const MAC_PART = 824 / 1024;

/** Writes icon.ico, icon.icns and one PNG a size (for Linux) into a folder. */
export async function drawIcons(folder) {
  mkdirSync(folder, { recursive: true });
  const windows = await Promise.all(
    [16, 24, 32, 48, 64, 128, 256].map(async (size) => ({ size, png: await picture(size) })),
  );
  writeFileSync(join(folder, 'icon.ico'), ico(windows));
  const mac = await Promise.all(
    Object.entries(macTags).map(async ([tag, size]) => ({ tag, png: await picture(size, MAC_PART) })),
  );
  writeFileSync(join(folder, 'icon.icns'), icns(mac));
  mkdirSync(join(folder, 'linux'), { recursive: true });
  for (const size of [16, 32, 48, 64, 128, 256, 512])
    writeFileSync(join(folder, 'linux', `${size}x${size}.png`), await picture(size));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'resources', 'icon', 'icon.png'), await picture(1024));
  await drawIcons(join(root, 'dist', 'icons'));
}
