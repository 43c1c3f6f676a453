import type { BlobStore } from '../../geometry/stage.js';
import type { Features } from '../../../native-models/network.js';

/** Memory first, then, when asked for, the project file. The least recently used leave memory first. */
export class FeatureCache {
  private readonly entries = new Map<string, Features>();
  private bytes = 0;

  constructor(
    private readonly limit: number,
    private readonly keepInProject: boolean,
  ) {}

  get(key: string, store: BlobStore): Features | undefined {
    const known = this.entries.get(key);
    if (known) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known;
    }
    const blob = this.keepInProject ? store.get(key) : undefined;
    const stored = blob && decodeFeatures(blob);
    if (stored) this.remember(key, stored);
    return stored;
  }

  put(key: string, features: Features, store: BlobStore): void {
    this.remember(key, features);
    if (this.keepInProject) store.put(key, encodeFeatures(features));
  }

  private remember(key: string, features: Features): void {
    this.entries.set(key, features);
    this.bytes += features.values.byteLength;
    for (const [oldest, { values }] of this.entries) {
      if (this.bytes <= this.limit || this.entries.size <= 2) return;
      this.entries.delete(oldest);
      this.bytes -= values.byteLength;
    }
  }
}

function encodeFeatures({ values, rows, columns, width }: Features): Uint8Array {
  const out = new Uint8Array(12 + values.byteLength);
  out.set(new Uint8Array(Uint32Array.of(rows, columns, width).buffer));
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 12);
  return out;
}

/** Undefined when the blob is not what was stored. */
function decodeFeatures(blob: Uint8Array): Features | undefined {
  if (blob.length < 12) return undefined;
  const [rows, columns, width] = new Uint32Array(blob.slice(0, 12).buffer) as unknown as [number, number, number];
  if (blob.length !== 12 + 4 * rows * columns * width) return undefined;
  return { values: new Float32Array(blob.slice(12).buffer), rows, columns, width };
}
