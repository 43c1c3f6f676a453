import { crc32 } from 'node:zlib';

/** Data of each file begins at a multiple of this: USD's packages are mapped into memory, not unpacked. */
const ALIGNMENT = 64;

/** A zip archive of uncompressed files, as USDZ asks for it. */
export function* storedZip(files: readonly { name: string; bytes: Uint8Array }[]): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const title = Buffer.from(name, 'utf8');
    // An extra field of the length that is missing; its own head takes four bytes.
    const bare = at + 30 + title.length;
    const extra = ((ALIGNMENT - ((bare + 4) % ALIGNMENT)) % ALIGNMENT) + 4;
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(10, 0);
    facts.writeUInt32LE(crc32(bytes), 10);
    facts.writeUInt32LE(bytes.byteLength, 14);
    facts.writeUInt32LE(bytes.byteLength, 18);
    facts.writeUInt16LE(title.length, 22);
    facts.writeUInt16LE(extra, 24);
    const field = Buffer.alloc(extra);
    field.writeUInt16LE(0x1986, 0);
    field.writeUInt16LE(extra - 4, 2);
    const signature = Buffer.from('PK\x03\x04', 'latin1');
    const local = Buffer.concat([signature, facts, title, field]);
    yield local;
    yield bytes;
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(10, 4);
    facts.copy(entry, 6, 0, 24);
    entry.writeUInt32LE(at, 42);
    directory.push(Buffer.concat([entry, title]));
    at += local.length + bytes.byteLength;
  }
  const entries = Buffer.concat(directory);
  yield entries;
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(at, 16);
  yield end;
}
