import exifr from 'exifr';
import type { Focal } from '../geometry/types.js';
import { sensorWidth } from './sensors.js';

export interface PhotoFacts {
  focal?: Focal;
  /** Make and model in one line. */
  camera?: string;
  /** ISO 8601. */
  takenAt?: string;
}

const fields = [
  'Make',
  'Model',
  'FocalLength',
  'FocalLengthIn35mmFormat',
  'FocalLengthIn35mmFilm',
  'FocalPlaneXResolution',
  'FocalPlaneYResolution',
  'FocalPlaneResolutionUnit',
  'ExifImageWidth',
  'ExifImageHeight',
  'PixelXDimension',
  'DateTimeOriginal',
  'CreateDate',
];

/**
 * What a photo's EXIF block says about its camera. Unreadable or missing metadata gives no facts, never an error: a
 * photo without EXIF is a good photo.
 *
 * @param source the file's bytes, or a bare EXIF block
 * @param width upright size of the photo in pixels
 */
export async function readFacts(source: Uint8Array, width: number, height: number): Promise<PhotoFacts> {
  let tags: Record<string, unknown> | undefined;
  try {
    tags = (await exifr.parse(source, { pick: fields, translateValues: false, reviveValues: false })) as typeof tags;
  } catch {
    return {};
  }
  if (!tags) return {};
  const facts: PhotoFacts = {};
  const camera = cameraName(text(tags.Make), text(tags.Model));
  if (camera) facts.camera = camera;
  const takenAt = isoTime(text(tags.DateTimeOriginal) ?? text(tags.CreateDate));
  if (takenAt) facts.takenAt = takenAt;
  const focal = focalFromExif(tags, camera, width, height);
  if (focal) facts.focal = focal;
  return facts;
}

function focalFromExif(
  tags: Record<string, unknown>,
  camera: string | undefined,
  width: number,
  height: number,
): Focal | undefined {
  const equivalent = positive(tags.FocalLengthIn35mmFormat) ?? positive(tags.FocalLengthIn35mmFilm);
  const diagonal = Math.hypot(width, height);
  // CIPA DCG-001: the equivalent is defined by the diagonal of the 36 x 24 mm frame, for any aspect ratio.
  if (equivalent) return plausible((equivalent / Math.hypot(36, 24)) * diagonal, 'exif-35mm', width, height);
  const millimetres = positive(tags.FocalLength);
  if (!millimetres) return undefined;
  const longSide = Math.max(width, height);
  const perMillimetre = focalPlaneResolution(tags);
  const recordedWidth =
    Math.max(positive(tags.ExifImageWidth) ?? 0, positive(tags.ExifImageHeight) ?? 0) || positive(tags.PixelXDimension);
  if (perMillimetre && recordedWidth) {
    // The resolution counts the pixels the camera recorded; the file may have been made smaller since.
    return plausible(millimetres * perMillimetre * (longSide / recordedWidth), 'exif-sensor', width, height);
  }
  const sensor = camera ? sensorWidth(camera) : undefined;
  return sensor ? plausible((millimetres / sensor) * longSide, 'exif-sensor', width, height) : undefined;
}

/** Pixels per millimetre on the sensor; EXIF 2.3, tag FocalPlaneResolutionUnit: 2 inch, 3 centimetre, 4 millimetre. */
function focalPlaneResolution(tags: Record<string, unknown>): number | undefined {
  const resolution = positive(tags.FocalPlaneXResolution);
  if (!resolution) return undefined;
  const unit = { 2: 25.4, 3: 10, 4: 1 }[positive(tags.FocalPlaneResolutionUnit) ?? 2];
  return unit ? resolution / unit : undefined;
}

/** EXIF is often nonsense (0, 65535, a teleconverter): a field of view outside 5 to 150 degrees is not believed. */
function plausible(pixels: number, source: Focal['source'], width: number, height: number): Focal | undefined {
  const ratio = pixels / Math.max(width, height);
  return ratio > 0.13 && ratio < 11.5 ? { pixels, source } : undefined;
}

function cameraName(make: string | undefined, model: string | undefined): string | undefined {
  if (!model) return make;
  if (!make) return model;
  return model.toLowerCase().startsWith(make.toLowerCase().split(' ')[0]!) ? model : `${make} ${model}`;
}

function isoTime(stamp: string | undefined): string | undefined {
  const match = stamp?.match(/^(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)/);
  return match ? `${match[1]}-${match[2]}-${match[3]}T${match[4]}` : undefined;
}

function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const trimmed = value.replaceAll('\0', '').trim();
  return trimmed === '' ? undefined : trimmed;
}
