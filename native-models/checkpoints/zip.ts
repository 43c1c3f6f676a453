import type { RandomAccess } from './file.js';
import { damaged } from './tensor.js';

export interface ZipEntry {
  name: string;
  /** Of the stored bytes in the file. */
  offset: number;
  length: number;
}

const endOfDirectory = 0x06054b50;
const endOfDirectory64 = 0x06064b50;
const directoryEntry = 0x02014b50;
const localEntry = 0x04034b50;

/**
 * The entries of a zip archive whose members are stored without compression, as PyTorch writes them (zip64 included).
 * Only the central directory is trusted for lengths; each member's place is checked against the file.
 */
export async function readStoredZip(file: RandomAccess): Promise<Map<string, ZipEntry>> {
  const tailStart = Math.max(0, file.size - 65_557);
  const tail = await file.read(tailStart, file.size - tailStart, 'the archive directory');
  const view = new DataView(tail.buffer);
  let at = tail.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== endOfDirectory) at--;
  if (at < 0)
    throw damaged(
      file.path,
      'there is no archive directory at its end (cut short, or an old PyTorch file from before 1.6)',
    );
  let count = view.getUint16(at + 10, true);
  let length = view.getUint32(at + 12, true);
  let start = view.getUint32(at + 16, true);
  if (at >= 20 && view.getUint32(at - 20, true) === 0x07064b50) {
    const offset = Number(view.getBigUint64(at - 12, true));
    const record = await file.read(offset, 56, 'the zip64 directory');
    const fields = new DataView(record.buffer);
    if (fields.getUint32(0, true) !== endOfDirectory64)
      throw damaged(file.path, `the zip64 directory at offset ${offset} is not one`);
    count = Number(fields.getBigUint64(32, true));
    length = Number(fields.getBigUint64(40, true));
    start = Number(fields.getBigUint64(48, true));
  }
  return readDirectory(file, start, length, count);
}

async function readDirectory(
  file: RandomAccess,
  start: number,
  length: number,
  count: number,
): Promise<Map<string, ZipEntry>> {
  const bytes = await file.read(start, length, 'the archive directory');
  const view = new DataView(bytes.buffer);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || view.getUint32(at, true) !== directoryEntry)
      throw damaged(file.path, `archive entry ${i} at offset ${start + at} is not one`);
    const method = view.getUint16(at + 10, true);
    const [nameLength, extraLength, commentLength] = [
      view.getUint16(at + 28, true),
      view.getUint16(at + 30, true),
      view.getUint16(at + 32, true),
    ];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > length)
      throw damaged(file.path, `archive entry ${i} at offset ${start + at} reaches past the directory`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const stored = {
      compressed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    applyZip64(view, at + 46 + nameLength, extraLength, stored);
    if (method !== 0 || stored.compressed !== stored.size)
      throw damaged(file.path, `archive member ${name} is compressed, which PyTorch never does`);
    const local = new DataView((await file.read(stored.offset, 30, `archive member ${name}`)).buffer);
    if (local.getUint32(0, true) !== localEntry)
      throw damaged(file.path, `archive member ${name} at offset ${stored.offset} is not one`);
    const offset = stored.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (offset + stored.size > file.size)
      throw damaged(file.path, `archive member ${name} at offset ${offset} reaches past the end of the file`);
    entries.set(name, { name, offset, length: stored.size });
    at = next;
  }
  return entries;
}

/** The extra field 1 holds, in this order, those of size, compressed size and offset that did not fit in 32 bits. */
function applyZip64(
  view: DataView,
  start: number,
  length: number,
  entry: { compressed: number; size: number; offset: number },
): void {
  for (let at = start; at + 4 <= start + length;) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (id === 1) {
      let field = at + 4;
      const end = Math.min(at + 4 + size, start + length);
      for (const key of ['size', 'compressed', 'offset'] as const) {
        if (entry[key] !== 0xffffffff || field + 8 > end) continue;
        entry[key] = Number(view.getBigUint64(field, true));
        field += 8;
      }
    }
    at += 4 + size;
  }
}
