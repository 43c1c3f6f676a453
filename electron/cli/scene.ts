import { randomUUID } from 'node:crypto';
import { basename, dirname, extname, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UserError } from '../contract/errors.js';
import {
  markerFamilies,
  measurementKind,
  type KnownLength,
  type LengthEnd,
  type MarkerFamily,
  type Measurement,
  type SceneOperation,
  type ScenePixel,
  type SceneRegion,
} from '../contract/scene.js';
import { readControlFile } from '../engine/control-file.js';
import { writeAll } from '../engine/exporting.js';
import { keptMeasurements, leastPoints, measurementsFile } from '../engine/measuring.js';
import { addOperations, applyDraft, boxRegion, describeScene, draftOf } from '../engine/scene-edits.js';
import type { SceneDraft } from '../engine/scene-draft.js';
import { photoNamed as photoByName } from '../engine/named-photo.js';
import { Workspace } from '../engine/workspace.js';
import { answer } from './output.js';
import { measurementLines, sceneLines } from './scene-lines.js';

interface Flags {
  level?: 'auto' | 'none';
  levelPoints?: string[];
  levelEdge?: string[];
  origin?: string;
  gps?: boolean;
  markers?: MarkerFamily;
  markerSize?: string;
  control?: string;
  scale: string[];
  between: string[];
  crop?: string;
  delete?: string;
  outliers?: boolean;
  measure: string[];
  measurements?: string;
  json?: boolean;
}

/** As the studio's own button has it. */
const OUTLIER_DEVIATIONS = 6;

const collected = (value: string, before: string[]): string[] => [...before, value];

export function addScene(program: Command): void {
  program
    .command('scene')
    .description('show and edit the scene: level, scale, crop box, deleted points, measurements; exports follow it')
    .argument('<project>', 'a .pointmap file')
    .addOption(
      new Option('--level <how>', 'up from photos and ground, or the first photo’s own').choices(['auto', 'none']),
    )
    .option('--level-points <points...>', 'three points of a level surface')
    .option('--level-edge <points...>', 'two points of a vertical edge')
    .option('--origin <point>', 'where the scene’s zero is')
    .option('--gps', 'metres, east and north from the places in the photos’ EXIF')
    .addOption(
      new Option('--markers <family>', 'metres from printed markers, found in the photos').choices(markerFamilies),
    )
    .option('--marker-size <metres>', 'side of a marker’s black square')
    .option('--control <file>', 'table of points with known coordinates: name,x,y,z[,role],photo,px,py; a row a photo')
    .option(
      '--scale <metres>',
      'a known length; its two ends follow in --between; repeat for more lengths',
      collected,
      [],
    )
    .option(
      '--between <ends...>',
      'the two ends of a length: PHOTO:x,y, a pixel of the original photo; PHOTO:x,y+PHOTO:x,y, one point in several photos; PHOTO, its camera',
      collected,
      [],
    )
    .option(
      '--crop <box>',
      'keep what lies in this box: cx,cy,cz,sx,sy,sz[,yaw] in the scene frame, yaw in degrees; or none',
    )
    .option('--delete <file>', 'delete the points of a stored selection')
    .option('--outliers', 'delete points that lie much farther from their neighbours than most do')
    .option(
      '--measure <kind and points...>',
      `keep a measurement: ${measurementKind.options.join(', ')}, then its points; KIND=NAME names it`,
      collected,
      [],
    )
    .option('--measurements <file>', 'write all measurements, as .csv or .json')
    .option('--json', 'print the scene as the last line of standard output')
    .action(async (path: string, flags: Flags) => {
      const workspace = Workspace.open(path);
      try {
        const draft = await draftOf(workspace);
        const notes = await edit(draft, flags, workspace);
        applyDraft(workspace, draft);
        if (flags.measurements !== undefined) await writeMeasurements(workspace, resolve(flags.measurements));
        const description = await describeScene(workspace);
        const measured = await keptMeasurements(workspace);
        answer(flags.json, { project: workspace.path, ...description, measurements: measured, notes }, [
          ...notes,
          ...sceneLines(description),
          ...measurementLines(measured, description.frame.unit),
        ]);
      } finally {
        workspace.close();
      }
    });
}

/** All of it, or none: the draft is stored after the last flag has been understood. @returns remarks */
async function edit(draft: SceneDraft, flags: Flags, workspace: Workspace): Promise<string[]> {
  const operations = operationsOf(flags, workspace);
  const notes = await addOperations(workspace, draft, operations);
  if (flags.delete !== undefined) draft.deleteFile(resolve(flags.delete), (name) => photoNamed(name, workspace));
  return notes;
}

