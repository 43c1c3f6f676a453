import { existsSync } from 'node:fs';
import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import type { ExportFile } from '../export/types.js';
import { meshGlb } from '../export/mesh-glb.js';
import type { StageContext } from '../geometry/stage.js';
import type { Camera, FocalSource } from '../geometry/types.js';
import { readPixels } from '../photos/reader.js';
import { buildMesh, type Built, type BuildOptions } from '../surface/build.js';
import { decodeMesh, encodeMesh } from '../surface/layer.js';
import type { TexturedMesh } from '../surface/textured.js';
import type { Workspace } from './workspace.js';

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
  const component = workspace.alignment?.components[0];
  if (!workspace.alignment || !component)
    throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${workspace.path}`);
  const photos = new Map(workspace.project.photos().map((photo) => [photo.id, photo]));
  const cameras = component.cameras.map(camera);
  const { minConfidence, removeFloating } = workspace.project.settings();
  const built = await buildMesh(
    {
      cameras,
      maps: component.views,
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
    alignment: workspace.alignment.key,
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

/** The mesh layer and the cameras as one glTF binary. */
export function meshFile(workspace: Workspace, name: string): ExportFile {
  const layer = storedLayer(workspace);
  if (!layer) throw new UserError('nothing-to-do', `this project has no mesh yet; build it first: ${workspace.path}`);
  const cameras = workspace.alignment!.components[0]!.cameras.map(camera);
  return { name, chunks: meshGlb(layer.mesh, cameras, { name: name.replace(/\.glb$/i, '') }) };
}

function camera({
  focalSource,
  worldFromCamera,
  ...rest
}: NonNullable<Workspace['alignment']>['components'][number]['cameras'][number]): Camera {
  return { ...rest, focalSource: focalSource as FocalSource, worldFromCamera: Float64Array.from(worldFromCamera) };
}
