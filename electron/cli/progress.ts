import type { JobState } from '../contract/api.js';
import { stageTitle } from '../contract/stages.js';
import { seconds } from './output.js';

const BAR = 24;
/** Without a terminal: a line per stage, and one now and then so that a log shows it is alive. */
const PLAIN_INTERVAL = 10_000;

interface Step extends Pick<JobState, 'detail' | 'done' | 'total' | 'secondsLeft'> {
  title: string;
}

/** Progress on standard error: one line that is rewritten on a terminal, plain lines otherwise. */
export class ProgressLine {
  private last = '';
  private lastDrawn = 0;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  show({ stage, detail, done, total, secondsLeft }: JobState): void {
    if (stage) this.step({ title: stageTitle(stage), detail, done, total, secondsLeft });
  }

  /** What is being done outside the stages of a run. */
  step({ title: stage, detail, done, total, secondsLeft }: Step): void {
    const now = Date.now();
    const step = `${stage} ${detail?.replace(/,? step \d+$/, '') ?? ''}`;
    const changed = step !== this.last;
    if (!changed && now - this.lastDrawn < (this.stream.isTTY ? 100 : PLAIN_INTERVAL)) return;
    this.last = step;
    this.lastDrawn = now;
    const count = total ? ` ${done}/${total}` : '';
    const left = secondsLeft !== undefined && secondsLeft >= 1 ? `, ${seconds(secondsLeft)} left` : '';
    const title = `${stage}${detail ? `: ${detail}` : ''}${count}${left}`;
    if (!this.stream.isTTY) {
      this.stream.write(`${title}\n`);
      return;
    }
    const filled = total ? Math.round((done! / total) * BAR) : 0;
    const bar = total ? `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}] ` : '';
    this.stream.write(`\r\x1b[K${(bar + title).slice(0, (this.stream.columns || 80) - 1)}`);
  }

  /** Of what is no stage of a run: rewritten on a terminal, and now and then a line elsewhere. */
  line(text: string): void {
    const now = Date.now();
    if (now - this.lastDrawn < (this.stream.isTTY ? 100 : PLAIN_INTERVAL)) return;
    this.lastDrawn = now;
    this.stream.write(this.stream.isTTY ? `\r\x1b[K${text.slice(0, (this.stream.columns || 80) - 1)}` : `${text}\n`);
  }

  /** A line of its own, above the bar. */
  note(message: string): void {
    this.clear();
    this.stream.write(`${message}\n`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
    this.lastDrawn = 0;
  }
}
