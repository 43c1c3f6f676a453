import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { invertRigid, multiply4, randomNumbers, rigid, rotationFromVector } from '../../../electron/numerics/linear.js';
import { luma } from '../../../electron/numerics/luma.js';
import type { GreyView } from '../../../electron/pointmaps/geometric/dense/match.js';
import { skyOf } from '../../../electron/pointmaps/geometric/dense/sky.js';
import { Room } from '../../fixtures/room.js';

/** A view with its camera, as depth is told to see it, and the truth. */
export interface Shot {
  view: GreyView;
  cameraFromWorld: Float64Array;
  /** True depth of pixels [h, w]; 0 where it is not known, infinite where the sky is. */
  truth: Float32Array;
  /** sRGB [h, w, 3]. */
  pixels: Uint8Array;
  /** [h, w], 1 for what looks like the sky; undefined where nothing does. */
  looksLikeSky: Uint8Array | undefined;
}

/** What photos of a room are like: drawn from the seed, over the range of what people hand in. */
interface RoomKind {
  /** Contrast of the surfaces' texture, by surface; some have none, as the sky or a wall. */
  contrasts: readonly number[];
  /** Their mean brightness, 0 to 1. */
  levels: readonly number[];
  photos: number;
  /** Radians of the arc on which the photos are taken. */
  spread: number;
  focal: number;
  /** Grey levels of noise, and share of a pixel that is its neighbours'. */
  noise: number;
  blur: number;
  /** Brightness is between 1 less this and 1 more. */
  light: number;
  /** Degrees and metres by which the cameras that depth is told are wrong. */
  turned: number;
  moved: number;
  /** Brightness of the sky above walls of many heights, 0 to 1, and whether it is blue; undefined in a closed room. */
  sky: { level: number; isBlue: boolean; tops: readonly number[] } | undefined;
  /** Added to all surfaces' brightness: a white room. */
  whiter: number;
}

const [WIDTH, HEIGHT] = [160, 120];

function roomKind(random: () => number): RoomKind {
  const between = (low: number, high: number) => low + (high - low) * random();
  return {
    contrasts: [0, 1, 2, 3, 4].map(() => (random() < 0.2 ? 0 : 0.8 * Math.exp(between(Math.log(0.03), 0)))),
    levels: [0, 1, 2, 3, 4, 5, 6].map(() => between(0.35, 0.65)),
    photos: 2 + Math.floor(5 * random()),
    spread: between(0.3, 1),
    focal: between(0.75, 1.3) * WIDTH,
    noise: between(0.5, 4),
    blur: between(0, 1),
    light: between(0, 0.4),
    turned: between(0, 0.06),
    moved: between(0, 0.003),
    // Drawn last: the kinds of rooms above are those that earlier fits saw.
    sky:
      random() < 0.4
        ? { isBlue: random() < 0.5, level: between(0.6, 0.97), tops: [0, 1, 2, 3, 4, 5].map(() => between(-0.9, 0.2)) }
        : undefined,
    whiter: random() < 0.3 ? between(0.25, 0.4) : 0,
  };
}

