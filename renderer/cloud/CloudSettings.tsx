import type { SettingsChange } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { Facts, Field, Switch } from '../design/controls.js';
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
      <VoxelField />
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

/** Fewer points, evenly: one a cube of this size. */
function VoxelField() {
  const voxelSize = useStudio(({ project }) => project?.settings.voxelSize);
  const busy = useStudio(({ job }) => isActive(job));
  return (
    <Field label={t('One point per cube of this size (scene units)')}>
      {(id) => (
        <input
          id={id}
          key={voxelSize}
          className="input"
          type="number"
          min={0}
          step="any"
          disabled={busy}
          placeholder={t('every point')}
          defaultValue={voxelSize}
          onBlur={({ target }) => {
            const size = target.value === '' ? null : Number(target.value);
            if ((size ?? undefined) !== voxelSize && (size === null || size >= 0)) void change({ voxelSize: size });
          }}
        />
      )}
    </Field>
  );
}
