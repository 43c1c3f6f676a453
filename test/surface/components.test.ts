import { describe, expect, it } from 'vitest';
import { withoutSmallPieces } from '../../electron/surface/components.js';
import type { Mesh } from '../../electron/surface/types.js';

/** Squares of two faces, facing down the z axis. */
function squares(...list: { at: [number, number, number]; side: number }[]): Mesh {
  const positions = Float32Array.from(
    list.flatMap(({ at: [x, y, z], side }) => [x, y, z, x + side, y, z, x, y + side, z, x + side, y + side, z]),
  );
  const indices = Uint32Array.from(list.flatMap((_, k) => [0, 2, 1, 1, 2, 3].map((v) => 4 * k + v)));
  return { positions, indices, support: new Float32Array(positions.length / 3).fill(1) };
}

const lens = { width: 200, height: 200, focal: 200, centreX: 100, centreY: 100 };
/** At the origin along z, and beside the squares at z = 40, looking away from them. */
const looking = { ...lens, cameraFromWorld: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1) };
const away = { ...lens, cameraFromWorld: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, -40.5, 0, 0, 0, 1) };

describe('Small pieces', () => {
  const mesh = squares({ at: [0, 0, 40], side: 6 }, { at: [-4, -4, 40], side: 1 });

  it('go, as seen by the nearest camera', () => {
    // 30 pixels wide, and five.
    expect(withoutSmallPieces(mesh, [looking]).indices).toHaveLength(6);
    expect(withoutSmallPieces(mesh, [looking], { leastPixels: 20 }).indices).toHaveLength(12);
  });

  it('go too where a camera stands beside them and does not see them', () => {
    expect(withoutSmallPieces(mesh, [looking, away]).indices).toHaveLength(6);
  });
});
