import type { SceneDescription, SceneRegion, Vector } from '../../electron/contract/scene.js';
import { editScene } from '../commands/scene.js';
import { Button } from '../design/controls.js';
import { fieldText, typedNumber } from '../design/format.js';
import { setViewer, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

const axes = ['x', 'y', 'z'] as const;
const upright = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** The crop box by numbers: its middle and its size in the scene frame, and its turn about up. */
export function RegionSection({
  region,
  description,
  busy,
}: {
  region: SceneRegion | undefined;
  description: SceneDescription | undefined;
  busy: boolean;
}) {
  const dragging = useStudio(({ viewer }) => viewer.gizmo === 'region');
  const apply = (next: SceneRegion): void => {
    if (next.size.every((value) => value > 0)) void editScene({ kind: 'region', region: next });
  };
  const around = (): void => {
    if (!description) return;
    const { least, greatest, size } = description.bounds;
    setViewer({ gizmo: 'region' });
    apply({ centre: least.map((value, i) => (value + greatest[i]!) / 2) as Vector, size, rotation: upright });
  };
  const turn = (degrees: number): void => {
    if (!region) return;
    const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    apply({ ...region, rotation: [c, -s, 0, s, c, 0, 0, 0, 1] });
  };
  return (
    <div className="section">
      <h2>{t('Crop box')}</h2>
      {region && (
        <>
          <Row
            heading={t('Middle')}
            values={region.centre}
            disabled={busy}
            onCommit={(centre) => apply({ ...region, centre })}
          />
          <Row
            heading={t('Size')}
            values={region.size}
            disabled={busy}
            onCommit={(size) => apply({ ...region, size })}
          />
          <label className="field">
            {t('Turn, degrees')}
            <NumberInput
              label={t('Turn of the crop box, degrees')}
              value={(Math.atan2(region.rotation[3]!, region.rotation[0]!) * 180) / Math.PI}
              disabled={busy}
              onCommit={turn}
            />
          </label>
        </>
      )}
      <div className="scene-tools">
        <Button
          disabled={busy || !description}
          onClick={around}
        >
          {region ? t('Around the scene') : t('Add a crop box')}
        </Button>
        {region && (
          <Button
            aria-pressed={dragging}
            title={t('Handles on its faces, a round one that turns it, one in the middle that moves it')}
            onClick={() => setViewer({ gizmo: dragging ? 'none' : 'region' })}
          >
            {t('Handles')}
          </Button>
        )}
        {region && (
          <Button
            disabled={busy}
            onClick={() => void editScene({ kind: 'region', region: null })}
          >
            {t('Remove')}
          </Button>
        )}
      </div>
    </div>
  );
}

function Row({
  heading,
  values,
  disabled,
  onCommit,
}: {
  heading: string;
  values: Vector;
  disabled: boolean;
  onCommit: (values: Vector) => void;
}) {
  return (
    <div
      className="scene-row"
      role="group"
      aria-label={t('{name} of the crop box', { name: heading })}
    >
      {axes.map((axis, k) => (
        <NumberInput
          key={axis}
          label={`${heading} ${axis}`}
          value={values[k]!}
          disabled={disabled}
          onCommit={(value) => onCommit(values.map((before, i) => (i === k ? value : before)) as Vector)}
        />
      ))}
    </div>
  );
}

/** Taken when it is left or Enter is pressed; what is no number is forgotten. */
function NumberInput({
  label,
  value,
  disabled,
  onCommit,
}: {
  label: string;
  value: number;
  disabled: boolean;
  onCommit: (value: number) => void;
}) {
  const shown = fieldText(value, 5);
  return (
    <input
      key={shown}
      className="input"
      aria-label={label}
      title={label}
      inputMode="decimal"
      defaultValue={shown}
      disabled={disabled}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
      }}
      onBlur={(event) => {
        const next = typedNumber(event.target.value);
        if (!Number.isFinite(next)) event.target.value = shown;
        else if (event.target.value !== shown) onCommit(next);
      }}
    />
  );
}
