import { useEffect, useState } from 'react';
import type { QueueState } from '../../electron/contract/workers.js';
import { api } from '../transport/index.js';
import { plural, t } from '../words/index.js';
import { fixedText } from '../design/format.js';

/** Milliseconds between two looks. Workers tell of themselves every three seconds. */
const LOOK_EVERY = 3000;

/** Who computes for the queue that the studio was started with, on what and how fast; nothing without a queue. */
export function Workers() {
  const state = useWorkers();
  if (state === null) return null;
  return (
    <details className="beside">
      <summary>{t('Workers on other machines')}</summary>
      <div className="section">
        {typeof state === 'string' ? <p className="bad">{state}</p> : <List state={state} />}
      </div>
    </details>
  );
}

/** Asked again and again; the reason where the queue can't be reached, null without one. */
function useWorkers(): QueueState | string | null {
  const [state, setState] = useState<QueueState | string | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    const look = async (): Promise<void> => {
      const found = await api.request('app.workers', {}).catch((error: Error) => error.message);
      if (!current) return;
      setState(found);
      if (found !== null) timer = setTimeout(() => void look(), LOOK_EVERY);
    };
    void look();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, []);
  return state;
}

function List({ state: { workers, queues } }: { state: QueueState }) {
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  return (
    <>
      {workers.length === 0 && <p className="fair">{t('No worker answers; start one with: pointmap worker')}</p>}
      <ul className="entries">
        {workers.map(({ host, pid, slots, done, failed, jobs, kinds }) => (
          <li key={`${host} ${pid}`}>
            <strong className="truncate">{`${host} ${pid}`}</strong>
            <span className="quiet numeric">
              {t('{busy} of {slots} jobs at once, {done} done, {failed} failed', {
                ...{ busy: jobs.length, slots, done, failed },
              })}
            </span>
            {jobs.length > 0 && <span className="quiet numeric">{jobs.map(lasting).join(', ')}</span>}
            <span className="faint numeric">{speeds(kinds)}</span>
          </li>
        ))}
      </ul>
      <p className="quiet numeric">{plural(waiting, '{n} job waits', '{n} jobs wait')}</p>
    </>
  );
}

const lasting = ({ name, seconds }: QueueState['workers'][number]['jobs'][number]): string =>
  `${name}: ${fixedText(seconds, 0)} s`;

/** Seconds a job, by kind. */
function speeds(kinds: QueueState['workers'][number]['kinds']): string {
  return Object.entries(kinds)
    .filter(([, { done }]) => done > 0)
    .map(([name, { done, seconds }]) => `${name} ${fixedText(seconds / done, 2)} s`)
    .join(', ');
}
