import { open, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { ModelProto } from './schema.js';

/** A tensor inside a graph. */
export interface Value {
  readonly name: string;
}

/** ONNX TensorProto.DataType. */
export const dataType = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type DataType = keyof typeof dataType;
const bytesPerValue: Record<DataType, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

export type Attribute = number | string | number[] | { float: number };

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  domain?: 'com.microsoft';
  outputs?: number;
  /** Which inputs are int8 weights and their zero, where the node multiplies unsigned by signed bytes. */
  signedWeights?: { values: number; zero: number };
}

/** The nodes of a graph as they are written. */
interface WrittenNode {
  opType: string;
  name: string;
  input: string[];
  output: string[];
  domain?: string;
  attribute?: object[];
}

/** Where the description of a graph for processors whose byte products saturate lies, beside the usual one. */
export function widePath(path: string): string {
  return path.replace(/\.onnx$/, '.wide.onnx');
}

interface Initializer {
  name: string;
  type: DataType;
  dims: number[];
  /** Called once, while the graph is saved. */
  load: () => Promise<Uint8Array>;
  inline?: Uint8Array;
}

/** ONNX opset 20 (Gelu, LayerNormalization 17, Resize 19); com.microsoft 1. */
const operatorSets = [
  { domain: '', version: 20 },
  { domain: 'com.microsoft', version: 1 },
];

/** Weights are aligned so that ONNX Runtime can map them from the file. */
const alignment = 4096;

function attributeProto(name: string, value: Attribute): object {
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: 3 };
  if (Array.isArray(value)) return { name, ints: value, type: 7 };
  if (typeof value === 'object') return { name, f: value.float, type: 1 };
  return { name, i: value, type: 2 };
}

function typeProto(type: DataType, dims: (number | string)[]): object {
  return {
    tensorType: {
      elemType: dataType[type],
      shape: { dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })) },
    },
  };
}

/**
 * An ONNX graph under construction. Values are named by a counter, so that the same calls give the same bytes.
 * Small constants are stored in the graph, weights in `<file>.data`, written one at a time.
 */
export class Graph {
  private readonly nodes: WrittenNode[] = [];
  /** Nodes by name. */
  private readonly signed = new Map<string, { values: number; zero: number }>();
  private readonly inputs: object[] = [];
  private readonly outputs: object[] = [];
  private readonly initializers: Initializer[] = [];
  private readonly weights = new Set<string>();
  private readonly constants = new Map<string, Value>();

  constructor(readonly name: string) {}

  input(name: string, type: DataType, dims: (number | string)[]): Value {
    this.inputs.push({ name, type: typeProto(type, dims) });
    return { name };
  }

  output(name: string, value: Value, type: DataType, dims: (number | string)[]): void {
    this.nodes.push({ opType: 'Identity', input: [value.name], output: [name], name });
    this.outputs.push({ name, type: typeProto(type, dims) });
  }

  /** A weight whose bytes are asked for when the graph is saved. Asked for twice by name, it is stored once. */
  weight(name: string, type: DataType, dims: number[], load: () => Promise<Uint8Array>): Value {
    if (!this.weights.has(name)) {
      this.weights.add(name);
      this.initializers.push({ name, type, dims, load });
    }
    return { name };
  }

  private inline(type: DataType, dims: number[], array: ArrayBufferView): Value {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const key = `${type}[${dims}]${Buffer.from(bytes).toString('base64')}`;
    let value = this.constants.get(key);
    if (!value) {
      const name = `constant_${this.constants.size}`;
      this.initializers.push({ name, type, dims, inline: bytes, load: () => Promise.resolve(bytes) });
      value = { name };
      this.constants.set(key, value);
    }
    return value;
  }
  ints(values: number[]): Value {
    return this.inline('int64', [values.length], BigInt64Array.from(values, BigInt));
  }
  int(value: number): Value {
    return this.inline('int64', [], BigInt64Array.of(BigInt(value)));
  }
  floats(values: ArrayLike<number>, dims: number[] = [values.length]): Value {
    return this.inline('float32', dims, Float32Array.from(values));
  }
  bytes(type: 'int8' | 'uint8', values: number[], dims: number[] = [values.length]): Value {
    return this.inline(type, dims, Uint8Array.from(values));
  }

  /** Appends a node; undefined inputs are optional ones left out. */
  node(operator: string, inputs: (Value | undefined)[], options: NodeOptions = {}): Value {
    return this.split(operator, inputs, { ...options, outputs: 1 })[0]!;
  }

