import { describe, expect, it } from 'vitest';
import {
  addEvidence,
  noEvidence,
  withEvidence,
  type Evidence,
  type EvidenceOptions,
} from '../../electron/surface/evidence.js';
import type { SurfaceView } from '../../electron/surface/types.js';

/** A camera at the origin that looks along z onto a wall at depth 2, ten pixels wide. */
function view(confidence: number, inferred?: number, depth = 2): SurfaceView {
  const pixels = 100;
  return {
    width: 10,
    height: 10,
    focal: 10,
    centreX: 4.5,
    centreY: 4.5,
    cameraFromWorld: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
    depth: new Float32Array(pixels).fill(depth),
    confidence: new Float32Array(pixels).fill(confidence),
    ...(inferred === undefined ? {} : { inferred: new Uint8Array(pixels).fill(inferred) }),
  };
}

function evidenceOf(at: Float32Array, views: readonly SurfaceView[], options?: Partial<EvidenceOptions>): Evidence {
  const evidence = noEvidence(at.length / 3);
  for (const each of views) addEvidence(at, each, evidence, options);
  return evidence;
}

/** On the wall, before it, behind the camera, outside of the picture. */
const positions = Float32Array.of(0.1, 0.1, 2, 0.1, 0.1, 1.9, 0.1, 0.1, -2, 5, 0, 2);

describe('evidence for vertices', () => {
  it('is the best confidence of the depths that agree, and none elsewhere', () => {
    const { confidence, kind } = evidenceOf(positions, [view(4), view(9), view(50, 0, 3)]);
    expect([...confidence]).toEqual([9, 1, 1, 1]);
    expect([...kind]).toEqual([1, 0, 0, 0]);
  });

  it('tells depths that were completed, but not where another photo measured', () => {
    expect([...evidenceOf(positions, [view(4, 1)]).kind]).toEqual([2, 0, 0, 0]);
    expect([...evidenceOf(positions, [view(4, 1), view(3, 0)]).kind]).toEqual([1, 0, 0, 0]);
    expect([...evidenceOf(positions, [view(3), view(4, 1)]).kind]).toEqual([1, 0, 0, 0]);
  });

  it('reaches as far as asked', () => {
    expect(evidenceOf(positions, [view(4)], { agrees: 0.1 }).kind[1]).toBe(1);
  });

  it('marks faces that rest on completed depth alone, and keeps those that close holes', () => {
    const mesh = {
      positions: Float32Array.of(0, 0, 2, 0.5, 0, 2, 0, 0.5, 2),
      indices: Uint32Array.of(0, 1, 2, 0, 2, 1),
      support: new Float32Array(3).fill(1),
      inferred: Uint8Array.of(0, 1),
    };
    expect([...withEvidence(mesh, evidenceOf(mesh.positions, [view(4, 1)])).inferred!]).toEqual([1, 1]);
    const half = view(4, 1);
    // The pixel of the first vertex was measured.
    half.inferred![5 * 10 + 5] = 0;
    half.inferred![4 * 10 + 4] = 0;
    half.inferred![4 * 10 + 5] = 0;
    half.inferred![5 * 10 + 4] = 0;
    expect([...withEvidence(mesh, evidenceOf(mesh.positions, [half])).inferred!]).toEqual([0, 1]);
    expect([...withEvidence(mesh, evidenceOf(mesh.positions, [half])).confidence!]).toEqual([4, 4, 4]);
  });
});
