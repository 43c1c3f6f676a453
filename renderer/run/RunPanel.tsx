import type { EstimatorInfo, Preflight, RunSettings, SettingsChange } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Facts, Field, Select, Switch } from '../design/controls.js';
import { bytesText, rangeText } from '../design/format.js';
import { isActive, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { RunButton } from './RunButton.js';
import { Workers } from './Workers.js';
import './run.css';

const change = (settings: SettingsChange): unknown => apply({ kind: 'settings', settings });

/** How the photos are to be reconstructed, what that will cost, and how the cloud is cleaned afterwards. */
export function RunPanel() {
  const settings = useStudio(({ project }) => project?.settings);
  const estimators = useStudio(({ estimators }) => estimators);
  const busy = useStudio(({ job }) => isActive(job));
  if (!settings) return null;
  const estimator = estimators.find(({ id }) => id === settings.estimator);
  return (
    <div className="panel">
      <div className="section">
        <Select
          label={t('Estimator')}
          value={settings.estimator}
          disabled={busy}
          note={estimator?.licence}
          choices={estimators.map(({ id, title, installed }) => ({
            value: id,
            title: installed ? title : t('{title} (not installed)', { title }),
            disabled: !installed,
          }))}
          onChange={(value) => change({ estimator: value })}
        />
        {estimator && <EstimatorNote estimator={estimator} />}
        <div className="row">
          <CommandButton id="app.networks">{t('Networks…')}</CommandButton>
        </div>
        <GraphField
          settings={settings}
          disabled={busy}
        />
        <Select
          label={t('Quality')}
          value={settings.quality}
          disabled={busy}
          onChange={(quality) => change({ quality })}
          choices={[
            { value: 'draft', title: t('Draft, fewest points') },
            { value: 'normal', title: t('Normal') },
            { value: 'high', title: t('High, slower') },
          ]}
        />
        <Select
          label={t('Matching')}
          value={settings.matching}
          disabled={busy}
          onChange={(matching) => change({ matching })}
          choices={[
            { value: 'built-in', title: t('Built in') },
            { value: 'learned', title: t('LightGlue, where installed') },
            { value: 'aliked-n16rot', title: t('ALIKED and LightGlue, where installed') },
            { value: 'aliked-n32', title: t('ALIKED n32 and LightGlue, where installed') },
          ]}
        />
        <Switch
          label={t('One focal for all photos')}
          checked={settings.sharedFocal}
          disabled={busy}
          onChange={(sharedFocal) => change({ sharedFocal })}
        />
        <Before />
      </div>
      <div className="section">
        <CommandButton
          id="run.realign"
          icon="play"
        >
          {t('Realign without inference')}
        </CommandButton>
      </div>
      <Workers />
    </div>
  );
}

/** A licence that forbids commercial use is said before the run, not in a footnote after it. */
function EstimatorNote({
  estimator: { description, nonCommercial, licence, licenceText },
}: {
  estimator: EstimatorInfo;
}) {
  return (
    <div className="note">
      <p className="quiet">{description}</p>
      {nonCommercial && <p className="fair">{t('{licence}: results may not be used commercially.', { licence })}</p>}
      {licenceText !== undefined && (
        <details>
          <summary>{t('Licence')}</summary>
          <pre className="mono">{licenceText}</pre>
        </details>
      )}
    </div>
  );
}

function GraphField({ settings: { graph }, disabled }: { settings: RunSettings; disabled: boolean }) {
  const photos = useStudio(({ project }) => project?.photos.filter(({ enabled }) => enabled).length) ?? 0;
  const [kind, number] = graph.split(':') as [string, string | undefined];
  const set = (next: string): void => {
    const usual = next === 'reference' ? 0 : 3;
    void change({ graph: next === 'auto' || next === 'complete' ? next : `${next}:${usual}` });
  };
  return (
    <>
      <Select
        label={t('Pairs')}
        value={kind}
        disabled={disabled}
        onChange={set}
        choices={[
          { value: 'auto', title: t('Automatic, by what the photos share') },
          { value: 'complete', title: t('All with all, {n}', { n: (photos * (photos - 1)) / 2 }) },
          { value: 'window', title: t('Neighbours in order') },
          { value: 'cyclic-window', title: t('Neighbours, a closed round') },
          { value: 'log-window', title: t('Neighbours, near and far') },
          { value: 'reference', title: t('All with one photo') },
        ]}
      />
      {number !== undefined && (
        <Field label={kind === 'reference' ? t('Number of that photo, from 0') : t('Neighbours on each side')}>
          {(id) => (
            <input
              id={id}
              className="input"
              type="number"
              min={kind === 'reference' ? 0 : 1}
              step={1}
              disabled={disabled}
              key={graph}
              defaultValue={number}
              onBlur={(event) => {
                if (/^\d+$/.test(event.target.value) && event.target.value !== number)
                  void change({ graph: `${kind}:${event.target.value}` });
              }}
            />
          )}
        </Field>
      )}
    </>
  );
}

/** What the run will cost, before it is begun. */
function Before() {
  const photos = useStudio(({ project }) => project?.photos.length ?? 0);
  const preflight = useStudio(({ preflight }) => preflight);
  const problem = useStudio(({ preflightError }) => preflightError);
  const busy = useStudio(({ job }) => isActive(job));
  return (
    <div className="before">
      <h3>{busy ? t('This run') : t('Before you start')}</h3>
      {preflight && <Forecast preflight={preflight} />}
      {!preflight && problem === undefined && (
        <p className="faint">{photos > 0 ? t('Estimating…') : t('Add photos first.')}</p>
      )}
      {problem !== undefined && <p className="fair">{problem}</p>}
      {preflight?.warnings.map((warning) => (
        <p
          key={warning}
          className="fair"
        >
          {warning}
        </p>
      ))}
      <RunButton
        place="panel"
        look={['primary', 'large', 'wide']}
      />
    </div>
  );
}

export function Forecast({ preflight: { pairs, range, memory } }: { preflight: Preflight }) {
  return (
    <Facts
      facts={[
        [t('Pairs'), pairs],
        [t('Time'), rangeText(range)],
        [t('Memory'), bytesText(memory)],
      ]}
    />
  );
}
