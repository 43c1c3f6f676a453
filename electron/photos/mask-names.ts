import { basename, extname } from 'node:path';

/** Endings of a mask's name beside that of its photo, in the order in which they are looked for. */
export function maskNames(photoName: string): string[] {
  const stem = basename(photoName, extname(photoName));
  const forms = [`${photoName}.png`, `${stem}_mask.png`, `${stem}.mask.png`, `${stem}-mask.png`, `mask_${stem}.png`];
  const others = ['.png', '.jpg', '.jpeg', '.tif', '.tiff', '.webp'].map((ending) => `${stem}${ending}`);
  return [...forms, ...others, `${photoName}.mask.png`];
}

/** Names by which a file beside a photo is its mask, not a photo of its own: COLMAP's and Metashape's. */
export function isMaskBeside(name: string, photoNames: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  if (!lower.endsWith('.png')) return false;
  const inner = name.slice(0, -'.png'.length);
  if (photoNames.has(inner)) return true;
  const stem = inner.replace(/[._-]mask$/i, '');
  return stem !== inner && [...photoNames].some((photo) => basename(photo, extname(photo)) === stem);
}
