import type { SceneRegion } from '../contract/scene.js';
import { serve, type Answer } from '../compute/serve.js';
import { bakePhoto, layersOf, type BakeInput, type Layers, type Page } from './bake.js';
import { planBlocks, type BlockOptions, type PlannedView } from './blocks.js';
import { addLook, withoutOutliers, type Candidates } from './candidates.js';
import { makeCharts } from './charts.js';
import {
  castVotes,
  erase,
  facePlaces,
  touchFaces,
  viewsOf,
  type FacePlaces,
  type MarkedView,
  type Reach,
  type Votes,
} from './erase.js';
import { addEvidence, type Evidence, type EvidenceOptions } from './evidence.js';
import { bakeUnseen, finishPage, vertexColours, type BakeUnseenInput } from './finish-page.js';
import { fuseBlock, type BlockSurface, type FusionOptions } from './fusion.js';
import { foundSky, type FoundSkyOptions, type SkylessMap } from './found-sky.js';
import { oppositeHalfEdges } from './half-edges.js';
import { layerLevels, levelSeams } from './levelling.js';
import { chooseLabels } from './labels.js';
import { facing, look, type Look } from './looks.js';
import { derive, type Derived, type Wanted } from './levels.js';
import { pack, type PackingOptions } from './packing.js';
import { refine, type RefineOptions } from './refine.js';
import { shared, sharedMesh } from './shared.js';
import { placeTexels, type Texels } from './texels.js';
import { layOutMesh, type TexturedMesh } from './textured.js';
import type { Picture, TexturePhoto } from './texture-photo.js';
import type { Block, Mesh, SurfaceView, ViewCamera } from './types.js';

/** What the threads are asked, and what they answer: one entry a step. */
export interface Steps {
  sky: {
    request: { map: SkylessMap; pixels: Uint8Array; options: Partial<FoundSkyOptions> };
    answer: Uint8Array | null;
  };
  plan: { request: { views: readonly PlannedView[]; options: Partial<BlockOptions> }; answer: Block[] };
  fuse: {
    request: { views: readonly SurfaceView[]; block: Block; options: Partial<FusionOptions> };
    answer: BlockSurface;
  };
  refine: {
    request: { blocks: readonly BlockSurface[]; cameras: readonly ViewCamera[]; options: RefineOptions };
    answer: Mesh;
  };
  evidence: {
    request: { positions: Float32Array; view: SurfaceView; evidence: Evidence; options: Partial<EvidenceOptions> };
    answer: null;
  };
  facing: { request: { mesh: Mesh }; answer: Float32Array };
  look: { request: { mesh: Mesh; faces: Float32Array; photo: TexturePhoto; picture: Picture }; answer: Look };
  remember: { request: { candidates: Candidates; index: number; look: Look }; answer: null };
  unwrap: {
    request: { mesh: Mesh; candidates: Candidates; photos: readonly TexturePhoto[]; options: Partial<PackingOptions> };
    answer: Atlas;
  };
  bake: {
    request: { input: BakeInput; index: number; picture: Picture; page: Parameters<typeof bakePhoto>[3] };
    answer: null;
  };
  places: {
    request: { mesh: Pick<TexturedMesh, 'positions' | 'indices'>; region?: SceneRegion | undefined };
    answer: FacePlaces;
  };
  touch: { request: { places: FacePlaces; view: MarkedView; touched: Uint8Array }; answer: null };
  viewsOf: { request: { places: FacePlaces; ballot: Ballot; cameras: readonly ViewCamera[] }; answer: number[] };
  vote: { request: { places: FacePlaces; ballot: Ballot; view: MarkedView }; answer: null };
  erase: { request: { mesh: TexturedMesh; places: FacePlaces; deleted: Uint32Array }; answer: TexturedMesh };
  derive: { request: { mesh: TexturedMesh; wanted: Wanted }; answer: Derived };
  finish: { request: { page: Page; number: number; unseen: BakeUnseenInput }; answer: Uint8Array };
}
export type StepName = keyof Steps;

/** Which faces are voted on, by which pixels. */
export interface Ballot {
  faces: Uint32Array;
  reach: Reach;
  votes: Votes;
}

