import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../electron/numerics/linear.js';
import { beforePlain, withoutSky } from '../../../electron/photos/found-masks/plain.js';
import { movingParts, type SmallPicture } from '../../../electron/photos/found-masks/still.js';
import { flatMotion } from '../../../electron/sparse/flat-motion.js';

const [WIDTH, HEIGHT] = [160, 120];

/** Each pixel as a function of its place. */
function picture(colour: (x: number, y: number) => readonly [number, number, number]): SmallPicture {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let k = 0; k < WIDTH * HEIGHT; k++) pixels.set(colour(k % WIDTH, Math.floor(k / WIDTH)), 3 * k);
  return { width: WIDTH, height: HEIGHT, pixels };
}

const noise = (seed: number): ((x: number, y: number) => number) => {
  const random = randomNumbers(seed);
  const values = Float64Array.from({ length: 64 * 64 }, () => 255 * random());
  return (x, y) => values[(Math.floor(y / 6) & 63) * 64 + (Math.floor(x / 6) & 63)]!;
};
const isObject = (x: number, y: number): boolean => Math.hypot((x - 80) / 36, (y - 63) / 40) < 1;

/** Shares of the object that are kept, and of the background that are. */
function shares(keep: Uint8Array, of = isObject): { object: number; background: number } {
  const sums = { object: [0, 0], background: [0, 0] };
  keep.forEach((flag, k) => {
    const part = sums[of(k % WIDTH, Math.floor(k / WIDTH)) ? 'object' : 'background'];
    part[0]! += flag;
    part[1]!++;
  });
  return { object: sums.object[0]! / sums.object[1]!, background: sums.background[0]! / sums.background[1]! };
}

describe('movingParts', () => {
  it('keeps the object that turns, its plain dark side included, though the photos are crops of others', () => {
    const behind = noise(1);
    const shifts = [0, 9, -7, 4];
    // Half of each photo's object is dark and plain, another half each time.
    const pictures = shifts.map((shift, k) => {
      const paint = noise(10 + k);
      return picture((x, y) => {
        const object = isObject(x, y);
        const value = object ? paint(x, y) : 60 + 0.7 * behind(x + shift + 100, y);
        if (object && Math.sin(Math.atan2(y - 63, x - 80) + 1.3 * k) > 0) return [25, 22, 20];
        return [value, 0.8 * value, 0.6 * value];
      });
    });
    const partners = pictures.map((_, k) =>
      pictures.flatMap((__, other) =>
        other === k
          ? []
          : [{ other, at: (x: number, y: number): [number, number] => [x + shifts[k]! - shifts[other]!, y] }],
      ),
    );
    for (const keep of movingParts(pictures, partners)) {
      const { object, background } = shares(keep!);
      expect(object).toBeGreaterThan(0.9);
      expect(background).toBeLessThan(0.1);
    }
  });

  it('says nothing of a photo that no other lies on', () => {
    expect(movingParts([picture(() => [0, 0, 0])], [[]])).toEqual([undefined]);
  });
});

describe('beforePlain', () => {
  it('keeps what stands before one colour that grows darker towards a side', () => {
    const paint = noise(3);
    const keep = beforePlain(
      picture((x, y) => (isObject(x, y) ? [paint(x, y), 40, 200] : [200 - x / 10, 200 - x / 10, 205 - x / 10])),
    );
    const { object, background } = shares(keep!);
    expect(object).toBeGreaterThan(0.97);
    expect(background).toBeLessThan(0.02);
  });

  it('finds none where the edge shows things', () => {
    const paint = noise(4);
    expect(beforePlain(picture((x, y) => [paint(x, y), paint(y, x), 90]))).toBeUndefined();
  });
});

describe('withoutSky', () => {
  const roof = (x: number): number => 40 + 14 * Math.sin(x / 20);

  it('leaves out soft blue down to the roofs', () => {
    const paint = noise(5);
    const keep = withoutSky(
      picture((x, y) => (y > roof(x) ? [paint(x, y) / 2, 70, 40] : [110 + y / 3, 150 + y / 4, 215])),
    );
    const { object, background } = shares(keep!, (x, y) => y > roof(x));
    expect(object).toBeGreaterThan(0.98);
    expect(background).toBeLessThan(0.05);
  });

  it('takes no warm ceiling for it', () => {
    expect(withoutSky(picture((_, y) => (y > 40 ? [90, 60, 40] : [230, 222, 205])))).toBeUndefined();
  });
});

describe('flatMotion', () => {
  it('is that of the background, among half as many matches of an object that turns', () => {
    const random = randomNumbers(9);
    const [from, to]: [number[], number[]] = [[], []];
    for (let k = 0; k < 90; k++) {
      const [x, y] = [random() - 0.5, random() - 0.5];
      from.push(x, y);
      if (k < 60) to.push(x - 0.03 * y + 0.05, y + 0.03 * x - 0.01);
      else to.push(x + 0.3 * random(), y + 0.02 * random());
    }
    const motion = flatMotion(Float64Array.from(from), Float64Array.from(to))!;
    expect([motion.a, motion.b, motion.u, motion.v]).toEqual([1, 0.03, 0.05, -0.01].map((v) => expect.closeTo(v, 3)));
    expect(motion.inliers.length).toBeGreaterThanOrEqual(60);
  });
});
