import { invertRigid, multiply4 } from '../numerics/linear.js';
import type { Camera, DepthMap, LightGain } from '../geometry/types.js';
import { alongSpace } from './kept-pixels.js';

export interface LightOptions {
  /** Places looked at per photo. */
  samples: number;
  /** Photos that each is compared with: those taken nearest to it. */
  nearest: number;
  /** Depths that differ by less than this share are the same place. */
  same: number;
  /** Confidence of the depths that are trusted. */
  minConfidence: number;
  /** sRGB levels below and above which a pixel is too dark or burnt out to tell. */
  darkest: number;
  brightest: number;
  /** Common places without which two photos say nothing of each other. */
  leastPlaces: number;
  /** Gains further than this from one are not believed (a factor). */
  mostGain: number;
}

export const LIGHT_DEFAULTS: LightOptions = {
  samples: 4000,
  nearest: 12,
  same: 0.02,
  minConfidence: 2,
  darkest: 12,
  brightest: 245,
  leastPlaces: 40,
  mostGain: 6,
};

export interface LightContext {
  /** Awaited between photos: each takes some tens of milliseconds. */
  breathe: () => Promise<void>;
}

/** What two photos say of their light: the median of log(linear light of a / linear light of b) per channel. */
export interface LightRatio {
  a: number;
  b: number;
  ratio: readonly [number, number, number];
  weight: number;
}

