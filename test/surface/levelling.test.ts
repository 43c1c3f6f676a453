import { describe, expect, it } from 'vitest';
import { layersOf } from '../../electron/surface/bake.js';
import { addLook, emptyCandidates } from '../../electron/surface/candidates.js';
import { oppositeHalfEdges } from '../../electron/surface/half-edges.js';
import { layerLevels, levelAt, levelSeams } from '../../electron/surface/levelling.js';

const WIDE = 40;
const HIGH = 12;

/** A strip of squares: photo 0 colours its left half, photo 1 its right; both see all of it. */
function strip(colourOf: (photo: number, x: number, y: number) => number) {
  const vertex = (x: number, y: number): number => y * (WIDE + 1) + x;
  const indices: number[] = [];
  const middles: number[] = [];
  const rows: number[] = [];
  for (let y = 0; y < HIGH; y++) {
    for (let x = 0; x < WIDE; x++) {
      indices.push(vertex(x, y), vertex(x + 1, y), vertex(x + 1, y + 1));
      indices.push(vertex(x, y), vertex(x + 1, y + 1), vertex(x, y + 1));
      middles.push(x + 0.5, x + 0.5);
      rows.push(y, y);
    }
  }
  const faces = middles.length;
  const labels = Int16Array.from(middles, (x) => (x < WIDE / 2 ? 0 : 1));
  const candidates = emptyCandidates(faces);
  for (const photo of [0, 1]) {
    const colour = Uint8Array.from({ length: 3 * faces }, (_, k) =>
      colourOf(photo, middles[Math.floor(k / 3)]!, rows[Math.floor(k / 3)]!),
    );
    addLook(candidates, photo, { quality: new Float32Array(faces).fill(2 - photo), colour });
  }
  return { indices: Uint32Array.from(indices), vertices: (WIDE + 1) * (HIGH + 1), labels, candidates, vertex };
}

describe('Levelling of seams', () => {
  it('gives both photos one colour along the seam, by a correction that fades out on both sides', () => {
    // Photo 1 darkens towards the seam, as at a border of a picture: no gain of a whole photo explains it.
    const { indices, vertices, labels, candidates, vertex } = strip((photo, x) =>
      photo === 0 ? 120 : 120 - Math.max(0, 20 - (x - WIDE / 2)),
    );
    const levels = levelSeams(indices, vertices, labels, oppositeHalfEdges(indices), candidates);
    const at = (x: number, photo: number): number => levels.offsets[3 * levelAt(levels, vertex(x, HIGH / 2), photo)]!;
    const seam = WIDE / 2;
    const step = 120 + at(seam, 0) - (100.5 + at(seam, 1));
    expect(Math.abs(step)).toBeLessThan(2);
    expect(at(seam, 0)).toBeLessThan(-5);
    expect(at(seam, 1)).toBeGreaterThan(5);
    for (let x = 1; x <= seam; x++) expect(Math.abs(at(x, 0) - at(x - 1, 0))).toBeLessThan(2.5);
  });

  it('changes nothing where photos agree', () => {
    const { indices, vertices, labels, candidates } = strip((_, x) => 60 + 3 * x);
    const { offsets } = levelSeams(indices, vertices, labels, oppositeHalfEdges(indices), candidates);
    expect(Math.max(...offsets.map(Math.abs))).toBe(0);
  });

  it('believes a step of two things less than one of two exposures', () => {
    // Somebody stands before the seam in one photo.
    const { indices, vertices, labels, candidates, vertex } = strip((photo, _, y) =>
      photo === 0 ? 60 : y > 4 && y < 8 ? 150 : 70,
    );
    const { offsets, ...rest } = levelSeams(indices, vertices, labels, oppositeHalfEdges(indices), candidates);
    const at = (photo: number): number => offsets[3 * levelAt(rest, vertex(WIDE / 2, 1), photo)]!;
    expect(at(0) - at(1)).toBeGreaterThan(8);
    // By equal belief in all of the seam it would be about 20.
    expect(at(0) - at(1)).toBeLessThan(14);
  });

  it('says for each corner of each layer what to add', () => {
    const { indices, vertices, labels, candidates } = strip((photo) => 100 + 20 * photo);
    const levels = levelSeams(indices, vertices, labels, oppositeHalfEdges(indices), candidates);
    const layers = layersOf({ indices, positions: new Float32Array(3 * vertices) }, labels, candidates);
    const values = layerLevels(layers, indices, levels);
    expect(values).toHaveLength(9 * layers.face.length);
    // Along the seam both photos' layers come out alike.
    const corner = layers.share.findIndex((share, k) => share === 0.5 && layers.photo[Math.floor(k / 3)] === 1);
    const other = layers.share.findIndex((share, k) => share === 0.5 && layers.photo[Math.floor(k / 3)] === 0);
    expect(120 + values[3 * corner]! - (100 + values[3 * other]!)).toBeLessThan(2);
  });
});
