import { align } from '../alignment/align.js';
import { sparsePrior } from '../alignment/sparse-prior.js';
import type {
  AlignedComponent,
  AlignmentProblem,
  AlignmentResult,
  StoredObservation,
  ViewConstraint,
} from '../alignment/types.js';
import type { CameraInfo, RunSettings } from '../contract/api.js';
import type { SparseModel } from '../geometry/sparse-model.js';
import type { OriginalFromView, Photo, View } from '../geometry/types.js';
import type { EstimatorSession } from '../pointmaps/estimator.js';
import { middleOf } from '../pointmaps/resample.js';
import type { StoredAlignment, StoredView } from '../project/alignments.js';
import type { ProjectPhoto } from '../project/project.js';

export interface PlacementInput {
  photos: readonly ProjectPhoto[];
  observations: readonly StoredObservation[];
  session: EstimatorSession;
  settings: RunSettings;
  /** Of these photos; its cameras are final where the views agree with its lenses. */
  sparse?: SparseModel | undefined;
  /** Poses to keep for locked photos, and to start from when photos were added. */
  previous?: CameraInfo[] | undefined;
  signal?: AbortSignal;
  threads?: number | undefined;
  /** Bytes that decoded pointmaps may take. */
  memory?: number | undefined;
  onStep?: (iteration: number) => void;
}

export type Placement = Pick<
  StoredAlignment,
  'components' | 'unplaced' | 'viewResidual' | 'warnings' | 'objective' | 'iterations'
> & {
  /** Parallel to the observations. */
  residuals: (number | undefined)[];
};

/** Aligns the observations and expresses the result in pixels of the original photos. */
export async function place(input: PlacementInput): Promise<Placement> {
  const { photos, observations, session } = input;
  const views = await Promise.all(photos.map((_, index) => session.view(index)));
  const result = await align(alignmentProblem(input, views), {
    ...(input.signal ? { signal: input.signal } : {}),
    ...(input.threads === undefined ? {} : { threads: input.threads }),
    ...(input.memory === undefined ? {} : { memory: input.memory }),
    onStep: ({ iteration }) => input.onStep?.(iteration),
  });
  // An observation in which one photo has no depth has no residual: a stored infinity kept the project from opening.
  const residuals = observations.map((_, k) => {
    const residual = result.observations.find(({ index }) => index === k)?.residual;
    return residual !== undefined && Number.isFinite(residual) ? residual : undefined;
  });
  return {
    components: result.components.map((component, index) => stored(component, index, input, views)),
    unplaced: result.unplaced.map((index) => ({ photo: photos[index]!.id, reason: unplacedReason(index, input) })),
    viewResidual: residualByPhoto(result, photos),
    warnings: [
      ...sharedFocalWarnings(input.settings, views),
      ...result.warnings.map((line) => photos.reduce((text, { id, name }) => text.replaceAll(id, name), line)),
    ],
    objective: result.objective,
    iterations: result.iterations,
    residuals,
  };
}

/** What alignment is asked: the observations, and all that is known of the views. */
export function alignmentProblem(
  {
    photos,
    observations,
    settings,
    previous,
    sparse,
  }: Pick<PlacementInput, 'photos' | 'observations' | 'settings' | 'previous' | 'sparse'>,
  views: readonly View[],
): AlignmentProblem<StoredObservation> {
  const before = new Map(previous?.map((camera) => [camera.photo, camera]));
  const constraints = photos.map((photo, index): ViewConstraint => {
    const map = views[index]!.originalFromView;
    const constraint: ViewConstraint = { principalPoint: middleOf(photo, map), ...focalConstraint(photo, map) };
    const pose = photo.locked ? before.get(photo.id)?.worldFromCamera : undefined;
    const known = photo.known?.use === 'fixed' ? photo.known.worldFromCamera : undefined;
    if (known) constraint.pose = { worldFromCamera: Float64Array.from(known), kind: 'fixed' };
    else if (pose) constraint.pose = { worldFromCamera: Float64Array.from(pose), kind: 'fixed' };
    return constraint;
  });
  // After photos were added the others start where they stand, and the world stays. After any other change everything
  // is found anew: whoever disables a pair that made ghosts does not want to start from them.
  const added = before.size > 0 && photos.some(({ id }) => !before.has(id));
  const initial = photos.map(({ id }, index) => {
    const camera = added ? before.get(id) : undefined;
    return (
      camera && {
        worldFromCamera: Float64Array.from(camera.worldFromCamera),
        focal: camera.fx / views[index]!.originalFromView.scaleX,
      }
    );
  });
  return {
    views: views.map(({ photo, width, height }) => ({ photo, width, height })),
    observations: [...observations],
    constraints,
    ...(sparse ? { sparse: sparsePrior(sparse, photos, views) } : {}),
    initial,
    // One focal for all can only be asked of views of one size.
    sharedFocal: settings.sharedFocal && sizesOf(views) === 1,
  };
}

/**
 * The user's focal is held. One from EXIF is rounded to millimetres and told for the lens, not for this picture: it may
 * be off by this share.
 */
const EXIF_SHARE = 0.05;

function focalConstraint({ focal }: ProjectPhoto, { scaleX }: OriginalFromView): ViewConstraint {
  if (focal === undefined || focal.source === 'default') return {};
  const pixels = focal.pixels / scaleX;
  return focal.source === 'user' ? { focal: pixels } : { expectedFocal: { focal: pixels, share: EXIF_SHARE } };
}

const sizesOf = (views: readonly Pick<View, 'width' | 'height'>[]): number =>
  new Set(views.map(({ width, height }) => `${width}x${height}`)).size;

