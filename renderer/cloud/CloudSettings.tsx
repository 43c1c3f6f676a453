import { useEffect, useState } from 'react';
import type { SettingsChange } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { Facts, Slider, Switch } from '../design/controls.js';
import { countText } from '../design/format.js';
import { isActive, setViewer, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

const change = (settings: SettingsChange): unknown => apply({ kind: 'settings', settings });

/** Which points of the computed depth belong to the cloud. */
export function CloudSettings() {
  const settings = useStudio(({ project }) => project?.settings);
  const busy = useStudio(({ job }) => isActive(job));
  const scene = useStudio(({ project }) => project?.scene);
  if (!settings) return null;
  return (
    <div className="section">
      <h2>{t('Cloud')}</h2>
      <ConfidenceSlider
        value={settings.minConfidence}
        disabled={busy}
      />
      <Switch
        label={t('Remove floating points')}
        checked={settings.removeFloating}
        disabled={busy}
        onChange={(removeFloating) => change({ removeFloating })}
      />
      <Switch
        label={t('Complete plain surfaces')}
        checked={settings.inferred}
        disabled={busy}
        onChange={(inferred) => change({ inferred })}
      />
      {scene && (
        <Facts
          facts={[
            [t('Points'), countText(scene.points)],
            [t('Cameras'), scene.cameras.length],
          ]}
        />
      )}
    </div>
  );
}

/** Moves the view's threshold at once; the project's own follows when the hand lets go, as one step of undo. */
function ConfidenceSlider({ value, disabled }: { value: number; disabled: boolean }) {
  const [held, setHeld] = useState<number>();
  useEffect(() => setViewer({ minConfidence: value }), [value]);
  return (
    <Slider
      label={t('Confidence from')}
      min={1}
      max={10}
      step={0.1}
      value={held ?? value}
      disabled={disabled}
      format={(number) => number.toFixed(1)}
      onChange={(next) => {
        setHeld(next);
        setViewer({ minConfidence: next });
      }}
      onCommit={(next) => {
        // An answer to an earlier commit takes nothing from a hand that has moved on.
        void Promise.resolve(next === value ? undefined : change({ minConfidence: next })).then(() =>
          setHeld((now) => (now === next ? undefined : now)),
        );
      }}
    />
  );
}
