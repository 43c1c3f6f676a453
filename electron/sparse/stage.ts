import { createHash } from 'node:crypto';
import { threadExecution } from '../compute/execution.js';
import type { SparseModel, SparsePoints } from '../geometry/sparse-model.js';
import type { PhotoReader } from '../geometry/stage.js';
import type { Pair, Photo } from '../geometry/types.js';
import { knownText, sightId } from '../geometry/photo.js';
import { lensKey } from './calibration.js';
import type { SparseContext } from './correspondence.js';
import { contradictingCameras } from './contradicting-cameras.js';
import type { EarlierSurvey } from './earlier.js';
import { decodeSparseModel, encodeSparseModel } from './model-record.js';
import { knownSurvey } from './known.js';
import type { StructurePoint } from './structure.js';
import { surveySet, type Survey } from './survey.js';
import { sparseWorker } from './worker-address.js';
import { reprojectionError } from './triangulate.js';

/** Changes whenever the same photos and pairs would give another model. */
export const SPARSE_VERSION = '10';
/** Where the last model is named, with what its photos were then: `{ model, told }`. */
const latestKey = ({ matcher }: SparseContext): string =>
  `sparse/${SPARSE_VERSION}/last${matcher ? `/${matcher.id}` : ''}`;

/**
 * What the place of a photo's camera follows from beside its pixels: its mask, without which it may be that of the
 * background, and what is known of its camera.
 */
const toldOf = (photo: Photo): string => `${photo.mask?.id ?? ''} ${knownText(photo)}`;

/**
 * The sparse model of a photo set: features, matching, two-view geometry, calibration, structure and bundle adjustment.
 * Kept in `context.store`: the same photos and pairs are read back, and cameras of the last model stay where they are
 * when a few photos join or leave.
 *
 * @param pairs indices into `photos`
 * @throws the signal's reason
 */
export async function sparseModel(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  reader: PhotoReader,
  context: SparseContext,
  threads?: number,
): Promise<SparseModel> {
  const key = sparseKey(photos, pairs, context);
  const kept = decodeSparseModel(context.store.get(key));
  if (kept) return kept;
  const earlier = startFrom(photos, context);
  const pool = (context.execution ?? threadExecution).open('sparse', sparseWorker, threads);
  try {
    const record = encodeSparseModel(
      modelOf(photos, await surveySet(photos, pairs, reader, pool, keptByMatcher(context), earlier)),
    );
    context.store.put(key, record);
    const told = Object.fromEntries(photos.map((photo) => [photo.id, toldOf(photo)]));
    context.store.put(latestKey(context), new TextEncoder().encode(JSON.stringify({ model: key, told })));
    // As a later run will read it, so that what is computed from it has the same keys to the last bit.
    return decodeSparseModel(record)!;
  } finally {
    await pool.close();
  }
}

/**
 * Cameras that are held: those that are known, and those of the last model. Where cameras were fixed, the last model
 * counts only if it has them where they are.
 */
function startFrom(photos: readonly Photo[], context: SparseContext): EarlierSurvey | undefined {
  const known = knownSurvey(photos);
  const last = usableEarlier(latest(photos, context), photos);
  if (!last) return known;
  const earlier = asSurvey(last);
  if (!known) return earlier;
  const solved = new Map(earlier.photos.map((photo) => [photo.id, photo.camera]));
  const fixed = known.photos.filter(({ camera }) => camera);
  const world = fixed.flatMap(({ id, camera }) => {
    const before = solved.get(id);
    return before?.translation.every((value, k) => value === camera!.translation[k]) ? [before.piece] : [];
  });
  if (fixed.length > 0 && world.length < 2) return known;
  const told = new Set(known.photos.map(({ id }) => id));
  return {
    photos: [
      ...known.photos.map(({ camera, ...photo }) => ({
        ...photo,
        camera: camera ? { ...camera, piece: world[0]! } : solved.get(photo.id),
      })),
      ...earlier.photos.filter(({ id }) => !told.has(id)),
    ],
  };
}

/** What follows from matches is kept for each matcher; features are the same for all. */
function keptByMatcher(context: SparseContext): SparseContext {
  const { matcher, store } = context;
  if (!matcher) return context;
  const named = (key: string): string => (key.startsWith('geometric/features/') ? key : `${key}/${matcher.id}`);
  return {
    ...context,
    store: { get: (key) => store.get(named(key)), put: (key, value) => store.put(named(key), value) },
  };
}

/** Identifies what a model is made from, in the store. */
export function sparseKey(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  { matcher, retrieval }: Pick<SparseContext, 'matcher' | 'retrieval'>,
): string {
  const text = JSON.stringify([
    photos.map((photo) => [sightId(photo), lensKey(photo), knownText(photo)]),
    pairs.map(({ a, b }) => [a, b]),
    ...(matcher ? [matcher.id] : []),
    ...(retrieval ? ['retrieval', retrieval.refused.map(({ a, b }) => [a, b])] : []),
  ]);
  return `sparse/${SPARSE_VERSION}/model/${createHash('sha256').update(text).digest('hex')}`;
}

/** Undefined for a missing record and for one that is damaged. */
function decodeLast(record: Uint8Array | undefined): { model: string; told: Record<string, string> } | undefined {
  try {
    return record && (JSON.parse(new TextDecoder().decode(record)) as ReturnType<typeof decodeLast>);
  } catch {
    return undefined;
  }
}

