import { existsSync } from 'node:fs';
import sharp from 'sharp';
import type { Deletion, SceneRegion } from '../contract/scene.js';
import type { StageContext } from '../geometry/stage.js';
import type { DepthMap } from '../geometry/types.js';
import { readPixels } from '../photos/reader.js';
import { grown } from '../photos/found-masks/morphology.js';
import { forHiddenPixels } from '../pointmaps/masking.js';
import { insideRegion } from '../scene/region.js';
import { BUILD_DEFAULTS, buildMesh, type BuildInput, type BuildOptions } from '../surface/build.js';
import { decodeSurface, encodeSurface } from '../surface/layer.js';
import { maskReader } from './masks.js';
import { cleaningKey, currentLayer, largestComponent, storedFacts, storeLayer, type MeshFacts } from './mesh-layer.js';
import type { Workspace } from './workspace.js';

/** What a build that was ended has left: the finished surface before its texture. */
const SURFACE = 'mesh surface';
/** Changes whenever the same depth maps would give another surface: one that an older program left is not taken. */
const SURFACE_VERSION = 3;

/**
 * Builds the mesh of the largest component and stores it in the project in place of the one before. A build that was
 * ended after the surface was finished goes on from there.
 *
 * @throws UserError 'nothing-to-do' without an alignment, 'bad-input' when there is no surface in the depth maps
 */
export async function buildLayer(
  workspace: Workspace,
  options: Partial<BuildOptions>,
  context: Partial<StageContext> = {},
): Promise<MeshFacts> {
  if (!workspace.isShown) await workspace.buildScenes(context.signal);
  const { scene, pixelsOf, key } = largestComponent(workspace);
  const { cameras } = scene;
  const cleaning = workspace.scene.cleaning(key, scene);
  const settings = settingsOf(workspace, options);
  const cleaned = cleaningKey(workspace);
  const surfaceKey = JSON.stringify([SURFACE_VERSION, key, cleaned, { ...settings, textureSize: undefined }]);
  const { blobs } = workspace.project;
  const left = blobs.get(SURFACE);
  const built = await buildMesh(
    {
      cameras,
      maps: scene.depthMaps,
      pixelsOf,
      light: scene.light,
      masked: maskedPixels(workspace, scene.depthMaps),
      cleaning,
      ...photosOf(workspace, cameras),
      surface: left && decodeSurface(left, surfaceKey),
      onSurface: (mesh) => blobs.put(SURFACE, encodeSurface(mesh, surfaceKey)),
    },
    { ...settings, threads: options.threads },
    { ...context, execution: workspace.execution },
  );
  const facts: MeshFacts = {
    ...built.facts,
    alignment: key,
    cleaning: cleaned,
    region: cleaning.region ?? null,
    settings: JSON.stringify(settings),
    photos: cameras.map(({ photo, name }) => ({ id: photo, name })),
    textureSize: built.mesh.pageSize,
  };
  storeLayer(workspace, { mesh: built.mesh, facts });
  return facts;
}

type Settings = Omit<BuildOptions, 'threads'> & { inferred: boolean };

function settingsOf(workspace: Workspace, options: Partial<BuildOptions>): Settings {
  const { minConfidence, removeFloating, inferred } = workspace.project.settings();
  const given = { ...BUILD_DEFAULTS, minConfidence, removeFloating, inferred, ...options };
  const { faces, textureSize, closeHoles } = given;
  return {
    faces,
    textureSize,
    closeHoles,
    inferred,
    minConfidence: given.minConfidence,
    removeFloating: given.removeFloating,
  };
}

function photosOf(
  workspace: Workspace,
  cameras: BuildInput['cameras'],
): Pick<BuildInput, 'sharpness' | 'picture' | 'encode'> {
  const photos = new Map(workspace.project.photos().map((photo) => [photo.id, photo]));
  return {
    sharpness: cameras.map(({ photo }) => photos.get(photo)?.sharpness ?? 1),
    picture: async (index, longSide) => {
      const photo = photos.get(cameras[index]!.photo);
      return photo && existsSync(photo.path) ? readPixels(photo, { longSide }) : undefined;
    },
    encode: (pixels, size) =>
      sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
        .toBuffer(),
  };
}

