import type { Execution } from '../compute/execution.js';
import { medianOfSorted } from '../numerics/median.js';
import type { FeatureMatcher } from '../../native-models/matching/lightglue.js';
import type { SparseLook, SparseModel } from '../geometry/sparse-model.js';
import type { PhotoReader, Progress, StageContext } from '../geometry/stage.js';
import { availableParallelism } from 'node:os';
import { existsSync } from 'node:fs';
import type { JobState, RunSettings } from '../contract/api.js';
import { DamagedObservation } from '../alignment/prepared.js';
import { UserError } from '../contract/errors.js';
import type { StageName } from '../contract/stages.js';
import { knownText, sightId } from '../geometry/photo.js';
import { maskDepths, maskedSession } from '../pointmaps/masking.js';
import type { Estimator, EstimatorSession } from '../pointmaps/estimator.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { StoredAlignment } from '../project/alignments.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { Clock } from './clock.js';
import type { Gate } from './gate.js';
import { loadObservations, observePairs, type Observed } from './observe.js';
import { doubts, whyNothing, withReasons } from './doubts.js';
import { chosenMatcher } from './matching.js';
import { parallax, place, type Placement } from './placement.js';
import { maskReader } from './masks.js';
import { confidentDepths } from './scenes.js';
import { RunProgress } from './run-progress.js';
import { engineStages, forecastSteps, sizeOf } from './stages.js';
import type { Timings } from './timings.js';
import { PairSet } from '../pairs/propose.js';
import type { SparseContext } from '../sparse/correspondence.js';
import { SPARSE_VERSION, sparseKey, sparseModel } from '../sparse/stage.js';
import { decisions, digest, expectedPairs, select, type Selection } from './selection.js';
import { fisheyeNote, foundFisheyes, laterFisheyes, straighten } from './straighten.js';
import type { WidePicture } from './wide.js';
import { visualWords } from './visual-words.js';

/** Changes whenever the same observations would be aligned to another result. */
const ALIGNMENT_VERSION = 3;

/** What a run needs from around it; it knows neither threads nor windows. */
export interface RunContext {
  project: Project;
  estimator: Estimator;
  reader: PhotoReader;
  provider: string;
  settings: RunSettings;
  signal: AbortSignal;
  /** Folder for views of photos that turn out to be a fisheye's. */
  views: string;
  gate: Gate;
  threads?: number | undefined;
  /** Who computes; threads of this process when not given. */
  execution?: Execution | undefined;
  /** What this machine has taken before. */
  timings?: Timings | undefined;
  /** Align what is known already; call the estimator for no further pair. */
  cachedOnly?: boolean;
  onProgress: (progress: Omit<JobState, 'state'>) => void;
  onNote: (message: string) => void;
  /** Told while cameras are being placed, and as soon as the sparse model is known. */
  onSparse?: (look: SparseLook) => void;
  /** Told after each new observation, so that a viewer may be given a first look; see partial.ts. */
  onObserved?: (look: () => Promise<Placement>) => void;
}

export interface RunOutcome {
  alignment: StoredAlignment;
  /** How many pairs the estimator was called for. */
  computed: number;
  clock: Clock;
  progress: RunProgress;
  /** To be called when the cloud is there: the machine's history learns from this run. */
  learn: () => void;
}

/** Where a run is, for those who tell of it. */
interface Tracker {
  clock: Clock;
  progress: RunProgress;
}

/**
 * The stages photos -> pairs -> pointmaps -> alignment; the cloud follows from the stored result (scenes.ts). Every
 * stage's result is in the project before the next begins: a run that was stopped, by whatever, continues where it was.
 *
 * @throws UserError for everything the user can do something about, the signal's reason when cancelled
 */
