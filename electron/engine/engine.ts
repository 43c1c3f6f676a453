import { availableParallelism, totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Execution } from '../compute/execution.js';
import {
  edit as editSchema,
  requests,
  runSettings,
  type EventName,
  type EventPayload,
  type JobState,
  type Params,
  type ProjectState,
  type RequestName,
  type Result,
  type RunSettings,
  type SettingsChange,
} from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { listed } from '../contract/listed.js';
import type { QueueState } from '../contract/workers.js';
import type { PresetSettings } from '../contract/presets.js';
import { databaseError } from '../project/open.js';
import { importPhotos, type ImportedPhoto, type ImportResult } from '../photos/import.js';
import { readPixels } from '../photos/reader.js';
import { binary, partsOf, type BinaryResource } from './binaries.js';
import { Emitter, throttle } from './emitter.js';
import { isTemporary, keepUploads, temporaryPath } from './data-folder.js';
import { defaultDataFolder, programVersion, sampleSets } from './environment.js';
import { MeshLayerJob } from './mesh-job.js';
import { forecastMesh } from './meshing.js';
import { modelsFolder, removeModel } from '../../native-models/registry/folder.js';
import { modelEstimators } from './models.js';
import { getNetwork, importNetwork, listNetworks, type ModelProgress } from './networks.js';
import { findEstimator, geometric, type EstimatorSource } from './estimators.js';
import { estimatePreset, presetCommand, writePreset } from './export-preset.js';
import { estimateBytes, exportCommand, writeExports } from './exporting.js';
import { filePicture, listFiles, makeFolder } from './files.js';
import { Job } from './job.js';
import { takeKnownCameras, type KnownCameraUse } from './known-cameras.js';
import { findMasks } from './find-masks.js';
import { dropMasks, maskNotes, paintMask, type PaintedMask, takeMasks } from './masks.js';
import { preflight } from './preflight.js';
import { measurementsFile, measureScene } from './measuring.js';
import { addOperations, applyDraft, describeScene, draftOf } from './scene-edits.js';
import type { RunCost } from './report.js';
import { PreferenceFile } from './preferences.js';
import { RecentProjects, smallPicture } from './recent.js';
import { Tasks } from './tasks.js';
import { relocate } from './relocate.js';
import { PageVideos } from './page-videos.js';
import { Segmenting } from './segmenting.js';
import { copyFrames, expandVideos, frameFolder, type ExpandedPaths, type VideoChoice } from './videos.js';
import { Timings } from './timings.js';
import { importFaces, type WidePicture } from './wide.js';
import { sameFile, Workspace } from './workspace.js';

export interface EngineOptions {
  dataFolder?: string;
  samplesFolder?: string;
  threads?: number;
  desktop?: boolean;
  /** Give first looks at the cloud during a run; for viewers, a waste elsewhere. */
  partial?: boolean;
  /** Who computes; threads of this process when not given. */
  execution?: Execution | undefined;
  /** Tells who computes for the queue, where there is one. */
  workers?: (() => Promise<QueueState>) | undefined;
  /** Beside the built-in one. */
  estimators?: readonly EstimatorSource[];
}

type AddedPhotos = Result<'photos.add'> & { given: ReadonlySet<string> };

/** Where masks come from that nobody asked for, by what they are. */
const maskSources = [
  ['brightness', 'masks beside the photos'],
  ['alpha', 'masks in the photos (transparency)'],
] as const;

/** Photos that were read are stored together, this often: a transaction each would cost more than reading them. */
const STORE_MILLISECONDS = 300;

type Handlers = {
  [N in RequestName]: (params: ReturnType<(typeof requests)[N]['params']['parse']>) => Result<N> | Promise<Result<N>>;
};

/**
 * The studio without its windows: one open project, one run at a time, everything that contract/api.ts names. Shells
 * call `handle` with what came over their wire, or `request` with types.
 */