/** Which pixels of a depth map are masked; one more around them, because a texel lies between the pixels of a map. */
function maskedPixels(
  workspace: Workspace,
  maps: readonly DepthMap[],
): (index: number) => Promise<Uint8Array | undefined> {
  const photos = workspace.project.photos();
  const maskOf = maskReader(photos);
  const places = new Map(photos.map(({ id }, index) => [id, index]));
  return async (k) => {
    const map = maps[k]!;
    const index = places.get(map.photo);
    const mask = index === undefined ? undefined : await maskOf(index);
    if (index === undefined || !mask) return undefined;
    const flags = new Uint8Array(map.width * map.height);
    forHiddenPixels(map, photos[index]!, mask, (pixel) => (flags[pixel] = 1));
    return grown(flags, map.width, map.height, 1.5);
  };
}

/**
 * The mesh as a build of these options would make it, without building where that is not needed: where nothing changed
 * since, or where things were only taken away, whose faces then go (surface/erase.ts: a second, not a minute).
 */
export async function bringUpToDate(
  workspace: Workspace,
  options: Partial<BuildOptions>,
  context: Partial<StageContext> = {},
): Promise<MeshFacts> {
  const facts = storedFacts(workspace);
  if (facts?.settings === JSON.stringify(settingsOf(workspace, options))) {
    if (!workspace.isShown) await workspace.buildScenes(context.signal);
    const { scene, key } = largestComponent(workspace);
    const region = workspace.scene.cleaning(key, scene).region ?? null;
    if (onlyTaken(facts, region, workspace.project.scene().deletions)) {
      const { mesh } = (await currentLayer(workspace))!;
      const { stale: _, edits: __, ...rest } = facts;
      return { ...rest, faces: mesh.photo.length, inferred: mesh.inferred.reduce((sum, one) => sum + one, 0) };
    }
  }
  return buildLayer(workspace, options, context);
}

/** Whether all that a mesh was built from holds what is left now. */
function onlyTaken(facts: MeshFacts, region: SceneRegion | null, deletions: readonly Deletion[]): boolean {
  const [, before] = JSON.parse(facts.cleaning) as [unknown, Deletion[]];
  const later = deletions.slice(before.length);
  if (JSON.stringify(deletions.slice(0, before.length)) !== JSON.stringify(before)) return false;
  if (later.some(({ mode }) => mode !== 'delete')) return false;
  return (
    facts.region === null ||
    (region !== null && corners(region).every((at) => insideRegion(grownRegion(facts.region!), at)))
  );
}

function corners({ centre, size, rotation: R }: SceneRegion): number[][] {
  return Array.from({ length: 8 }, (_, k) => {
    const half = size.map((value, i) => ((k >> i) & 1 ? 0.5 : -0.5) * value);
    return [0, 1, 2].map(
      (i) => centre[i]! + R[3 * i]! * half[0]! + R[3 * i + 1]! * half[1]! + R[3 * i + 2]! * half[2]!,
    );
  });
}

/** A hair larger: a region that did not change holds its own corners. */
const grownRegion = (region: SceneRegion): SceneRegion => ({
  ...region,
  size: region.size.map((value) => value * (1 + 1e-6)) as SceneRegion['size'],
});

export interface MeshCost {
  seconds: number;
  /** Bytes. */
  memory: number;
}

/**
 * What a build will take. Measured on the sample photos (2 million pixels of depth, 500,000 faces, 4,096 pixels of
 * texture: 45 s of processor time, 1.4 GB).
 */
export function forecastMesh(workspace: Workspace, { faces, textureSize }: MeshSize, threads: number): MeshCost {
  const pixels = (workspace.alignment?.components[0]?.views ?? []).reduce(
    (sum, { width, height }) => sum + width * height,
    0,
  );
  const work = 1.2e-5 * pixels + 2e-5 * faces + 6e-7 * textureSize ** 2;
  // Cleaning, simplifying and unwrapping are one thread's work.
  return { seconds: work * (0.4 + 0.6 / threads), memory: 4e8 + 300 * pixels + 16 * textureSize ** 2 + 300 * faces };
}

export interface MeshSize {
  faces: number;
  textureSize: number;
  closeHoles?: boolean | undefined;
}