/** Photos of a room that no other seed gives, of a kind that no other seed gives. */
export function roomShots(seed: number): Shot[] {
  const random = randomNumbers(1000 + seed);
  for (let k = 0; k < 10; k++) random();
  const kind = roomKind(random);
  const room = new Room(
    seed,
    4 + (seed % 5),
    (surface) => kind.contrasts[surface % kind.contrasts.length]!,
    (surface) => (surface < 0 ? kind.sky!.level : kind.levels[surface % kind.levels.length]! + kind.whiter),
    kind.sky && ((surface) => kind.sky!.tops[surface]!),
  );
  const spread = () => random() + random() + random() - 1.5;
  return room.arc(kind.photos, (kind.spread * kind.photos) / 5).map((pose): Shot => {
    const { pixels, depth } = room.render(pose, kind.focal, WIDTH, HEIGHT, true);
    const turn = [0, 1, 2].map(() => (2 * spread() * kind.turned * Math.PI) / 180) as [number, number, number];
    const move = [0, 1, 2].map(() => 2 * spread() * kind.moved);
    const wrong = rigid(rotationFromVector(...turn), move);
    const grey = photographed(pixels, kind, 1 + kind.light * (2 * random() - 1), spread);
    const colours = coloured(grey, depth, kind);
    return {
      pixels: colours,
      looksLikeSky: skyOf({ width: WIDTH, height: HEIGHT, pixels: colours }),
      view: {
        grey,
        width: WIDTH,
        height: HEIGHT,
        focal: kind.focal,
        centreX: WIDTH / 2,
        centreY: HEIGHT / 2,
      },
      cameraFromWorld: multiply4(wrong, invertRigid(pose)),
      truth: depth,
    };
  });
}

/** Grey in three channels, a blue sky blue. */
function coloured(grey: Uint8Array, depth: Float32Array, { sky }: RoomKind): Uint8Array {
  const pixels = new Uint8Array(3 * grey.length);
  grey.forEach((value, k) => {
    const tint = sky?.isBlue && depth[k] === Infinity ? 40 : 0;
    pixels.set([Math.max(0, value - tint), value, Math.min(255, value + tint / 2)], 3 * k);
  });
  return pixels;
}

/** The picture under a photo's own light, blurred and with noise. */
function photographed(pixels: Uint8Array, { blur, noise }: RoomKind, gain: number, spread: () => number): Uint8Array {
  const grey = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const at = (dx: number, dy: number): number =>
        pixels[3 * (Math.min(HEIGHT - 1, y + dy) * WIDTH + Math.min(WIDTH - 1, x + dx))]!;
      const own = (1 - 0.5 * blur) * at(0, 0) + 0.25 * blur * (at(1, 0) + at(0, 1));
      grey[y * WIDTH + x] = Math.min(255, Math.max(0, Math.round(gain * own + 2 * noise * spread())));
    }
  return grey;
}

/** The sample photos, at the size of views. */
export async function sampleShots(folder: string): Promise<Shot[]> {
  const read = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
  const depths = read<{ photos: { name: string; step: number; columns: number; depth: number[] }[] }>('depth.json');
  const { photos } = read<{
    photos: { name: string; width: number; height: number; fx: number; worldFromCamera: number[] }[];
  }>('cameras.json');
  const scale = 2.5;
  return Promise.all(
    photos.map(async ({ name, width: fullWidth, height: fullHeight, fx, worldFromCamera }): Promise<Shot> => {
      const [width, height] = [fullWidth / scale, fullHeight / scale];
      const pixels = await sharp(await sharp(join(folder, name)).raw().toBuffer(), {
        raw: { width: fullWidth, height: fullHeight, channels: 3 },
      })
        .resize(width, height)
        .raw()
        .toBuffer();
      const truth = new Float32Array(width * height);
      const { step, columns, depth } = depths.photos.find((known) => known.name === name)!;
      depth.forEach((z, k) => {
        const x = (step * (k % columns) + step / 2 + 0.5) / scale - 0.5;
        const y = (step * Math.floor(k / columns) + step / 2 + 0.5) / scale - 0.5;
        truth[Math.round(y) * width + Math.round(x)] = z;
      });
      // The true principal point lies half a pixel of the photo off its middle.
      const centre = (full: number) => (full / 2 - 0.5 + 0.5) / scale - 0.5;
      const view = {
        grey: luma(pixels),
        width,
        height,
        focal: fx / scale,
        centreX: centre(fullWidth),
        centreY: centre(fullHeight),
      };
      const looksLikeSky = skyOf({ width, height, pixels });
      return { view, cameraFromWorld: invertRigid(worldFromCamera), truth, pixels, looksLikeSky };
    }),
  );
}