/** What was asked for and can't be done is said. */
export function sharedFocalWarnings(
  { sharedFocal }: Pick<RunSettings, 'sharedFocal'>,
  views: readonly Pick<View, 'width' | 'height'>[],
): string[] {
  const sizes = sizesOf(views);
  return sharedFocal && sizes > 1
    ? [
        `one focal for all photos was asked for, but they are of ${sizes} sizes or orientations: each photo got its own; give the focal with --focal, or photos of one size`,
      ]
    : [];
}

function stored(
  component: AlignedComponent,
  index: number,
  { photos, session }: PlacementInput,
  views: readonly View[],
): { cameras: CameraInfo[]; views: StoredView[] } {
  const cameras: CameraInfo[] = [];
  const maps: StoredView[] = [];
  component.views.forEach((at, k) => {
    const photo = photos[at]!;
    const { width, height, pixels, originalFromView } = views[at]!;
    const focal = component.focal[k]!;
    const [centreX, centreY] = component.principalPoint[k]!;
    const found = session.focal(at);
    cameras.push({
      photo: photo.id,
      name: photo.name,
      component: index,
      width: photo.width,
      height: photo.height,
      ...asKnown(photo, originalIntrinsics(originalFromView, focal, centreX, centreY)),
      focalSource: photo.focal?.source === 'user' ? 'user' : foundSource(found),
      worldFromCamera: [...component.worldFromCamera[k]!],
    });
    maps.push({
      photo: photo.id,
      width,
      height,
      depth: component.depth[k]!,
      confidence: component.confidence[k]!,
      ...(component.inferred[k] ? { inferred: component.inferred[k] } : {}),
      ...(component.sky[k] ? { sky: component.sky[k] } : {}),
      originalFromView,
      focal,
      centreX,
      centreY,
      pixels,
    });
  });
  return { cameras, views: maps };
}

/**
 * A view's intrinsics in pixels of the original photo. The view's map removed radial terms at the focal it was made
 * with; at the aligned focal f the same curve has k1 (f / f0)^2 and k2 (f / f0)^4, because r is measured in units of the
 * focal.
 */
export function originalIntrinsics(
  map: OriginalFromView,
  focal: number,
  centreX: number,
  centreY: number,
): { fx: number; fy: number; cx: number; cy: number; k1: number; k2?: number } {
  const fx = focal * map.scaleX;
  const { k1 = 0, k2 = 0, focal: made = fx } = map.radial ?? {};
  return {
    fx,
    fy: focal * map.scaleY,
    cx: map.offsetX + map.scaleX * centreX,
    cy: map.offsetY + map.scaleY * centreY,
    k1: k1 * (fx / made) ** 2,
    ...(k2 === 0 ? {} : { k2: k2 * (fx / made) ** 4 }),
  };
}

/** Share by which a number that went through scales and back may differ from itself. */
const ROUNDING = 1e-9;

/** A lens that was given as exact leaves as it was given, to the last bit. */
export function asKnown<T extends { fx: number; fy: number; k1: number }>({ known, face }: Photo, found: T): T {
  const lens = face ? undefined : known?.lens;
  if (!lens) return found;
  const same = (value: number, given: number): number => (Math.abs(value - given) <= ROUNDING * given ? given : value);
  const k1 = Math.abs(found.k1 - lens.k1) <= ROUNDING ? lens.k1 : found.k1;
  return { ...found, fx: same(found.fx, lens.focal), fy: same(found.fy, lens.focal), k1 };
}

/** A focal that two photos can't tell is no measurement, whatever was computed with it. */
function foundSource(found: ReturnType<EstimatorSession['focal']>): CameraInfo['focalSource'] {
  if (!found) return 'aligned';
  return found.assumed ? 'default' : 'calibrated';
}

/** The most common reason why this photo's pairs were turned down. */
function unplacedReason(index: number, { session }: PlacementInput): string {
  const reasons = session.plan.rejected.filter(({ pair }) => pair.a === index || pair.b === index);
  if (reasons.length === 0) return 'not tied to the others by any reliable pair';
  const counts = new Map<string, number>();
  for (const { reason } of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].sort((p, q) => q[1] - p[1])[0]!;
  const words: Record<string, string> = {
    'no-overlap': 'shares too little with the other photos',
    'rotation-only': 'taken from the same spot as its neighbours, so there is no depth',
    inconsistent: 'its pairs contradict the other photos',
  };
  return words[most] ?? 'not tied to the others by any reliable pair';
}

function residualByPhoto(result: AlignmentResult, photos: readonly ProjectPhoto[]): Record<string, number> {
  return Object.fromEntries(
    photos
      .map(({ id }, index) => [id, result.viewResidual[index] ?? NaN])
      .filter(([, residual]) => Number.isFinite(residual)),
  );
}

/** Degrees between the lines of sight from two cameras to what the first one sees at this depth in its middle. */
export function parallax(a: CameraInfo, b: CameraInfo, depth: number): number {
  const [A, B] = [a.worldFromCamera, b.worldFromCamera];
  const at = (pose: readonly number[], row: number) => pose[row * 4 + 3]!;
  const target = [0, 1, 2].map((row) => A[row * 4 + 2]! * depth + at(A, row));
  const p = target.map((value, row) => value - at(A, row));
  const q = target.map((value, row) => value - at(B, row));
  const cosine = p.reduce((sum, value, k) => sum + value * q[k]!, 0) / (Math.hypot(...p) * Math.hypot(...q) || 1);
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}
