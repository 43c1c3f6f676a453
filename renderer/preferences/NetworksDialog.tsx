import { useEffect, useState } from 'react';
import type { Result } from '../../electron/contract/api.js';
import type { ModelInfo } from '../../electron/contract/models.js';
import { askPath } from '../commands/project.js';
import { Badge, Bar, Button, Dialog, DoneFooter } from '../design/controls.js';
import { bytesText } from '../design/format.js';
import { notify, setStudio, studio, useStudio, type StudioState } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';
import './networks.css';

const close = (): void => setStudio({ dialog: undefined });

const uses = (): Readonly<Record<ModelInfo['use'], string>> => ({
  pointmaps: t('Pointmaps of pairs: few photos, plain surfaces'),
  depth: t('Depth of many photos at once, or of one alone'),
  matching: t('Matching of photos from far apart or in other light'),
  features: t('Features for matching'),
  masks: t('Masks by a click or a box'),
  pretraining: t('For training alone; it gives no depth'),
});

/** Which networks there are, who publishes them, what they are good for; fetched, installed from a file and removed. */
export function NetworksDialog() {
  const progress = useStudio(({ networkProgress }) => networkProgress);
  const { list, error, run } = useNetworks(progress !== null);
  return (
    <Dialog
      title={t('Networks')}
      onClose={close}
      footer={
        <DoneFooter onDone={close}>
          <Button
            icon="file"
            disabled={progress !== null}
            onClick={() => void install(run)}
          >
            {t('Install from a file…')}
          </Button>
        </DoneFooter>
      }
    >
      <Standing
        error={error}
        progress={progress}
      />
      <div className="body">
        <p className="quiet">{t('The built-in way needs none of them. They run on this machine alone.')}</p>
        <ul className="entries">
          {list?.models.map((model) => (
            <Network
              key={model.id}
              model={model}
              busy={progress !== null}
              run={run}
            />
          ))}
        </ul>
        {list && <code className="mono path">{list.folder}</code>}
      </div>
    </Dialog>
  );
}

type Run = (action: () => Promise<unknown>) => Promise<void>;

/** The list, and what went wrong last: told in the dialog, which lies before the window's notices, while it is open. */
function useNetworks(busy: boolean) {
  const [list, setList] = useState<Result<'models.list'>>();
  const [error, setError] = useState<string>();
  const tell = ({ message }: Error): void => {
    if (studio().dialog === 'networks') setError(message);
    else notify('error', message);
  };
  const refresh = (): Promise<void> => api.request('models.list', {}).then(setList, tell);
  const run = async (action: () => Promise<unknown>): Promise<void> => {
    setError(undefined);
    await action().catch(tell);
    await refresh();
    // Which of them may be chosen for a run has changed as well.
    await api.request('app.estimators', {}).then((estimators) => setStudio({ estimators }), tell);
  };
  // Also when one that was begun before the dialog was opened has come to its end.
  useEffect(() => void refresh(), [busy]); // eslint-disable-line react-hooks/exhaustive-deps
  return { list, error, run };
}

async function install(run: Run): Promise<void> {
  const path = await askPath('file', t('Checkpoint or graph of a network'));
  if (path) await run(() => api.request('models.import', { path }));
}

type Under = StudioState['networkProgress'];

/** Stays where it is while the list scrolls. */
function Standing({ error, progress }: { error: string | undefined; progress: Under }) {
  if (error === undefined && !progress) return null;
  return (
    <div className="standing">
      {error !== undefined && (
        <p
          className="bad"
          role="alert"
        >
          {error}
        </p>
      )}
      {progress && <Progress progress={progress} />}
    </div>
  );
}

const stepText = ({ step, what }: NonNullable<Under>): string =>
  ({
    asking: t('asking {what}', { what }),
    fetching: t('fetching {what}', { what }),
    building: t('building {what}', { what }),
  })[step];

function Progress({ progress }: { progress: NonNullable<Under> }) {
  const { id, share } = progress;
  return (
    <>
      <div className="spread">
        <span className="truncate">{`${id}: ${stepText(progress)}`}</span>
        <Button
          icon="stop"
          onClick={() => void api.request('models.cancel', {}).catch(() => undefined)}
        >
          {t('Stop')}
        </Button>
      </div>
      <Bar
        done={share ?? 0}
        total={1}
        label={id}
      />
    </>
  );
}

function Network({ model, busy, run }: { model: ModelInfo; busy: boolean; run: Run }) {
  const [asking, setAsking] = useState(false);
  const { id, title, publisher, licence, nonCommercial, bytes, state, use, verdict } = model;
  const facts = [publisher, licence, ...(bytes === undefined ? [] : [bytesText(bytes)])];
  const get = (): void => {
    setAsking(false);
    void run(() => api.request('models.get', { id, licenceAccepted: true }));
  };
  return (
    <li className="network">
      <div className="spread">
        <strong className="truncate">{title}</strong>
        <State state={state} />
      </div>
      <span className="quiet">{facts.join(' · ')}</span>
      {nonCommercial && <span className="fair">{t('Not for paid work')}</span>}
      <span className="quiet">{uses()[use]}</span>
      {verdict !== undefined && <span className="faint">{verdict}</span>}
      {state === 'installed' && (
        <div className="row">
          <Button
            icon="trash"
            disabled={busy}
            onClick={() => void run(() => api.request('models.remove', { id }))}
          >
            {t('Remove')}
          </Button>
        </div>
      )}
      {state === 'available' && !asking && (
        <div className="row">
          <Button
            disabled={busy}
            onClick={() => setAsking(true)}
          >
            {t('Get…')}
          </Button>
        </div>
      )}
      {asking && (
        <Licence
          model={model}
          onAccept={get}
          onLeave={() => setAsking(false)}
        />
      )}
    </li>
  );
}

function State({ state }: { state: ModelInfo['state'] }) {
  if (state === 'built-in') return <Badge tone="good">{t('built in')}</Badge>;
  if (state === 'installed') return <Badge tone="good">{t('installed')}</Badge>;
  return <Badge tone="faint">{t('not installed')}</Badge>;
}

/** Nothing is fetched before its licence was accepted. */
function Licence({ model, onAccept, onLeave }: { model: ModelInfo; onAccept: () => void; onLeave: () => void }) {
  const { title, licence, licenceAddress, publisher } = model;
  return (
    <div className="licence">
      <p>{t('{title} is published by {publisher} under {licence}. Read it first:', { title, publisher, licence })}</p>
      <code className="mono path">{licenceAddress}</code>
      <div className="row">
        <Button
          look="primary"
          onClick={onAccept}
        >
          {t('Accept the licence and get it')}
        </Button>
        <Button onClick={onLeave}>{t('Cancel')}</Button>
      </div>
    </div>
  );
}
