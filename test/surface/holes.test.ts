import { describe, expect, it } from 'vitest';
import { borderLoops, oppositeHalfEdges } from '../../electron/surface/half-edges.js';
import { fillHoles } from '../../electron/surface/holes.js';
import { patchOver } from '../../electron/surface/patch.js';
import { flatArea } from './flat-area.js';
import type { Mesh } from '../../electron/surface/types.js';

const SIDE = 40;
/** Forty units before the sheet, ten pixels a unit. */
const frame = { width: 800, height: 800, focal: 400, centreX: 400, centreY: 400 };
const cameras = [{ ...frame, cameraFromWorld: Float64Array.of(1, 0, 0, -20, 0, 1, 0, -20, 0, 0, 1, 40, 0, 0, 0, 1) }];

/** A square sheet in z = 0 of unit squares, without those that `gone` names. */
function sheet(gone: (x: number, y: number) => boolean): Mesh {
  const positions = Float32Array.from({ length: 3 * (SIDE + 1) ** 2 }, (_, k) => {
    const v = Math.floor(k / 3);
    return k % 3 === 0 ? v % (SIDE + 1) : k % 3 === 1 ? Math.floor(v / (SIDE + 1)) : 0;
  });
  const indices: number[] = [];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      if (gone(x, y)) continue;
      const v = y * (SIDE + 1) + x;
      indices.push(v, v + SIDE + 1, v + 1, v + 1, v + SIDE + 1, v + SIDE + 2);
    }
  }
  return { positions, indices: Uint32Array.from(indices), support: new Float32Array(positions.length / 3).fill(1) };
}

const round = (radius: number) => (x: number, y: number) => Math.hypot(x - 19.5, y - 19.5) < radius;
const loopsOf = ({ indices }: Mesh): number[][] => borderLoops(indices, oppositeHalfEdges(indices));

describe('Holes', () => {
  it('of a few pixels are filled in any case; a large one stays open', () => {
    expect(loopsOf(fillHoles(sheet(round(0.6)), cameras))).toHaveLength(1);
    expect(loopsOf(fillHoles(sheet(round(9)), cameras))).toHaveLength(2);
  });

  it('are closed whatever their size on request, with faces as small as those around and marked; the rim stays', () => {
    const open = sheet(round(9));
    const closed = fillHoles(open, cameras, { closeHoles: true });
    const loops = loopsOf(closed);
    expect(loops).toHaveLength(1);
    expect(loops[0]!.length).toBe(4 * SIDE);
    const added = closed.indices.length / 3 - open.indices.length / 3;
    expect([...closed.inferred!].filter((one) => one === 1)).toHaveLength(added);
    // The hole had two faces a square; the cover lies in its plane and covers as much.
    expect(added).toBeGreaterThan(200);
    expect(Math.max(...closed.positions.filter((_, k) => k % 3 === 2).map(Math.abs))).toBeLessThan(1e-6);
    expect(flatArea(closed)).toBeCloseTo(SIDE * SIDE, 3);
    expect(closed.support).toHaveLength(closed.positions.length / 3);
  });

  it('with long borders are covered too', () => {
    // A comb: 300 edges around.
    const loop = Array.from({ length: 300 }, (_, k) => k);
    const positions = Float32Array.from({ length: 900 }, (_, k) => {
      const angle = (2 * Math.PI * Math.floor(k / 3)) / 300;
      const radius = 10 + (Math.floor(k / 3) % 2);
      return k % 3 === 0 ? radius * Math.cos(angle) : k % 3 === 1 ? radius * Math.sin(angle) : Math.sin(2 * angle);
    });
    const flat = patchOver(positions, loop, false)!;
    expect(flat.faces).toHaveLength(3 * 298);
    const fine = patchOver(positions, loop, true)!;
    expect(fine.added.length / 3).toBeGreaterThan(100);
    const used = new Set(fine.faces);
    expect(patchOver(positions, loop, true, 10)).toBeUndefined();
    expect(used.size).toBe(300 + fine.added.length / 3);
  });
});
