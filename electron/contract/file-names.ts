/*
 * Names that come from elsewhere (a project file of unknown origin, a browser's upload) as names of files. Pure.
 */

/**
 * Bytes (UTF-8) of the longest name that is left as it is: 255 are what file systems take, and an ending, a number and
 * the mark of a file that is not whole yet are put behind it. A name of 85 Japanese characters fills them already.
 */
export const LONGEST_NAME = 180;

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The end of a name, of which its ending is part, in at most `LONGEST_NAME` bytes. */
function shortened(name: string): string {
  const characters = [...name];
  let start = characters.length;
  for (let bytes = 0; start > 0; start--) {
    bytes += bytesOf(characters[start - 1]!);
    if (bytes > LONGEST_NAME) break;
  }
  return characters.slice(start).join('');
}

/**
 * A name that is safe as the last part of a path on every system, and still tells a person what it is: whatever looks
 * like a folder before it is dropped.
 */
export function safeFileName(name: string): string {
  const last = name.split(/[\\/]/).pop() ?? '';
  const clean = shortened(last)
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f<>:"|?*]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  // Names of devices on Windows, whatever their ending.
  return clean === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(clean)
    ? `photo-${clean}`.replace(/-$/, '')
    : clean;
}

/** What two names have in common that are one file on Windows and macOS. */
export const fileKey = (name: string): string => name.normalize('NFC').toLowerCase();

/** Numbers a name until it is none of those taken; `taken` holds keys (`fileKey`). */
export function uniqueFileName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(fileKey(name))) return name;
  const dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length;
  for (let k = 2; ; k++) {
    const candidate = `${name.slice(0, dot)}-${k}${name.slice(dot)}`;
    if (!taken.has(fileKey(candidate))) return candidate;
  }
}
