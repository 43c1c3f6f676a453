import { BrowserWindow, powerSaveBlocker } from 'electron';
import { jobState, type JobState } from '../contract/api.js';
import type { EngineHost } from '../engine-process/host.js';

const isWorking = ({ state }: JobState): boolean => state === 'running' || state === 'cancelling';

/**
 * What a system shows of a program that works: progress in its task bar; and a machine that does not fall asleep over a
 * run.
 */
export function setupJob(engine: EngineHost): void {
  let blocker: number | undefined;
  const follow = (job: JobState): void => {
    if (isWorking(job)) blocker ??= powerSaveBlocker.start('prevent-app-suspension');
    else if (blocker !== undefined) {
      powerSaveBlocker.stop(blocker);
      blocker = undefined;
    }
    // Above 1 is drawn as working without an end in sight, below 0 as nothing.
    const progress = !isWorking(job) ? -1 : job.total ? (job.done ?? 0) / job.total : 2;
    for (const window of BrowserWindow.getAllWindows()) window.setProgressBar(progress);
  };
  engine.on((event, payload) => {
    if (event === 'job.changed') follow(jobState.parse(payload));
    if (event === 'engine.stopped') follow({ state: 'failed' });
  });
}
