import type { StageName } from '../contract/stages.js';

/** How far off a forecast may be before what was measured is no longer believed to hold for the stages to come. */
const SLOWEST = 6;
const FASTEST = 1 / 6;

/**
 * Time spent and time left: a forecast per stage, corrected by how long the work done so far has really taken.
 * Reading the clock has no effect, so it can be tested without waiting.
 */
export class Clock {
  private readonly spent = new Map<StageName, number>();
  private readonly worked = new Map<StageName, number>();
  private workedSince: number;
  private stage: StageName | undefined;
  private since: number;
  private fraction = 0;
  private readonly begin: number;

  /**
   * @param forecast seconds per stage, in order
   * @param now seconds, of a time that stands still during pauses
   * @param processor seconds that all threads of this process have computed so far
   */
  constructor(
    private forecast: Partial<Record<StageName, number>>,
    private readonly now = (): number => performance.now() / 1000,
    private readonly processor = processorSeconds,
  ) {
    this.begin = this.since = now();
    this.workedSince = processor();
  }

  /** Replaces the forecast when more is known, as when cached pairs cost nothing. */
  revise(forecast: Partial<Record<StageName, number>>): void {
    this.forecast = { ...this.forecast, ...forecast };
  }

  enter(stage: StageName): void {
    this.leave();
    this.stage = stage;
  }

  leave(): void {
    if (this.stage) {
      this.spent.set(this.stage, (this.spent.get(this.stage) ?? 0) + this.now() - this.since);
      this.worked.set(this.stage, (this.worked.get(this.stage) ?? 0) + this.processor() - this.workedSince);
    }
    this.workedSince = this.processor();
    this.stage = undefined;
    this.since = this.now();
    this.fraction = 0;
  }

  /** @param fraction of the current stage that is done, 0 to 1 */
  reached(fraction: number): void {
    this.fraction = Math.min(1, Math.max(0, fraction));
  }

  get secondsElapsed(): number {
    return this.now() - this.begin;
  }

  get secondsLeft(): number {
    const stages = Object.entries(this.forecast) as [StageName, number][];
    const at = stages.findIndex(([stage]) => stage === this.stage);
    const inStage = this.now() - this.since;
    const expected = stages[at]?.[1] ?? 0;
    // The forecast of what has been done so far, against what it took; the constant damps the first moments.
    const done =
      stages
        .slice(0, Math.max(0, at))
        .reduce((sum, [stage, seconds]) => sum + (this.spent.has(stage) ? seconds : 0), 0) +
      expected * this.fraction;
    const took =
      [...this.spent.values()].reduce((sum, seconds) => sum + seconds, 0) + (this.fraction > 0 ? inStage : 0);
    const ratio = Math.min(SLOWEST, Math.max(FASTEST, (took + 1) / (done + 1)));
    const later = stages.slice(at + 1).reduce((sum, [, seconds]) => sum + seconds, 0);
    const current =
      this.fraction > 0.05 ? (inStage / this.fraction) * (1 - this.fraction) : Math.max(expected * ratio - inStage, 0);
    return current + later * ratio;
  }

  /** Seconds per stage so far. */
  get stages(): Record<string, number> {
    const all = new Map(this.spent);
    if (this.stage) all.set(this.stage, (all.get(this.stage) ?? 0) + this.now() - this.since);
    return Object.fromEntries([...all].map(([stage, seconds]) => [stage, Math.round(seconds * 100) / 100]));
  }

  /** Processor seconds per stage that has ended. */
  get cpuStages(): Record<string, number> {
    return Object.fromEntries([...this.worked].map(([stage, seconds]) => [stage, Math.round(seconds * 100) / 100]));
  }
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
