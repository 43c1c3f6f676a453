/** Writes small PyTorch zip files in code: a pickle of protocol 2 and stored members. */

export type Pickled =
  | number
  | string
  | { dict: [string, Pickled][] }
  | { tensor: { key: string; shape: number[]; count: number } }
  | { call: string; args?: string[]; state?: [string, string][] };

const text = (value: string) => {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(5);
  head[0] = 0x58;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const integer = (value: number) => {
  const out = Buffer.alloc(5);
  out[0] = 0x4a;
  out.writeInt32LE(value, 1);
  return out;
};
const global = (name: string) =>
  Buffer.from(`c${name.slice(0, name.lastIndexOf('.'))}\n${name.slice(name.lastIndexOf('.') + 1)}\n`);
const tuple = (...items: Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);

function encode(value: Pickled): Buffer {
  if (typeof value === 'number') return integer(value);
  if (typeof value === 'string') return text(value);
  if ('dict' in value)
    return Buffer.concat([
      Buffer.from('}('),
      ...value.dict.flatMap(([key, item]) => [text(key), encode(item)]),
      Buffer.from('u'),
    ]);
  if ('call' in value) {
    const made = Buffer.concat([global(value.call), tuple(...(value.args ?? []).map(text)), Buffer.from('R')]);
    return value.state ? Buffer.concat([made, encode({ dict: value.state }), Buffer.from('b')]) : made;
  }
  const { key, shape, count } = value.tensor;
  const storage = Buffer.concat([
    tuple(text('storage'), global('torch.FloatStorage'), text(key), text('cpu'), integer(count)),
    Buffer.from('Q'),
  ]);
  const strides = shape.map((_, k) => shape.slice(k + 1).reduce((product, size) => product * size, 1));
  const hooks = Buffer.concat([global('collections.OrderedDict'), Buffer.from(')R')]);
  return Buffer.concat([
    global('torch._utils._rebuild_tensor_v2'),
    tuple(
      storage,
      integer(0),
      tuple(...shape.map(integer)),
      tuple(...strides.map(integer)),
      Buffer.from([0x89]),
      hooks,
    ),
    Buffer.from('R'),
  ]);
}

export function pickleOf(value: Pickled): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), encode(value), Buffer.from('.')]);
}

export function pytorchFile(pickle: Buffer, storages: Record<string, Float32Array>): Buffer {
  const members: [string, Buffer][] = [
    ['archive/data.pkl', pickle],
    ...Object.entries(storages).map(([key, { buffer, byteOffset, byteLength }]): [string, Buffer] => [
      `archive/data/${key}`,
      Buffer.from(buffer, byteOffset, byteLength),
    ]),
  ];
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of members) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(bytes.length, 18);
    local.writeUInt32LE(bytes.length, 22);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(bytes.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), bytes);
    offset += 30 + name.length + bytes.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}