export class Engine {
  private readonly events = new Emitter();
  private readonly estimators: readonly EstimatorSource[];
  private readonly dataFolder: string;
  private readonly recent: RecentProjects;
  private readonly timings: Timings;
  private readonly preferences: PreferenceFile;
  private workspace: Workspace | undefined;
  private job: Job | undefined;
  private mesh: MeshLayerJob | undefined;
  private readonly tasks = new Tasks();
  private readonly segmenting = new Segmenting({ read: readPixels });
  private readonly pageVideos = new PageVideos((name, payload) => this.events.emit(name, payload));
  private readonly announce = throttle(() => {
    if (this.workspace && this.events.has('project.changed')) this.events.emit('project.changed', this.state());
  }, 500);

  constructor(private readonly options: EngineOptions = {}) {
    this.dataFolder = options.dataFolder ?? defaultDataFolder();
    this.recent = new RecentProjects(this.dataFolder);
    this.timings = new Timings(this.dataFolder);
    this.preferences = new PreferenceFile(this.dataFolder);
    this.estimators = [() => [geometric], () => modelEstimators(), ...(options.estimators ?? [])];
  }

  /** Answers a request that came from outside: name, parameters and result are checked against the contract. */
  async handle(name: string, params: unknown): Promise<unknown> {
    if (!Object.hasOwn(requests, name)) throw new UserError('usage', `there is no request '${name}'`);
    const { params: expected, result } = requests[name as RequestName];
    const parsed = expected.safeParse(params);
    if (!parsed.success)
      throw new UserError(
        'usage',
        `bad parameters for ${name}: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`,
      );
    try {
      const answer = await (this.handlers[name as RequestName] as (given: unknown) => unknown)(parsed.data);
      const checked = result.safeParse(answer);
      if (checked.success) return checked.data;
      const [issue] = checked.error.issues;
      throw new Error(
        `the answer to ${name} is not what the contract says: ${issue?.path.join('.')} ${issue?.message}`,
      );
    } catch (error) {
      throw databaseError(error, this.workspace?.path ?? '');
    }
  }

