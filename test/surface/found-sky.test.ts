import { describe, expect, it } from 'vitest';
import type { DepthMap } from '../../electron/geometry/types.js';
import { freeRays } from '../../electron/scene/masks.js';
import { foundSky } from '../../electron/surface/found-sky.js';

const WIDTH = 96;
const HEIGHT = 72;
const ROOF = 30;

/** A brown house under a blue sky; its depths are measured, those of the sky are not. */
function house(): { map: DepthMap; pixels: Uint8Array } {
  const pixels = new Uint8Array(3 * WIDTH * HEIGHT);
  const map: DepthMap = {
    photo: 'a',
    width: WIDTH,
    height: HEIGHT,
    depth: new Float32Array(WIDTH * HEIGHT).fill(5),
    confidence: new Float32Array(WIDTH * HEIGHT).fill(1),
    focal: 90,
    centreX: 48,
    centreY: 36,
    originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
  };
  for (let k = 0; k < WIDTH * HEIGHT; k++) {
    const isSky = k < ROOF * WIDTH;
    pixels.set(isSky ? [120, 170, 230] : [120 + (k % 7), 90, 60], 3 * k);
    if (!isSky) map.confidence[k] = 10;
  }
  return { map, pixels };
}

describe('rays that are free because nothing but the sky is seen', () => {
  it('are those of the sky, without the pixels beside its edge', () => {
    const { map, pixels } = house();
    const open = freeRays({ ...map, sky: foundSky(map, pixels)! })!;
    expect(open[10 * WIDTH + 40]).toBe(1);
    expect(open[(ROOF - 1) * WIDTH + 40]).toBe(0);
    expect(open[(ROOF - 5) * WIDTH + 40]).toBe(1);
    expect(open.subarray(ROOF * WIDTH).every((flag) => flag === 0)).toBe(true);
  });

  it('are none where a wall looks like the sky and has depths of its own', () => {
    const { map, pixels } = house();
    for (let k = 0; k < 20 * WIDTH; k += 5) map.confidence[k] = 10;
    // Pixel by pixel, so that none lies between two surfaces.
    expect(foundSky(map, pixels)!.every((flag) => flag === 0)).toBe(true);
  });

  it('are none in a room', () => {
    const { map, pixels } = house();
    pixels.fill(100);
    expect(foundSky(map, pixels)).toBeUndefined();
  });
});