/** What the unwrapping knows: all that laying photos onto pages needs. */
export interface Atlas {
  labels: Int16Array;
  texels: Texels;
  layers: Layers;
  /** [layers, 3 corners, 3] what levels the seams. */
  levels: Float32Array;
  /** [vertices, 3] of the mesh before its vertices were doubled. */
  colours: Uint8Array;
  pages: number;
  pageSize: number;
  /** Texels per pixel of the photos. */
  scale: number;
  charts: number;
  outliers: number;
  laidOut: ReturnType<typeof layOutMesh>;
}

const handlers: { [S in StepName]: (request: Steps[S]['request']) => Answer | Promise<Answer> } = {
  sky: ({ map, pixels, options }) => ({ value: foundSky(map, pixels, options) ?? null }),
  plan: ({ views, options }) => ({ value: planBlocks(views, options) }),
  fuse: ({ views, block, options }) => {
    const { positions, support, indices } = fuseBlock(views, block, options);
    return { value: { positions: shared(positions), support: shared(support), indices: shared(indices) } };
  },
  refine: async ({ blocks, cameras, options }) => {
    return { value: sharedMesh(await refine(blocks, cameras, options)) };
  },
  evidence: ({ positions, view, evidence, options }) => {
    addEvidence(positions, view, evidence, options);
    return { value: null };
  },
  facing: ({ mesh }) => ({ value: shared(facing(mesh)) }),
  look: ({ mesh, faces, photo, picture }) => {
    const value = look(mesh, faces, photo, picture);
    return { value, transfer: [value.quality.buffer as ArrayBuffer, value.colour.buffer as ArrayBuffer] };
  },
  remember: ({ candidates, index, look: seen }) => {
    addLook(candidates, index, seen);
    return { value: null };
  },
  unwrap: ({ mesh, candidates, photos, options }) => ({ value: unwrap(mesh, candidates, photos, options) }),
  bake: ({ input, index, picture, page }) => {
    bakePhoto(input, index, picture, page);
    return { value: null };
  },
  places: ({ mesh, region }) => ({ value: facePlaces(mesh, region) }),
  touch: ({ places, view, touched }) => {
    touchFaces(places, view, touched);
    return { value: null };
  },
  viewsOf: ({ places, ballot, cameras }) => ({ value: viewsOf(places, ballot, cameras) }),
  vote: ({ places, ballot, view }) => {
    castVotes(places, ballot, view);
    return { value: null };
  },
  erase: ({ mesh, places, deleted }) => ({ value: erase(mesh, places, deleted) }),
  derive: async ({ mesh, wanted }) => ({ value: await derive(mesh, wanted) }),
  finish: ({ page, number, unseen }) => {
    bakeUnseen(page, number, unseen);
    const value = finishPage(page);
    return { value, transfer: [value.buffer as ArrayBuffer] };
  },
};

function unwrap(
  mesh: Mesh,
  candidates: Candidates,
  photos: readonly TexturePhoto[],
  options: Partial<PackingOptions>,
): Atlas {
  const outliers = withoutOutliers(candidates);
  const opposite = oppositeHalfEdges(mesh.indices);
  const labels = chooseLabels(candidates, opposite);
  const charts = makeCharts(mesh, labels, opposite, photos);
  const packing = pack(charts, options);
  const texels = placeTexels(charts, packing);
  const layers = layersOf(mesh, labels, candidates);
  const levels = levelSeams(mesh.indices, mesh.positions.length / 3, labels, opposite, candidates);
  const colours = vertexColours(mesh, labels, candidates, levels);
  const pageSize = packing.pageSize;
  const layout = { charts, texels, pages: packing.pages, pageSize, colours };
  return {
    labels: shared(labels),
    texels: { places: shared(texels.places), page: shared(texels.page) },
    layers: { face: shared(layers.face), photo: shared(layers.photo), share: shared(layers.share) },
    levels: shared(layerLevels(layers, mesh.indices, levels)),
    colours: shared(colours),
    pages: packing.pages,
    pageSize,
    scale: packing.scale,
    charts: charts.charts.length,
    outliers,
    laidOut: layOutMesh(mesh, layout),
  };
}

serve(({ step, request }: { step: StepName; request: never }) => handlers[step](request));
