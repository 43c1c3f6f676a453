import Papa from 'papaparse';
import { numeric, type KnownCamera, type KnownCameraFile } from './types.js';

const columns = {
  name: ['name', 'label', 'file', 'filename', 'file_name', 'image', 'photo', 'image_name'],
  x: ['x', 'easting', 'east', 'lon', 'long', 'longitude'],
  y: ['y', 'northing', 'north', 'lat', 'latitude'],
  z: ['z', 'alt', 'altitude', 'height', 'elevation', 'up'],
};

/** Metres per degree of latitude on a sphere of the Earth's mean radius. */
const METRES_PER_DEGREE = (Math.PI / 180) * 6_371_008.8;

/**
 * Positions of photos: a table with a header that names the photo, x, y and z (or longitude, latitude and altitude);
 * separated by comma, semicolon, tab or spaces. Degrees become metres east and north of the first photo.
 *
 * @returns undefined for text without such a header
 */
export function readPositions(text: string): KnownCameraFile | undefined {
  const clean = text.replace(/^\uFEFF/, '').replace(/^#\s*/, '');
  const { data } = Papa.parse<string[]>(clean, { skipEmptyLines: true, comments: '#' });
  const header = data[0]?.map((cell) => cell.trim().toLowerCase());
  if (!header) return undefined;
  const find = (names: readonly string[]): number => header.findIndex((cell) => names.includes(cell));
  const [name, x, y, z] = [columns.name, columns.x, columns.y, columns.z].map(find) as [number, number, number, number];
  if ([name, x, y, z].some((column) => column < 0)) return undefined;
  const geographic = /^(lon|lat)/.test(header[x]!) || /^(lon|lat)/.test(header[y]!);
  const rows = data.slice(1).flatMap((row): { name: string; at: [number, number, number] }[] => {
    const at = [row[x], row[y], row[z]].map(numeric);
    const given = row[name]?.trim();
    if (!given || at.some((value) => value === undefined)) return [];
    return [{ name: given, at: at as [number, number, number] }];
  });
  const first = rows[0]?.at;
  const east = geographic && first ? Math.cos((first[1] * Math.PI) / 180) * METRES_PER_DEGREE : 1;
  const cameras = rows.map(({ name: photo, at }): KnownCamera => {
    const position = geographic
      ? [(at[0] - first![0]) * east, (at[1] - first![1]) * METRES_PER_DEGREE, at[2] - first![2]]
      : at;
    return { name: photo, position: Float64Array.from(position) };
  });
  const skipped = data.length - 1 - rows.length;
  return {
    format: 'table of positions',
    cameras,
    notes: skipped > 0 ? [`${skipped} rows without a name or three numbers were passed over`] : [],
  };
}