export async function run(context: RunContext, started?: Tracker): Promise<RunOutcome> {
  const { project, estimator, settings } = context;
  const threads = context.threads ?? availableParallelism();
  const usesSparse = estimator.sparse !== 'unused';
  const kind = runKind(settings);
  const expected = (photos: readonly Photo[], pairs: number, estimator: number) =>
    forecastSteps({ ...sizeOf(photos), pairs, threads, estimator, sparse: usesSparse });
  const inHistory = (steps: ReturnType<typeof expected>) => context.timings?.apply(kind, steps) ?? steps;
  const all = project.photos();
  const tracker: Tracker = started ?? {
    clock: new Clock(context.gate.now),
    progress: new RunProgress(inHistory(expected(all, 1, 1)), context.gate.now),
  };
  const { clock, progress } = tracker;
  const enter = (stage: StageName): void => {
    clock.enter(stage);
    report(context, tracker, stage, engineStages[stage].begins);
  };
  enter('photos');
  checkFiles(all.filter(({ enabled }) => enabled));
  if (!context.cachedOnly && (await straightened(context, laterFisheyes(all)))) return run(context, tracker);
  enter('pairs');
  let selection = await select(project, settings, estimator);
  const { photos } = selection;
  const likely = expectedPairs(selection);
  const steps = expected(photos, likely.length, estimator.estimateCost(photos, likely).seconds);
  progress.expect(inHistory(steps));

  const before = project.alignmentKey() !== undefined;
  const key = runKey(context, selection);
  const kept = project.alignmentKey() === key ? project.alignment() : undefined;
  if (kept) {
    context.onNote('nothing that matters has changed since the last run; its result is used');
    enter('cloud');
    // Other decisions may come to the same photos and pairs: the result is then theirs.
    const inForce = decisions(project);
    if (kept.decisions !== inForce) project.confirmAlignment(inForce);
    return { alignment: { ...kept, decisions: inForce }, computed: 0, ...tracker, learn: () => undefined };
  }
  let sparse: SparseModel | undefined;
  let matcher: FeatureMatcher | undefined;
  const planned = selection;
  if (usesSparse && planned.pairs.length > 0) {
    enter('sparse');
    matcher = await chosenMatcher(settings, context.onNote, context.threads);
    sparse = await lookAtAll(context, tracker, planned, matcher).finally(() => matcher?.close());
    const fisheyes = sparse && !context.cachedOnly ? foundFisheyes(photos, sparse) : [];
    if (fisheyes.length > 0) context.onNote(fisheyeNote(fisheyes));
    // Nothing but the sparse model has been made of them yet.
    if (await straightened(context, fisheyes)) return run(context, tracker);
    if (sparse) context.onSparse?.(sparse);
  }
  // What retrieval found belongs to the run as what was planned does.
  if (sparse && selection.retrieval) selection = { ...selection, pairs: withFound(selection.pairs, sparse) };
  const { pairs } = selection;
  enter('pointmaps');
  const opened = await estimator.open(photos, pairs, { ...stageContext(context, tracker, 'pointmaps'), sparse });
  const maskOf = maskReader(photos);
  const session = maskedSession(opened, photos, maskOf);
  try {
    // Only now: a run that is cancelled before leaves what is known of the pairs as it was.
    context.signal.throwIfAborted();
    project.planPairs(pairs.map(({ a, b }) => ({ a: photos[a]!.id, b: photos[b]!.id })));
    const { keys, computed, complete, placed } = await observeAndPlace(context, tracker, selection, {
      session,
      sparse,
    });
    const { placement, residualOf, observations } = placed;
    for (const { views } of placement.components) await maskDepths(views, photos, maskOf);
    const made: StoredAlignment = {
      ...placement,
      key,
      ...(sparse ? { sparse: sparseKey(photos, planned.pairs, { matcher, retrieval: retrievalOf(planned) }) } : {}),
      decisions: decisions(project),
      estimator: estimator.id,
      provider: estimator.provider ?? context.provider,
      pairs: pairs.length,
      observations,
      seconds: clock.stages,
    };
    const stored = await project.putAlignment(complete ? made : { ...made, key: `${key} partial` });
    const alignment = { ...stored, key };
    await recordPairs(project, residualOf, alignment);
    project.finishRun(keys);
    enter('cloud');
    // Only what was computed says how fast this machine is.
    const whole = computed > 0 && computed === session.plan.observe.length && !before;
    const learn = (): void => (whole ? context.timings?.learn(kind, steps, progress.seconds) : undefined);
    return { alignment, computed, ...tracker, learn };
  } finally {
    await session.close();
  }
}

/** @returns whether the project's photos are others now */
async function straightened(
  { project, views, signal, onNote }: RunContext,
  pictures: readonly WidePicture[],
): Promise<boolean> {
  if (pictures.length === 0) return false;
  await straighten(project, pictures, { cache: views, signal, note: onNote });
  return true;
}

/** Runs of one kind take about the same time for the same photos. */
export const runKind = ({ estimator, quality }: RunSettings): string => `${estimator}/${quality}`;

const retrievalOf = ({ retrieval }: Selection): SparseContext['retrieval'] =>
  retrieval && { vocabulary: visualWords(), refused: retrieval.refused };

/** The pairs that were planned, and those that the sparse stage looked at. */
function withFound(planned: readonly Pair[], { pairs, rejected }: SparseModel): Pair[] {
  const all = new PairSet(planned);
  for (const { a, b } of [...pairs, ...rejected.map(({ pair }) => pair)]) all.add(a, b);
  return all.list.sort((p, q) => p.a - q.a || p.b - q.b);
}

