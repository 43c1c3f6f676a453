import type { SettingsChange } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { Facts, Switch } from '../design/controls.js';
import { countText } from '../design/format.js';
import { isActive, setViewer, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { ConfidenceSlider } from './ConfidenceSlider.js';

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
      {scene?.confidence && (
        <ConfidenceSlider
          label={t('Confidence from')}
          value={settings.minConfidence}
          scale={scene.confidence}
          disabled={busy}
          onChange={(minConfidence) => setViewer({ minConfidence })}
          onCommit={(minConfidence) => change({ minConfidence })}
        />
      )}
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
