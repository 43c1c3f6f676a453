import ExifReader from 'exifreader';
import type { CameraOrientation, Focal, GeoPosition } from '../geometry/types.js';
import { sensorWidth } from './sensors.js';

export interface PhotoFacts {
  focal?: Focal;
  /** Make and model in one line. */
  camera?: string;
  /** Lens model, where the camera names it. */
  lens?: string;
  /** ISO 8601. */
  takenAt?: string;
  position?: GeoPosition;
  orientation?: CameraOrientation;
}

/** What ExifReader gives for a tag: rationals as [numerator, denominator], `computed` as a number or text. */
type Tags = Record<string, { value?: unknown; computed?: unknown; description?: unknown } | undefined>;

/**
 * What a photo's metadata says about its camera: EXIF, GPS, and the gimbal angles that drones write as XMP. Unreadable
 * or missing metadata gives no facts, never an error: a photo without EXIF is a good photo.
 *
 * @param source `exif`: the file's bytes, or a bare EXIF block; `xmp`: the XMP packet
 * @param width upright size of the photo in pixels
 * @returns facts, and what is told there and not believed, for people
 */
export function readFacts(
  { exif, xmp }: { exif: Uint8Array; xmp?: Uint8Array | undefined },
  width: number,
  height: number,
): { facts: PhotoFacts; notes: string[] } {
  const facts: PhotoFacts = {};
  const notes: string[] = [];
  const tags = exifTags(exif);
  if (tags) {
    const camera = cameraName(text(tags.Make), text(tags.Model));
    if (camera) facts.camera = camera;
    const lens = text(tags.LensModel);
    if (lens) facts.lens = lens;
    const takenAt = isoTime(text(tags.DateTimeOriginal) ?? text(tags.DateTimeDigitized) ?? text(tags.CreateDate));
    if (takenAt) facts.takenAt = takenAt;
    const focal = focalFromExif(tags, camera, width, height);
    if (focal) facts.focal = focal;
    const position = positionFromExif(tags);
    if (position === 'no fix')
      notes.push('has the GPS place 0, 0, which receivers without a fix write; it is not used');
    else if (position) facts.position = position;
  }
  const orientation = xmp && gimbalAngles(Buffer.from(xmp).toString('latin1'));
  if (orientation) facts.orientation = orientation;
  return { facts, notes };
}

function exifTags(source: Uint8Array): Tags | undefined {
  try {
    const buffer = source.buffer.slice(source.byteOffset, source.byteOffset + source.byteLength) as ArrayBuffer;
    return ExifReader.load(buffer, { computed: true, includeUnknown: false }) as unknown as Tags;
  } catch {
    return undefined;
  }
}

function focalFromExif(tags: Tags, camera: string | undefined, width: number, height: number): Focal | undefined {
  const equivalent = positive(tags.FocalLengthIn35mmFilm);
  const diagonal = Math.hypot(width, height);
  // CIPA DCG-001: the equivalent is defined by the diagonal of the 36 x 24 mm frame, for any aspect ratio.
  if (equivalent) return plausible((equivalent / Math.hypot(36, 24)) * diagonal, 'exif-35mm', width, height);
  const millimetres = positive(tags.FocalLength);
  if (!millimetres) return undefined;
  const longSide = Math.max(width, height);
  const perMillimetre = focalPlaneResolution(tags);
  const recorded = Math.max(positive(tags.PixelXDimension) ?? 0, positive(tags.PixelYDimension) ?? 0);
  if (perMillimetre && recorded) {
    // The resolution counts the pixels the camera recorded; the file may have been made smaller since.
    return plausible(millimetres * perMillimetre * (longSide / recorded), 'exif-sensor', width, height);
  }
  const sensor = camera ? sensorWidth(camera) : undefined;
  return sensor ? plausible((millimetres / sensor) * longSide, 'exif-sensor', width, height) : undefined;
}

/** Pixels per millimetre on the sensor; EXIF 2.3, tag FocalPlaneResolutionUnit: 2 inch, 3 centimetre, 4 millimetre. */
function focalPlaneResolution(tags: Tags): number | undefined {
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

/** WGS 84. Receivers without a fix write 0, 0: a place in the sea that is not believed. */
function positionFromExif(tags: Tags): GeoPosition | 'no fix' | undefined {
  const latitude = degrees(tags.GPSLatitude, text(tags.GPSLatitudeRef), 'S');
  const longitude = degrees(tags.GPSLongitude, text(tags.GPSLongitudeRef), 'W');
  if (latitude === undefined || longitude === undefined) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  if (Math.abs(latitude) < 1e-6 && Math.abs(longitude) < 1e-6) return 'no fix';
  const position: GeoPosition = { latitude, longitude };
  const altitude = number(tags.GPSAltitude);
  const reference = tags.GPSAltitudeRef?.value;
  const below = (Array.isArray(reference) ? reference[0] : reference) === 1;
  if (altitude !== undefined) position.altitude = below ? -altitude : altitude;
  const accuracy = positive(tags.GPSHPositioningError);
  if (accuracy) position.accuracy = accuracy;
  return position;
}

/** Degrees, minutes and seconds as three rationals. */
function degrees(tag: Tags[string], reference: string | undefined, negative: string): number | undefined {
  const parts = tag?.value;
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [whole, minutes, seconds] = parts.map((part) => rational(part) ?? Number.NaN) as [number, number, number];
  const value = whole + minutes / 60 + seconds / 3600;
  if (!Number.isFinite(value)) return undefined;
  return reference?.toUpperCase().startsWith(negative) ? -value : value;
}

/**
 * Gimbal angles as DJI and others write them in XMP (`drone-dji:GimbalYawDegree`).
 */
function gimbalAngles(packet: string): CameraOrientation | undefined {
  const angle = (name: string): number | undefined => {
    const found = packet.match(new RegExp(`${name}(?:="|>)\\s*([+-]?[\\d.]+)`))?.[1];
    const value = found === undefined ? Number.NaN : Number(found);
    return Number.isFinite(value) && Math.abs(value) <= 360 ? value : undefined;
  };
  const yaw = angle('GimbalYawDegree');
  const pitch = angle('GimbalPitchDegree');
  const roll = angle('GimbalRollDegree') ?? 0;
  return yaw === undefined || pitch === undefined ? undefined : { yaw, pitch, roll };
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

/** Rationals come as [numerator, denominator]; a denominator of 0 says nothing. */
function rational(value: unknown): number | undefined {
  const result = Array.isArray(value) && value.length === 2 ? Number(value[0]) / Number(value[1]) : Number(value);
  return Number.isFinite(result) ? result : undefined;
}

function number(tag: Tags[string]): number | undefined {
  if (tag === undefined) return undefined;
  const value = Array.isArray(tag.value) && tag.value.length === 1 ? (tag.value[0] as unknown) : tag.value;
  return rational(value);
}

function positive(tag: Tags[string]): number | undefined {
  const value = number(tag);
  return value !== undefined && value > 0 ? value : undefined;
}

function text(tag: Tags[string]): string | undefined {
  const value = Array.isArray(tag?.value) ? (tag.value as unknown[]).join('') : tag?.value;
  if (typeof value !== 'string') return undefined;
  const trimmed = value.replaceAll('\0', '').trim();
  return trimmed === '' ? undefined : trimmed;
}
