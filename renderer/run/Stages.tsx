import type { JobState } from '../../electron/contract/api.js';
import { stages } from '../../electron/contract/stages.js';
import { clockText } from '../design/format.js';
import { Bar } from '../design/controls.js';
import { isActive } from '../store/studio.js';
import { t } from '../words/index.js';
import { useCountedDown } from './use-counted-down.js';

/** Where a run is on the road from photos to a cloud: one bar for all of it, and the stage in words. */
export function Stages() {
  const job = useCountedDown();
  if (!isActive(job)) return null;
  const position = stages.findIndex(({ name }) => name === job.stage);
  return (
    <ol
      className="stages"
      aria-label={t('Stages of the run')}
    >
      {stages.map(({ name, title }, k) => {
        const current = k === position;
        return (
          <li
            key={name}
            className={stageLook(k, position)}
            aria-current={current ? 'step' : undefined}
            title={t(title)}
          >
            <span className="stage-title">{t(title)}</span>
            {current && <span className="numeric">{progressText(job)}</span>}
            {current && (
              <Bar
                done={job.share ?? 0}
                total={1}
                label={t('The whole run')}
              />
            )}
          </li>
        );
      })}
    </ol>
  );
}

function stageLook(k: number, position: number): string {
  if (k === position) return 'current';
  return k < position ? 'done' : '';
}

export function progressText({ state, done, total, secondsLeft }: JobState): string {
  const count = total ? ` ${t('{done} of {total}', { done: done ?? 0, total })}` : '';
  if (state === 'paused') return `${count}, ${t('paused')}`;
  if (secondsLeft === undefined) return count;
  return `${count}, ${t('{time} left', { time: clockText(secondsLeft) })}`;
}
