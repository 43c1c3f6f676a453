import { describe, expect, it } from 'vitest';
import type { Lens } from '../../electron/sparse/bundle.js';
import { learntLenses } from '../../electron/sparse/lens-search.js';
import type { Piece } from '../../electron/sparse/structure.js';

const lensOf = (focal: number, prior = { focal, sigma: 0.4 }): Lens => ({ focal, k1: 0, prior });
const piece = (support: number): Piece => ({ cameras: new Map(), points: [], weak: new Set(), support });

/** A structure that was begun with one focal and ended with another. */
const tried = (from: number, to: number, support: number) => ({
  start: [lensOf(from)],
  solution: { lenses: [{ ...lensOf(from), focal: to, k1: 0.2 }], pieces: [piece(support)], verified: [], rejected: [] },
});
const focals = (learnt: readonly (readonly Lens[])[]): number[] => learnt.map(([lens]) => lens!.focal);

describe('lenses that structures ended with', () => {
  it('are tried where they are far from all that were, without the bent edges that a wrong focal asks for', () => {
    const learnt = learntLenses([tried(0.93, 0.56, 900), tried(2.4, 1.6, 500), tried(0.35, 0.41, 1000)]);
    expect(focals(learnt)).toEqual([0.56, 1.6]);
    expect(learnt[0]![0]).toEqual({ focal: 0.56, k1: 0, prior: { focal: 0.56, sigma: 0.4 } });
  });

  it('are not tried again, nor two that are nearly the same, nor those of structures that explain little', () => {
    expect(focals(learntLenses([tried(0.9, 0.95, 1000), tried(0.5, 0.92, 900)]))).toEqual([]);
    expect(focals(learntLenses([tried(0.9, 0.5, 1000), tried(1.5, 0.52, 900)]))).toEqual([0.5]);
    expect(focals(learntLenses([tried(0.9, 0.9, 1000), tried(2.4, 1.6, 300)]))).toEqual([]);
  });

  it('keep what is known of a lens', () => {
    const known = lensOf(1, { focal: 1, sigma: 0.05 });
    const start = [known, lensOf(0.9)];
    const lenses = [
      { ...known, focal: 1.3 },
      { ...lensOf(0.9), focal: 0.5 },
    ];
    const [learnt] = learntLenses([{ start, solution: { lenses, pieces: [piece(100)], verified: [], rejected: [] } }]);
    expect(learnt!.map(({ focal }) => focal)).toEqual([1, 0.5]);
  });
});
