import { UserError } from '../contract/errors.js';
import type { Pair } from '../geometry/types.js';
import { nearestPairs } from './nearest.js';

/** Which pairs of photos to look at. Distances count along the order of the photos. */
export type GraphStrategy =
  | { kind: 'auto' }
  | { kind: 'complete' }
  /** Every photo with the `size` photos after it; cyclic: the last photos with the first. */
  | { kind: 'window'; size: number; cyclic: boolean }
  /** Every photo with those 1, 2, 4, ... 2^(size-1) after it. */
  | { kind: 'log-window'; size: number }
  /** One photo (index from 0) with every other. */
  | { kind: 'reference'; index: number };

/** Beyond this many photos `auto` looks at similar photos only. */
export const COMPLETE_LIMIT = 20;

/** @throws UserError 'usage' */
export function parseStrategy(text: string): GraphStrategy {
  if (text === 'auto' || text === 'complete') return { kind: text };
  const match = /^(window|cyclic-window|log-window|reference):(\d+)$/.exec(text);
  const value = Number(match?.[2]);
  if (match?.[1] === 'reference') return { kind: 'reference', index: value };
  if (!match || value < 1) {
    throw new UserError(
      'usage',
      `unknown pair graph '${text}'; use auto, complete, window:N, cyclic-window:N, log-window:N or reference:I`,
    );
  }
  return match[1] === 'log-window'
    ? { kind: 'log-window', size: value }
    : { kind: 'window', size: value, cyclic: match[1] === 'cyclic-window' };
}

/**
 * The pairs (a < b, each once, sorted) that a strategy chooses among `count` photos.
 *
 * @param descriptors one per photo, unit length (descriptor.ts); needed by `auto` beyond COMPLETE_LIMIT photos
 * @throws UserError 'usage' when the reference photo does not exist
 */
export function selectPairs(count: number, strategy: GraphStrategy, descriptors?: readonly Float32Array[]): Pair[] {
  const distances = (all: readonly number[], cyclic = false): Pair[] => {
    const pairs: Pair[] = [];
    for (let a = 0; a < count; a++) {
      for (const distance of all) {
        if (a + distance < count) pairs.push({ a, b: a + distance });
        else if (cyclic) pairs.push({ a, b: (a + distance) % count });
      }
    }
    return pairs;
  };
  switch (strategy.kind) {
    case 'auto':
      return count <= COMPLETE_LIMIT || !descriptors
        ? selectPairs(count, { kind: 'complete' })
        : unique(nearestPairs(descriptors));
    case 'complete':
      return unique(distances(range(1, count - 1)));
    case 'window':
      return unique(distances(range(1, Math.min(strategy.size, count - 1)), strategy.cyclic));
    case 'log-window':
      return unique(distances(range(0, strategy.size - 1).map((power) => 2 ** power)));
    case 'reference': {
      if (strategy.index >= count)
        throw new UserError(
          'usage',
          `there is no photo ${strategy.index} to be the reference; photos count from 0 to ${count - 1}`,
        );
      return unique(range(0, count - 1).map((b) => ({ a: strategy.index, b })));
    }
  }
}

function unique(pairs: readonly Pair[]): Pair[] {
  const seen = new Map<string, Pair>();
  for (const { a, b } of pairs)
    if (a !== b) seen.set(`${Math.min(a, b)} ${Math.max(a, b)}`, { a: Math.min(a, b), b: Math.max(a, b) });
  return [...seen.values()].sort((p, q) => p.a - q.a || p.b - q.b);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k);
}
