import { expect, test } from 'vitest';
import { forHiddenPixels } from '../../electron/pointmaps/masking.js';

const photo = { width: 400, height: 200 };
/** Keeps the left half of the photo. */
const mask = { width: 40, height: 20, keep: Uint8Array.from({ length: 800 }, (_, k) => (k % 40 < 20 ? 1 : 0)) };

const hidden = (originalFromView: Parameters<typeof forHiddenPixels>[0]['originalFromView']): boolean[] => {
  const out = new Array<boolean>(100 * 50).fill(false);
  forHiddenPixels({ width: 100, height: 50, originalFromView }, photo, mask, (pixel) => (out[pixel] = true));
  return out;
};

test('hidden are the pixels of a view whose place in the photo is masked', () => {
  const out = hidden({ scaleX: 4, scaleY: 4, offsetX: 1.5, offsetY: 1.5 });
  out.forEach((value, pixel) => expect(value).toBe(pixel % 100 >= 50));
});

test('distortion is followed, and what lies outside the photo is hidden', () => {
  const radial = { focal: 400, centreX: 199.5, centreY: 99.5, k1: 0.5 };
  const out = hidden({ scaleX: 4, scaleY: 4, offsetX: -40, offsetY: 1.5, radial });
  const row = out.slice(25 * 100, 26 * 100);
  // Column x shows original 199.5 + u (1 + 0.5 (u / 400)^2) with u = 4 x - 239.5: inside the photo from x = 13 on.
  row.forEach((value, x) => {
    const u = 4 * x - 239.5;
    const original = 199.5 + u * (1 + 0.5 * ((u * u + 1) / 160_000));
    expect(value).toBe(original < -0.5 || original >= 199.5);
  });
});
