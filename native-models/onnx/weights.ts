import { UserError } from '../../electron/contract/errors.js';
import type { Checkpoint } from '../checkpoints/tensor.js';

/** Writes at most this many problems into one message; a foreign checkpoint would have hundreds. */
const mostProblems = 40;

/**
 * The weights that a network asks for while its graph is built. Every wrong request is collected, so that one message
 * names all missing, misshapen and unused tensors; values are read only when the graph is saved.
 */
export class Weights {
  private readonly problems: string[] = [];
  private readonly used = new Set<string>();

  constructor(private readonly checkpoint: Checkpoint) {}

  has(name: string): boolean {
    return this.checkpoint.tensors.has(name);
  }

  shape(name: string): number[] | undefined {
    return this.checkpoint.tensors.get(name)?.shape;
  }

  names(): Iterable<string> {
    return this.checkpoint.tensors.keys();
  }

  /** The first of these names that the checkpoint holds, else the first. */
  either(...names: string[]): string {
    return names.find((name) => this.has(name)) ?? names[0]!;
  }

  problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text);
  }

  /** Declares a tensor as read or knowingly ignored. */
  use(name: string): void {
    this.used.add(name);
  }

  /** Asks for a tensor of this shape. The result reads it and throws UserError when it holds NaN or infinity. */
  take(name: string, shape: number[]): () => Promise<Float32Array> {
    this.used.add(name);
    const tensor = this.checkpoint.tensors.get(name);
    if (!tensor) this.problem(`${name} is missing`);
    else if (tensor.shape.join() !== shape.join())
      this.problem(`${name} has shape [${tensor.shape}], expected [${shape}]`);
    return async () => {
      const values = await this.checkpoint.read(name);
      for (let i = 0; i < values.length; i++) {
        if (!Number.isFinite(values[i]!))
          throw new UserError(
            'damaged',
            `This checkpoint holds ${values[i]} in tensor ${name} (element ${i}). Fetch it again: ${this.checkpoint.path}`,
          );
      }
      return values;
    };
  }

  /** Throws UserError 'bad-input' naming every problem met so far and every tensor that nothing asked for. */
  check(network: string): void {
    const extra = [...this.checkpoint.tensors.keys()]
      .filter((name) => !this.used.has(name))
      .map((name) => `${name} is not part of it`);
    const all = [...this.problems, ...extra];
    if (!all.length) return;
    const shown = all.slice(0, mostProblems).join('; ');
    const more = all.length > mostProblems ? `; and ${all.length - mostProblems} more` : '';
    throw new UserError(
      'bad-input',
      `This checkpoint is not a ${network} network (${all.length} ${all.length === 1 ? 'difference' : 'differences'}): ${shown}${more}. Import the publisher's file: ${this.checkpoint.path}`,
    );
  }
}
