import { setMaxListeners } from 'node:events';
import type { JobState, RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import type { SparseLook } from '../geometry/sparse-model.js';
import { readPixels } from '../photos/reader.js';
import { databaseError } from '../project/open.js';
import { findEstimator, type EstimatorSource } from './estimators.js';
import { Gate } from './gate.js';
import type { Placement } from './placement.js';
import { run } from './run.js';
import type { Timings } from './timings.js';
import { frameFolder } from './videos.js';
import type { Workspace } from './workspace.js';

export interface JobOptions {
  workspace: Workspace;
  settings: RunSettings;
  estimators: readonly EstimatorSource[];
  threads?: number | undefined;
  timings?: Timings | undefined;
  cachedOnly?: boolean;
  /** Give first looks at the cloud while pairs are being computed. */
  partial?: boolean;
  onState: (state: JobState) => void;
  onNote: (message: string) => void;
  /** Photos, pairs or scene changed. */
  onChanged: () => void;
}

/** First looks may take this share of the time, no more. */
const PARTIAL_SHARE = 0.1;
const FIRST_PARTIAL_AFTER = 2;

/** One run of a workspace, from start to its end, with pause and cancel. */
export class Job {
  state: JobState = { state: 'running' };
  /** Pairs the estimator was called for; 0 when all came from the project. */
  computed = 0;
  /** Processor seconds of all threads, per stage of this run. */
  cpuSeconds: Record<string, number> = {};
  readonly finished: Promise<JobState>;
  private readonly abort = new AbortController();
  private readonly gate = new Gate();
  private looking = false;
  private observed = 0;
  /** Cameras of the last look at those that are being placed. */
  private placed = 0;
  private nextLook = 0;

  constructor(private readonly options: JobOptions) {
    // Every request to a worker listens for the abort; dozens are in flight.
    setMaxListeners(0, this.abort.signal);
    this.finished = this.perform();
  }

  get active(): boolean {
    return ['running', 'paused', 'cancelling'].includes(this.state.state);
  }

  pause(): void {
    if (this.state.state !== 'running') return;
    this.gate.close();
    this.set({ state: 'paused' });
  }

  resume(): void {
    if (this.state.state !== 'paused') return;
    this.gate.open();
    this.set({ state: 'running' });
  }

  cancel(): void {
    if (!this.active) return;
    this.set({ state: 'cancelling' });
    this.abort.abort(
      new UserError('cancelled', 'cancelled; what was computed is kept, and the next run continues there'),
    );
  }

  private async perform(): Promise<JobState> {
    const { workspace, settings, estimators, threads, onNote } = this.options;
    try {
      const entry = findEstimator(estimators, settings.estimator);
      const estimator = await entry.create({ read: readPixels }, settings, threads);
      const { alignment, computed, clock, progress, learn } = await run({
        project: workspace.project,
        estimator,
        reader: { read: readPixels },
        provider: entry.provider,
        settings,
        signal: this.abort.signal,
        views: frameFolder(workspace.path),
        gate: this.gate,
        threads,
        execution: workspace.execution,
        timings: this.options.timings,
        onNote,
        cachedOnly: this.options.cachedOnly ?? false,
        onProgress: (progress) => this.set(progress),
        ...(this.options.partial ? { onSparse: (look: SparseLook) => void this.sparseLook(look) } : {}),
        onObserved: (look) => {
          this.options.onChanged();
          void this.partialLook(look);
        },
      });
      this.computed = computed;
      workspace.setAlignment(alignment);
      const scenes = await workspace.buildScenes(this.abort.signal);
      const largest = scenes?.components[0]?.scene;
      if (largest) workspace.scene.keepUndecidedFrame(alignment.key, largest);
      clock.leave();
      progress.finish();
      learn();
      this.cpuSeconds = clock.cpuStages;
      alignment.seconds = {
        ...alignment.seconds,
        ...(computed > 0 ? clock.stages : { cloud: clock.stages.cloud ?? 0 }),
      };
      for (const warning of alignment.warnings) onNote(warning);
      this.set({
        state: 'finished',
        stage: undefined,
        detail: undefined,
        share: 1,
        secondsLeft: 0,
        secondsElapsed: clock.secondsElapsed,
      });
    } catch (raw) {
      const error = databaseError(raw, workspace.path);
      if (this.abort.signal.aborted) this.set({ state: 'cancelled', secondsLeft: undefined });
      else {
        // A bug keeps its stack in the log; the user's own errors are their message.
        if (!(error instanceof UserError))
          this.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
        this.set({ state: 'failed', error: error instanceof Error ? error.message : String(error) });
      }
    }
    this.options.onChanged();
    return this.state;
  }

  /** The cameras and points that are placed by now, before there is any depth: each look has more than the one before. */
  private async sparseLook(look: SparseLook): Promise<void> {
    const placed = look.cameras.filter(({ pose }) => pose).length;
    const isWhole = 'pairs' in look;
    if (!isWhole && (this.looking || placed <= this.placed || performance.now() < this.nextLook)) return;
    this.placed = placed;
    try {
      await this.spendingLittle(async () => {
        const wanted = (): boolean =>
          this.active && placed === this.placed && ['sparse', 'pointmaps'].includes(this.state.stage ?? '');
        if (await this.options.workspace.showSparse(look, wanted)) this.options.onChanged();
      });
    } catch {
      // Only a look: thumbnails of a project that was closed meanwhile can't be read.
    }
  }

  /** What a look costs, the next one waits for, so that looks never take more than their share of the time. */
  private async spendingLittle(action: () => Promise<void>): Promise<void> {
    this.looking = true;
    const started = performance.now();
    try {
      await action();
    } finally {
      const took = performance.now() - started;
      this.nextLook = performance.now() + took * (1 / PARTIAL_SHARE - 1);
      this.looking = false;
    }
  }

  /** A cheap alignment of what is known so far; skipped while it would cost more than its share of the time. */
  private async partialLook(look: () => Promise<Placement>): Promise<void> {
    this.observed++;
    if (
      !this.options.partial ||
      this.looking ||
      this.observed < FIRST_PARTIAL_AFTER ||
      performance.now() < this.nextLook
    )
      return;
    try {
      await this.spendingLittle(async () => {
        const { components } = await look();
        if (this.state.stage !== 'pointmaps' || !this.active) return;
        await this.options.workspace.showPartial(components);
        this.options.onChanged();
      });
    } catch {
      // Too little is known yet; the next pair may tell enough.
    }
  }

  /** Of a failure: the disk may be full, and the run must end all the same. */
  private note(message: string): void {
    try {
      this.options.onNote(message);
    } catch {
      // What failed is told by the state of the run.
    }
  }

  private set(change: Partial<JobState>): void {
    this.state = { ...this.state, ...change };
    this.options.onState(this.state);
  }
}