  request<N extends RequestName>(name: N, params: Params<N>): Promise<Result<N>> {
    return this.handle(name, params) as Promise<Result<N>>;
  }

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    return this.events.on(name, listener);
  }

  /** @throws UserError 'not-found' */
  async binary(name: string): Promise<BinaryResource> {
    const [kind, revision, ...rest] = partsOf(name);
    if (kind === 'video')
      return { type: 'application/octet-stream', bytes: await this.pageVideos.bytes(revision!, ...pieceOf(rest)) };
    // Before there is a project, too; nothing is an answer: a browser would complain of a resource that isn't there.
    if (kind === 'file-picture')
      return { type: 'image/jpeg', bytes: (await filePicture(revision ?? '')) ?? new Uint8Array() };
    if (kind === 'mesh' || kind === 'mesh-photos') {
      const found = await this.meshJob().binary(kind, Number(revision));
      if (found) return found;
    }
    return binary(this.open, name);
  }

  /** Resolves when no run is going on, with how the last one ended. */
  async settled(): Promise<JobState> {
    return this.job ? this.job.finished : { state: 'idle' };
  }

  /** The open project with its results, for shells that live in the same process. */
  get open(): Workspace {
    if (!this.workspace) throw new UserError('usage', 'no project is open; open or create one first');
    return this.workspace;
  }

  /** What the last run cost: groups the estimator was called for, processor seconds per stage. */
  get lastRun(): RunCost {
    return { computed: this.job?.computed ?? 0, cpuSeconds: this.job?.cpuSeconds ?? {} };
  }

  /** Cancels a run that is going on and closes the project. */
  async close(): Promise<void> {
    this.job?.cancel();
    await this.job?.finished;
    this.job = undefined;
    await this.mesh?.close();
    await this.segmenting.close();
    this.mesh = undefined;
    if (this.workspace) await this.remember(this.workspace);
    this.workspace?.close();
    this.workspace = undefined;
  }

  private readonly handlers: Handlers = {
    'app.info': () => ({
      version: programVersion(),
      threads: this.threads ?? availableParallelism(),
      desktop: this.options.desktop ?? false,
    }),
    'app.recent': () => this.recent.list(),
    'app.samples': () =>
      Promise.all(
        sampleSets(this.options.samplesFolder).map(async ({ id, title, photos, first }) => ({
          ...{ id, title, photos },
          picture: await smallPicture(first),
        })),
      ),
    'app.preferences': () => this.preferenceState(),
    'app.setPreferences': (next) => {
      this.preferences.write(next);
      return this.preferenceState();
    },
    'app.workers': async () => (await this.options.workers?.()) ?? null,
    'models.list': async () => ({
      folder: modelsFolder(),
      models: await listNetworks((message) => this.note(message)),
    }),
    'models.get': ({ id }) => this.buildNetwork((building) => getNetwork(id, building)),
    'models.import': ({ path }) => this.buildNetwork((building) => importNetwork(path, building)),
    'models.cancel': () => {
      this.tasks.cancel('network', new UserError('cancelled', 'stopped; what has come is kept for the next time'));
      return null;
    },
    'models.remove': async ({ id }) => {
      await removeModel(id);
      return null;
    },
    'app.estimators': () => this.estimators.flatMap((source) => source()).map(({ info }) => info),
    'project.create': ({ path }) =>
      this.inOrder(() =>
        this.enter(() =>
          path === undefined ? Workspace.create(temporaryPath(this.dataFolder), true) : Workspace.create(path),
        ),
      ),
    'project.open': ({ path }) => this.inOrder(() => this.openProject(path)),
    'project.openSample': ({ id }) => this.openSample(id),
    'project.state': () => (this.workspace ? this.state() : null),
    'project.saveAs': ({ path }) => this.inOrder(() => this.saveAs(path)),
    'project.close': () =>
      this.inOrder(async () => {
        await this.close();
        return null;
      }),
    'photos.add': ({ paths, frames, framesPerSecond }) => this.addPhotos(paths, { frames, perSecond: framesPerSecond }),
    'photos.cancel': () => {
      this.tasks.cancel(
        'adding',
        new UserError('cancelled', 'reading photos was cancelled; those that were read stay'),
      );
      return null;
    },
    'video.claim': (order) => this.pageVideos.claim(order),
    'video.frames': (frames) => this.pageVideos.frames(frames),
    'video.picture': (picture) => this.pageVideos.picture(picture),
    'video.done': (order) => this.pageVideos.done(order),
    'photos.relocate': ({ folder }) =>
      this.inOrder(async () => {
        const result = await relocate(this.idle.project, folder);
        this.announce.flush();
        return result;
      }),
    'photos.masks': ({ folder, inverted }) => this.inOrder(() => this.takeMasks(folder, inverted)),
    'photos.findMasks': () => this.inOrder(() => this.findMasks()),
    'photos.paintMask': (painted) => this.inOrder(() => this.paintMask(painted)),
    'photos.segment': ({ photo: id, ...question }) => {
      const photo = this.open.project.photos().find((each) => each.id === id);
      if (!photo) throw new UserError('not-found', 'that photo is no longer in the project');
      return this.segmenting.ask(photo, question);
    },
    'photos.knownCameras': ({ path, use, weight }) => this.inOrder(() => this.takeKnownCameras(path, use, weight)),
    'edit.apply': ({ edit }) =>
      this.inOrder(() => this.change((workspace) => workspace.project.apply(editSchema.parse(edit)))),
    'edit.undo': () => this.inOrder(() => this.change((workspace) => workspace.project.history.undo())),
    'edit.redo': () => this.inOrder(() => this.change((workspace) => workspace.project.history.redo())),
    'scene.describe': async () => describeScene(await this.withScenes()),
    'scene.measure': async (given) => measureScene(await this.withScenes(), given),
    'scene.measurements': async ({ format }) => ({ text: await measurementsFile(await this.withScenes(), format) }),
    'scene.edit': ({ operations }) =>
      this.inOrder(async () => {
        const workspace = this.idle;
        const draft = await draftOf(workspace);
        const notes = await addOperations(workspace, draft, operations);
        const lengths = draft.fit()?.lengths ?? [];
        this.change(() => applyDraft(workspace, draft));
        return { lengths, masks: draft.maskNames, notes };
      }),
    'run.preflight': async ({ settings }) => {
      const merged = withChange(this.open.project.settings(), settings ?? {});
      const entry = findEstimator(this.estimators, merged.estimator);
      return preflight(this.open.project, merged, entry, this.timings, this.threads);
    },
    'run.start': () => this.begin(false),
    'run.realign': () => this.begin(true),
    'run.pause': () => {
      this.job?.pause();
      return null;
    },
    'run.resume': () => {
      if (this.job) this.job.resume();
      else if (this.open.project.interrupted) return this.begin(false);
      return null;
    },
    'run.cancel': () => {
      this.job?.cancel();
      return null;
    },
    'mesh.state': () => this.meshJob().current,
    'mesh.forecast': (size) => forecastMesh(this.open, size, this.threads ?? availableParallelism()),
    'mesh.build': (size) => {
      const workspace = this.idle;
      if (!workspace.alignment)
        throw new UserError('nothing-to-do', 'there is no depth to build a mesh from yet; reconstruct first');
      this.meshJob().build(size, this.threads);
      return null;
    },
    'mesh.cancel': () => {
      this.mesh?.cancel();
      return null;
    },
    'export.estimate': ({ formats, folder }) => ({
      bytes: estimateBytes(this.open, formats),
      command: exportCommand(this.open, formats, folder),
    }),
    'export.write': async ({ folder, formats }) => ({
      files: await writeExports(await this.withScenes(), resolve(folder), formats),
    }),
    'export.preset': ({ folder, settings }) => this.exportPreset(resolve(folder), settings),
    'export.presetEstimate': ({ settings, folder }) => ({
      bytes: estimatePreset(this.open, settings),
      command: presetCommand(this.open, settings, folder),
    }),
    'export.cancel': () => {
      this.tasks.cancel('export', new UserError('cancelled', 'the export was cancelled; nothing was written'));
      return null;
    },
    'files.list': ({ path, all }) => listFiles(path, all),
    'files.makeFolder': ({ parent, name }) => makeFolder(parent, name),
    'log.read': () => this.open.project.readLog(),
  };

  /** What a shell was told, else what is preferred, else undefined: all that the machine has. */
  private get threads(): number | undefined {
    return this.options.threads ?? this.preferences.read().threads;
  }

  private withPreferences(settings: RunSettings): RunSettings {
    const { memory, gpu } = this.preferences.read();
    const budget = settings.memory ?? memory;
    return {
      ...settings,
      ...(budget === undefined ? {} : { memory: budget }),
      ...(gpu || settings.provider !== 'auto' ? {} : { provider: 'cpu' }),
    };
  }

  private preferenceState(): Result<'app.preferences'> {
    return {
      preferences: this.preferences.read(),
      machine: { threads: availableParallelism(), memory: totalmem(), dataFolder: this.dataFolder },
    };
  }

  /** Keeps the open project in the list of recent ones, with a picture of its first photo. */
  private async remember(workspace: Workspace): Promise<void> {
    const photos = workspace.project.photos();
    const first = photos.find(({ enabled }) => enabled);
    const entry = { path: workspace.path, name: basename(workspace.path, '.pointmap'), photos: photos.length };
    this.recent.add({ ...entry, picture: await smallPicture(first && workspace.project.thumbnail(first.id)) });
  }

  private state(): ProjectState {
    return this.open.state(this.job?.state ?? (this.open.project.interrupted ? interrupted : { state: 'idle' }));
  }

  /** The open project, when no run is going on that the change would upset. */
  private get idle(): Workspace {
    if (this.job?.active)
      throw new UserError('usage', 'a run is going on; pause is not enough for this change, cancel it first');
    return this.open;
  }

  private async enter(open: () => Workspace): Promise<ProjectState> {
    const next = open();
    await this.close();
    this.workspace = next;
    next.execution = this.options.execution;
    next.project.preferredMemory = this.preferences.read().memory;
    await this.remember(next);
    this.announce.flush();
    // A project that was aligned before shows its cloud again; the state is there at once, the cloud follows.
    if (next.alignment) void this.showStored(next);
    return this.state();
  }

  private async showStored(workspace: Workspace): Promise<void> {
    // Nobody is looking: the command line builds the cloud once, at the end.
    if (!this.events.has('project.changed')) return;
    // A later threshold overtakes an earlier one.
    await this.tasks.instead('cloud', async (signal) => {
      try {
        await workspace.buildScenes(signal);
        if (this.workspace === workspace) this.announce.flush();
      } catch (error) {
        if (signal.aborted || this.workspace !== workspace) return;
        this.note(
          `the cloud of this project could not be built: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
  }

  /** What changes the project, or which one is open, one after another. */
  private inOrder<T>(change: () => T | Promise<T>): Promise<T> {
    return this.tasks.inOrder('mutation', change);
  }

  private async openSample(id: string): Promise<ProjectState> {
    const sample = sampleSets(this.options.samplesFolder).find((set) => set.id === id);
    if (!sample) throw new UserError('not-found', `there are no sample photos called '${id}'`);
    await this.inOrder(() => this.enter(() => Workspace.create(temporaryPath(this.dataFolder), true)));
    await this.addPhotos([sample.folder]);
    return this.state();
  }

  private async openProject(path: string): Promise<ProjectState> {
    // One connection has a project to itself: the open one is opened anew once it is closed.
    if (this.workspace && sameFile(path, this.workspace.path)) await this.close();
    return this.enter(() => Workspace.open(path, isTemporary(path, this.dataFolder)));
  }

  /** Where the dialog asked whether to overwrite, a project of that name is overwritten; anything else is not. */
  private async saveAs(path: string): Promise<ProjectState> {
    const { project, path: own } = this.idle;
    const target = resolve(path);
    if (sameFile(target, own)) return this.state();
    project.copyTo(target);
    keepUploads(
      this.dataFolder,
      project.photos().map((photo) => photo.path),
    );
    const moved = await copyFrames(project, target);
    return this.enter(() => {
      const workspace = Workspace.open(target);
      for (const [id, { path: own, mask }] of moved) {
        workspace.project.relocate(id, own);
        if (mask) workspace.project.setFacts(id, { mask });
      }
      return workspace;
    });
  }

  /**
   * Adds photos; also tells which photos of the project, new or known, the paths stand for. They are in the project,
   * and shown, while the others are still being read. One call after another: a photo given to two of them is added
   * once.
   */
  async addPhotos(paths: readonly string[], choice: VideoChoice = {}): Promise<AddedPhotos> {
    const workspace = this.idle;
    return this.tasks.inOrder('adding', (signal) =>
      this.addTo(workspace, paths, choice, AbortSignal.any([signal, workspace.closed])),
    );
  }

  private async addTo(
    workspace: Workspace,
    given: readonly string[],
    choice: VideoChoice,
    signal: AbortSignal,
  ): Promise<AddedPhotos> {
    const closed = new UserError(
      'cancelled',
      'the project was closed before all photos were added; open it and add them again',
    );
    if (this.workspace !== workspace) throw closed;
    const { project } = workspace;
    const { paths, frameOf, refused: refusedVideos } = await this.expand(workspace, given, choice, signal);
    if (this.workspace !== workspace) throw closed;
    const before = new Map(project.photos().map((photo) => [photo.id, photo]));
    const waiting: ImportedPhoto[] = [];
    const wide: WidePicture[] = [];
    let stored = performance.now();
    const store = (): void => {
      if (this.workspace !== workspace) throw closed;
      if (workspace.saved)
        keepUploads(
          this.dataFolder,
          waiting.map(({ photo }) => photo.path),
        );
      project.addPhotos(waiting.splice(0));
      workspace.edited();
      this.announce();
      stored = performance.now();
    };
    const {
      imported,
      refused: all,
      known,
    } = await importPhotos(paths, before, (photos) => {
      for (const { photo } of photos) photo.frame = frameOf.get(photo.path) ?? photo.frame;
      for (const { photo, wide: camera } of photos) if (camera) wide.push({ photo, camera });
      waiting.push(...photos.filter((each) => !each.wide));
      if (signal.aborted) store();
      signal.throwIfAborted();
      if (performance.now() - stored > STORE_MILLISECONDS) store();
    });
    store();
    const faces = await this.addFaces(workspace, wide);
    const knownPaths = new Set(known.map((id) => before.get(id)!.path));
    // A photo that is in the project at this very path was meant, and needs no remark.
    const refused = [...refusedVideos, ...all].filter(({ path }) => !knownPaths.has(path));
    const plain = [...imported.filter((each) => !each.wide), ...faces.imported];
    const remarks = new Map<string, string[]>();
    for (const { photo, notes } of imported)
      for (const note of notes) remarks.set(note, [...(remarks.get(note) ?? []), photo.name]);
    for (const [note, names] of remarks)
      this.note(names.length === 1 ? `${names[0]} ${note}` : `${listed(names, 3)}: each ${note}`);
    const photos = imported.map(({ photo }) => photo);
    for (const [channel, source] of maskSources) {
      const masked = photos.filter(({ mask }) => mask?.channel === channel);
      for (const note of await maskNotes(source, masked, photos.length)) this.note(note);
    }
    for (const { path, reason } of refused) this.note(`left out: ${reason}: ${path}`);
    this.announce.flush();
    return {
      added: plain.length,
      refused: [...refused, ...faces.refused],
      given: new Set([...plain.map(({ photo }) => photo.id), ...known, ...faces.known]),
    };
  }

  /** Frames instead of videos, telling how far it is. */
  private async expand(
    workspace: Workspace,
    given: readonly string[],
    choice: VideoChoice,
    signal: AbortSignal,
  ): Promise<ExpandedPaths> {
    const tell = throttle(() => this.events.emit('video.progress', progress), 200);
    let progress: EventPayload<'video.progress'> = null;
    try {
      return await expandVideos(given, frameFolder(workspace.path), choice, {
        signal,
        note: (message) => this.note(message),
        onProgress: (video, share) => {
          progress = { video, share };
          tell();
        },
        reader: this.events.has('video.wanted') ? this.pageVideos : undefined,
      });
    } finally {
      progress = null;
      tell.flush();
    }
  }

  /** The views of wide pictures, instead of the pictures. */
  private async addFaces(workspace: Workspace, pictures: readonly WidePicture[]): Promise<ImportResult> {
    const { project } = workspace;
    const known = new Map(project.photos().map((photo) => [photo.id, photo]));
    const faces = await importFaces(pictures, known, frameFolder(workspace.path), {
      signal: workspace.closed,
      note: (message) => this.note(message),
    });
    if (this.workspace === workspace && faces.imported.length > 0) {
      project.addPhotos(faces.imported);
      workspace.edited();
    }
    return faces;
  }

  private async takeMasks(folder: string | null, inverted: boolean): Promise<Result<'photos.masks'>> {
    const { project } = this.idle;
    if (folder === null) {
      await dropMasks(project);
      return this.took({ found: 0, without: [], notes: [] });
    }
    return this.took(await takeMasks(project, folder, { inverted }, join(frameFolder(this.open.path), 'masks')));
  }

  private async findMasks(): Promise<Result<'photos.findMasks'>> {
    const { project } = this.idle;
    const workspace = this.open;
    const context = { signal: workspace.closed, store: project.blobs, onNote: (line: string) => this.note(line) };
    const folder = join(frameFolder(workspace.path), 'masks');
    return this.took(await findMasks(project, { read: readPixels }, folder, context, this.threads));
  }

  private async paintMask(painted: PaintedMask): Promise<null> {
    const { project } = this.idle;
    await paintMask(project, painted, join(frameFolder(this.open.path), 'masks'));
    this.open.edited();
    this.announce.flush();
    return null;
  }

  private async takeKnownCameras(
    path: string | null,
    use: KnownCameraUse,
    weight: number,
  ): Promise<Result<'photos.knownCameras'>> {
    const { project } = this.idle;
    if (path === null) {
      for (const { id } of project.photos()) project.setFacts(id, { known: undefined });
      return this.took({ found: 0, notes: [] });
    }
    const workspace = this.open;
    return this.took(
      await takeKnownCameras(project, resolve(path), {
        use,
        weight,
        cache: frameFolder(workspace.path),
        signal: workspace.closed,
        note: (message) => this.note(message),
      }),
    );
  }

  /** Tells of what was brought beside the photos. */
  private took<T extends { notes: string[] }>({ notes, ...result }: T): Omit<T, 'notes'> {
    for (const note of notes) this.note(note);
    this.open.edited();
    this.announce.flush();
    return result;
  }

  private change(action: (workspace: Workspace) => void): null {
    const workspace = this.idle;
    const cloud = (): string => cloudSettings(workspace.project.settings()) + workspace.alignedPhotos();
    const before = cloud();
    action(workspace);
    workspace.edited();
    this.announce.flush();
    // Another threshold, or a photo less, needs no alignment: the cloud follows at once.
    if ((workspace.scenes || workspace.alignment) && cloud() !== before) void this.showStored(workspace);
    return null;
  }

  /**
   * Photos that are still being read belong to the run: it begins after the last of them. Asked for twice meanwhile, it
   * begins once.
   */
  private begin(cachedOnly: boolean): Promise<null> {
    const workspace = this.idle;
    return this.tasks.joined('beginning', async () => {
      await this.tasks.settled('adding');
      return this.inOrder(() => {
        if (this.workspace !== workspace)
          throw new UserError(
            'cancelled',
            'the project was closed before the run could begin; open it and start again',
          );
        return this.start(this.idle, cachedOnly);
      });
    });
  }

  private start(workspace: Workspace, cachedOnly: boolean): null {
    this.job = new Job({
      workspace,
      settings: this.withPreferences(workspace.project.settings()),
      estimators: this.estimators,
      threads: this.threads,
      timings: this.timings,
      cachedOnly,
      partial: this.options.partial ?? false,
      onState: (state) => this.events.emit('job.changed', state),
      onNote: (message) => this.note(message),
      onChanged: () => this.announce(),
    });
    workspace.project.interrupted = true;
    this.job.finished
      .then(() => {
        workspace.project.interrupted = false;
      })
      .catch(() => {
        // The disk is full, say: the run has told so itself, and may as well count as interrupted.
      });
    this.events.emit('job.changed', this.job.state);
    return null;
  }

  private buildNetwork(build: (building: Parameters<typeof getNetwork>[1]) => Promise<void>): Promise<null> {
    const busy = 'another network is being fetched or built; wait for it or stop it, then ask again';
    const tell = throttle(() => this.events.emit('models.progress', progress), 200);
    let progress: ModelProgress = null;
    return this.tasks.alone('network', busy, async (signal) => {
      try {
        const onProgress = (next: ModelProgress): void => {
          progress = next;
          tell();
        };
        await build({ signal, onProgress, onNote: (message) => this.note(message) });
        return null;
      } finally {
        progress = null;
        tell.flush();
      }
    });
  }

  private exportPreset(folder: string, settings: PresetSettings): Promise<Result<'export.preset'>> {
    const busy = 'an export is being written; wait for it or cancel it, then export again';
    return this.tasks.alone('export', busy, async (signal) => {
      const files = await writePreset(await this.withScenes(), folder, settings, {
        signal,
        onProgress: (progress) => this.events.emit('export.progress', progress),
      });
      return { files };
    });
  }

  private async withScenes(): Promise<Workspace> {
    const workspace = this.open;
    if (!workspace.alignment) throw new UserError('nothing-to-do', 'there is nothing to export yet; reconstruct first');
    if (!workspace.isShown) await workspace.buildScenes();
    return workspace;
  }

  private meshJob(): MeshLayerJob {
    this.mesh ??= new MeshLayerJob(
      this.open,
      (state) => this.events.emit('mesh.changed', state),
      (message) => this.note(message),
    );
    this.mesh.refresh();
    return this.mesh;
  }

  /** A line for the open project's log. */
  note(message: string): void {
    if (!this.workspace) return;
    this.events.emit('log.line', this.open.project.log('info', message));
  }
}

const pieceOf = ([from, to]: readonly string[]): [number, number] => [Number(from), Number(to)];

/** What a project tells whose last run was ended by a crash. */
const interrupted: JobState = {
  state: 'failed',
  error: 'the last run was interrupted before its end; start it again to go on, every pair computed so far is kept',
};

function withChange(settings: RunSettings, change: SettingsChange): RunSettings {
  const all = Object.entries({ ...settings, ...change }).filter(([, value]) => value !== null && value !== undefined);
  return runSettings.parse(Object.fromEntries(all));
}

function cloudSettings({ minConfidence, removeFloating, inferred, voxelSize }: RunSettings): string {
  return JSON.stringify([minConfidence, removeFloating, inferred, voxelSize]);
}
