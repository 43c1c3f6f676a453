import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Execution } from '../compute/execution.js';
import { UserError } from '../contract/errors.js';
import type { FrameInfo, FrameUnit } from '../contract/scene.js';
import type { PhotoId, Scene } from '../geometry/types.js';
import { infoOf } from '../scene/frame.js';
import { breath } from '../scene/kept-pixels.js';
import type { JobState, PairInfo, PhotoInfo, ProjectState } from '../contract/api.js';
import { withFileNames } from '../export/names.js';
import { Duplicates } from '../photos/duplicates.js';
import { blurredFlags } from '../photos/sharpness.js';
import type { StoredAlignment } from '../project/alignments.js';
import type { SparseLook } from '../geometry/sparse-model.js';
import { Project } from '../project/project.js';
import { decodeSparseModel } from '../sparse/model-record.js';
import { buildScenes, sceneInfo, type BuiltScenes } from './scenes.js';
import { SceneState } from './scene-state.js';
import { decisions } from './selection.js';
import { sparseScenes } from './sparse-scenes.js';

/**
 * One count for all projects, higher at every start: no cloud has the name of another one that a viewer may still hold.
 */
let lastRevision = Date.now();

/** An open project with what is kept in memory for it: the last alignment and the clouds made from it. */
export class Workspace {
  scenes: BuiltScenes | undefined;
  /** The scene document, applied. */
  readonly scene: SceneState;
  alignment: StoredAlignment | undefined;
  /** Who computes for this project; threads of this process when not given. */
  execution: Execution | undefined;
  /** The photos that the clouds were made of. */
  private scenesOf = '';
  /** The last alignment as it was made: photos that were removed since are still in it, and come back with undo. */
  private aligned: StoredAlignment | undefined;
  private readonly closing = new AbortController();
  private readonly duplicates = new Duplicates();
  private decisionsInForce: string;
  private knownPlaces: ReadonlyMap<PhotoId, number> | undefined;

  private constructor(
    readonly project: Project,
    readonly saved: boolean,
  ) {
    this.scene = new SceneState(project);
    this.decisionsInForce = decisions(project);
    this.setAlignment(project.alignment());
  }

  /** @param temporary for a project that the user has not given a place yet */
  static open(path: string, temporary = false): Workspace {
    return new Workspace(Project.open(resolve(path)), !temporary);
  }

  /** To look at and export from; also where the file may not be written to or is open elsewhere. */
  static openToRead(path: string): Workspace {
    return new Workspace(Project.openToRead(resolve(path)), true);
  }

  /** @param temporary for a project that the user has not given a place yet */
  static create(path: string, temporary = false): Workspace {
    const target = resolve(path);
    if (existsSync(target))
      throw new UserError(
        'unwritable',
        `there is a file of this name already; open it or choose another name: ${target}`,
      );
    mkdirSync(dirname(target), { recursive: true });
    return new Workspace(Project.open(target, 'create'), !temporary);
  }

  /** Aborted when the project is closed: for work that reads photos and videos for it. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  get path(): string {
    return this.project.path;
  }

  setAlignment(alignment: StoredAlignment | undefined): void {
    this.aligned = alignment;
    this.alignment = alignment && this.withoutRemoved(alignment);
    this.knownPlaces = undefined;
  }

  private withoutRemoved(alignment: StoredAlignment): StoredAlignment | undefined {
    const known = new Set(this.project.photos().map(({ id }) => id));
    const isKnown = ({ photo }: { photo: string }): boolean => known.has(photo);
    if (alignment.components.every(({ views }) => views.every(isKnown)) && alignment.unplaced.every(isKnown))
      return alignment;
    const components = alignment.components
      .map(({ cameras, views }) => ({ cameras: cameras.filter(isKnown), views: views.filter(isKnown) }))
      .filter(({ views }) => views.length > 0);
    return components.length === 0
      ? undefined
      : { ...alignment, components, unplaced: alignment.unplaced.filter(isKnown) };
  }

  /** By photo, the component that it is placed in. */
  private get placed(): ReadonlyMap<PhotoId, number> {
    this.knownPlaces ??= new Map(
      this.alignment?.components.flatMap(({ views }, component) =>
        views.map(({ photo }) => [photo, component] as const),
      ),
    );
    return this.knownPlaces;
  }

  /** To be called after every edit. */
  edited(): void {
    this.decisionsInForce = decisions(this.project);
    const alignment = this.aligned && this.withoutRemoved(this.aligned);
    if (photosOf(alignment) === this.alignedPhotos()) return;
    this.alignment = alignment;
    this.knownPlaces = undefined;
    if (!alignment) this.scenes = undefined;
  }

  /** Which photos the alignment is of: another cloud follows from others. */
  alignedPhotos(): string {
    return photosOf(this.alignment);
  }

  /** Whether the clouds show what they should, as far as is known by now. */
  get isShown(): boolean {
    return this.scenes !== undefined && !this.scenes.partial && this.scenesOf === this.alignedPhotos();
  }

  /** Makes the clouds anew when the alignment or the settings ask for it. */
  async buildScenes(signal?: AbortSignal): Promise<BuiltScenes | undefined> {
    if (!this.alignment) return undefined;
    const photos = this.alignedPhotos();
    this.scenes = await this.prepared(this.alignment, this.project.settings(), ++lastRevision, {
      signal,
      execution: this.execution,
      sparse: this.alignment.sparse ? decodeSparseModel(this.project.blobs.get(this.alignment.sparse)) : undefined,
    });
    this.scenesOf = photos;
    this.project.dropEarlierAlignment();
    return this.scenes;
  }

