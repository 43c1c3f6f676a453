import type { Execution } from '../compute/execution.js';
import { withOtherArrays } from '../compute/lazy-arrays.js';
import { median } from '../numerics/median.js';
import type { RunSettings, SceneInfo } from '../contract/api.js';
import { confidenceScale } from '../contract/confidence.js';
import { pointsAbout } from '../geometry/cloud.js';
import type { SparseModel } from '../geometry/sparse-model.js';
import type { Camera, DepthMap, FocalSource, PhotoId, PointCloud, Scene } from '../geometry/types.js';
import type { StoredAlignment, StoredView } from '../project/alignments.js';
import { fuseScene } from '../scene/fuse.js';
import { breath } from '../scene/kept-pixels.js';
import { reprojectionErrors } from '../scene/reprojection.js';
import { sparseOfScene } from '../scene/sparse.js';

/** All components as scenes, largest first, ready to be shown and exported. */
export interface BuiltScenes {
  revision: number;
  /** True for a first look while pairs are still being computed. */
  partial: boolean;
  components: BuiltComponent[];
  /** Of the first component's cloud. Told with every change of the project, so it is worked out once. */
  extent: Extent;
  /** Pixels of the original photo, by photo; of those that the sparse model placed. */
  reprojection?: ReadonlyMap<string, number>;
  /** Of all depths; none of sparse points. */
  confidence?: number[] | undefined;
  /** By photo, the range of its confident depths, whether measured or not. */
  ranges?: ReadonlyMap<PhotoId, [number, number]> | undefined;
}

export interface BuiltComponent {
  scene: Scene;
  /** sRGB [h, w, 3] of a camera's view; of scenes with depth maps. */
  pixelsOf: (camera: number) => Uint8Array;
}

type Extent = Pick<SceneInfo, 'centre' | 'radius'>;

export type CloudSettings = Pick<RunSettings, 'minConfidence' | 'removeFloating' | 'inferred' | 'voxelSize'>;

export interface BuildOptions {
  /** A first look while pairs are still being computed. */
  partial?: boolean;
  /** Where the cameras come from. */
  sparse?: SparseModel | undefined;
  signal?: AbortSignal | undefined;
  execution?: Execution | undefined;
}

/** Fuses each component's depth maps into a cloud. Takes seconds; calls no estimator. */
export async function buildScenes(
  alignment: Pick<StoredAlignment, 'components'>,
  settings: CloudSettings,
  revision: number,
  { partial = false, signal, sparse: model, execution }: BuildOptions = {},
): Promise<BuiltScenes> {
  const components: BuiltScenes['components'] = [];
  for (const { cameras: infos, views: all } of alignment.components) {
    const views = settings.inferred ? all : all.map(measuredOnly);
    const cameras = infos.map(({ component: _, focalSource, worldFromCamera, ...rest }): Camera => ({
      ...rest,
      focalSource: focalSource as FocalSource,
      worldFromCamera: Float64Array.from(worldFromCamera),
    }));
    const pixelsOf = (index: number): Uint8Array => views[index]!.pixels;
    const points = await fuseScene(cameras, views, pixelsOf, {
      minConfidence: settings.minConfidence,
      removeFloating: settings.removeFloating,
      ...(settings.voxelSize ? { voxelSize: settings.voxelSize } : {}),
      ...(signal ? { signal } : {}),
      execution,
    });
    const sparse = model && sparseOfScene(model, cameras);
    components.push({ scene: { cameras, depthMaps: views, ...points, ...(sparse ? { sparse } : {}) }, pixelsOf });
    signal?.throwIfAborted();
  }
  const maps = components.flatMap(({ scene }) => scene.depthMaps);
  const breathe = breath(signal);
  return {
    revision,
    partial,
    components,
    extent: cloudExtent(components[0]?.scene.cloud),
    confidence: await scaleOf(maps, breathe),
    ranges: await rangesOf(
      alignment.components.flatMap(({ views }) => views),
      breathe,
    ),
    reprojection: new Map(
      components.flatMap(({ scene }) => (scene.sparse ? [...reprojectionErrors(scene.cameras, scene.sparse)] : [])),
    ),
  };
}

/** A view without the depths that were completed, not measured. */
function measuredOnly(view: StoredView): StoredView {
  if (!('inferred' in view)) return view;
  const measured = withOtherArrays<StoredView>(view, {
    depth: () => withoutInferred(view.depth, view.inferred!, 0),
    confidence: () => withoutInferred(view.confidence, view.inferred!, 1),
  });
  delete measured.inferred;
  return measured;
}

