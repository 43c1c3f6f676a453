import { openFile, type RandomAccess } from './file.js';
import {
  bytesPerElement,
  damaged,
  decodeElements,
  elementCount,
  type Checkpoint,
  type ElementType,
  type TensorInfo,
} from './tensor.js';

/** The format's own limit (huggingface/safetensors): a longer header is an attack or damage. */
const longestHeader = 100_000_000;

interface Placed extends TensorInfo {
  offset: number;
  length: number;
}

function parseHeader(
  file: RandomAccess,
  text: string,
  dataStart: number,
): { tensors: Map<string, Placed>; metadata: Record<string, unknown> } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw damaged(file.path, `the header at offset 8 is not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged(file.path, 'the header at offset 8 is not a JSON object');
  const tensors = new Map<string, Placed>();
  let metadata: Record<string, unknown> = {};
  const available = file.size - dataStart;
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') {
      if (typeof entry === 'object' && entry !== null) metadata = entry as Record<string, unknown>;
      continue;
    }
    const fields = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    const { dtype, shape, data_offsets: range } = fields;
    if (typeof dtype !== 'string' || !Object.hasOwn(bytesPerElement, dtype))
      throw damaged(file.path, `tensor ${name} has the unknown element type ${JSON.stringify(dtype)}`);
    const count = Array.isArray(shape) ? elementCount(shape) : undefined;
    if (count === undefined) throw damaged(file.path, `tensor ${name} has the shape ${JSON.stringify(shape)}`);
    if (
      !Array.isArray(range) ||
      range.length !== 2 ||
      !range.every((x) => Number.isSafeInteger(x) && x >= 0) ||
      range[1] < range[0]
    ) {
      throw damaged(file.path, `tensor ${name} has the data offsets ${JSON.stringify(range)}`);
    }
    const [begin, end] = range as [number, number];
    if (end > available)
      throw damaged(file.path, `tensor ${name} reaches to offset ${dataStart + end} and the file ends at ${file.size}`);
    const type = dtype as ElementType;
    if (end - begin !== count * bytesPerElement[type]) {
      throw damaged(
        file.path,
        `tensor ${name} at offset ${dataStart + begin} has ${end - begin} bytes where its shape [${shape as number[]}] needs ${count * bytesPerElement[type]}`,
      );
    }
    tensors.set(name, { name, type, shape: shape as number[], offset: dataStart + begin, length: end - begin });
  }
  checkCoverage(file, tensors, dataStart);
  return { tensors, metadata };
}

/** The format demands that tensors cover the data exactly: no overlap, no hole, nothing after the last. */
function checkCoverage(file: RandomAccess, tensors: Map<string, Placed>, dataStart: number): void {
  let end = dataStart;
  for (const tensor of [...tensors.values()].sort((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (tensor.offset !== end)
      throw damaged(file.path, `tensor ${tensor.name} begins at offset ${tensor.offset} where ${end} was expected`);
    end = tensor.offset + tensor.length;
  }
  if (end !== file.size) throw damaged(file.path, `${file.size - end} bytes follow the last tensor at offset ${end}`);
}

/** Opens one .safetensors file. Reads only its header. Throws UserError 'damaged' naming tensor and offset. */
export async function openSafetensors(path: string): Promise<Checkpoint> {
  const file = await openFile(path);
  try {
    const prefix = await file.read(0, 8, 'the header length');
    const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
    if (length > longestHeader)
      throw damaged(path, `the header at offset 0 claims ${length} bytes, so this is not a safetensors file`);
    const text = new TextDecoder().decode(await file.read(8, length, 'the header'));
    const { tensors, metadata } = parseHeader(file, text, 8 + length);
    return {
      path,
      tensors,
      metadata,
      async read(name) {
        const tensor = tensors.get(name);
        if (!tensor) throw damaged(path, `there is no tensor ${name}`);
        return decodeElements(tensor.type, await file.read(tensor.offset, tensor.length, `tensor ${name}`));
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