  async showPartial(components: StoredAlignment['components']): Promise<void> {
    this.scenes = await this.prepared({ components }, this.project.settings(), ++lastRevision, { partial: true });
  }

  /** With all that telling of them looks at: what is asked afterwards reads no depth map. */
  private async prepared(...given: Parameters<typeof buildScenes>): Promise<BuiltScenes> {
    const scenes = await buildScenes(...given);
    for (const { scene } of scenes.components) await this.scene.prepare(scene, breath(given[3]?.signal));
    return scenes;
  }

  /**
   * Cameras and points of the sparse model, as soon as there are any. A cloud that is whole stays until depths come.
   *
   * @param wanted asked when they are ready: a run may have come further meanwhile
   * @returns whether they are shown
   */
  async showSparse(look: SparseLook, wanted: () => boolean): Promise<boolean> {
    if (this.scenes && !this.scenes.partial) return false;
    const scenes = await sparseScenes(look, this.project, ++lastRevision);
    if (!wanted()) return false;
    this.scenes = scenes;
    return true;
  }

  state(job: JobState): ProjectState {
    const { project } = this;
    return {
      path: project.path,
      name: basename(project.path).replace(/\.pointmap$/, ''),
      saved: this.saved,
      photos: this.photos(),
      pairs: project.pairs().map(({ observation: _, ...pair }): PairInfo => pair),
      settings: project.settings(),
      job,
      ...(this.scenes ? { scene: { ...sceneInfo(this.scenes), frames: this.frames() } } : {}),
      document: project.scene(),
      ...(project.history.label('undo') ? { canUndo: project.history.label('undo') } : {}),
      ...(project.history.label('redo') ? { canRedo: project.history.label('redo') } : {}),
      stale: this.alignment !== undefined && this.alignment.decisions !== this.decisionsInForce,
    };
  }

  /** Of each component; first looks, which have no alignment of their own yet, are levelled by themselves. */
  private frames(): FrameInfo[] {
    const { partial, components } = this.scenes!;
    return components.map(({ scene }, k) =>
      infoOf(
        k === 0 && !partial && this.alignment
          ? this.scene.frame(this.alignment.key, scene)
          : this.scene.automaticFrame(scene),
      ),
    );
  }

  /**
   * The largest component as it leaves the studio: in the scene frame, cleaned, under names that formats may make files
   * of. @throws UserError 'nothing-to-do'
   */
  exported(): Scene {
    const scene = this.scenes?.components[0]?.scene;
    if (!scene || !this.alignment)
      throw new UserError('nothing-to-do', 'there is nothing to export yet; reconstruct first');
    const exported = withFileNames(this.scene.exported(this.alignment.key, scene));
    const faces = new Map(this.project.photos().flatMap(({ id, face }) => (face ? [[id, face] as const] : [])));
    if (faces.size === 0) return exported;
    return { ...exported, cameras: exported.cameras.map((each) => ({ ...each, face: faces.get(each.photo) })) };
  }

  /** Of what `exported` gives. */
  exportedUnit(): FrameUnit {
    const scene = this.scenes?.components[0]?.scene;
    return scene && this.alignment ? this.scene.frame(this.alignment.key, scene).unit : 'scene';
  }

  private photos(): PhotoInfo[] {
    const photos = this.project.photos();
    const duplicates = this.duplicates.of(photos);
    const blurred = blurredFlags(photos.map(({ sharpness }) => sharpness));
    const unplaced = new Map(this.alignment?.unplaced.map(({ photo, reason }) => [photo, reason]));
    return photos.map((photo, k) => {
      const component = this.placed.get(photo.id);
      const range = this.scenes?.ranges?.get(photo.id);
      const residual = this.alignment?.viewResidual[photo.id];
      const reason = unplaced.get(photo.id);
      const reprojection = this.scenes?.reprojection?.get(photo.id);
      const twin = duplicates.get(photo.id);
      return {
        ...photo,
        ...(twin === undefined ? {} : { duplicateOf: twin }),
        blurred: blurred[k]!,
        missing: !existsSync(photo.path),
        ...(photo.mask ? { masked: true } : {}),
        ...(this.alignment && (component !== undefined || reason !== undefined)
          ? { placed: component !== undefined }
          : {}),
        ...(component === undefined ? {} : { component }),
        ...(component !== undefined && range ? { depthRange: range } : {}),
        ...(residual === undefined ? {} : { residual }),
        ...(reprojection === undefined ? {} : { reprojection }),
        ...(reason === undefined ? {} : { reason }),
      };
    });
  }

  /** Leaves a temporary project's file to the next start, in case it was closed by mistake; an empty one is removed. */
  close(): void {
    this.closing.abort(new UserError('cancelled', 'the project was closed'));
    const empty = !this.saved && this.project.photos().length === 0;
    this.project.close();
    if (empty) for (const ending of ['', '-wal', '-shm']) rmSync(this.path + ending, { force: true });
  }
}

const photosOf = (alignment: StoredAlignment | undefined): string =>
  alignment?.components.flatMap(({ views }) => views.map(({ photo }) => photo)).join() ?? '';

/** Whether two paths lead to one file, by whatever links. */
export function sameFile(a: string, b: string): boolean {
  const identity = (path: string): string | undefined => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && `${found.dev} ${found.ino}`;
  };
  try {
    return resolve(a) === resolve(b) || (identity(a) !== undefined && identity(a) === identity(b));
  } catch {
    // A folder on the way that may not be read: opening it tells why.
    return false;
  }
}
