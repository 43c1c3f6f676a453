import { describe, expect, it } from 'vitest';
import { packBits } from '../../electron/numerics/bits.js';
import { identity4 } from '../../electron/numerics/linear.js';
import { facing, look } from '../../electron/surface/looks.js';
import type { TexturePhoto } from '../../electron/surface/texture-photo.js';

/** A wall of squares before the camera, two faces each, 20 to a side. */
function wall(): { positions: Float32Array; indices: Uint32Array } {
  const n = 20;
  const positions: number[] = [];
  const indices: number[] = [];
  for (let y = 0; y <= n; y++) for (let x = 0; x <= n; x++) positions.push((x / n - 0.5) * 2, (y / n - 0.5) * 2, 4);
  for (let y = 0; y < n; y++)
    for (let x = 0; x < n; x++) {
      const a = y * (n + 1) + x;
      indices.push(a, a + n + 1, a + 1, a + 1, a + n + 1, a + n + 2);
    }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

describe('a photo looked through', () => {
  it('gives no colour to faces where it is blind', () => {
    const mesh = wall();
    // Which way round the faces are is the camera's side.
    const normals = facing(mesh);
    if (normals[2]! > 0) normals.forEach((value, k) => (normals[k] = -value));
    const photo: TexturePhoto = {
      ...{ width: 200, height: 200, fx: 200, fy: 200, cx: 100, cy: 100, k1: 0, sharpness: 1 },
      cameraFromWorld: identity4(),
    };
    const picture = { width: 200, height: 200, pixels: new Uint8Array(3 * 200 * 200).fill(90) };
    const flags = new Uint8Array(100 * 100).fill(1, 0, 100 * 50);
    const blind = { width: 100, height: 100, focal: 100, centreX: 50, centreY: 50, bits: packBits(flags) };
    const all = look(mesh, normals, photo, picture).quality;
    const seen = look(mesh, normals, { ...photo, blind }, picture).quality;
    expect(all.every((quality) => quality > 0)).toBe(true);
    // The upper half of the photo is sky, or masked, whatever the mesh says.
    expect(seen.subarray(0, 400).every((quality) => quality === 0)).toBe(true);
    expect(seen.subarray(440).every((quality) => quality > 0)).toBe(true);
  });
});
