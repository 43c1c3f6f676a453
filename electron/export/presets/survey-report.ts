import { cloudPoints } from '../colmap.js';
import type { Bounds } from '../las.js';
import { trackPoints } from '../tracks.js';
import type { PresetInput } from './types.js';

/** Enough points of the cloud to tell by how many photos its points are seen. */
const COVERAGE_POINTS = 5000;

/**
 * The report of a survey: one page of HTML without anything from elsewhere, made to be printed.
 *
 * @param bounds of all points of the scene
 */
export function reportHtml(input: PresetInput, bounds: Bounds): string {
  const { facts } = input;
  const sections = [
    overview(input, bounds),
    facts.preview
      ? `<figure><img alt="The cloud from the front and from above" src="data:image/png;base64,${Buffer.from(facts.preview).toString('base64')}"><figcaption>The cloud from the front and from above</figcaption></figure>`
      : '',
    scaleSection(input),
    controlSection(input),
    measurementsSection(input),
    coverageSection(input),
    camerasSection(input),
    photosSection(input),
    table('Settings', ['Setting', 'Value'], Object.entries(facts.settings)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(facts.title)}: survey report</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(facts.title)}</h1>
<p class="quiet">Survey report, ${escaped(facts.date.toISOString().slice(0, 16).replace('T', ' '))} UTC, Pointmap Studio ${escaped(facts.version)}</p>
${sections.filter((section) => section !== '').join('\n')}
</body>
</html>
`;
}

function overview({ scene, facts, unit }: PresetInput, { least, greatest, count }: Bounds): string {
  const size = least.map((value, i) => significant(greatest[i]! - value)).join(' x ');
  const units = unit === 'metre' ? 'm' : 'scene units';
  const rows: [string, string][] = [
    ['Photos placed', `${scene.cameras.length} of ${facts.photos.length}`],
    ['Points', count.toLocaleString('en')],
    ['Size (x, y, z up)', `${size} ${units}`],
    ['Level', facts.level],
    [
      'Coordinate system',
      facts.coordinateSystem?.name ?? (facts.controls.length > 0 ? 'of the control points' : 'local'),
    ],
    ['Offset, in the coordinates of LAS and PLY already', facts.offset.join(', ')],
  ];
  return table('Overview', undefined, rows);
}

function scaleSection({ facts, unit }: PresetInput): string {
  if (unit !== 'metre')
    return '<section><h2>Scale</h2><p class="warning">The scale of this scene is not known: its coordinates are in scene units, not in metres. Give a known length, markers or coordinates before measuring.</p></section>';
  const lengths = facts.lengths.map(({ name, given, measured }): string[] => [
    name,
    `${significant(given)} m`,
    `${significant(measured)} m`,
    `${(1000 * (measured - given)).toFixed(1)} mm`,
    `${((100 * (measured - given)) / given).toFixed(2)} %`,
  ]);
  return lengths.length > 0 ? table('Scale', ['Length', 'Given', 'In the scene', 'Residual', 'Relative'], lengths) : '';
}

function measurementsSection({ facts }: PresetInput): string {
  if (facts.measurements.length === 0) return '';
  const rows = facts.measurements.map(({ name, kind, value, uncertainty, residual }): string[] => [
    name,
    kind,
    value,
    uncertainty ?? 'not known',
    residual ?? '',
  ]);
  return table('Measurements', ['Name', 'Kind', 'Value', 'Standard deviation', 'In the photos'], rows);
}

/** Control and check points with the root mean square of each kind; places from GPS likewise. */
function controlSection({ facts }: PresetInput): string {
  const millimetres = (value: number): string => (1000 * value).toFixed(1);
  const rows = facts.controls.map(({ name, role, off, residualPixels }): string[] => [
    name,
    role,
    ...off.map(millimetres),
    millimetres(Math.hypot(...off)),
    residualPixels?.toFixed(2) ?? '',
  ]);
  for (const role of ['control', 'check']) {
    const of = facts.controls.filter((point) => point.role === role);
    if (of.length === 0) continue;
    const axes = [0, 1, 2].map((i) => rootMeanSquare(of.map(({ off }) => off[i]!)));
    rows.push([`${of.length} ${role} points`, 'RMS', ...axes.map(millimetres), millimetres(Math.hypot(...axes)), '']);
  }
  const places = facts.places.map(({ name, across, up }): string[] => [name, across.toFixed(2), up.toFixed(2)]);
  return [
    rows.length > 0
      ? table(
          'Control and check points',
          ['Point', 'Role', 'x, mm', 'y, mm', 'z, mm', 'All, mm', 'In the photos, px'],
          rows,
        )
      : '',
    places.length > 0 ? table('Places in the photos (GPS)', ['Photo', 'Off across, m', 'Off up, m'], places) : '',
  ].join('\n');
}

const rootMeanSquare = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, values.length));

function coverageSection({ scene }: PresetInput): string {
  const seen = cloudPoints(scene, COVERAGE_POINTS).map(({ sightings }) => sightings.length);
  const shares = [1, 2, 3, 4].map((count): [string, string] => {
    const matching = seen.filter((photos) => (count === 4 ? photos >= 4 : photos === count)).length;
    return [count === 4 ? '4 and more' : String(count), percent(matching / Math.max(1, seen.length))];
  });
  return table('Coverage: by how many photos a point is seen', ['Photos', 'Share of the points'], shares);
}

function camerasSection({ scene }: PresetInput): string {
  const tracked = scene.sparse ? trackPoints(scene.cameras, scene.sparse) : [];
  const rows = scene.cameras.map((camera, k): string[] => {
    const map = scene.depthMaps[k]!;
    const known = map.confidence.reduce((sum, value) => sum + (value > 1 ? 1 : 0), 0) / map.confidence.length;
    const sightings = tracked.filter((point) => point.sightings.some((sighting) => sighting.camera === k));
    const error = sightings.reduce((sum, point) => sum + point.error, 0) / Math.max(1, sightings.length);
    return [
      camera.name,
      `${camera.width} x ${camera.height}`,
      `${camera.fx.toFixed(1)} (${camera.focalSource})`,
      camera.k1.toFixed(5),
      [3, 7, 11].map((i) => significant(camera.worldFromCamera[i]!)).join(', '),
      percent(known),
      sightings.length > 0 ? `${sightings.length} (${error.toFixed(2)} px)` : '',
    ];
  });
  const head = ['Photo', 'Pixels', 'Focal, px', 'k1', 'Place', 'With depth', 'Tie points (mean error)'];
  return table('Cameras', head, rows);
}

function photosSection({ facts }: PresetInput): string {
  const rows = facts.photos.map(({ name, placed, residual, reason }): string[] => [
    name,
    placed ? 'placed' : `not placed${reason ? `: ${reason}` : ''}`,
    residual === undefined ? '' : `${(100 * residual).toFixed(2)} % of the depth`,
  ]);
  return table('Photos', ['Photo', 'State', 'Residual of its depths'], rows);
}

function table(
  title: string,
  head: readonly string[] | undefined,
  rows: readonly (readonly (string | number | boolean)[])[],
): string {
  const cells = (row: readonly (string | number | boolean)[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join('')}</tr>`;
  const top = head ? `<thead>${cells(head, 'th')}</thead>` : '';
  const body = rows.map((row) => cells(row, 'td')).join('\n');
  return `<section><h2>${escaped(title)}</h2><table>${top}<tbody>${body}</tbody></table></section>`;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const significant = (value: number): string => String(Number(value.toPrecision(5)));

const STYLE = `
@page { size: A4; margin: 16mm; }
body { font: 13px/1.45 system-ui, sans-serif; color: #1b1e23; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 22px; margin: 0; }
h2 { font-size: 15px; margin: 1.6em 0 .5em; }
.quiet, figcaption { color: #5b6470; margin: .3em 0; }
.warning { border-left: 3px solid #c47a00; padding: .4em .8em; background: #fff6e5; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0; border-bottom: 1px solid #d9dde3; }
th { font-weight: 600; }
thead { display: table-header-group; }
tr, figure { break-inside: avoid; }
h2 { break-after: avoid; }
figure { margin: 1em 0; }
img { max-width: 100%; }
@media print { body { margin: 0; max-width: none; padding: 0; } .warning { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;
