import { useEffect, useState } from 'react';
import type { Result } from '../../electron/contract/api.js';
import type { Preferences } from '../../electron/contract/preferences.js';
import { attempt } from '../commands/project.js';
import { Dialog, DoneFooter, Field, Select, Switch } from '../design/controls.js';
import { bytesText } from '../design/format.js';
import { setLengthUnit, setStudio, setTheme, useStudio, type LengthUnit, type Theme } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t, wordsLanguage } from '../words/index.js';
import { chooseLanguage, languages, type Language } from '../words/languages.js';

const close = (): void => setStudio({ dialog: undefined });

/** What holds for this person and this machine, whatever the project. */
export function PreferencesDialog() {
  return (
    <Dialog
      title={t('Preferences')}
      onClose={close}
      footer={<DoneFooter onDone={close} />}
    >
      <div className="body">
        <Looks />
        <Machine />
      </div>
    </Dialog>
  );
}

function Looks() {
  const theme = useStudio(({ theme }) => theme);
  const unit = useStudio(({ lengthUnit }) => lengthUnit);
  return (
    <>
      <Select<Language>
        label={t('Language')}
        value={wordsLanguage() as Language}
        choices={(Object.keys(languages) as Language[]).map((value) => ({ value, title: languages[value] }))}
        onChange={(language) => {
          chooseLanguage(language);
          // The project is the engine's and stays open; the page is made anew with the other words.
          location.reload();
        }}
      />
      <Select<Theme>
        label={t('Theme')}
        value={theme}
        choices={[
          { value: 'dark', title: t('Dark') },
          { value: 'light', title: t('Light') },
        ]}
        onChange={setTheme}
      />
      <Select<LengthUnit>
        label={t('Lengths, once the scale is known')}
        value={unit}
        choices={[
          { value: 'metre', title: t('Metres') },
          { value: 'foot', title: t('Feet') },
        ]}
        onChange={setLengthUnit}
      />
    </>
  );
}

function Machine() {
  const [state, setState] = useState<Result<'app.preferences'>>();
  useEffect(() => void attempt(() => api.request('app.preferences', {})).then(setState), []);
  if (!state) return null;
  const { preferences, machine } = state;
  const change = (next: Partial<Preferences>): unknown =>
    attempt(async () => {
      setState(await api.request('app.setPreferences', { ...preferences, ...next }));
      setStudio({ info: await api.request('app.info', {}) });
    });
  return (
    <>
      <Optional
        label={t('Threads')}
        value={preferences.threads}
        most={machine.threads}
        placeholder={t('all {n}', { n: machine.threads })}
        step={1}
        onChange={(threads) => change({ threads })}
      />
      <Optional
        label={t('Memory for depth maps, gigabytes')}
        value={preferences.memory}
        most={machine.memory / 1e9}
        placeholder={t('a third of {size}', { size: bytesText(machine.memory) })}
        step={0.5}
        onChange={(memory) => change({ memory })}
      />
      <Switch
        label={t('Networks may use the graphics processor')}
        checked={preferences.gpu}
        onChange={(gpu) => change({ gpu })}
      />
      <div className="field">
        <span className="quiet">{t('Models, unsaved projects and these preferences lie in')}</span>
        <code className="mono path">{machine.dataFolder}</code>
      </div>
    </>
  );
}

/** A number that the machine decides when the field is empty. */
function Optional({
  label,
  value,
  most,
  step,
  placeholder,
  onChange,
}: {
  label: string;
  value: number | undefined;
  most: number;
  step: number;
  placeholder: string;
  onChange: (value: number | undefined) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          key={value}
          className="input"
          type="number"
          min={step}
          max={most}
          step={step}
          placeholder={placeholder}
          defaultValue={value}
          onBlur={({ target }) => {
            const next = target.value === '' ? undefined : Number(target.value);
            const usable = next === undefined || (next >= step && next <= most);
            if (!usable) target.value = String(value ?? '');
            else if (next !== value) onChange(next);
          }}
        />
      )}
    </Field>
  );
}
