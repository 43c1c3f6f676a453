import { percentileOf } from '../../electron/contract/confidence.js';
import { t, wordsLanguage } from '../words/index.js';

const formats = new Map<string, Intl.NumberFormat>();

/** Made once: each takes longer to make than to use a thousand times. */
function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${wordsLanguage()} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat(wordsLanguage(), { useGrouping: false, ...options });
  formats.set(key, made);
  return made;
}

/** "2.50", as the chosen language writes it. */
export const fixedText = (value: number, decimals: number): string =>
  numberFormat({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);

/** "0.025": so many figures, as the chosen language writes them. */
export const figuresText = (value: number, figures: number): string =>
  numberFormat({ minimumSignificantDigits: figures, maximumSignificantDigits: figures }).format(value);

/** "2.5", at most so many figures, as a field shows what can be typed into it. */
export const fieldText = (value: number, most: number): string =>
  numberFormat({ maximumSignificantDigits: most }).format(value);

/** What a person has typed, with either mark between whole and part; NaN for what is no number. */
export const typedNumber = (text: string): number =>
  text.trim() === '' ? NaN : Number(text.trim().replace(',', '.').replace('−', '-'));

/** "1.4 GB": three figures at most. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let power = 0;
  let value = bytes;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000;
    power++;
  }
  const number = power === 0 || value >= 100 ? fixedText(value, 0) : figuresText(value, value >= 10 ? 3 : 2);
  return `${number} ${units[power]}`;
}

/** "1.31 M" */
export function countText(count: number): string {
  if (count < 10_000) return String(count);
  if (count < 999_500) return `${figuresText(count / 1000, 3)} k`;
  return `${figuresText(count / 1e6, 3)} M`;
}

/** "0:21", "1:02:05" */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** "about 40 s": an estimate, not a promise. */
export function aboutText(seconds: number): string {
  if (seconds < 5) return t('a few seconds');
  if (seconds < 90) return t('about {n} s', { n: Math.ceil(seconds / 5) * 5 });
  if (seconds < 5400) return t('about {n} min', { n: Math.round(seconds / 60) });
  return t('about {n} h', { n: Number((seconds / 3600).toPrecision(2)) });
}

/** "40 to 90 s", "2 to 4 min": an estimate before anything is measured. */
export function rangeText([least, most]: readonly [number, number]): string {
  if (most < 5) return t('a few seconds');
  if (most < 120) return t('{least} to {most} s', { least: step(least, 5), most: step(most, 5) });
  if (most < 7200) return t('{least} to {most} min', { least: step(least / 60, 1), most: step(most / 60, 1) });
  return t('{least} to {most} h', { least: step(least / 3600, 0.5), most: step(most / 3600, 0.5) });
}

/** The next multiple of a step, at least one of them. */
const step = (value: number, size: number): number => Math.max(1, Math.round(value / size)) * size;

const METRES_A_FOOT = 0.3048;

/** "4.2 × 3.1 × 2 m"; without a unit where the scale is not known. */
export function sizeText(metres: readonly number[], unit: 'metre' | 'foot' | undefined): string {
  const sides = metres.map((value) => figuresText(unit === 'foot' ? value / METRES_A_FOOT : value, 3)).join(' × ');
  if (unit === undefined) return sides;
  return `${sides} ${unit === 'foot' ? 'ft' : 'm'}`;
}

export function lengthText(value: number): string {
  return value === 0 ? '0' : Math.abs(value) >= 100 ? fixedText(value, 0) : figuresText(value, 3);
}

/** "63 % (4.1)": per cent of the scene's depths that are less sure, and the confidence itself. */
export function confidenceText(confidence: number, scale: readonly number[] | undefined): string {
  const own = figuresText(confidence, confidence < 10 ? 2 : 3);
  return scale ? `${Math.round(percentileOf(scale, confidence))} % (${own})` : own;
}

/** Where a focal comes from, in words. */
export function focalText(source: string): string {
  const sources: Readonly<Record<string, string>> = {
    'exif-35mm': t('EXIF'),
    'exif-sensor': t('EXIF, sensor'),
    user: t('given'),
  };
  return sources[source] ?? source;
}

/** A day and an hour as the chosen language writes them. */
export const dateText = (time: string): string =>
  new Intl.DateTimeFormat(wordsLanguage(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));

/** A day as the chosen language writes it. */
export const dayText = (time: string): string =>
  new Intl.DateTimeFormat(wordsLanguage(), { dateStyle: 'medium' }).format(new Date(time));

/** The parts in which names differ: "courtyard-01" and "courtyard-02" are "01" and "02" where room is short. */
export function shortNames(names: readonly string[]): string[] {
  const stems = names.map(stem);
  let common = stems[0]?.length ?? 0;
  for (const name of stems) while (!name.startsWith(stems[0]!.slice(0, common))) common--;
  // Not in the middle of a number.
  while (common > 0 && /\d/.test(stems[0]![common - 1]!)) common--;
  return stems.map((name) => name.slice(common) || name);
}

/** A photo's name without its ending: shorter in lists. */
export function stem(name: string): string {
  return name.replace(/\.\w{2,5}$/, '');
}