function runKey({ estimator, settings }: RunContext, { photos, pairs, retrieval }: Selection): string {
  const facts = photos.map((photo) => [sightId(photo), photo.focal, photo.locked, knownText(photo)]);
  return digest([
    ALIGNMENT_VERSION,
    ...(estimator.sparse === 'unused' ? [] : [SPARSE_VERSION]),
    estimator.id,
    estimator.version,
    estimator.settingsKey,
    facts,
    pairs.map(({ a, b }) => [a, b]),
    ...(retrieval ? [retrieval.refused] : []),
    settings.sharedFocal,
    ...(settings.matching === 'built-in' ? [] : [settings.matching]),
    settings.oneWay,
  ]);
}

function checkFiles(photos: readonly ProjectPhoto[]): void {
  const missing = photos.filter(({ path }) => !existsSync(path));
  if (missing.length === 0) return;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new UserError(
    'not-found',
    `the photo ${missing[0]!.name}${others} can't be found; put it back, relocate it or disable it: ${missing[0]!.path}`,
  );
}

/** What a stage is given: the run's cancel, pause, progress and notes, and the project's store. */
function stageContext(
  { project, signal, gate, onNote, ...context }: RunContext,
  tracker: Tracker,
  stage: StageName,
): StageContext {
  return {
    signal,
    pass: () => gate.pass(signal),
    store: project.blobs,
    execution: context.execution,
    cachedOnly: context.cachedOnly ?? false,
    onNote,
    onProgress: ({ stage: detail, done, total }: Progress) =>
      context.onProgress(progressOf(tracker, stage, detail, done, total)),
  };
}

/** The sparse model of the photos; undefined where there is none and the estimator can do without. */
async function lookAtAll(
  context: RunContext,
  tracker: Tracker,
  selection: Selection,
  matcher: FeatureMatcher | undefined,
): Promise<SparseModel | undefined> {
  try {
    return await sparseModel(
      selection.photos,
      selection.pairs,
      context.reader,
      {
        ...stageContext(context, tracker, 'sparse'),
        matcher,
        retrieval: retrievalOf(selection),
        onLook: context.onSparse,
      },
      context.threads,
    );
  } catch (error) {
    context.signal.throwIfAborted();
    if (context.estimator.sparse === 'required') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    context.onNote(
      `the cameras could not be found from features of the photos, the network alone places them: ${reason}`,
    );
    return undefined;
  }
}

function report(
  context: RunContext,
  tracker: Tracker,
  stage: StageName,
  detail?: string,
  done?: number,
  total?: number,
): void {
  context.signal.throwIfAborted();
  context.onProgress(progressOf(tracker, stage, detail, done, total));
}

function progressOf(
  { clock, progress }: Tracker,
  stage: StageName,
  detail: string | undefined,
  done: number | undefined,
  total: number | undefined,
): Omit<JobState, 'state'> {
  // Of "aligning, step 12" only the first words name the step.
  progress.update(stage, (detail ?? '').replace(/,.*/, ''), total ? (done ?? 0) / total : 0);
  return {
    stage,
    detail,
    done,
    total,
    share: progress.share,
    secondsLeft: progress.secondsLeft,
    secondsElapsed: clock.secondsElapsed,
  };
}

/** Damaged pointmaps that are found while they are used are computed again, this often. */
const MOST_REPAIRS = 20;

/** Pointmaps, and what they make together. A stored one that turns out to be damaged is dropped and computed again. */
async function observeAndPlace(
  context: RunContext,
  tracker: Tracker,
  selection: Selection,
  opened: { session: EstimatorSession; sparse: SparseModel | undefined },
): Promise<{
  keys: string[];
  computed: number;
  /** Nothing is left for another run of the same. */
  complete: boolean;
  placed: Awaited<ReturnType<typeof placeAll>>;
}> {
  let total = 0;
  for (let repairs = 0; ; repairs++) {
    const observed = await observe(context, tracker, selection, opened.session, opened.sparse);
    const { keys, failures } = observed;
    total += observed.computed;
    if (failures.length > 0)
      context.onNote(`depth could not be computed everywhere, start again: ${failures.join('; ')}`);
    tracker.clock.enter('alignment');
    report(context, tracker, 'alignment', engineStages.alignment.begins);
    try {
      return {
        keys,
        computed: total,
        complete: observed.missing === 0 && failures.length === 0,
        placed: await placeAll(context, tracker, selection.photos, opened, observed),
      };
    } catch (error) {
      if (!(error instanceof DamagedOutcome) || repairs === MOST_REPAIRS) throw error;
      context.project.dropOutcome(error.key);
      context.onNote('a stored pointmap was damaged; it is computed again');
      tracker.clock.enter('pointmaps');
    }
  }
}

/** A stored outcome that can't be read any more. */
class DamagedOutcome extends Error {
  constructor(readonly key: string) {
    super('stored pointmaps are damaged, again and again; check the disk that the project is on');
  }
}

