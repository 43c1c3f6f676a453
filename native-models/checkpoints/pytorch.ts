import { UserError } from '../../electron/contract/errors.js';
import { openFile, type RandomAccess } from './file.js';
import { PickleError, PickleGlobal, unpickle, type PickleHost, type PickleValue } from './pickle.js';
import {
  bytesPerElement,
  damaged,
  decodeElements,
  elementCount,
  type Checkpoint,
  type ElementType,
  type TensorInfo,
} from './tensor.js';
import { readStoredZip, type ZipEntry } from './zip.js';

const storageTypes: Record<string, ElementType> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};
/**
 * Names that a checkpoint's pickle may hold, besides the storages. Namespaces of training options are read as
 * dictionaries.
 */
const constructors = new Set([
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
  'argparse.Namespace',
  'torch.Size',
]);
const largestPickle = 256 * 2 ** 20;

class Storage {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly count: number,
  ) {}
}

class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: number[],
  ) {}
}

const host: PickleHost = {
  allowed: (name) => constructors.has(name) || Object.hasOwn(storageTypes, name),
  persistent(id) {
    const [kind, type, key, , count] = Array.isArray(id) ? id : [];
    if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || typeof count !== 'number')
      throw new PickleError('a persistent id is not a storage');
    const element = Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name] : undefined;
    if (!element) throw new PickleError(`a storage has the unknown type ${type.name}`);
    return new Storage(key, element, count);
  },
  construct(name, args) {
    if (name === 'torch._utils._rebuild_tensor_v2') return rebuildTensor(args);
    if (name === 'torch._utils._rebuild_parameter') return args[0] ?? null;
    if (name === 'collections.OrderedDict' || name === 'argparse.Namespace') {
      const pairs = Array.isArray(args[0]) ? args[0] : [];
      return new Map(
        pairs
          .filter((pair): pair is PickleValue[] => Array.isArray(pair) && pair.length === 2)
          .map(([key, value]) => [key!, value!]),
      );
    }
    if (name === 'torch.Size') return args[0] ?? [];
    throw new PickleError(`it calls ${name}`);
  },
};

function rebuildTensor(args: PickleValue[]): StoredTensor {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof Storage) || typeof offset !== 'number' || !Array.isArray(shape) || !Array.isArray(strides))
    throw new PickleError('a tensor is not described as PyTorch does');
  const count = elementCount(shape);
  if (count === undefined || !Number.isSafeInteger(offset) || offset < 0)
    throw new PickleError('a tensor has an impossible shape or offset');
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    // Weights are saved contiguous; a size of 1 may carry any stride.
    if (shape[i] !== 1 && strides[i] !== expected && count > 0)
      throw new PickleError(
        `a tensor of shape [${shape as number[]}] is stored with strides [${strides as number[]}], and only contiguous ones are read`,
      );
    expected *= shape[i] as number;
  }
  return new StoredTensor(storage, offset, shape as number[]);
}

/** More than any checkpoint tells beside its weights. */
const MOST_PLAIN_VALUES = 20_000;

/**
 * Plain values of a dictionary, for metadata: what isn't plain is left out. Lists may hold each other, or themselves:
 * each list in it is followed once more for every place it stands in, so values are counted (a file of 100 bytes grew
 * exponentially).
 */
function plain(value: PickleValue, depth = 0, budget = { left: MOST_PLAIN_VALUES }): unknown {
  if (budget.left-- <= 0) return undefined;
  if (value instanceof Map && depth < 8) {
    const entries = [...value]
      .filter(([key]) => typeof key === 'string' && key !== '__proto__')
      .map(([key, item]) => [key as string, plain(item, depth + 1, budget)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  }
  if (Array.isArray(value) && depth < 8)
    return value.slice(0, 1000).flatMap((item) => (budget.left > 0 ? [plain(item, depth + 1, budget)] : []));
  return typeof value === 'object' && value !== null ? undefined : value;
}

/** The dictionary with the weights: the file's top level, or the first of `model`, `state_dict` in it. */
function splitState(root: PickleValue): { state: Map<PickleValue, PickleValue>; rest: Map<PickleValue, PickleValue> } {
  if (!(root instanceof Map)) throw new PickleError('its top level is not a dictionary');
  for (const key of ['model', 'state_dict']) {
    const inner = root.get(key);
    if (inner instanceof Map) return { state: inner, rest: new Map([...root].filter(([name]) => name !== key)) };
  }
  return { state: root, rest: new Map() };
}

interface Placed extends TensorInfo {
  offset: number;
}

function place(
  file: RandomAccess,
  members: Map<string, ZipEntry>,
  prefix: string,
  state: Map<PickleValue, PickleValue>,
): Map<string, Placed> {
  const tensors = new Map<string, Placed>();
  for (const [name, value] of state) {
    if (typeof name !== 'string' || !(value instanceof StoredTensor)) continue;
    const { storage, shape } = value;
    const member = members.get(`${prefix}data/${storage.key}`);
    if (!member)
      throw damaged(file.path, `tensor ${name} lies in archive member data/${storage.key}, which is missing`);
    const size = bytesPerElement[storage.type];
    const end = (value.offset + elementCount(shape)!) * size;
    if (end > member.length)
      throw damaged(
        file.path,
        `tensor ${name} at offset ${member.offset} needs ${end} bytes and its storage has ${member.length}`,
      );
    tensors.set(name, { name, type: storage.type, shape, offset: member.offset + value.offset * size });
  }
  return tensors;
}

/**
 * Opens a PyTorch .pth/.pt zip file without executing anything of it. Tensors are read from their storages one at a
 * time. Throws UserError 'damaged', or 'bad-input' when the pickle asks for more than weights and plain containers.
 */
export async function openPyTorch(path: string): Promise<Checkpoint> {
  const file = await openFile(path);
  try {
    const members = await readStoredZip(file);
    const pickle = [...members.values()].find(
      (member) => member.name === 'data.pkl' || member.name.endsWith('/data.pkl'),
    );
    if (!pickle) throw damaged(path, 'the archive holds no data.pkl, so it was not written by PyTorch');
    if (pickle.length > largestPickle) throw damaged(path, `data.pkl claims ${pickle.length} bytes`);
    const prefix = pickle.name.slice(0, -'data.pkl'.length);
    const order = members.get(`${prefix}byteorder`);
    if (order && new TextDecoder().decode(await file.read(order.offset, order.length, 'byteorder')) !== 'little')
      throw new UserError(
        'unsupported',
        `This checkpoint was written on a big-endian machine. Save it again on a common one: ${path}`,
      );
    const bytes = await file.read(pickle.offset, pickle.length, 'data.pkl');
    let parts: ReturnType<typeof splitState>;
    try {
      parts = splitState(unpickle(bytes, host));
    } catch (cause) {
      if (cause instanceof PickleError)
        throw new UserError(
          'bad-input',
          `This checkpoint was refused: ${cause.message}. Use one from the publisher: ${path}`,
          { cause },
        );
      throw cause;
    }
    const tensors = place(file, members, prefix, parts.state);
    return {
      path,
      tensors,
      metadata: plain(parts.rest) as Record<string, unknown>,
      async read(name) {
        const tensor = tensors.get(name);
        if (!tensor) throw damaged(path, `there is no tensor ${name}`);
        const length = elementCount(tensor.shape)! * bytesPerElement[tensor.type];
        return decodeElements(tensor.type, await file.read(tensor.offset, length, `tensor ${name}`));
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
