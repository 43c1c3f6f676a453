import { createHash } from 'node:crypto';
import type { RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { exactLens, knownText, sightId } from '../geometry/photo.js';
import type { Pair, Photo, PhotoId } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import { describe } from '../pairs/descriptor.js';
import { knownNeighbours } from '../pairs/propose.js';
import { COMPLETE_LIMIT, parseStrategy, selectPairs } from '../pairs/strategy.js';
import { jpegPixels } from '../photos/thumbnail.js';
import type { Project, ProjectPhoto } from '../project/project.js';

/** What a run works on: the enabled photos with the focals in force, and the pairs among them that are not disabled. */
export interface Selection {
  photos: ProjectPhoto[];
  /** Indices into `photos`. With retrieval only those known before any photo is looked at; the sparse stage finds more. */
  pairs: Pair[];
  /** Set where the sparse stage looks for pairs itself. */
  retrieval?: {
    /** Pairs it must leave alone, indices into `photos`. */
    refused: Pair[];
  };
}

/** What of an estimator decides which pairs it needs. */
export interface Chooser {
  /** It can place a single photo; its selection has no pairs. */
  alone?: boolean | undefined;
  sparse: 'required' | 'optional' | 'unused';
}

/** Pairs a photo that retrieval comes to, for forecasts: 12 mutual candidates, and 3 neighbours of neighbours. */
const RETRIEVED_PAIRS = 12;

/** The pairs, or as many as there will be once retrieval has found them. */
export function expectedPairs({ photos, pairs, retrieval }: Selection): Pair[] {
  return retrieval ? selectPairs(photos.length, { kind: 'window', size: RETRIEVED_PAIRS, cyclic: false }) : pairs;
}

/**
 * @throws UserError 'nothing-to-do' with too few photos, 'usage' for a graph that does not fit
 */
export async function select(project: Project, settings: RunSettings, estimator: Chooser): Promise<Selection> {
  const photos = withPriorLenses(project.photos().filter(({ enabled }) => enabled)).map((photo) =>
    withFocal(photo, settings),
  );
  if (photos.length === 1 && estimator.alone) return { photos, pairs: [] };
  if (photos.length < 2) {
    const have = photos.length === 0 ? 'no photo that can be used' : 'only one photo that can be used';
    throw new UserError(
      'nothing-to-do',
      `there is ${have}; at least two photos of the same place from different spots are needed${photos.length === 1 ? ', or a network, which takes one photo alone' : ''}`,
    );
  }
  const strategy = parseStrategy(settings.graph);
  const large = strategy.kind === 'auto' && photos.length > COMPLETE_LIMIT;
  const retrieved = large && estimator.sparse !== 'unused' && hasOwnFeatures(settings);
  const disabled = new Set(
    project
      .pairs()
      .filter(({ enabled }) => !enabled)
      .map(({ a, b }) => `${a} ${b}`),
  );
  const isRefused = ({ a, b }: Pair): boolean =>
    disabled.has(`${photos[a]!.id} ${photos[b]!.id}`) ||
    disabled.has(`${photos[b]!.id} ${photos[a]!.id}`) ||
    areOneRig(photos[a]!, photos[b]!);
  if (retrieved) {
    const pairs = knownNeighbours(photos.map(({ position }) => position)).filter((pair) => !isRefused(pair));
    return { photos, pairs, retrieval: { refused: refusedPairs(photos, disabled) } };
  }
  const descriptors = large ? await Promise.all(photos.map((photo) => descriptor(project, photo))) : undefined;
  const pairs = selectPairs(photos.length, strategy, descriptors).filter((pair) => !isRefused(pair));
  if (pairs.length === 0)
    throw new UserError('nothing-to-do', 'every pair of photos is disabled; enable some or choose another pair graph');
  return { photos, pairs };
}

/** Retrieval knows the words of the studio's own features. */
const hasOwnFeatures = ({ matching }: RunSettings): boolean => matching === 'built-in' || matching === 'learned';

function refusedPairs(photos: readonly ProjectPhoto[], disabled: ReadonlySet<string>): Pair[] {
  const index = new Map(photos.map(({ id }, k) => [id, k]));
  const off = [...disabled].flatMap((key): Pair[] => {
    const [a, b] = key.split(' ').map((id) => index.get(id));
    return a === undefined || b === undefined ? [] : [{ a: Math.min(a, b), b: Math.max(a, b) }];
  });
  const views = new Map<string, number[]>();
  photos.forEach(({ face }, k) => {
    if (face) views.set(face.pictureId, [...(views.get(face.pictureId) ?? []), k]);
  });
  const rigs = [...views.values()].flatMap((rig) => rig.flatMap((a, k) => rig.slice(k + 1).map((b) => ({ a, b }))));
  return [...off, ...rigs].sort((p, q) => p.a - q.a || p.b - q.b);
}

/** Views of one picture share its position: a pair of them gives no depth. */
const areOneRig = (a: Photo, b: Photo): boolean => a.face !== undefined && a.face.pictureId === b.face?.pictureId;

/** Focals of one camera that a file tells apart by less than this share are one focal, told with errors. */
const ONE_FOCAL = 0.05;

/**
 * The lens of a camera that is known as a prior is where the search begins, not the truth: photos of one camera begin with
 * the median of what is told of them.
 */
export function withPriorLenses(photos: readonly ProjectPhoto[]): ProjectPhoto[] {
  const told = photos.filter(
    ({ face, focal, known }) => !face && focal?.source !== 'user' && known?.use === 'prior' && known.lens,
  );
  const isTold = new Set(told);
  const cameraOf = ({ camera = '', width, height }: Photo): string =>
    `${camera}|${Math.max(width, height)}x${Math.min(width, height)}`;
  return photos.map((photo) => {
    if (!isTold.has(photo)) return photo;
    const { lens, ...known } = photo.known!;
    const alike = told
      .filter((other) => cameraOf(other) === cameraOf(photo))
      .map((other) => other.known!.lens!.focal)
      .filter((focal) => Math.abs(Math.log(focal / lens!.focal)) < ONE_FOCAL);
    return { ...photo, known, focal: { pixels: median(alike)!, source: 'calibrated' } };
  });
}

function withFocal(photo: ProjectPhoto, settings: RunSettings): ProjectPhoto {
  const lens = exactLens(photo);
  if (lens) return { ...photo, focal: { pixels: lens.focal, source: 'user' } };
  return settings.focal === undefined || photo.focal?.source === 'user'
    ? photo
    : { ...photo, focal: { pixels: settings.focal, source: 'user' } };
}

/** Of photos that are in a project; a photo's id is that of its bytes, so that what was described stays true. */
const described = new WeakMap<Project, Map<PhotoId, Float32Array>>();

/**
 * Kept: while 200 photos are added the cost of the run is asked for again and again, and describing them each time took
 * 3 s.
 */
async function descriptor(project: Project, photo: Photo): Promise<Float32Array> {
  const kept = described.get(project) ?? new Map<PhotoId, Float32Array>();
  described.set(project, kept);
  const before = kept.get(photo.id);
  if (before) return before;
  const { pixels, width, height } = await jpegPixels(project.thumbnail(photo.id)!, 64);
  const descriptor = describe(pixels, width, height);
  kept.set(photo.id, descriptor);
  return descriptor;
}

/** Everything the user decided that changes where points end up; a result made under other decisions is stale. */
export function decisions(project: Project): string {
  const { estimator, graph, quality, matching, focal, sharedFocal, precision, oneWay } = project.settings();
  const photos = project
    .photos()
    .filter(({ enabled }) => enabled)
    .map((photo) => [sightId(photo), photo.focal?.pixels, knownText(photo)]);
  const disabled = project
    .pairs()
    .filter(({ enabled }) => !enabled)
    .map(({ a, b }) => [a, b])
    .sort();
  const learned = matching === 'built-in' ? [] : [matching];
  return digest([estimator, graph, quality, focal, sharedFocal, precision, oneWay, photos, disabled, ...learned]);
}

export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