/** In the order in which they make sense: what finds the frame, then its scale, then what is given in its coordinates. */
function operationsOf(flags: Flags, workspace: Workspace): SceneOperation[] {
  const operations: SceneOperation[] = [];
  if (flags.gps) operations.push({ kind: 'gps' });
  if (flags.control !== undefined)
    operations.push(readControlFile(resolve(flags.control), (name) => photoNamed(name, workspace)));
  if (flags.level) operations.push({ kind: 'level', by: flags.level });
  if (flags.levelPoints) {
    const [a, b, c] = points(flags.levelPoints, 3, '--level-points', workspace);
    operations.push({ kind: 'level-points', points: [a!, b!, c!] });
  }
  if (flags.levelEdge) {
    const [a, b] = points(flags.levelEdge, 2, '--level-edge', workspace);
    operations.push({ kind: 'level-edge', points: [a!, b!] });
  }
  if (flags.markers || flags.markerSize !== undefined) {
    if (!flags.markers || flags.markerSize === undefined)
      throw new UserError('usage', '--markers and --marker-size are given together');
    operations.push({ kind: 'markers', family: flags.markers, metres: metres(flags.markerSize) });
  }
  const lengths = knownLengths(flags, workspace);
  if (lengths.length > 0) operations.push({ kind: 'scale', lengths });
  if (flags.origin !== undefined) operations.push({ kind: 'origin', point: parsePixel(flags.origin, workspace) });
  if (flags.crop !== undefined)
    operations.push({ kind: 'region', region: flags.crop === 'none' ? null : parseBox(flags.crop) });
  if (flags.outliers) operations.push({ kind: 'outliers', deviations: OUTLIER_DEVIATIONS });
  const measurements = newMeasurements(flags.measure, workspace);
  if (measurements.length > 0)
    operations.push({
      kind: 'measurements',
      measurements: [...workspace.project.scene().measurements, ...measurements],
    });
  return operations;
}

function points(texts: readonly string[], count: number, flag: string, workspace: Workspace): ScenePixel[] {
  if (texts.length !== count)
    throw new UserError('usage', `${flag} takes ${count} points, and ${texts.length} were given`);
  return texts.map((text) => parsePixel(text, workspace));
}

function newMeasurements(words: readonly string[], workspace: Workspace): Measurement[] {
  const found: Measurement[] = [];
  for (const word of words) {
    const [, kind, name] = /^([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
    const known = measurementKind.safeParse(kind);
    if (known.success) {
      const number = workspace.project.scene().measurements.length + found.length + 1;
      found.push({ id: randomUUID(), name: name || `${known.data} ${number}`, kind: known.data, points: [] });
    } else if (found.length === 0)
      throw new UserError(
        'usage',
        `a measurement begins with what it is (${measurementKind.options.join(', ')}), not '${word}'`,
      );
    else found.at(-1)!.points.push(parsePixel(word, workspace));
  }
  for (const { kind, points: given } of found)
    if (given.length < leastPoints[kind])
      throw new UserError(
        'usage',
        `a measurement of this kind takes at least ${leastPoints[kind]} points, and ${given.length} were given: ${kind}`,
      );
  return found;
}

async function writeMeasurements(workspace: Workspace, path: string): Promise<void> {
  const ending = extname(path).slice(1).toLowerCase();
  if (ending !== 'csv' && ending !== 'json')
    throw new UserError('usage', `measurements are written as .csv or .json: ${path}`);
  const text = await measurementsFile(workspace, ending);
  await writeAll(dirname(path), [{ name: basename(path), chunks: [new TextEncoder().encode(text)] }]);
}

function metres(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new UserError('usage', `a length is a number of metres above zero, not '${text}'`);
  return value;
}

function knownLengths({ scale, between }: Flags, workspace: Workspace): KnownLength[] {
  if (between.length !== 2 * scale.length)
    throw new UserError(
      'usage',
      `every --scale takes one --between with two ends: ${scale.length} lengths and ${between.length} ends were given`,
    );
  return scale.map((text, k) => ({
    metres: metres(text),
    a: parseEnd(between[2 * k]!, workspace),
    b: parseEnd(between[2 * k + 1]!, workspace),
  }));
}

function parseEnd(text: string, workspace: Workspace): LengthEnd {
  return /:[^/\\]*,/.test(text) ? parsePixel(text, workspace) : { camera: photoNamed(text, workspace) };
}

function parsePixel(text: string, workspace: Workspace): ScenePixel {
  // A plus may be part of a file's name: what follows it must be a photo and a pixel again.
  const [first, ...others] = text.split(/(?<=:\s*-?[\d.]+\s*,\s*-?[\d.]+\s*)\+/).map((part) => {
    const found = /^(.+):\s*(-?[\d.]+(?:e-?\d+)?)\s*,\s*(-?[\d.]+(?:e-?\d+)?)\s*$/i.exec(part);
    const [x, y] = [Number(found?.[2]), Number(found?.[3])];
    if (!found || !Number.isFinite(x) || !Number.isFinite(y))
      throw new UserError('usage', `a point is PHOTO:x,y, a photo's name and a pixel of it, not '${text}'`);
    return { photo: photoNamed(found[1]!, workspace), x, y };
  });
  return { ...first!, ...(others.length > 0 ? { others } : {}) };
}

const photoNamed = (name: string, { project }: Workspace): string => photoByName(name, project.photos());

function parseBox(text: string): SceneRegion {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if ((values.length !== 6 && values.length !== 7) || !values.every(Number.isFinite))
    throw new UserError('usage', `--crop takes cx,cy,cz,sx,sy,sz and perhaps yaw, all numbers, not '${text}'`);
  const [cx, cy, cz, sx, sy, sz, yaw = 0] = values as number[] & { length: 7 };
  if (!(sx! > 0 && sy! > 0 && sz! > 0))
    throw new UserError('usage', `the sizes of a crop box are above zero, not ${sx}, ${sy}, ${sz}`);
  return boxRegion([cx!, cy!, cz!], [sx!, sy!, sz!], yaw);
}
