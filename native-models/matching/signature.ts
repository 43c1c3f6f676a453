import { UserError } from '../../electron/contract/errors.js';
import type { Session } from '../onnx/session.js';

/** A tensor that a graph must have: its type, and its rank or its shape, where -1 stands for any length. */
export interface Expected {
  name: string;
  types: readonly string[];
  shape: readonly number[];
}

interface Declared {
  name: string;
  isTensor: boolean;
  type?: string;
  shape?: readonly (number | string)[];
}

function fault(side: string, { name, types, shape }: Expected, declared: readonly Declared[]): string | undefined {
  const found = declared.find((candidate) => candidate.name === name);
  if (!found) return `${side} ${name} is missing`;
  if (!found.isTensor || !types.includes(found.type ?? ''))
    return `${side} ${name} is of type ${found.type ?? 'none'}, expected ${types.join(' or ')}`;
  const sides = found.shape ?? [];
  const fits =
    sides.length === shape.length &&
    shape.every((length, axis) => length < 0 || sides[axis] === length || typeof sides[axis] === 'string');
  return fits
    ? undefined
    : `${side} ${name} has shape [${sides.join(', ')}], expected [${shape.map((length) => (length < 0 ? 'any' : length)).join(', ')}]`;
}

/** What a graph's inputs and outputs differ in; empty where they are as expected. */
export function signatureFaults(
  session: Pick<Session, 'inputMetadata' | 'outputMetadata'>,
  inputs: readonly Expected[],
  outputs: readonly Expected[],
): string[] {
  const [given, made] = [session.inputMetadata as Declared[], session.outputMetadata as Declared[]];
  const extra = given
    .filter(({ name }) => !inputs.some((expected) => expected.name === name))
    .map(({ name }) => `input ${name} is not known`);
  return [
    ...inputs.map((expected) => fault('input', expected, given)),
    ...outputs.map((expected) => fault('output', expected, made)),
    ...extra,
  ].filter((text) => text !== undefined);
}

/** @throws UserError 'bad-input' naming every difference */
export function checkSignature(title: string, path: string, faults: readonly string[]): void {
  if (faults.length)
    throw new UserError(
      'bad-input',
      `This graph is not ${title} as it is published: ${faults.join('; ')}. Fetch the publisher's file: ${path}`,
    );
}