/** sRGB 0 to 255 to linear light 0 to 1. */
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => {
  const v = level / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

function encoded(linear: number): number {
  const v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.min(1, linear) ** (1 / 2.4) - 0.055;
  return Math.min(255, Math.max(0, Math.round(255 * v)));
}

/**
 * Brightness and white balance of each photo against the others, from the places that several photos see: their medians
 * pair by pair, then one robust solution over all pairs. The photos' mean is kept.
 *
 * @param pixelsOf sRGB [h, w, 3] of a depth map's view
 * @returns per photo the gain to apply; ones for a photo that shares too little
 */
export async function lightGains(
  cameras: readonly Pick<Camera, 'worldFromCamera'>[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  { breathe, ...given }: Partial<LightOptions & LightContext> = {},
): Promise<LightGain[]> {
  const options = { ...LIGHT_DEFAULTS, ...given };
  const ratios: LightRatio[][] = maps.map(() => []);
  for (const photo of alongSpace(cameras)) {
    ratios[photo] = lightRatios(photo, cameras, maps, pixelsOf, options);
    await breathe?.();
  }
  return solveGains(maps.length, ratios.flat(), options.mostGain);
}

/** What the places of one photo say of its light against that of the photos taken nearest to it. */
function lightRatios(
  photo: number,
  cameras: readonly Pick<Camera, 'worldFromCamera'>[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  options: LightOptions,
): LightRatio[] {
  const own = cameras[photo]!.worldFromCamera;
  const distances = cameras.map(({ worldFromCamera: M }) =>
    Math.hypot(M[3]! - own[3]!, M[7]! - own[7]!, M[11]! - own[11]!),
  );
  return cameras
    .map((_, k) => k)
    .filter((k) => k !== photo)
    .sort((p, q) => distances[p]! - distances[q]!)
    .slice(0, options.nearest)
    .flatMap((other) => lightRatio(photo, other, cameras, maps, pixelsOf, options) ?? []);
}

function lightRatio(
  a: number,
  b: number,
  cameras: readonly Pick<Camera, 'worldFromCamera'>[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  { samples, same, minConfidence, darkest, brightest, leastPlaces }: LightOptions,
): LightRatio | undefined {
  // Their arrays may lie behind a cache: they are asked for once.
  const [from, to] = [{ ...maps[a]! }, { ...maps[b]! }];
  const [own, other] = [pixelsOf(a), pixelsOf(b)];
  const T = multiply4(invertRigid(cameras[b]!.worldFromCamera), cameras[a]!.worldFromCamera);
  // Odd, so that it does not run down the columns of a view whose width is even.
  const step = Math.max(1, Math.floor(from.depth.length / samples)) | 1;
  const logs: [number[], number[], number[]] = [[], [], []];
  const tells = (level: number): boolean => level >= darkest && level <= brightest;
  for (let k = 0; k < from.depth.length; k += step) {
    const at = from.confidence[k]! >= minConfidence ? sameplace(from, k, to, T, same) : -1;
    if (at < 0 || to.confidence[at]! < minConfidence) continue;
    const p = own.subarray(3 * k, 3 * k + 3);
    const q = other.subarray(3 * at, 3 * at + 3);
    if (!p.every(tells) || !q.every(tells)) continue;
    for (let i = 0; i < 3; i++) logs[i]!.push(Math.log(LINEAR[p[i]!]! / LINEAR[q[i]!]!));
  }
  if (logs[0].length < leastPlaces) return undefined;
  const ratio = logs.map((values) => values.sort((p, q) => p - q)[values.length >> 1]!);
  return { a, b, ratio: ratio as [number, number, number], weight: Math.sqrt(logs[0].length) };
}

/** The pixel of `to` that shows the same place as pixel k of `from`; -1 where there is none. */
function sameplace(from: DepthMap, k: number, to: DepthMap, T: Float64Array, same: number): number {
  const z = from.depth[k]!;
  if (!(z > 0)) return -1;
  const x = (((k % from.width) - from.centreX) / from.focal) * z;
  const y = ((Math.floor(k / from.width) - from.centreY) / from.focal) * z;
  const away = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
  if (!(away > 0)) return -1;
  const u = Math.round((to.focal * (T[0]! * x + T[1]! * y + T[2]! * z + T[3]!)) / away + to.centreX);
  const v = Math.round((to.focal * (T[4]! * x + T[5]! * y + T[6]! * z + T[7]!)) / away + to.centreY);
  if (!(u >= 0 && v >= 0 && u < to.width && v < to.height)) return -1;
  const at = v * to.width + u;
  return Math.abs(to.depth[at]! / away - 1) < same ? at : -1;
}

/** Gains this near to one, in natural logarithms, are noise: such a photo keeps its pixels. */
const NEGLIGIBLE = 0.015;
const SWEEPS = 60;
/** Ratios that miss by this much, in natural logarithms, weigh half: a lamp or a shadow that moved with the camera. */
const DOUBTFUL = 0.1;
/** Weight that holds every gain at one, against one of LIGHT_DEFAULTS' ratios of about 20. */
const HELD = 0.05;

/**
 * Gains that agree best with the ratios (robustly re-weighted coordinate descent). The geometric mean over the photos of
 * each channel is one, so that the set keeps its brightness and colour.
 */
export function solveGains(
  count: number,
  ratios: readonly LightRatio[],
  mostGain = LIGHT_DEFAULTS.mostGain,
): LightGain[] {
  const logs = Array.from({ length: count }, () => [0, 0, 0] as [number, number, number]);
  const told: { other: number; ratio: readonly number[]; sign: number; weight: number }[][] = logs.map(() => []);
  for (const { a, b, ratio, weight } of ratios) {
    told[a]!.push({ other: b, ratio, sign: -1, weight });
    told[b]!.push({ other: a, ratio, sign: 1, weight });
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    told.forEach((list, photo) => {
      for (let i = 0; i < 3; i++) {
        let sum = 0;
        let total = HELD;
        for (const { other, ratio, sign, weight } of list) {
          const said = logs[other]![i]! + sign * ratio[i]!;
          // The first sweeps take every ratio: from gains of one a strong light would look like an error.
          const miss = sweep < SWEEPS / 2 ? 0 : (said - logs[photo]![i]!) / DOUBTFUL;
          const w = weight / (1 + miss * miss);
          sum += w * said;
          total += w;
        }
        logs[photo]![i] = sum / total;
      }
    });
  }
  const lit = told.flatMap((list, photo) => (list.length > 0 ? [photo] : []));
  const mean = [0, 1, 2].map((i) => lit.reduce((sum, photo) => sum + logs[photo]![i]!, 0) / Math.max(1, lit.length));
  const most = Math.log(mostGain);
  return logs.map((log, photo): LightGain => {
    const apart = log.map((value, i) => Math.min(most, Math.max(-most, value - mean[i]!)));
    if (told[photo]!.length === 0 || apart.every((value) => Math.abs(value) < NEGLIGIBLE)) return [1, 1, 1];
    return apart.map(Math.exp) as [number, number, number];
  });
}

/** Per channel and sRGB level, the level under the shared light: a table for `relight` and for texture. */
export function lightTable(gain: LightGain): Uint8Array {
  return Uint8Array.from({ length: 768 }, (_, k) => encoded(LINEAR[k & 255]! * gain[k >> 8]!));
}

/** A picture sRGB [n, 3] under the light that all photos share. */
export function relight(pixels: Uint8Array, gain: LightGain): Uint8Array {
  const table = lightTable(gain);
  return pixels.map((level, k) => table[256 * (k % 3) + level]!);
}
