import type { JobState } from '../../electron/contract/api.js';
import { stageTitle } from '../../electron/contract/stages.js';
import { clockText } from '../design/format.js';
import { progressText } from '../run/Stages.js';
import { useCountedDown } from '../run/use-counted-down.js';
import { useStudio, type StudioState } from '../store/studio.js';
import { showDrawer } from '../store/layout.js';
import { t } from '../words/index.js';
import { Problems } from './Problems.js';

export function StatusBar() {
  const info = useStudio(({ info }) => info);
  const connection = useStudio(({ connection }) => connection);
  const job = useCountedDown();
  const upload = useStudio(({ upload }) => upload);
  const saved = useStudio(({ project }) => project?.saved);
  const stale = useStudio(({ project }) => project?.stale);
  return (
    <footer className="status-bar">
      <span
        className={`dot ${connection === 'open' ? 'good' : 'bad'}`}
        aria-hidden="true"
      />
      <span>{engineText(connection, info)}</span>
      <span
        role="status"
        className="truncate numeric"
        title={job.error}
      >
        {upload ? t('Receiving {done} of {total} photos', upload) : jobText(job)}
      </span>
      {stale && job.state !== 'running' && <span className="fair">{t('Edits not yet in the cloud: realign')}</span>}
      <span className="push kept">{saved ? t('Every change is kept') : t('Kept, but not saved under a name yet')}</span>
      <Problems />
      <button
        type="button"
        className="link"
        onClick={() => showDrawer('log')}
      >
        {t('Log')}
      </button>
    </footer>
  );
}

function engineText(connection: StudioState['connection'], info: StudioState['info']): string {
  if (connection === 'lost') return t('Connection lost, trying again…');
  if (connection !== 'open' || !info) return t('Connecting…');
  return t('Engine: {n} threads', { n: info.threads });
}

function jobText(job: JobState): string {
  switch (job.state) {
    case 'idle':
      return '';
    case 'finished':
      return job.secondsElapsed === undefined
        ? t('Finished')
        : t('Finished in {time}', { time: clockText(job.secondsElapsed) });
    case 'failed':
      return t('Failed: {error}', { error: job.error ?? t('the log says why') });
    case 'cancelled':
      return t('Cancelled; what was computed is kept');
    case 'cancelling':
      return t('Cancelling after the pairs in hand…');
    default: {
      const stage = job.stage ? t(stageTitle(job.stage)) : t('Starting');
      return `${stage}${progressText(job)}${job.detail ? ` · ${detailText(job.detail)}` : ''}`;
    }
  }
}

/** What the engine is doing; of "aligning, step 12" the first words are in the catalogue. */
function detailText(detail: string): string {
  const [what, ...more] = detail.split(', ');
  return [t(what!), ...more].join(', ');
}