/** The last model; undefined where the mask or what is known of one of its photos has changed. */
function latest(photos: readonly Photo[], context: SparseContext): SparseModel | undefined {
  const last = decodeLast(context.store.get(latestKey(context)));
  if (!last) return undefined;
  const { model, told } = last;
  const isSame = (photo: Photo): boolean => told[photo.id] === undefined || told[photo.id] === toldOf(photo);
  return photos.every(isSame) ? decodeSparseModel(context.store.get(model)) : undefined;
}

/**
 * Cameras of the last model stay where they are when a few photos join or leave, so that the observations computed from
 * them stay valid. When much is new, all of it is solved anew: the new photos may know the lens better than the old
 * ones did.
 */
function usableEarlier(earlier: SparseModel | undefined, photos: readonly Photo[]): SparseModel | undefined {
  if (!earlier) return undefined;
  const now = new Map(photos.map((photo) => [photo.id, lensKey(photo)]));
  const still = earlier.cameras.filter(({ photo, pose }) => pose && now.has(photo));
  // More photos may tell what those could not.
  if (earlier.lenses.some(({ assumed }) => assumed)) return undefined;
  // The user typed in another focal since.
  if (still.some(({ photo, lens }) => now.get(photo) !== earlier.lenses[lens]!.key)) return undefined;
  return still.length >= 3 && still.length * 3 >= photos.length * 2 ? earlier : undefined;
}

function asSurvey({ cameras, lenses }: SparseModel): EarlierSurvey {
  return {
    photos: cameras.map(({ photo, lens, pose }) => {
      const { key, focal, k1, k2, cx, cy, related } = lenses[lens]!;
      return { id: photo, lensKey: key, lens: { focal, k1, k2, cx, cy, related }, camera: pose };
    }),
  };
}

function modelOf(photos: readonly Photo[], survey: Survey): SparseModel {
  const points = pointsOf(survey);
  const keys = new Map(photos.map((photo, k) => [survey.lensOf[k]!, lensKey(photo)]));
  return {
    cameras: photos.map((photo, k) => {
      const piece = survey.pieces.findIndex(({ cameras }) => cameras.has(k));
      const camera = survey.pieces[piece]?.cameras.get(k);
      return {
        photo: photo.id,
        lens: survey.lensOf[k]!,
        features: Float32Array.from(
          Array.from({ length: survey.features[k]! }, (_, feature) => survey.position(k, feature)).flat(),
        ),
        ...(camera
          ? {
              pose: { piece, rotation: camera.rotation, translation: camera.translation },
              ...(survey.pieces[piece]!.weak.has(k) ? { weak: true } : {}),
            }
          : { reason: survey.reasons[k] }),
      };
    }),
    lenses: survey.lenses.map(({ focal, k1, k2, cx, cy, assumed }, k) => ({
      ...(assumed ? { assumed } : {}),
      key: keys.get(k)!,
      focal,
      k1,
      ...(k2 && { k2 }),
      ...(cx && { cx }),
      ...(cy && { cy }),
      ...(survey.pieces[0]?.fisheyes?.[k] ? { fisheye: survey.pieces[0].fisheyes[k] } : {}),
      related: survey.related[k]!,
      ...(survey.focalSigmas[k] === undefined ? {} : { focalSigma: focal * survey.focalSigmas[k]! }),
    })),
    points,
    pairs: survey.verified.map(({ a, b, rotation, translation, parallax, rotationShare, matches }) => ({
      a,
      b,
      rotation,
      translation,
      inliers: matches.length / 2,
      parallax,
      rotationShare,
      matches,
    })),
    rejected: survey.rejected,
    warnings: [...survey.warnings, ...contradictingCameras(photos, survey.verified)],
  };
}

function pointsOf({ pieces, lenses, position }: Survey): SparsePoints {
  const all = pieces.flatMap(({ points }, piece) => points.map((point) => ({ piece, point })));
  const offsets = new Uint32Array(all.length + 1);
  all.forEach(({ point }, k) => {
    offsets[k + 1] = offsets[k]! + point.photos.length;
  });
  const sightings = offsets[all.length]!;
  const trackCamera = new Uint32Array(sightings);
  const trackFeature = new Uint32Array(sightings);
  const trackAt = new Float32Array(2 * sightings);
  const error = new Float32Array(all.length);
  all.forEach(({ piece, point }, k) => {
    trackCamera.set(point.photos, offsets[k]!);
    trackFeature.set(point.features, offsets[k]!);
    point.photos.forEach((photo, s) => trackAt.set(position(photo, point.features[s]!), 2 * (offsets[k]! + s)));
    error[k] = meanError(point, (photo) => pieces[piece]!.cameras.get(photo)!, lenses, position);
  });
  return {
    positions: Float64Array.from(all.flatMap(({ point }) => Array.from(point.position))),
    piece: Uint16Array.from(all, ({ piece }) => piece),
    offsets,
    trackCamera,
    trackFeature,
    trackAt,
    error,
  };
}

function meanError(
  { position: at, photos, features }: StructurePoint,
  cameraOf: (photo: number) => Parameters<typeof reprojectionError>[0]['camera'],
  lenses: Survey['lenses'],
  position: Survey['position'],
): number {
  let sum = 0;
  photos.forEach((photo, k) => {
    const camera = cameraOf(photo);
    const [x, y] = position(photo, features[k]!);
    sum += reprojectionError({ camera, lens: lenses[camera.lens]!, x, y }, at);
  });
  return sum / Math.max(1, photos.length);
}
