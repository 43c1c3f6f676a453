import { useState } from 'react';
import { askPath, attempt } from '../commands/project.js';
import { Button, Select, Switch } from '../design/controls.js';
import { isActive, notify, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { plural, t } from '../words/index.js';

type Use = 'fixed' | 'prior' | 'intrinsics';

/** What may lie beside the photos: masks that say what not to look at, and cameras that are known already. */
export function Beside() {
  const busy = useStudio(({ job }) => isActive(job));
  return (
    <details className="beside">
      <summary>{t('Masks and known cameras')}</summary>
      <Masks busy={busy} />
      <KnownCameras busy={busy} />
    </details>
  );
}

function Masks({ busy }: { busy: boolean }) {
  const [inverted, setInverted] = useState(false);
  const take = async (): Promise<void> => {
    const folder = await askPath('folder', t('Folder of the masks'));
    if (!folder) return;
    const answer = await attempt(() => api.request('photos.masks', { folder, inverted }));
    if (!answer) return;
    const { found, without } = answer;
    const words = plural(found, '{n} mask taken', '{n} masks taken');
    notify(
      'information',
      without.length > 0 ? `${words}, ${t('{n} photos without one', { n: without.length })}` : words,
    );
  };
  return (
    <div className="section">
      <h3>{t('Masks')}</h3>
      <p className="quiet">{t('Pictures of the photos’ names: what is black in them is not looked at.')}</p>
      <Switch
        label={t('White is what is left out')}
        checked={inverted}
        disabled={busy}
        onChange={setInverted}
      />
      <div className="row">
        <Button
          disabled={busy}
          onClick={() => void take()}
        >
          {t('Take masks from a folder…')}
        </Button>
        <Button
          disabled={busy}
          onClick={() => void attempt(() => api.request('photos.masks', { folder: null }))}
        >
          {t('Without masks')}
        </Button>
      </div>
    </div>
  );
}

function KnownCameras({ busy }: { busy: boolean }) {
  const [use, setUse] = useState<Use>('prior');
  const take = async (): Promise<void> => {
    const path = await askPath('file', t('File of the known cameras'));
    if (!path) return;
    const answer = await attempt(() => api.request('photos.knownCameras', { path, use }));
    if (answer) notify('information', plural(answer.found, '{n} camera taken', '{n} cameras taken'));
  };
  return (
    <div className="section">
      <h3>{t('Known cameras')}</h3>
      <p className="quiet">{t('From cameras.json, COLMAP, Metashape, Bundler, or a table.')}</p>
      <Select<Use>
        label={t('They are')}
        value={use}
        disabled={busy}
        choices={[
          { value: 'fixed', title: t('right, and stay as they are') },
          { value: 'prior', title: t('about right, and may be improved') },
          { value: 'intrinsics', title: t('used for focal and distortion alone') },
        ]}
        onChange={setUse}
      />
      <div className="row">
        <Button
          disabled={busy}
          onClick={() => void take()}
        >
          {t('Take cameras from a file…')}
        </Button>
        <Button
          disabled={busy}
          onClick={() => void attempt(() => api.request('photos.knownCameras', { path: null }))}
        >
          {t('Without known cameras')}
        </Button>
      </div>
    </div>
  );
}