  /** A node with several outputs. */
  split(operator: string, inputs: (Value | undefined)[], options: NodeOptions): Value[] {
    const id = this.nodes.length;
    const output = Array.from({ length: options.outputs ?? 1 }, (_, k) => `${operator}_${id}${k ? `_${k}` : ''}`);
    if (options.signedWeights) this.signed.set(`${operator}_${id}`, options.signedWeights);
    this.nodes.push({
      opType: operator,
      name: `${operator}_${id}`,
      domain: options.domain ?? '',
      input: inputs.map((value) => value?.name ?? ''),
      output,
      attribute: Object.entries(options.attributes ?? {}).map(([name, value]) => attributeProto(name, value)),
    });
    return output.map((name) => ({ name }));
  }

  /**
   * Writes the graph and, beside it, `<path>.data` with the weights. Memory: one weight at a time.
   * @param metadata stored in the file's metadata_props.
   */
  async save(
    path: string,
    metadata: Record<string, string> = {},
    onWeight?: (done: number, total: number) => void,
  ): Promise<void> {
    const dataName = `${basename(path)}.data`;
    const tensors: object[] = [];
    const data = await open(`${path}.data`, 'w');
    try {
      let offset = 0;
      for (const [k, { name, type, dims, inline, load }] of this.initializers.entries()) {
        if (inline) {
          tensors.push({ name, dims, dataType: dataType[type], rawData: inline });
          continue;
        }
        const bytes = await load();
        const expected = dims.reduce((product, dim) => product * dim, 1) * bytesPerValue[type];
        if (bytes.length !== expected) throw new Error(`Weight ${name} has ${bytes.length} bytes, not ${expected}`);
        for (let done = 0; done < bytes.length;)
          done += (await data.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
        const place = { location: dataName, offset: String(offset), length: String(bytes.length) };
        tensors.push({
          name,
          dims,
          dataType: dataType[type],
          dataLocation: 1,
          externalData: Object.entries(place).map(([key, value]) => ({ key, value })),
        });
        offset = Math.ceil((offset + bytes.length) / alignment) * alignment;
        onWeight?.(k + 1, this.initializers.length);
      }
      await data.sync();
    } finally {
      await data.close();
    }
    await this.writeDescription(path, this.nodes, tensors, metadata);
    await rm(widePath(path), { force: true }); // An earlier graph's.
    if (this.signed.size) await this.writeDescription(widePath(path), this.unsignedNodes(tensors), tensors, metadata);
  }

  /**
   * The graph as bytes, when all that it holds are constants.
   */
  encode(): Uint8Array {
    const tensors = this.initializers.map(({ name, type, dims, inline }) => {
      if (!inline) throw new Error(`Weight ${name} has no place in a graph without a file`);
      return { name, dims, dataType: dataType[type], rawData: inline };
    });
    return this.proto(this.nodes, tensors, {});
  }

  /**
   * The nodes with unsigned weights where `signed` names signed ones: 128 more, with 128 for their zero. The runtime
   * computes that once, when it opens the graph. `tensors` takes the constants.
   */
  private unsignedNodes(tensors: object[]): WrittenNode[] {
    const constant = (name: string, type: DataType, bytes: Uint8Array): void =>
      void tensors.push({ name, dims: [], dataType: dataType[type], rawData: bytes });
    constant('wide_middle', 'int32', new Uint8Array(Int32Array.of(128).buffer));
    constant('wide_zero', 'uint8', Uint8Array.of(128));
    return this.nodes.flatMap((node) => {
      const places = this.signed.get(node.name);
      if (!places) return [node];
      const step = (opType: string, input: string[], to?: number): WrittenNode => ({
        opType,
        name: `${node.name}_wide_${opType}_${to ?? ''}`,
        input,
        output: [`${node.name}_wide_${opType}_${to ?? ''}`],
        attribute: to === undefined ? [] : [attributeProto('to', to)],
      });
      const integers = step('Cast', [node.input[places.values]!], dataType.int32);
      const moved = step('Add', [integers.name, 'wide_middle']);
      const bytes = step('Cast', [moved.name], dataType.uint8);
      const input = [...node.input];
      input[places.values] = bytes.name;
      input[places.zero] = 'wide_zero';
      return [integers, moved, bytes, { ...node, input }];
    });
  }

  private proto(node: WrittenNode[], initializer: object[], metadata: Record<string, string>): Uint8Array {
    return ModelProto.encode({
      irVersion: 9,
      producerName: 'Pointmap Studio',
      opsetImport: operatorSets,
      graph: { name: this.name, node, initializer, input: this.inputs, output: this.outputs },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    }).finish();
  }

  private async writeDescription(
    path: string,
    nodes: WrittenNode[],
    tensors: object[],
    metadata: Record<string, string>,
  ): Promise<void> {
    const model = this.proto(nodes, tensors, metadata);
    const file = await open(path, 'w');
    try {
      await file.writeFile(model);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