function observe(
  context: RunContext,
  tracker: Tracker,
  { photos }: Selection,
  session: EstimatorSession,
  sparse: SparseModel | undefined,
): Promise<Observed> {
  const { project, estimator, signal, gate, cachedOnly } = context;
  const planned = session.plan.observe;
  const worked = (pairs: { done: number; total: number }): void => {
    const { done, total } = session.progress?.() ?? pairs;
    report(context, tracker, 'pointmaps', 'computing depth', done, total);
  };
  return observePairs(project, estimator, session, photos, {
    context: {
      signal,
      store: project.blobs,
      onNote: context.onNote,
      onProgress: worked,
    },
    threads: session.width ?? context.threads ?? availableParallelism(),
    cachedOnly: cachedOnly ?? false,
    before: (stop) => gate.pass(stop),
    onProgress: (done, total) => worked({ done, total }),
    onObserved: () =>
      context.onObserved?.(async () => {
        const pairIds = new Set(planned.map(({ a, b }) => `${photos[a]!.id} ${photos[b]!.id}`));
        const keys = project
          .pairs()
          .filter(({ a, b, state }) => state === 'observed' && pairIds.has(`${a} ${b}`))
          .map(({ observation }) => observation!);
        const observations = (await loadObservations(project, keys)).map(({ observation }) => observation);
        return place({ photos, observations, session, sparse, settings: context.settings, signal, threads: 1 });
      }),
  });
}

async function placeAll(
  context: RunContext,
  tracker: Tracker,
  photos: readonly ProjectPhoto[],
  { session, sparse }: { session: EstimatorSession; sparse: SparseModel | undefined },
  { keys, failures }: Observed,
): Promise<{
  placement: Omit<Placement, 'residuals'>;
  residualOf: Map<string, number | undefined>;
  observations: number;
}> {
  const { project, settings, signal, threads } = context;
  const loaded = await loadObservations(project, keys);
  const observations = loaded.map(({ observation }) => observation);
  if (observations.length === 0 && failures.length > 0)
    throw new Error(`no depth could be computed, start again: ${failures.join('; ')}`);
  if (observations.length === 0)
    throw new UserError(
      'bad-input',
      `no two photos could be matched: ${whyNothing(sparse, photos) ?? commonReason(session)}; take more photos that overlap by two thirds, from different spots`,
    );
  const { residuals, ...placed } = await placeStored(loaded, {
    photos,
    observations,
    session,
    sparse,
    settings,
    signal,
    threads,
    memory: settings.memory === undefined ? undefined : settings.memory * 1e9,
    previous: project.alignedCameras(),
    onStep: (iteration) => report(context, tracker, 'alignment', `aligning, step ${iteration}`),
  });
  const unplaced = withReasons(placed.unplaced, sparse);
  const placement = { ...placed, unplaced, warnings: doubts({ ...placed, unplaced }, sparse, photos) };
  if (placement.components.length === 0)
    throw new UserError(
      'bad-input',
      'the pairs contradict each other so much that no photo could be placed; take more photos that overlap by two thirds',
    );
  return {
    placement,
    residualOf: new Map(loaded.map(({ key }, k) => [key, residuals[k]])),
    observations: loaded.length,
  };
}

/** @throws DamagedOutcome naming what could not be read */
async function placeStored(loaded: readonly { key: string }[], input: Parameters<typeof place>[0]): Promise<Placement> {
  try {
    return await place(input);
  } catch (error) {
    if (error instanceof DamagedObservation) throw new DamagedOutcome(loaded[error.observation]!.key);
    throw error;
  }
}

function commonReason(session: EstimatorSession): string {
  const first = session.plan.rejected[0];
  return first ? first.detail || first.reason : 'no pair gave reliable depth';
}

/** Pairs written down in one turn of the event loop. */
const PAIRS_A_TURN = 100;

async function recordPairs(
  project: Project,
  residualOf: ReadonlyMap<string, number | undefined>,
  { components }: Pick<Placement, 'components'>,
): Promise<void> {
  const cameras = new Map(
    components.flatMap((component) => component.cameras.map((camera) => [camera.photo, camera] as const)),
  );
  const depths = new Map<string, number>();
  for (const view of components.flatMap(({ views }) => views)) {
    depths.set(view.photo, medianOfSorted(confidentDepths(view)) ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const updates = project.pairs().flatMap((pair) => {
    const residual = residualOf.get(pair.observation ?? '');
    const [a, b] = [cameras.get(pair.a), cameras.get(pair.b)];
    if (pair.state !== 'observed' || !a || !b || a.component !== b.component) return [];
    const angle = parallax(a, b, depths.get(pair.a)!);
    return [{ a: pair.a, b: pair.b, parallax: angle, ...(residual === undefined ? {} : { residual }) }];
  });
  for (let at = 0; at < updates.length; at += PAIRS_A_TURN) {
    project.updatePairs(updates.slice(at, at + PAIRS_A_TURN));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
