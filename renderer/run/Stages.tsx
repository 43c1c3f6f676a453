import type { JobState } from '../../electron/contract/api.js';
import { stages } from '../../electron/contract/stages.js';
import { clockText } from '../design/format.js';
import { Bar } from '../design/controls.js';
import { isActive, useStudio } from '../store/studio.js';

/** The road from photos to a cloud, with where the run is on it. */
export function Stages() {
  const job = useStudio(({ job }) => job);
  const aligned = useStudio(({ project }) => project?.scene !== undefined && !project.scene.partial);
  const active = isActive(job);
  const position = stages.findIndex(({ name }) => name === job.stage);
  if (!active && !aligned && !['failed', 'cancelled'].includes(job.state)) return null;
  return (
    <ol
      className="stages"
      aria-label="Stages of the run"
    >
      {stages.map(({ name, title }, k) => {
        const current = active && k === position;
        const done = active || job.state === 'failed' || job.state === 'cancelled' ? k < position : aligned;
        return (
          <li
            key={name}
            className={current ? 'current' : done ? 'done' : ''}
            aria-current={current ? 'step' : undefined}
          >
            {title}
            {current && <span className="numeric">{progressText(job)}</span>}
            {current && (job.total ?? 0) > 0 && (
              <Bar
                done={job.done ?? 0}
                total={job.total!}
                label={title}
              />
            )}
          </li>
        );
      })}
    </ol>
  );
}

export function progressText({ state, done, total, secondsLeft }: JobState): string {
  const count = total ? ` ${done ?? 0} of ${total}` : '';
  if (state === 'paused') return `${count}, paused`;
  return `${count}${secondsLeft === undefined ? '' : `, ${clockText(secondsLeft)} left`}`;
}
