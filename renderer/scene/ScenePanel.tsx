import { useEffect, useState } from 'react';
import type {
  FrameInfo,
  KnownLength,
  Measurement,
  SceneDescription,
  SceneDocument,
} from '../../electron/contract/scene.js';
import { attempt } from '../commands/project.js';
import { countSelection, editScene } from '../commands/scene.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button, Empty, Facts, Field, RemovableRow, Select, Slider, TextField } from '../design/controls.js';
import { countText, fixedText, sizeText, typedNumber } from '../design/format.js';
import { isActive, setStudio, setViewer, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { currentViewer } from '../viewer/handle.js';
import { percentileOf } from '../../electron/contract/confidence.js';
import { CloudSettings } from '../cloud/CloudSettings.js';
import { ConfidenceSlider } from '../cloud/ConfidenceSlider.js';
import { MarkSection } from './MarkSection.js';
import { MeasureSection } from './MeasureSection.js';
import { PlaceSection } from './PlaceSection.js';
import { RegionSection } from './RegionSection.js';
import './scene.css';
import { t } from '../words/index.js';

/** Level, scale, crop, cleaning and measurements: what every export of the scene follows. */
export function ScenePanel() {
  const scene = useStudio(({ project }) => project?.scene);
  const document = useStudio(({ project }) => project?.document);
  const busy = useStudio(({ job }) => isActive(job));
  const description = useDescription();
  if (!scene || !document)
    return (
      <Empty title={t('No cloud yet')}>
        <p>{t('The scene is levelled, scaled, cleaned and measured here once there is a cloud.')}</p>
      </Empty>
    );
  const frame = scene.frames[0]!;
  return (
    <div className="panel">
      <CloudSettings />
      <FrameSection
        frame={frame}
        description={description}
        busy={busy}
      />
      <ScaleSection
        lengths={document.lengths}
        description={description}
        busy={busy}
      />
      <PlaceSection
        description={description}
        busy={busy}
      />
      <MarkSection
        document={document as SceneDocument}
        residuals={description?.controls ?? []}
        busy={busy}
      />
      <RegionSection
        region={document.region}
        description={description}
        busy={busy}
      />
      <CleanSection busy={busy} />
      <MeasureSection
        measurements={document.measurements as Measurement[]}
        frame={frame}
        busy={busy}
      />
    </div>
  );
}

/** Asked for again whenever the cloud or the document has changed. */
function useDescription(): SceneDescription | undefined {
  const [description, setDescription] = useState<SceneDescription>();
  const key = useStudio(({ project }) =>
    project?.scene && !project.scene.partial ? JSON.stringify([project.scene.revision, project.document]) : undefined,
  );
  useEffect(() => {
    if (key === undefined) return;
    let current = true;
    void attempt(() => api.request('scene.describe', {})).then((answer) => {
      if (current && answer) setDescription(answer);
    });
    return () => {
      current = false;
    };
  }, [key]);
  return description;
}

const levels: Record<FrameInfo['level'], string> = {
  auto: t('from photos and ground'),
  none: t('the first photo’s'),
  points: t('by three points'),
  edge: t('by a vertical edge'),
  hand: t('by hand'),
  cameras: t('of known cameras'),
  gps: t('of places on the earth'),
  control: t('frame of control points'),
};

function FrameSection({
  frame,
  description,
  busy,
}: {
  frame: FrameInfo;
  description: SceneDescription | undefined;
  busy: boolean;
}) {
  const picks = useStudio(({ picks }) => picks);
  const wanted = useStudio(({ lengthUnit }) => lengthUnit);
  const turning = useStudio(({ viewer }) => viewer.gizmo === 'level');
  const [a, b, c] = picks;
  const level = async (by: 'points' | 'edge' | 'origin'): Promise<void> => {
    if (by === 'points' && a && b && c) await editScene({ kind: 'level-points', points: [a, b, c] });
    if (by === 'edge' && a && b) await editScene({ kind: 'level-edge', points: [a, b] });
    if (by === 'origin' && a) await editScene({ kind: 'origin', point: a });
    setStudio({ picks: [] });
  };
  return (
    <div className="section">
      <h2>{t('Level')}</h2>
      <Facts
        facts={[
          [t('Up'), levels[frame.level]],
          [t('Unit'), frame.unit === 'metre' ? t('metres') : t('no scale yet')],
          description && [t('Size'), sizeText(description.bounds.size, frame.unit === 'metre' ? wanted : undefined)],
          description && [
            t('Points kept'),
            t('{n} of {all}', { n: countText(description.kept), all: countText(description.points) }),
          ],
        ]}
      />
      <div className="scene-tools">
        <Button
          disabled={busy}
          onClick={() => void editScene({ kind: 'level', by: 'auto' })}
        >
          {t('Automatic')}
        </Button>
        <Button
          disabled={busy}
          onClick={() => void editScene({ kind: 'level', by: 'none' })}
        >
          {t('First photo')}
        </Button>
        <Button
          disabled={busy || picks.length !== 3}
          title={t('Pick three points of a level surface')}
          onClick={() => void level('points')}
        >
          {t('Three points')}
        </Button>
        <Button
          disabled={busy || picks.length !== 2}
          title={t('Pick two points of a vertical edge')}
          onClick={() => void level('edge')}
        >
          {t('Vertical edge')}
        </Button>
        <Button
          disabled={busy || picks.length !== 1}
          title={t('Pick one point')}
          onClick={() => void level('origin')}
        >
          {t('Origin')}
        </Button>
        <Button
          disabled={busy}
          aria-pressed={turning}
          title={t('Drag the rings in the view; arrow keys turn by a degree')}
          onClick={() => setViewer({ gizmo: turning ? 'none' : 'level' })}
        >
          {t('By hand')}
        </Button>
      </div>
      <Picks />
    </div>
  );
}

/** What has been picked in the view so far. */
function Picks() {
  const picks = useStudio(({ picks }) => picks);
  const picking = useStudio(({ viewer }) => viewer.tool === 'pick');
  return (
    <div className="scene-tools">
      <CommandButton
        id="points.pick"
        icon="pick"
        pressed={picking}
      >
        {t('Pick points')}
      </CommandButton>
      <span className="quiet numeric">{t('{n} picked', { n: picks.length })}</span>
      {picks.length > 0 && <Button onClick={() => setStudio({ picks: [] })}>{t('Forget')}</Button>}
    </div>
  );
}

function ScaleSection({
  lengths,
  description,
  busy,
}: {
  lengths: readonly KnownLength[];
  description: SceneDescription | undefined;
  busy: boolean;
}) {
  const picks = useStudio(({ picks }) => picks);
  const [text, setText] = useState('');
  const metres = typedNumber(text);
  const [a, b] = picks;
  const add = async (): Promise<void> => {
    const done = await editScene({ kind: 'scale', lengths: [...lengths, { metres, a: a!, b: b! }] });
    if (!done) return;
    setText('');
    setStudio({ picks: [] });
  };
  const remove = (index: number): unknown =>
    editScene({ kind: 'scale', lengths: lengths.filter((_, k) => k !== index) });
  return (
    <div className="section">
      <h2>{t('Scale')}</h2>
      <TextField
        inputMode="decimal"
        label={t('Metres between the two picked points')}
        text={text}
        onChange={setText}
      />
      <Button
        disabled={busy || picks.length !== 2 || !(metres > 0)}
        onClick={() => void add()}
      >
        {t('Set the scale')}
      </Button>
      <ul className="scene-list">
        {lengths.map((length, k) => (
          <RemovableRow
            key={`${k} ${length.metres}`}
            remove={t('Remove the length of {n} m', { n: length.metres })}
            disabled={busy}
            onRemove={() => remove(k)}
          >
            <span className="numeric">
              {length.name && `${length.name}: `}
              {length.metres} m{residual(description, k)}
            </span>
          </RemovableRow>
        ))}
      </ul>
    </div>
  );
}

function residual(description: SceneDescription | undefined, k: number): string {
  const length = description?.lengths[k];
  return length ? `, ${t('off by {n} mm', { n: fixedText(1000 * length.residual, 1) })}` : '';
}

const tools = [
  ['points.lasso', 'lasso', 'lasso'],
  ['points.rectangle', 'rectangle', 'rectangle'],
  ['points.brush', 'brush', 'brush'],
] as const;

function CleanSection({ busy }: { busy: boolean }) {
  const active = useStudio(({ viewer }) => viewer.tool);
  const selected = useStudio(({ selectedPoints }) => selectedPoints);
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  const threshold = useStudio(({ project }) => project?.settings.minConfidence ?? 1);
  const [below, setBelow] = useState(threshold);
  return (
    <div className="section">
      <h2>{t('Clean')}</h2>
      <div className="scene-tools">
        {tools.map(([id, icon, name]) => (
          <CommandButton
            key={id}
            id={id}
            icon={icon}
            look="square"
            pressed={active === name}
          />
        ))}
        <CommandButton id="points.invert">{t('Invert')}</CommandButton>
        <CommandButton id="points.clear">{t('None')}</CommandButton>
        <CommandButton id="points.hide">{t('Hide')}</CommandButton>
        <CommandButton id="points.showAll">{t('Show all')}</CommandButton>
      </div>
      {scale && (
        <ConfidenceSlider
          label={t('Select the least confident')}
          value={Math.max(below, threshold)}
          scale={scale}
          from={Math.floor(percentileOf(scale, threshold))}
          disabled={busy}
          onChange={() => undefined}
          onCommit={(confidence) => {
            setBelow(confidence);
            currentViewer()?.editing?.selectLessSure(confidence);
            countSelection();
          }}
        />
      )}
      <ColourChoice busy={busy} />
      <p className="quiet numeric">{t('{n} selected. Shift adds, Alt takes away.', { n: countText(selected) })}</p>
      <div className="scene-tools">
        <CommandButton
          id="points.delete"
          icon="trash"
        >
          {t('Delete')}
        </CommandButton>
      </div>
      <OutlierChoice busy={busy} />
    </div>
  );
}

/** Standard deviations above the usual distance to its neighbours from which a point is an outlier. */
const DEVIATIONS = { few: 12, usual: 6, many: 3 } as const;

/** Deletes points that stand alone; how far alone is the person's choice. */
function OutlierChoice({ busy }: { busy: boolean }) {
  const [strictness, setStrictness] = useState<keyof typeof DEVIATIONS>('usual');
  return (
    <>
      <Select
        label={t('Outliers')}
        value={strictness}
        choices={[
          { value: 'few', title: t('Few: only points far off') },
          { value: 'usual', title: t('Points clearly off') },
          { value: 'many', title: t('Many: also points a little off') },
        ]}
        disabled={busy}
        onChange={setStrictness}
      />
      <div className="scene-tools">
        <Button
          disabled={busy}
          title={t('Delete points that lie much farther from their neighbours than most do')}
          onClick={() => void editScene({ kind: 'outliers', deviations: DEVIATIONS[strictness] })}
        >
          {t('Delete outliers')}
        </Button>
      </div>
    </>
  );
}

/** Selects the points of a colour, as near to it as the slider says. */
function ColourChoice({ busy }: { busy: boolean }) {
  const [colour, setColour] = useState('#87ceeb');
  const [reach, setReach] = useState(0);
  const select = (hex: string, value: number): void => {
    const rgb = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
    currentViewer()?.editing?.selectColour(rgb, value);
    countSelection();
  };
  return (
    <>
      <Field label={t('Select a colour')}>
        {(id) => (
          <input
            id={id}
            type="color"
            value={colour}
            disabled={busy}
            onChange={(event) => setColour(event.target.value)}
          />
        )}
      </Field>
      <Slider
        label={t('As near as')}
        min={0}
        max={120}
        step={1}
        value={reach}
        disabled={busy}
        format={String}
        onChange={setReach}
        onCommit={(value) => select(colour, value)}
      />
    </>
  );
}
