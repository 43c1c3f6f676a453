import type { MeshState } from '../contract/mesh.js';
import { UserError } from '../contract/errors.js';
import type { BinaryResource } from './binaries.js';
import { layerForViewer, storedFacts } from './mesh-layer.js';
import { buildLayer, type MeshSize } from './meshing.js';
import type { Workspace } from './workspace.js';

/** The mesh layer of one open project: what it holds, and the build that is going on. */
export class MeshLayerJob {
  private abort: AbortController | undefined;
  private building: Promise<void> = Promise.resolve();
  private state: MeshState = { state: 'none' };
  /** One count for all layers of the process: no mesh has the name of another that a viewer may still hold. */
  private static revisions = Date.now();
  private revision = 0;
  private edits: string | undefined;

  constructor(
    private readonly workspace: Workspace,
    private readonly onState: (state: MeshState) => void,
    private readonly onNote: (message: string) => void,
  ) {
    this.refresh();
  }

  get current(): MeshState {
    return this.state;
  }

  get active(): boolean {
    return this.state.state === 'building';
  }

  /** Begins a build; its end is told by the state. @throws UserError 'usage' while one is going on */
  build(request: MeshSize, threads: number | undefined): void {
    if (this.active) throw new UserError('usage', 'a mesh is being built; cancel it first');
    const abort = (this.abort = new AbortController());
    const before = this.state;
    this.set({ state: 'building', stage: 'looking at the depth maps' });
    const work = buildLayer(
      this.workspace,
      { ...request, closeHoles: request.closeHoles ?? false, ...(threads === undefined ? {} : { threads }) },
      {
        signal: abort.signal,
        onProgress: ({ stage, done, total }) => this.set({ state: 'building', stage, done, total }),
        onNote: this.onNote,
      },
    );
    this.building = work.then(
      () => {
        const facts = storedFacts(this.workspace);
        this.edits = facts?.edits;
        this.set(this.ready(facts));
      },
      (error: unknown) => {
        if (abort.signal.aborted) this.set(before);
        else this.set({ ...before, state: 'failed', error: error instanceof Error ? error.message : String(error) });
      },
    );
  }

  /** The mesh that was there before stays. */
  cancel(): void {
    this.abort?.abort(new UserError('cancelled', 'the build of the mesh was cancelled'));
  }

  async close(): Promise<void> {
    this.cancel();
    await this.building;
  }

  /** After an edit or a run: whether the mesh is still that of the scene. */
  refresh(): void {
    if (this.active) return;
    const facts = storedFacts(this.workspace);
    // Each edit makes another mesh of the stored one: the viewer fetches it by a name of its own.
    const fresh = facts?.edits !== this.edits;
    this.edits = facts?.edits;
    this.state = this.ready(facts, fresh);
  }

  async binary(kind: string, revision: number): Promise<BinaryResource | undefined> {
    if (revision !== this.revision) return undefined;
    const bytes = await layerForViewer(this.workspace, kind);
    return bytes && { type: kind === 'mesh' ? 'model/gltf-binary' : 'application/octet-stream', bytes };
  }

  private ready(facts: ReturnType<typeof storedFacts>, fresh = true): MeshState {
    if (!facts) return { state: 'none' };
    if (fresh || this.revision === 0) this.revision = ++MeshLayerJob.revisions;
    return {
      state: 'ready',
      revision: this.revision,
      faces: facts.faces,
      inferred: facts.inferred,
      pages: facts.pages,
      textureSize: facts.textureSize,
      photos: facts.photos.map(({ id }) => id),
      stale: facts.stale,
    };
  }

  private set(state: MeshState): void {
    this.state = state;
    this.onState(state);
  }
}
