import { UserError } from '../contract/errors.js';
import { presetIds, type PresetId, type PresetSettings } from '../contract/presets.js';
import type { PhotoSource } from '../export/pictures.js';
import { ExportPool } from '../export/pool.js';
import { presets } from '../export/presets/index.js';
import type { Preset, PresetInput } from '../export/presets/types.js';
import { writeFiles, type WriteOptions } from '../export/write-files.js';
import type { Photo } from '../geometry/types.js';
import { readMask } from '../photos/masks.js';
import { readUpright, readWhole } from '../photos/reader.js';
import {
  outWord,
  photosById,
  PROGRAM,
  exportedScene,
  quoted,
  refuseGonePhotos,
  type WrittenFile,
} from './exporting.js';
import { layerFiles, storedLayer } from './mesh-layer.js';
import { reportFacts } from './report-facts.js';
import type { Workspace } from './workspace.js';

/**
 * Writes what a purpose needs into a folder, all or nothing. The scene must have been built.
 *
 * @throws UserError 'not-found' (photos), 'unwritable', 'disk-full', 'nothing-to-do', or the signal's reason
 */
export async function writePreset(
  workspace: Workspace,
  folder: string,
  { preset, ...options }: PresetSettings,
  write: WriteOptions = {},
): Promise<WrittenFile[]> {
  const chosen = presetById(preset);
  const scene = exportedScene(workspace);
  const photos = photosById(workspace);
  if (chosen.needsPhotos)
    refuseGonePhotos(
      scene.cameras.map(({ photo }) => photos.get(photo)!),
      preset,
    );
  const work = new ExportPool();
  const input: PresetInput = {
    scene,
    unit: workspace.exportedUnit() === 'metre' ? 'metre' : 'scene unit',
    photos: photoSource(photos),
    work,
    mesh: storedLayer(workspace) && (await layerFiles(workspace, 'glb', 'mesh'))[0],
    facts: await reportFacts(workspace, scene),
  };
  try {
    return await writeFiles(folder, await chosen.write(input, options), write);
  } finally {
    await work.close();
  }
}

export function estimatePreset(workspace: Workspace, { preset }: PresetSettings): number {
  const scene = workspace.scenes?.components[0]?.scene;
  if (!scene) return 0;
  const chosen = presetById(preset);
  const sizes = new Map(workspace.project.photos().map(({ id, size }) => [id, size]));
  const photoBytes = chosen.needsPhotos
    ? scene.cameras.reduce((sum, { photo }) => sum + (sizes.get(photo) ?? 0), 0)
    : 0;
  return Math.round(chosen.estimateBytes(scene, photoBytes));
}

/** The command line that would write the same. @param folder where to; without one it is to be filled in */
export function presetCommand(workspace: Workspace, settings: PresetSettings, folder = ''): string {
  const flags = [
    ...(settings.crop === 'inside' ? [] : ['--crop', settings.crop]),
    ...(settings.format === 'auto' ? [] : ['--pictures', settings.format]),
    ...(settings.quality === 95 ? [] : ['--jpeg-quality', String(settings.quality)]),
    ...(settings.mostPoints === 200_000 ? [] : ['--points', String(settings.mostPoints)]),
  ];
  const where = ['--for', settings.preset, '--out', outWord(folder)];
  return [PROGRAM, 'export', quoted(workspace.path), ...where, ...flags].join(' ');
}

function presetById(id: PresetId): Preset {
  const found = presets.find((preset) => preset.id === id);
  if (!found) throw new UserError('usage', `there is no export for '${id}'; use ${presetIds.join(', ')}`);
  return found;
}

function photoSource(photos: ReadonlyMap<string, Photo>): PhotoSource {
  return {
    pixels: async ({ photo }, bits) => {
      const { width, height, pixels } = await readWhole(photos.get(photo)!, bits);
      return { width, height, channels: 3, samples: pixels };
    },
    mask: ({ photo: id, width, height }) => {
      const photo = photos.get(id)!;
      if (!photo.mask) return undefined;
      return async () => {
        const keep = (await readMask(photo, width, height))?.keep ?? new Uint8Array(width * height).fill(1);
        return { width, height, channels: 1, samples: keep.map((value) => 255 * value) };
      };
    },
    upright: ({ photo }, ending) => readUpright(photos.get(photo)!, ending),
  };
}
