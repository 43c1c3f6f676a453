import { existsSync } from 'node:fs';
import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import type { ExportFile } from '../export/types.js';
import { meshGlb } from '../export/mesh-glb.js';
import { meshFiles, type MeshEnding } from '../export/mesh-files.js';
import type { StageContext } from '../geometry/stage.js';
import type { Scene } from '../geometry/types.js';
import { readPixels } from '../photos/reader.js';
import { buildMesh, eraseFrom, type Built, type BuildOptions } from '../surface/build.js';
import { decodeMesh, encodeMesh } from '../surface/layer.js';
import { meshInFrame, type TexturedMesh } from '../surface/textured.js';
import { cleanedMap } from '../scene/cleaning.js';
import type { Workspace } from './workspace.js';

export { meshEndings, type MeshEnding } from '../export/mesh-files.js';

const LAYER = 'mesh layer';
const FACTS = 'mesh facts';

/** What is known of the mesh layer beside its faces. */
export type MeshFacts = Built['facts'] & {
  /** Key of the alignment that it was built from. */
  alignment: string;
  /** What was taken away from the scene when it was built. */
  cleaning: string;
  /** The photos that the faces' numbers mean. */
  photos: { id: string; name: string }[];
  textureSize: number;
};

export interface MeshLayer {
  mesh: TexturedMesh;
  facts: MeshFacts;
}

/**
 * Builds the mesh of the largest component and stores it in the project in place of the one before.
 *
 * @throws UserError 'nothing-to-do' without an alignment, 'bad-input' when there is no surface in the depth maps
 */
export async function buildLayer(
  workspace: Workspace,
  options: Partial<BuildOptions>,
  context: Partial<StageContext> = {},
): Promise<MeshFacts> {
  if (!workspace.scenes || workspace.scenes.partial) await workspace.buildScenes(context.signal);
  const { scene, key } = component(workspace);
  const { cameras } = scene;
  const cleaning = workspace.scene.cleaning(key, scene);
  const photos = new Map(workspace.project.photos().map((photo) => [photo.id, photo]));
  const { minConfidence, removeFloating } = workspace.project.settings();
  const built = await buildMesh(
    {
      cameras,
      maps: scene.depthMaps.map((map, k) => cleanedMap(map, cameras[k]!, cleaning)),
      sharpness: cameras.map(({ photo }) => photos.get(photo)?.sharpness ?? 1),
      picture: async (index, longSide) => {
        const photo = photos.get(cameras[index]!.photo);
        return photo && existsSync(photo.path) ? readPixels(photo, { longSide }) : undefined;
      },
      encode: (pixels, size) =>
        sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
          .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
          .toBuffer(),
    },
    { minConfidence, removeFloating, ...options },
    context,
  );
  const facts: MeshFacts = {
    ...built.facts,
    alignment: key,
    cleaning: cleaningKey(workspace),
    photos: cameras.map(({ photo, name }) => ({ id: photo, name })),
    textureSize: built.mesh.pageSize,
  };
  workspace.project.blobs.put(LAYER, encodeMesh(built.mesh, facts));
  workspace.project.blobs.put(FACTS, new TextEncoder().encode(JSON.stringify(facts)));
  return facts;
}

function cleaningKey(workspace: Workspace): string {
  const { region, deletions } = workspace.project.scene();
  return JSON.stringify([region ?? null, deletions]);
}

/** What is known of the stored mesh, and whether the scene was edited since; undefined as `storedLayer`. */
export function storedFacts(workspace: Workspace): (MeshFacts & { stale: boolean; edits: string }) | undefined {
  const bytes = workspace.project.blobs.get(FACTS);
  if (!bytes) return undefined;
  const facts = JSON.parse(new TextDecoder().decode(bytes)) as MeshFacts;
  if (facts.alignment !== workspace.alignment?.key) return undefined;
  const edits = cleaningKey(workspace);
  return { ...facts, stale: facts.cleaning !== edits, edits };
}

/** For the viewer: 'mesh' as a GLB in the alignment's axes with y up, 'mesh-photos' the photo of each of its faces. */
export async function layerForViewer(workspace: Workspace, kind: string): Promise<Uint8Array | undefined> {
  const mesh = (await currentLayer(workspace))?.mesh;
  if (!mesh) return undefined;
  if (kind === 'mesh') return Buffer.concat([...meshGlb(mesh, [])]);
  return new Uint8Array(mesh.photo.buffer, mesh.photo.byteOffset, mesh.photo.byteLength);
}

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
}

/** The stored mesh; undefined when none was built, or for an alignment that is no more. */
export function storedLayer(workspace: Workspace): MeshLayer | undefined {
  const bytes = workspace.project.blobs.get(LAYER);
  const layer = bytes && decodeMesh<MeshFacts>(bytes);
  return layer && layer.facts.alignment === workspace.alignment?.key ? layer : undefined;
}

/** The stored mesh without what was taken away from the scene since it was built. */
export async function currentLayer(workspace: Workspace): Promise<MeshLayer | undefined> {
  const layer = storedLayer(workspace);
  if (!layer || layer.facts.cleaning === cleaningKey(workspace)) return layer;
  if (!workspace.scenes || workspace.scenes.partial) await workspace.buildScenes();
  const { scene, key } = component(workspace);
  const { region, deleted } = workspace.scene.cleaning(key, scene);
  const erasure = {
    cameras: scene.cameras,
    maps: scene.depthMaps,
    deleted: scene.depthMaps.map(({ photo }) => deleted.get(photo)?.bits),
    region,
  };
  return { ...layer, mesh: await eraseFrom(layer.mesh, erasure) };
}

/**
 * The mesh layer in the scene frame, as files of the kind that the ending names.
 *
 * @throws UserError 'nothing-to-do' without a mesh
 */
export async function layerFiles(workspace: Workspace, ending: MeshEnding, baseName: string): Promise<ExportFile[]> {
  const layer = await currentLayer(workspace);
  if (!layer) throw new UserError('nothing-to-do', `this project has no mesh yet; build it first: ${workspace.path}`);
  const { scene, key } = component(workspace);
  const frame = workspace.scene.frame(key, scene);
  return meshFiles(meshInFrame(layer.mesh, frame.sceneFromAlignment), workspace.exported().cameras, ending, baseName);
}

function component(workspace: Workspace): { scene: Scene; key: string } {
  const scene = workspace.scenes?.components[0]?.scene;
  if (!workspace.alignment || !scene)
    throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${workspace.path}`);
  return { scene, key: workspace.alignment.key };
}
