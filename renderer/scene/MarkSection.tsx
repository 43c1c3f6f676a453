import { useState } from 'react';
import {
  controlCount,
  LEAST_CONTROLS,
  surveyOffset,
  type ControlPoint,
  type ControlResidual,
  type SceneDocument,
  type Vector,
} from '../../electron/contract/scene.js';
import { CommandButton } from '../commands/CommandButton.js';
import { editScene } from '../commands/scene.js';
import { Button, RemovableRow, Select, TextField } from '../design/controls.js';
import { figuresText, fixedText, typedNumber, stem } from '../design/format.js';
import { setStudio, studio, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { keyOf, markPixel } from './use-measured.js';

interface ControlsProps {
  document: SceneDocument;
  residuals: readonly ControlResidual[];
  busy: boolean;
}

/**
 * One point marked in several photos, while looking through them: where their lines of sight meet, and how far off the
 * pixels are. With known coordinates it becomes a control or check point.
 */
export function MarkSection({ document, residuals, busy }: ControlsProps) {
  const mark = useStudio(({ mark }) => mark);
  const marking = useStudio(({ viewer }) => viewer.tool === 'mark');
  return (
    <div className="section">
      <h2>{t('Points in photos')}</h2>
      <div className="scene-tools">
        <CommandButton
          id="points.mark"
          icon="pick"
          pressed={marking}
        >
          {t('Mark a point')}
        </CommandButton>
        {mark.length > 0 && <Button onClick={() => setStudio({ mark: [] })}>{t('Forget')}</Button>}
      </div>
      {mark.length === 0 ? (
        <p className="quiet">{t('Look through a photo and click the point, then through others that show it.')}</p>
      ) : (
        <MarkedPoint
          document={document}
          busy={busy}
        />
      )}
      <Controls
        document={document}
        residuals={residuals}
        busy={busy}
      />
    </div>
  );
}

/** The photos of the mark, and what it comes to. */
function MarkedPoint({ document, busy }: { document: SceneDocument; busy: boolean }) {
  const mark = useStudio(({ mark }) => mark);
  const photos = useStudio(({ project }) => project?.photos);
  const found = useStudio(({ measured }) => measured.get(keyOf({ kind: 'point', points: [markPixel(mark)] })));
  const name = (id: string): string => stem(photos?.find((photo) => photo.id === id)?.name ?? id);
  return (
    <>
      <ul className="scene-list">
        {mark.map(({ photo, x, y }) => (
          <RemovableRow
            key={photo}
            remove={t('Take the mark out of {name}', { name: name(photo) })}
            onRemove={() => setStudio({ mark: mark.filter((each) => each.photo !== photo) })}
          >
            <span className="truncate">{name(photo)}</span>
            <span className="numeric">{`${fixedText(x, 1)}; ${fixedText(y, 1)}`}</span>
          </RemovableRow>
        ))}
      </ul>
      {found && 'error' in found && <p className="bad">{found.error}</p>}
      {found && 'positions' in found && (
        <p className="numeric mark-place">
          {found.positions[0]!.map((value) => figuresText(value, 5)).join('; ')}
          {found.residualPixels !== undefined && ` · ${t('off by {n} px', { n: fixedText(found.residualPixels, 2) })}`}
        </p>
      )}
      <Button
        disabled={!found || 'error' in found}
        onClick={() => setStudio({ picks: [...studio().picks, markPixel(mark)], mark: [] })}
      >
        {t('Pick this point')}
      </Button>
      <ControlForm
        document={document}
        busy={busy || !found || 'error' in found}
      />
    </>
  );
}

function ControlForm({ document, busy }: { document: SceneDocument; busy: boolean }) {
  const [name, setName] = useState('');
  const [texts, setTexts] = useState<readonly string[]>(['', '', '']);
  const [role, setRole] = useState<ControlPoint['role']>('control');
  const known = texts.map(typedNumber) as Vector;
  const whole = name.trim() !== '' && known.every(Number.isFinite);
  const add = async (): Promise<void> => {
    const offset = document.offset ?? surveyOffset(known);
    const at = markPixel(studio().mark);
    const point = { name: name.trim(), role, known: known.map((value, i) => value - offset[i]!) as Vector, at };
    const points = [...document.controls.filter((each) => each.name !== point.name), point];
    if (!(await editScene({ kind: 'controls', points, offset }))) return;
    setStudio({ mark: [] });
    setName('');
    setTexts(['', '', '']);
  };
  return (
    <details>
      <summary>{t('Known coordinates')}</summary>
      <TextField
        label={t('Name')}
        text={name}
        onChange={setName}
      />
      <div
        className="scene-row"
        role="group"
        aria-label={t('Known coordinates, metres')}
      >
        {(['x', 'y', 'z'] as const).map((axis, k) => (
          <input
            key={axis}
            className="input"
            inputMode="decimal"
            aria-label={axis}
            placeholder={axis}
            value={texts[k]}
            onChange={(event) => setTexts(texts.map((text, i) => (i === k ? event.target.value : text)))}
          />
        ))}
      </div>
      <Select
        label={t('Role')}
        value={role}
        choices={[
          { value: 'control', title: t('Control: the frame is fitted to it') },
          { value: 'check', title: t('Check: tells how far off the frame is') },
        ]}
        onChange={setRole}
      />
      <Button
        disabled={busy || !whole}
        onClick={() => void add()}
      >
        {t('Add the point')}
      </Button>
    </details>
  );
}

function Controls({ document, residuals, busy }: ControlsProps) {
  const { controls, offset } = document;
  const count = controlCount(controls);
  return (
    <>
      {count > 0 && count < LEAST_CONTROLS && (
        <p className="quiet">
          {t('Control points fix the scene from the third on: {n} of {least} so far', {
            n: count,
            least: LEAST_CONTROLS,
          })}
        </p>
      )}
      <ul className="scene-list">
        {controls.map(({ name, role }) => {
          const found = residuals.find((each) => each.name === name);
          return (
            <RemovableRow
              key={name}
              remove={t('Remove {name}', { name })}
              disabled={busy}
              onRemove={() =>
                void editScene({
                  kind: 'controls',
                  points: controls.filter((each) => each.name !== name) as ControlPoint[],
                  ...(offset ? { offset } : {}),
                })
              }
            >
              <span className="truncate">
                {role === 'control' ? t('Control {name}', { name }) : t('Check {name}', { name })}
              </span>
              <span className="numeric">
                {found && t('off by {n} mm', { n: fixedText(1000 * Math.hypot(...found.off), 1) })}
              </span>
            </RemovableRow>
          );
        })}
      </ul>
    </>
  );
}