const withoutInferred = (values: Float32Array, inferred: Uint8Array, unknown: number): Float32Array =>
  values.map((value, k) => (inferred[k] === 1 ? unknown : value));

export function sceneInfo({
  revision,
  partial,
  components,
  extent,
  confidence,
}: BuiltScenes): Omit<SceneInfo, 'frames'> {
  return {
    revision,
    partial,
    points: components.reduce((sum, { scene }) => sum + pointsAbout(scene), 0),
    cameras: components.flatMap(({ scene }, component) =>
      scene.cameras.map((camera) => ({ ...camera, component, worldFromCamera: [...camera.worldFromCamera] })),
    ),
    ...extent,
    ...(confidence ? { confidence } : {}),
  };
}

/** Centre and radius of the sphere that holds nine tenths of the points: far outliers must not make the rest a dot. */
export function cloudExtent(cloud: PointCloud | undefined): Extent {
  const count = cloud?.confidence.length ?? 0;
  if (!cloud || count === 0) return { centre: [0, 0, 0], radius: 1 };
  const step = Math.max(1, Math.floor(count / 20_000));
  const axis = (k: number): Float32Array => {
    const values = new Float32Array(Math.ceil(count / step));
    for (let i = 0; i < values.length; i++) values[i] = cloud.positions[i * step * 3 + k]!;
    return values;
  };
  const centre = [0, 1, 2].map((k) => {
    return median(axis(k))!;
  }) as [number, number, number];
  const distances = new Float32Array(Math.ceil(count / step));
  for (let i = 0; i < distances.length; i++)
    distances[i] = Math.hypot(...centre.map((value, k) => cloud.positions[i * step * 3 + k]! - value));
  distances.sort();
  return { centre, radius: distances[Math.floor(distances.length * 0.9)] || 1 };
}

async function rangesOf(
  views: readonly StoredView[],
  breathe: () => Promise<void>,
): Promise<Map<PhotoId, [number, number]>> {
  const ranges = new Map<PhotoId, [number, number]>();
  for (const view of views) {
    const range = depthRange(view);
    if (range) ranges.set(view.photo, range);
    await breathe();
  }
  return ranges;
}

/** Pixels of all views that the scale of confidence is made from: its per cents are then right within 0.3. */
const SCALE_SAMPLES = 200_000;

async function scaleOf(
  maps: readonly Pick<DepthMap, 'width' | 'height' | 'depth' | 'confidence'>[],
  breathe: () => Promise<void>,
): Promise<number[] | undefined> {
  const pixels = maps.reduce((sum, { width, height }) => sum + width * height, 0);
  // Odd, as in confidentDepths.
  const step = Math.floor(pixels / SCALE_SAMPLES) | 1;
  const known = new Float32Array(Math.ceil(pixels / step) + maps.length);
  let count = 0;
  for (const { depth, confidence } of maps) {
    for (let i = 0; i < depth.length; i += step)
      if (depth[i]! > 0 && confidence[i]! > 1) known[count++] = confidence[i]!;
    await breathe();
  }
  return confidenceScale(known.subarray(0, count).sort());
}

/**
 * Enough pixels to know a view's depths by; sorting all of them, for every view, held everything else up for a second.
 */
const DEPTH_SAMPLES = 20_000;

/** Confident depths of pixels spread over a view, ascending. */
export function confidentDepths({
  depth,
  confidence,
}: {
  depth: Float32Array;
  confidence: Float32Array;
}): Float32Array {
  // Odd, so that it does not run down the columns of a view whose width is even.
  const step = Math.floor(depth.length / DEPTH_SAMPLES) | 1;
  const known = new Float32Array(Math.ceil(depth.length / step));
  let count = 0;
  for (let i = 0; i < depth.length; i += step) if (depth[i]! > 0 && confidence[i]! > 1) known[count++] = depth[i]!;
  return known.subarray(0, count).sort();
}

/** The range of confident depths of a view, 2nd to 98th percentile. */
export function depthRange(view: { depth: Float32Array; confidence: Float32Array }): [number, number] | undefined {
  const known = confidentDepths(view);
  return known.length > 0
    ? [known[Math.floor(known.length * 0.02)]!, known[Math.floor(known.length * 0.98)]!]
    : undefined;
}
