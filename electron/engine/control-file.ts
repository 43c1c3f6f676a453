import Papa from 'papaparse';
import { readRegularSync } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import { checkControls } from '../scene/control.js';
import {
  controlCount,
  surveyOffset,
  type ControlPoint,
  type SceneOperation,
  type ScenePixel,
  type Vector,
} from '../contract/scene.js';

const columns = {
  name: ['name', 'point', 'label', 'id'],
  x: ['x', 'easting', 'east', 'e'],
  y: ['y', 'northing', 'north', 'n'],
  z: ['z', 'altitude', 'height', 'elevation', 'up', 'h'],
  role: ['role', 'type'],
  photo: ['photo', 'image', 'file'],
  px: ['px', 'pixel_x', 'u', 'column'],
  py: ['py', 'pixel_y', 'v', 'row'],
};
type Column = keyof typeof columns;

/**
 * Points with known coordinates in metres and where photos show them: a table with a header, a row for each photo of a
 * point. A role is `control` (the default) or `check`.
 *
 * @throws UserError 'not-found', 'bad-input'
 */
export function readControlFile(
  path: string,
  photoNamed: (name: string) => string,
): Extract<SceneOperation, { kind: 'controls' }> {
  let text: string;
  try {
    text = readRegularSync(path).toString('utf8');
  } catch (error) {
    throw new UserError(
      'not-found',
      `the control points can't be read (${(error as NodeJS.ErrnoException).code}); check the path: ${path}`,
      { cause: error },
    );
  }
  // Numbered before what says nothing is left out: an error names the row that an editor shows.
  const lines = text.replace(/^\uFEFF/, '').replace(/^#.*$/gm, '');
  const rows = Papa.parse<string[]>(lines)
    .data.map((cells, k) => ({ cells, number: k + 1 }))
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const header = (rows[0]?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const at = Object.fromEntries(
    Object.entries(columns).map(([column, names]) => [column, header.findIndex((cell) => names.includes(cell))]),
  ) as Record<Column, number>;
  const missing = Object.entries(at).flatMap(([column, index]) => (index < 0 && column !== 'role' ? [column] : []));
  if (missing.length > 0)
    throw new UserError(
      'bad-input',
      `this table has no column ${missing.join(', ')}; its header is name,x,y,z,role,photo,px,py: ${path}`,
    );
  const points = new Map<string, ControlPoint>();
  for (const { cells, number } of rows.slice(1)) {
    const where = `${path} (row ${number})`;
    const point = pointOf(cells, at, photoNamed, where);
    const before = points.get(point.name);
    if (!before) points.set(point.name, point);
    else addSighting(before, point, where);
  }
  const all = [...points.values()];
  if (all.length === 0) throw new UserError('bad-input', `this table holds no points: ${path}`);
  if (controlCount(all) > 0) checkControls(all);
  const offset = surveyOffset(all[0]!.known);
  const moved = all.map((point) => ({ ...point, known: point.known.map((v, i) => v - offset[i]!) as Vector }));
  return { kind: 'controls', points: moved, offset };
}

function pointOf(
  row: readonly string[],
  at: Record<Column, number>,
  photoNamed: (name: string) => string,
  where: string,
): ControlPoint {
  const cell = (column: Column): string => row[at[column]]?.trim() ?? '';
  const number = (column: Column): number => {
    const value = Number(cell(column));
    if (cell(column) === '' || !Number.isFinite(value))
      throw new UserError('bad-input', `'${cell(column)}' in the column ${column} is no number: ${where}`);
    return value;
  };
  const role = cell('role').toLowerCase() || 'control';
  if (role !== 'control' && role !== 'check')
    throw new UserError('bad-input', `a point's role is control or check, not '${role}': ${where}`);
  if (cell('name') === '') throw new UserError('bad-input', `a point has no name: ${where}`);
  const pixel: ScenePixel = { photo: photoIn(cell('photo'), photoNamed, where), x: number('px'), y: number('py') };
  return { name: cell('name'), role, known: [number('x'), number('y'), number('z')], at: pixel };
}

function photoIn(name: string, photoNamed: (name: string) => string, where: string): string {
  try {
    return photoNamed(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('bad-input', `${error.message}, in ${where}`, { cause: error });
  }
}

function addSighting(before: ControlPoint, next: ControlPoint, where: string): void {
  if (before.role !== next.role || before.known.some((value, i) => value !== next.known[i]))
    throw new UserError(
      'bad-input',
      `two rows of one point differ in its coordinates or role (${next.name}): ${where}`,
    );
  before.at.others = [...(before.at.others ?? []), next.at];
}
