import { useState } from 'react';
import type { FrameInfo, Measurement } from '../../electron/contract/scene.js';
import { attempt } from '../commands/project.js';
import { download as saveFile } from '../commands/download.js';
import { editScene } from '../commands/scene.js';
import { Button, RemovableRow, Select } from '../design/controls.js';
import { setStudio, studio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { keyOf, type Measured } from './use-measured.js';
import { valueText } from './value-text.js';
import { t } from '../words/index.js';
import { fixedText } from '../design/format.js';

const kinds = [
  { value: 'distance', title: t('Distance of two points') },
  { value: 'height', title: t('Difference in height') },
  { value: 'path', title: t('Length of a path') },
  { value: 'area', title: t('Area of a polygon') },
  { value: 'angle', title: t('Angle at the second point') },
  { value: 'point', title: t('Height of a point') },
] as const;
const least: Record<Measurement['kind'], number> = { point: 1, distance: 2, height: 2, path: 2, area: 3, angle: 3 };

/** Measurements between picked points; kept with the project, by name. */
export function MeasureSection({
  measurements,
  frame,
  busy,
}: {
  measurements: readonly Measurement[];
  frame: FrameInfo;
  busy: boolean;
}) {
  const picks = useStudio(({ picks }) => picks);
  const [kind, setKind] = useState<Measurement['kind']>('distance');
  const values = useStudio(({ measured }) => measured);
  const add = async (): Promise<void> => {
    const name = `${kind} ${measurements.length + 1}`;
    const next = { id: crypto.randomUUID(), name, kind, points: [...picks] };
    if (await editScene({ kind: 'measurements', measurements: [...measurements, next] })) setStudio({ picks: [] });
  };
  const rename = (measurement: Measurement, name: string): void => {
    if (name === '' || name === measurement.name) return;
    const renamed = measurements.map((each) => (each.id === measurement.id ? { ...each, name } : each));
    void editScene({ kind: 'measurements', measurements: renamed });
  };
  return (
    <div className="section">
      <h2>{t('Measure')}</h2>
      <Select
        label={t('What')}
        value={kind}
        choices={kinds}
        onChange={setKind}
      />
      <Button
        disabled={busy || picks.length < least[kind]}
        onClick={() => void add()}
      >
        {t('Measure')}
      </Button>
      <ul className="scene-list">
        {measurements.map((measurement) => (
          <RemovableRow
            key={`${measurement.id} ${measurement.name}`}
            remove={t('Remove {name}', { name: measurement.name })}
            disabled={busy}
            onRemove={() =>
              void editScene({
                kind: 'measurements',
                measurements: measurements.filter(({ id }) => id !== measurement.id),
              })
            }
          >
            <input
              className="input"
              aria-label={t('Name of {name}', { name: measurement.name })}
              defaultValue={measurement.name}
              disabled={busy}
              onBlur={(event) => rename(measurement, event.target.value.trim())}
              onKeyDown={(event) => {
                if (event.key === 'Enter') event.currentTarget.blur();
              }}
            />
            <span className="numeric">{text(measurement.kind, values.get(keyOf(measurement)), frame)}</span>
          </RemovableRow>
        ))}
      </ul>
      {measurements.length > 0 && (
        <div className="scene-tools">
          <Button
            icon="export"
            onClick={() => void download('csv')}
          >
            {t('Save as CSV')}
          </Button>
          <Button
            icon="export"
            onClick={() => void download('json')}
          >
            {t('Save as JSON')}
          </Button>
        </div>
      )}
    </div>
  );
}

function text(kind: Measurement['kind'], found: Measured | undefined, frame: FrameInfo): string {
  if (!found) return '…';
  if ('error' in found) return found.error;
  const seen = found.residualPixels === undefined ? '' : `, ${fixedText(found.residualPixels, 2)} px`;
  return valueText(kind, found, frame) + seen;
}

/** The engine writes the file: values, deviations, residuals and places, as the command line does. */
async function download(format: 'csv' | 'json'): Promise<void> {
  const answer = await attempt(() => api.request('scene.measurements', { format }));
  if (!answer) return;
  saveFile(new Blob([answer.text]), `${studio().project!.name} measurements.${format}`);
}
