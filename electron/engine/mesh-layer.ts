import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import type { SceneRegion } from '../contract/scene.js';
import type { ExportFile } from '../export/types.js';
import { meshFiles, type MeshEnding, type MeshFileOptions } from '../export/mesh-files.js';
import { meshGlb } from '../export/mesh-glb.js';
import type { Picture } from '../scene/preview.js';
import { deriveFrom, type Built } from '../surface/build.js';
import { eraseFrom } from '../surface/erasing.js';
import { decodeMesh, encodeMesh } from '../surface/layer.js';
import type { Wanted } from '../surface/levels.js';
import { meshPreview } from '../surface/preview.js';
import { meshInFrame, type TexturedMesh } from '../surface/textured.js';
import type { BuiltComponent } from './scenes.js';
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
  /** The crop region then, in the alignment's world. */
  region: SceneRegion | null;
  /** What it was built with, as text: another build of the same would come out the same. */
  settings: string;
  /** The photos that the faces' numbers mean. */
  photos: { id: string; name: string }[];
  textureSize: number;
};

export interface MeshLayer {
  mesh: TexturedMesh;
  facts: MeshFacts;
}

export function storeLayer(workspace: Workspace, { mesh, facts }: MeshLayer): void {
  workspace.project.blobs.put(LAYER, encodeMesh(mesh, facts));
  workspace.project.blobs.put(FACTS, new TextEncoder().encode(JSON.stringify(facts)));
}

/** Region and deletions as they are now. */
export function cleaningKey(workspace: Workspace): string {
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
  if (!workspace.isShown) await workspace.buildScenes();
  const { scene, key } = largestComponent(workspace);
  const { region, deleted } = workspace.scene.cleaning(key, scene);
  const erasure = {
    cameras: scene.cameras,
    maps: scene.depthMaps,
    deleted: scene.depthMaps.map(({ photo }) => deleted.get(photo)?.bits),
    region,
  };
  return { ...layer, mesh: await eraseFrom(layer.mesh, erasure) };
}

/** For the viewer: 'mesh' as a GLB in the alignment's axes with y up, 'mesh-photos' the photo of each of its faces. */
export async function layerForViewer(workspace: Workspace, kind: string): Promise<Uint8Array | undefined> {
  const mesh = (await currentLayer(workspace))?.mesh;
  if (!mesh) return undefined;
  if (kind === 'mesh') return Buffer.concat([...meshGlb(mesh, [], { confidence: true })]);
  return new Uint8Array(mesh.photo.buffer, mesh.photo.byteOffset, mesh.photo.byteLength);
}

/** The mesh from two sides; undefined where there is none. */
export async function layerPreview(workspace: Workspace): Promise<Picture | undefined> {
  const layer = await currentLayer(workspace);
  if (!layer) return undefined;
  const { scene, key } = largestComponent(workspace);
  const mesh = meshInFrame(layer.mesh, workspace.scene.frame(key, scene).sceneFromAlignment);
  const pixels = await Promise.all(mesh.pages.map(({ picture }) => sharp(picture).removeAlpha().raw().toBuffer()));
  return meshPreview(mesh, { size: mesh.pageSize, pixels }, workspace.exported().cameras);
}

export type LayerFileOptions = Omit<MeshFileOptions, 'beside'> & Wanted;

/**
 * The mesh layer in the scene frame, as files of the kind that the ending names, and what is wanted beside it.
 *
 * @throws UserError 'nothing-to-do' without a mesh, or where all of it was taken away
 */
export async function layerFiles(
  workspace: Workspace,
  ending: MeshEnding,
  baseName: string,
  options: Partial<LayerFileOptions> = {},
): Promise<ExportFile[]> {
  const layer = await currentLayer(workspace);
  if (!layer) throw new UserError('nothing-to-do', `this project has no mesh yet; build it first: ${workspace.path}`);
  if (layer.mesh.indices.length === 0)
    throw new UserError(
      'nothing-to-do',
      `all of the mesh was deleted or lies outside the region; widen the region: ${workspace.path}`,
    );
  const { scene, key } = largestComponent(workspace);
  const mesh = meshInFrame(layer.mesh, workspace.scene.frame(key, scene).sceneFromAlignment);
  const { levels = 0, collisionFaces = 0, ...file } = options;
  const beside = levels + collisionFaces > 0 ? await deriveFrom(mesh, { levels, collisionFaces }) : {};
  return meshFiles(mesh, workspace.exported().cameras, ending, baseName, { ...file, beside });
}

/** @throws UserError 'nothing-to-do' while there is none; the scenes must have been built */
export function largestComponent(workspace: Workspace): BuiltComponent & { key: string } {
  const component = workspace.scenes?.components[0];
  if (!workspace.alignment || !component)
    throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${workspace.path}`);
  return { ...component, key: workspace.alignment.key };
}
