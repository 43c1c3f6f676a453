import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UserError } from '../contract/errors.js';
import type { KnownLength, SceneDescription, ScenePixel, SceneRegion, Vector } from '../contract/scene.js';
import { applyDraft, boxRegion, describeScene, draftOf } from '../engine/scene-edits.js';
import type { SceneDraft } from '../engine/scene-draft.js';
import { Workspace } from '../engine/workspace.js';
import { answer } from './output.js';

interface Flags {
  level?: 'auto' | 'none';
  scale: string[];
  between: string[];
  crop?: string;
  delete?: string;
  json?: boolean;
}

const collected = (value: string, before: string[]): string[] => [...before, value];

export function addScene(program: Command): void {
  program
    .command('scene')
    .description('show and edit the scene: level, scale, crop box, deleted points; exports follow it')
    .argument('<project>', 'a .pointmap file')
    .addOption(
      new Option('--level <how>', 'up from photos and ground, or the first photo’s own').choices(['auto', 'none']),
    )
    .option(
      '--scale <metres>',
      'a known length; its two ends follow in --between; repeat for more lengths',
      collected,
      [],
    )
    .option(
      '--between <pixels...>',
      'the two ends of a length, each PHOTO:x,y: a pixel of the original photo',
      collected,
      [],
    )
    .option(
      '--crop <box>',
      'keep what lies in this box: cx,cy,cz,sx,sy,sz[,yaw] in the scene frame, yaw in degrees; or none',
    )
    .option('--delete <file>', 'delete the points of a stored selection')
    .option('--json', 'print the scene as the last line of standard output')
    .action(async (path: string, flags: Flags) => {
      const workspace = Workspace.open(path);
      try {
        const draft = await draftOf(workspace);
        await edit(draft, flags, workspace);
        applyDraft(workspace, draft);
        const description = await describeScene(workspace);
        answer(flags.json, { project: workspace.path, ...description }, lines(description));
      } finally {
        workspace.close();
      }
    });
}

/** All of it, or none: the draft is stored after the last flag has been understood. */
async function edit(draft: SceneDraft, flags: Flags, workspace: Workspace): Promise<void> {
  const lengths = knownLengths(flags, workspace);
  const region = flags.crop === undefined || flags.crop === 'none' ? undefined : parseBox(flags.crop);
  if (flags.level === 'auto') draft.levelAutomatically();
  if (flags.level === 'none') draft.unlevel();
  if (lengths.length > 0) await draft.scale(lengths);
  if (flags.crop !== undefined) draft.crop(region);
  if (flags.delete !== undefined) draft.deleteFile(resolve(flags.delete), (name) => photoNamed(name, workspace));
}

function knownLengths({ scale, between }: Flags, workspace: Workspace): KnownLength[] {
  if (between.length !== 2 * scale.length)
    throw new UserError(
      'usage',
      `every --scale takes one --between with two ends: ${scale.length} lengths and ${between.length} ends were given`,
    );
  return scale.map((text, k) => {
    const metres = Number(text);
    if (text.trim() === '' || !Number.isFinite(metres) || metres <= 0)
      throw new UserError('usage', `a length is a number of metres above zero, not '${text}'`);
    return { metres, a: parsePixel(between[2 * k]!, workspace), b: parsePixel(between[2 * k + 1]!, workspace) };
  });
}

function parsePixel(text: string, workspace: Workspace): ScenePixel {
  const found = /^(.+):\s*(-?[\d.]+(?:e-?\d+)?)\s*,\s*(-?[\d.]+(?:e-?\d+)?)\s*$/i.exec(text);
  const [x, y] = [Number(found?.[2]), Number(found?.[3])];
  if (!found || !Number.isFinite(x) || !Number.isFinite(y))
    throw new UserError('usage', `the end of a length is PHOTO:x,y, a photo's name and a pixel of it, not '${text}'`);
  return { photo: photoNamed(found[1]!, workspace), x, y };
}

/** By its whole name, or by its name without the ending where that means one photo. */
function photoNamed(name: string, { project }: Workspace): string {
  const photos = project.photos();
  const stem = (text: string): string => text.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, '');
  const exact = photos.filter((photo) => photo.name === name || photo.id === name || photo.path === resolve(name));
  const found = exact.length > 0 ? exact : photos.filter((photo) => stem(photo.name) === stem(name));
  if (found.length === 1) return found[0]!.id;
  throw new UserError(
    'usage',
    found.length === 0
      ? `there is no photo of this name in the project: ${name}`
      : `${found.length} photos have this name without its ending; write the ending too: ${name}`,
  );
}

function parseBox(text: string): SceneRegion {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if ((values.length !== 6 && values.length !== 7) || !values.every(Number.isFinite))
    throw new UserError('usage', `--crop takes cx,cy,cz,sx,sy,sz and perhaps yaw, all numbers, not '${text}'`);
  const [cx, cy, cz, sx, sy, sz, yaw = 0] = values as number[] & { length: 7 };
  if (!(sx! > 0 && sy! > 0 && sz! > 0))
    throw new UserError('usage', `the sizes of a crop box are above zero, not ${sx}, ${sy}, ${sz}`);
  return boxRegion([cx!, cy!, cz!], [sx!, sy!, sz!], yaw);
}

function lines({ frame, bounds, cameras, points, kept, region, deletions, lengths }: SceneDescription): string[] {
  const unit = frame.unit === 'metre' ? ' m' : '';
  const three = (values: Vector): string => values.map((value) => value.toPrecision(4)).join(' x ');
  const levels: Record<typeof frame.level, string> = {
    auto: 'level from photos and ground',
    none: 'not levelled: the first photo is upright',
    points: 'level by three points',
    edge: 'level by a vertical edge',
    hand: 'level by hand',
    cameras: 'frame of known cameras',
    gps: 'frame of the places in the photos, east, north, up',
    marker: 'level by a marker',
  };
  const off = (residual: number, metres: number): string =>
    `${residual >= 0 ? '+' : ''}${(residual * 1000).toFixed(1)} mm, ${((100 * residual) / metres).toFixed(2)} %`;
  return [
    `${levels[frame.level]}; z is up; ${frame.unit === 'metre' ? 'in metres' : 'no scale yet: lengths are in units of the scene'}`,
    `size ${three(bounds.size)}${unit} (middle 98 % of the points), from ${bounds.least.map((value) => value.toPrecision(4)).join(', ')}`,
    `${cameras} cameras, ${kept.toLocaleString('en')} of ${points.toLocaleString('en')} points kept`,
    ...(region
      ? [`crop box of ${three(region.size)}${unit} at ${region.centre.map((value) => value.toPrecision(4)).join(', ')}`]
      : []),
    ...(deletions > 0 ? [`${deletions} steps of cleaning`] : []),
    ...lengths.map(
      ({ metres, measured, residual }) =>
        `length ${metres} m: ${measured.toFixed(4)} m in the scene (${off(residual, metres)})`,
    ),
  ];
}
