import type { StageName } from '../contract/stages.js';

/** One part of a run, named by its stage and what the engine says it is doing, with the seconds it is expected to take. */
export interface ProgressStep {
  stage: StageName;
  detail: string;
  seconds: number;
}

/** Seconds of a run before nothing is said of the time left: until then too little is measured. */
const SILENT_SECONDS = 4;
/** Nor before this share of what was expected is done. */
const SILENT_SHARE = 0.06;
/** Expected seconds that count as much as what was measured, so that the first moments decide little. */
const DAMPING_SECONDS = 4;
/** Steps that are expected to be shorter say nothing of the pace, seconds. */
const LEAST_TELLING = 0.4;
/** How far off the expectation may be before what was measured is no longer believed to hold for what is to come. */
const RATIO_LIMITS = { least: 1 / 8, most: 12 };
/** A new estimate is taken over in this share of the time left, so that the clock is seen to correct, not to jump. */
const SMOOTHING = 0.12;

/**
 * One progress of a whole run: the share that is done, which never goes back, and the time left, which counts down by
 * the clock and is corrected smoothly. It is told where the run is by stage and sub-step; sub-steps that it does not
 * expect move nothing. Time is given by the caller, so it is tested without waiting.
 */
export class RunProgress {
  /** Index of the step that the run is in; it only grows. */
  private at = -1;
  private fraction = 0;
  private reached = 0;
  private readonly begin: number;
  private since: number;
  private readonly measured: ProgressStep[] = [];
  private readonly paces: { expected: number; ratio: number }[] = [];
  private shown: { left: number; at: number } | undefined;

  /** @param now seconds, of a time that stands still during pauses */
  constructor(
    private steps: readonly ProgressStep[],
    private readonly now: () => number,
  ) {
    this.begin = this.since = now();
  }

  /** Another expectation for what is still to come; what is done keeps its share. */
  expect(steps: readonly ProgressStep[]): void {
    const current = this.steps[this.at];
    this.steps = steps;
    const found = current ? indexOf(steps, current.stage, current.detail, 0) : -1;
    this.at = current ? Math.max(found, firstOf(steps, current.stage)) : -1;
  }

  /** Tells where the run is; `fraction` of the sub-step is done. */
  update(stage: StageName, detail: string, fraction = 0): void {
    const next = indexOf(this.steps, stage, detail, Math.max(0, this.at));
    if (next > this.at) {
      this.close();
      this.at = next;
      this.fraction = 0;
    }
    const current = this.steps[this.at];
    if (current?.stage === stage && current.detail === detail)
      this.fraction = Math.max(this.fraction, Math.min(1, fraction));
    this.reached = Math.max(this.reached, this.expectedDone / Math.max(1e-9, this.expectedTotal));
  }

  /** Ends the run: everything is done. */
  finish(): void {
    this.close();
    this.reached = 1;
  }

  /** Of the whole run, 0 to 1. */
  get share(): number {
    return Math.min(1, this.reached);
  }

  /** Seconds; undefined until enough has been measured. */
  get secondsLeft(): number | undefined {
    const [now, done] = [this.now(), this.expectedDone];
    const elapsed = now - this.begin;
    if (elapsed < SILENT_SECONDS || done < SILENT_SHARE * this.expectedTotal) return undefined;
    const estimate = this.estimate(elapsed, done);
    if (!this.shown) {
      this.shown = { left: estimate, at: now };
      return estimate;
    }
    const passed = now - this.shown.at;
    const counted = Math.max(0, this.shown.left - passed);
    const pull = 1 - Math.exp(-passed / Math.max(0.5, SMOOTHING * estimate));
    this.shown = { left: counted + (estimate - counted) * pull, at: now };
    return this.shown.left;
  }

  /** Seconds that each sub-step of this run has really taken, in order. */
  get seconds(): readonly ProgressStep[] {
    return this.measured;
  }

  /** What is still expected. A step that is well under way tells its own rest; later ones go at the usual pace so far. */
  private estimate(elapsed: number, done: number): number {
    const inStep = this.now() - this.since;
    const current = this.steps[this.at]?.seconds ?? 0;
    const pace = this.pace(elapsed, done);
    const own = this.fraction > 0.15 ? (inStep / this.fraction) * (1 - this.fraction) : undefined;
    const later = this.expectedTotal - done - current * (1 - this.fraction);
    return (own ?? current * (1 - this.fraction) * pace) + Math.max(0, later) * pace;
  }

  /** Measured against expected seconds: the median of the steps, so that one that is off says nothing of the others. */
  private pace(elapsed: number, done: number): number {
    const ratios = this.paces.filter(({ expected }) => expected >= LEAST_TELLING).map(({ ratio }) => ratio);
    if (ratios.length < 3) ratios.push((elapsed + DAMPING_SECONDS) / (done + DAMPING_SECONDS));
    ratios.sort((a, b) => a - b);
    const middle = (ratios[(ratios.length - 1) >> 1]! + ratios[ratios.length >> 1]!) / 2;
    return Math.min(RATIO_LIMITS.most, Math.max(RATIO_LIMITS.least, middle));
  }

  private close(): void {
    const step = this.steps[this.at];
    const seconds = this.now() - this.since;
    if (step) {
      this.measured.push({ ...step, seconds });
      this.paces.push({ expected: step.seconds, ratio: seconds / Math.max(1e-9, step.seconds) });
    }
    this.since = this.now();
  }

  private get expectedTotal(): number {
    return this.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  private get expectedDone(): number {
    const before = this.steps.slice(0, Math.max(0, this.at)).reduce((sum, { seconds }) => sum + seconds, 0);
    return before + (this.steps[this.at]?.seconds ?? 0) * this.fraction;
  }
}

function indexOf(steps: readonly ProgressStep[], stage: StageName, detail: string, from: number): number {
  return steps.findIndex((step, k) => k >= from && step.stage === stage && step.detail === detail);
}

const firstOf = (steps: readonly ProgressStep[], stage: StageName): number =>
  steps.findIndex((step) => step.stage === stage);
