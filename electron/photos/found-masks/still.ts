import { closed, filled, grown, largest, opened, shrunk } from './morphology.js';

/** A reduced photo: sRGB [height, width, 3]. */
export interface SmallPicture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Another photo (index), and where a pixel of the first one lies in it when the scene stands still. */
export interface StillPartner {
  other: number;
  at(x: number, y: number): [number, number];
}

export interface StillOptions {
  /** How far what stands still may be off the motion, pixels of the reduced picture: it is no plane. */
  slack: number;
  /** Least difference of colour that is a change, of 255; more where the pictures are noisy. */
  leastChange: number;
  /** Gaps in what changes that are closed, share of the long side: plain parts of an object look the same turned. */
  gap: number;
  /** What is kept round it, share of the long side. */
  margin: number;
  /** Steps of colour that a background makes from pixel to pixel at most, of 255. */
  step: number;
  /** How far inwards the background may be followed by colour, share of the long side. */
  reach: number;
  /** An area must have this share of the largest one. */
  leastArea: number;
}

export const STILL_DEFAULTS: StillOptions = {
  slack: 2,
  leastChange: 22,
  gap: 0.035,
  margin: 0.006,
  step: 7,
  reach: 0.05,
  leastArea: 0.1,
};

/**
 * What of photos moves while the rest stands still, as on a turntable: pixels that look different in most of the other
 * photos, laid on this one, in any of the photos. Plain parts of an object look the same turned, and so do not move in
 * every photo; they do in those where something else is in their place. Small gaps and holes are filled, specks removed.
 *
 * @param partnersOf per photo
 * @returns per photo flags [height, width], 1 for what moves; undefined for a photo without partners
 */
export function movingParts(
  pictures: readonly SmallPicture[],
  partnersOf: readonly (readonly StillPartner[])[],
  options: StillOptions = STILL_DEFAULTS,
): (Uint8Array | undefined)[] {
  const own = pictures.map((picture, k) => changes(picture, pictures, partnersOf[k]!, options));
  return pictures.map(({ width, height }, k) => {
    const partners = partnersOf[k]!.filter(({ other }) => own[other]);
    if (!own[k] || partners.length === 0) return undefined;
    const swept = own[k].slice();
    for (const { other, at } of partners)
      for (let p = 0; p < swept.length; p++) {
        if (swept[p]) continue;
        const [u, v] = at(p % width, Math.floor(p / width)).map(Math.round) as [number, number];
        const picture = pictures[other]!;
        if (u >= 0 && v >= 0 && u < picture.width && v < picture.height && own[other]![v * picture.width + u])
          swept[p] = 1;
      }
    const long = Math.max(width, height);
    const joined = closed(swept, width, height, options.gap * long);
    const whole = filled(largest(joined, width, options.leastArea), width, height);
    return grown(trimmed(whole, own[k], pictures[k]!, options), width, height, options.margin * long);
  });
}

/**
 * Without what another photo's object covers but this one's does not: the background goes on inwards in small steps of
 * colour, up to the object's edge or to what changed in this photo, and no farther than `reach`: a dark object before a
 * dark background has no edge.
 */
function trimmed(
  whole: Uint8Array,
  changed: Uint8Array,
  { width, height, pixels }: SmallPicture,
  { step, reach, leastArea }: StillOptions,
): Uint8Array {
  const left = whole.slice();
  const most = reach * Math.max(width, height);
  const inner = shrunk(whole, width, height, most);
  const queue: number[] = [];
  for (let p = 0; p < left.length; p++) if (!left[p]) queue.push(p);
  for (let p = queue.pop(); p !== undefined; p = queue.pop()) {
    const x = p % width;
    for (const next of [x > 0 ? p - 1 : -1, x + 1 < width ? p + 1 : -1, p - width, p + width]) {
      if (next < 0 || next >= left.length || !left[next] || changed[next] || inner[next]) continue;
      if ([0, 1, 2].some((c) => Math.abs(pixels[3 * p + c]! - pixels[3 * next + c]!) > step)) continue;
      left[next] = 0;
      queue.push(next);
    }
  }
  // What leaked through a soft edge is a thin arm as a rule.
  const solid = closed(left, width, height, 4);
  return filled(largest(solid, width, leastArea), width, height);
}

/** Where a picture differs from most of its partners, without specks; undefined without partners. */
function changes(
  picture: SmallPicture,
  pictures: readonly SmallPicture[],
  partners: readonly StillPartner[],
  { slack, leastChange }: StillOptions,
): Uint8Array | undefined {
  if (partners.length === 0) return undefined;
  const { width, height } = picture;
  const differences = partners.map(({ other, at }) => differenceMap(picture, pictures[other]!, at, slack));
  const moving = new Uint8Array(width * height);
  const seen: number[] = [];
  for (let k = 0; k < moving.length; k++) {
    seen.length = 0;
    for (const map of differences) if (map[k]! >= 0) seen.push(map[k]!);
    if (seen.length === 0) continue;
    seen.sort((a, b) => a - b);
    // With an even number the smaller middle one: half of the photos agree that it stands still.
    if (seen[(seen.length - 1) >> 1]! > leastChange) moving[k] = 1;
  }
  return largest(opened(moving, width, height, 1.5), width, 0.02);
}

/** Least difference of colour within `slack` pixels, 0 to 255; -1 where the partner does not show the place. */
function differenceMap(
  { width, height, pixels }: SmallPicture,
  picture: SmallPicture,
  at: StillPartner['at'],
  slack: number,
): Int16Array {
  const out = new Int16Array(width * height).fill(-1);
  const gain = gains(pixels, picture.pixels);
  const reach = Math.ceil(slack);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = at(x, y).map(Math.round) as [number, number];
      if (u < 0 || v < 0 || u >= picture.width || v >= picture.height) continue;
      const own = 3 * (y * width + x);
      let least = 255;
      for (let j = Math.max(0, v - reach); j <= Math.min(picture.height - 1, v + reach); j++)
        for (let i = Math.max(0, u - reach); i <= Math.min(picture.width - 1, u + reach); i++) {
          const other = 3 * (j * picture.width + i);
          let most = 0;
          for (let c = 0; c < 3; c++)
            most = Math.max(most, Math.abs(pixels[own + c]! - gain[c]! * picture.pixels[other + c]!));
          least = Math.min(least, most);
        }
      out[y * width + x] = Math.round(least);
    }
  return out;
}

/** Ratio of the pictures' median brightness, per channel: exposure and white balance may differ a little. */
function gains(pixels: Uint8Array, other: Uint8Array): [number, number, number] {
  const median = (of: Uint8Array, channel: number): number => {
    const histogram = new Uint32Array(256);
    for (let k = channel; k < of.length; k += 3) histogram[of[k]!]!++;
    let left = of.length / 6;
    return histogram.findIndex((count) => (left -= count) <= 0);
  };
  return [0, 1, 2].map((c) => {
    const ratio = (median(pixels, c) + 1) / (median(other, c) + 1);
    return Math.min(1.15, Math.max(0.87, ratio));
  }) as [number, number, number];
}
