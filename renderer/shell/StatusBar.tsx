import type { JobState } from '../../electron/contract/api.js';
import { stageTitle } from '../../electron/contract/stages.js';
import { clockText } from '../design/format.js';
import { progressText } from '../run/Stages.js';
import { useStudio } from '../store/studio.js';
import { showPanel } from '../store/layout.js';

export function StatusBar() {
  const info = useStudio(({ info }) => info);
  const connection = useStudio(({ connection }) => connection);
  const job = useStudio(({ job }) => job);
  const upload = useStudio(({ upload }) => upload);
  const saved = useStudio(({ project }) => project?.saved);
  const stale = useStudio(({ project }) => project?.stale);
  return (
    <footer className="status-bar">
      <span
        className={`dot ${connection === 'open' ? 'good' : 'bad'}`}
        aria-hidden="true"
      />
      <span>
        {connection === 'open'
          ? `Engine: ${info?.provider === 'cpu' ? 'CPU' : info?.provider}, ${info?.threads} threads`
          : connection === 'lost'
            ? 'Connection lost, trying again…'
            : 'Connecting…'}
      </span>
      <span
        role="status"
        className="truncate numeric"
      >
        {upload ? `Receiving ${upload.done} of ${upload.total} photos` : jobText(job)}
      </span>
      {stale && job.state !== 'running' && <span className="fair">Edits not yet in the cloud: realign</span>}
      <span className="push">{saved ? 'Every change is kept' : 'Kept, but not saved under a name yet'}</span>
      <button
        type="button"
        className="link"
        onClick={() => showPanel('log')}
      >
        Log
      </button>
    </footer>
  );
}

function jobText(job: JobState): string {
  switch (job.state) {
    case 'idle':
      return '';
    case 'finished':
      return `Finished${job.secondsElapsed === undefined ? '' : ` in ${clockText(job.secondsElapsed)}`}`;
    case 'failed':
      return `Failed: ${job.error ?? 'the log says why'}`;
    case 'cancelled':
      return 'Cancelled; what was computed is kept';
    case 'cancelling':
      return 'Cancelling after the pairs in hand…';
    default:
      return `${job.stage ? stageTitle(job.stage) : 'Starting'}${progressText(job)}${job.detail ? ` · ${job.detail}` : ''}`;
  }
}
