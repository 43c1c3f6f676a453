import type { StageName } from '../contract/stages.js';

/** Time that the stages of a run have taken; what is left is told by RunProgress. */
export class Clock {
  private readonly spent = new Map<StageName, number>();
  private readonly worked = new Map<StageName, number>();
  private workedSince: number;
  private stage: StageName | undefined;
  private since: number;
  private readonly begin: number;

  /**
   * @param now seconds, of a time that stands still during pauses
   * @param processor seconds that all threads of this process have computed so far
   */
  constructor(
    private readonly now = (): number => performance.now() / 1000,
    private readonly processor = processorSeconds,
  ) {
    this.begin = this.since = now();
    this.workedSince = processor();
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
  }

  get secondsElapsed(): number {
    return this.now() - this.begin;
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
