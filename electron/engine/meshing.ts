import { existsSync } from 'node:fs';
import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import type { ExportFile } from '../export/types.js';
import { meshFiles, type MeshEnding } from '../export/mesh-files.js';
import type { StageContext } from '../geometry/stage.js';
import type { Scene } from '../geometry/types.js';
import { readPixels } from '../photos/reader.js';
import { buildMesh, type Built, type BuildOptions } from '../surface/build.js';
import { decodeMesh, encodeMesh } from '../surface/layer.js';
import { meshInFrame, type TexturedMesh } from '../surface/textured.js';
import { cleanedMap } from '../scene/cleaning.js';
import type { Workspace } from './workspace.js';

export { meshEndings, type MeshEnding } from '../export/mesh-files.js';

const LAYER = 'mesh layer';

/** What is known of the mesh layer beside its faces. */
export type MeshFacts = Built['facts'] & {
  /** Key of the alignment that it was built from. */
  alignment: string;
  /** Names of the photos that the faces' numbers mean. */
  photos: string[];
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
    photos: cameras.map(({ name }) => name),
    textureSize: built.mesh.pageSize,
  };
  workspace.project.blobs.put(LAYER, encodeMesh(built.mesh, facts));
  return facts;
}

/** The stored mesh; undefined when none was built, or for an alignment that is no more. */
export function storedLayer(workspace: Workspace): MeshLayer | undefined {
  const bytes = workspace.project.blobs.get(LAYER);
  const layer = bytes && decodeMesh<MeshFacts>(bytes);
  return layer && layer.facts.alignment === workspace.alignment?.key ? layer : undefined;
}

/**
 * The mesh layer in the scene frame, as files of the kind that the ending names.
 *
 * @throws UserError 'nothing-to-do' without a mesh
 */
export function layerFiles(workspace: Workspace, ending: MeshEnding, baseName: string): ExportFile[] {
  const layer = storedLayer(workspace);
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
