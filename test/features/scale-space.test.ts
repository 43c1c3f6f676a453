import { expect, it } from 'vitest';
import { blur } from '../../electron/features/scale-space.js';

/** The definition, pixel by pixel. */
function slowBlur(source: Float32Array, width: number, height: number, sigma: number): Float32Array {
  const radius = Math.max(1, Math.ceil(sigma * 3.5));
  const weights = Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight) ** 2;
  const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
  return source.map((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    let sum = 0;
    weights.forEach((wy, j) =>
      weights.forEach(
        (wx, i) => (sum += wx * wy * source[clamp(y + j - radius, height) * width + clamp(x + i - radius, width)]!),
      ),
    );
    return sum / total;
  });
}

it.each([
  [1, 1],
  [3, 2],
  [4, 4],
  [13, 9],
  [18, 31],
])('blurs %d x %d pixels as the definition says, borders and odd widths too', (width, height) => {
  const source = Float32Array.from(
    { length: width * height },
    (_, k) => Math.abs(Math.sin(12.9898 * k) * 43758.5453) % 1,
  );
  for (const sigma of [0.6, 1.6, 3.1]) {
    const expected = slowBlur(source, width, height, sigma);
    blur(source, width, height, sigma).forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 5));
  }
});
