import { useState } from 'react';
import { useShortWhenFull } from '../design/use-short.js';
import type { CameraInfo } from '../../electron/contract/api.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button, Slider } from '../design/controls.js';
import { countText, stem } from '../design/format.js';
import { MoreSettings } from './MoreSettings.js';
import { ConfidenceLegend } from '../depth/ConfidenceLegend.js';
import { setViewer, useStudio } from '../store/studio.js';
import type { ViewerSettings } from '../store/viewer-settings.js';
import { t } from '../words/index.js';

type Colour = ViewerSettings['colour'];

const colourChoices = (): readonly (readonly [Colour, string])[] => [
  ['photo', t('Photo')],
  ['confidence', t('Confidence')],
  ['depth', t('Depth')],
  ['normal', t('Normal')],
  ['source', t('Source photo')],
];
const layerChoices = (): readonly (readonly [ViewerSettings['layer'], string])[] => [
  ['cloud', t('Points')],
  ['mesh', t('Mesh')],
  ['both', t('Points and mesh')],
];
const POINT_SIZES = [1, 1.5, 2, 3, 4, 6, 8];

export interface ViewerToolsProps {
  /** Parts of the scene that are not joined, and which of them is shown. */
  components: number;
  component: number;
  onComponent: (component: number) => void;
}

/** What belongs on top of the view: how it is drawn on the left, from where on the right. */
export function ViewerTools(props: ViewerToolsProps) {
  const [more, setMore] = useState(false);
  const { cameras, lookThrough, navigation } = useStudio(({ viewer }) => viewer);
  const bar = useShortWhenFull();
  return (
    <>
      <div
        className="viewer-bar"
        ref={bar}
      >
        <DrawnTools {...props} />
        <div
          className="viewer-tools right"
          role="toolbar"
          aria-label={t('Where the cloud is seen from')}
        >
          <CommandButton
            id="view.cameras"
            word={t('Cameras')}
            pressed={cameras}
            icon="camera"
          />
          <CommandButton
            id="view.through"
            word={t('Look through')}
            pressed={lookThrough !== undefined}
            icon="eye"
          />
          <CommandButton
            id="view.fit"
            word={t('Fit')}
            icon="fit"
          />
          <CommandButton
            id="view.fly"
            word={t('Fly')}
            icon="fly"
            pressed={navigation === 'fly'}
          />
          <Button
            aria-expanded={more}
            aria-label={t('More settings of the view')}
            title={t('More settings of the view')}
            icon="view"
            onClick={() => setMore(!more)}
          >
            <span className="word">{t('View')}</span>
          </Button>
        </div>
      </div>
      {more && <MoreSettings />}
    </>
  );
}

function DrawnTools({ components, component, onComponent }: ViewerToolsProps) {
  const { colour, pointSize, layer } = useStudio(({ viewer }) => viewer);
  const mesh = useStudio(({ mesh }) => mesh.revision !== undefined);
  const sizes = [...new Set([...POINT_SIZES, pointSize])].sort((a, b) => a - b);
  return (
    <div
      className="viewer-tools left"
      role="toolbar"
      aria-label={t('How the cloud is drawn')}
    >
      <Tool
        label={t('Colour')}
        value={colour}
        choices={colourChoices()}
        onChange={(value) => setViewer({ colour: value as Colour })}
      />
      <Tool
        label={t('Point size')}
        value={String(pointSize)}
        choices={sizes.map((value) => [String(value), String(value)])}
        onChange={(value) => setViewer({ pointSize: Number(value) })}
      />
      {mesh && (
        <Tool
          label={t('Layer')}
          value={layer}
          choices={layerChoices()}
          onChange={(value) => setViewer({ layer: value as ViewerSettings['layer'] })}
        />
      )}
      {components > 1 && (
        <Tool
          label={t('Part')}
          value={String(component)}
          choices={Array.from({ length: components }, (_, k) => [
            String(k),
            t('{n} of {all}', { n: k + 1, all: components }),
          ])}
          onChange={(value) => onComponent(Number(value))}
        />
      )}
    </div>
  );
}

function Tool({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: string;
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  return (
    <label className="tool">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {choices.map(([each, title]) => (
          <option
            key={each}
            value={each}
          >
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How strongly the photo lies over the cloud, while looking through its camera. */
export function OverlaySlider({ cameras }: { cameras: readonly CameraInfo[] }) {
  const { lookThrough, overlay, overlayOpacity, wipe } = useStudio(({ viewer }) => viewer);
  const wiped = overlay === 'wipe';
  const at = cameras.findIndex(({ photo }) => photo === lookThrough);
  if (at < 0) return null;
  return (
    <div className="overlay-slider">
      <CommandButton
        id="view.previous"
        look="square"
        icon="left"
      />
      <Slider
        label={t('Photo {name}', { name: stem(cameras[at]!.name) })}
        min={0}
        max={1}
        step={0.01}
        value={wiped ? wipe : overlayOpacity}
        format={(value) => `${Math.round(value * 100)} %`}
        onChange={(value) => setViewer(wiped ? { wipe: value } : { overlayOpacity: value })}
      />
      <Button
        look="square"
        icon="wipe"
        aria-pressed={wiped}
        aria-label={t('Photo up to a line, points behind it')}
        title={t('Photo up to a line, points behind it')}
        onClick={() => setViewer({ overlay: wiped ? 'blend' : 'wipe' })}
      />
      <CommandButton
        id="view.next"
        look="square"
        icon="right"
      />
    </div>
  );
}

/** What the colours say, where they are not those of the photos. */
export function Legend({ colour, scale }: { colour: Colour; scale: readonly number[] }) {
  if (colour !== 'confidence' && colour !== 'depth') return null;
  return (
    <p className="viewer-legend numeric">
      {colour === 'confidence' ? (
        <ConfidenceLegend scale={scale} />
      ) : (
        <>
          {t('far')}
          <span
            className="ramp"
            role="img"
            aria-label={t('Depth, from dark to bright')}
          />
          {t('near')}
        </>
      )}
    </p>
  );
}

export interface FootProps {
  /** Points of the cloud that has arrived. */
  count: number;
  /** Points of the scene, of which a large one gives an even part to the view; undefined where that is not known. */
  whole: number | undefined;
  partial: boolean;
  /** Share of a newer cloud that has arrived; undefined when there is none. */
  waiting: number | undefined;
}

/**
 * What is drawn of the cloud on the screen; while a newer one is on its way, how much of that has arrived. Between its
 * arrival and its first frame the numbers are still those of the one before.
 */
export function Foot({ count, whole = 0, partial, waiting }: FootProps) {
  const { displayed, total } = useStudio(({ statistics }) => statistics);
  const faces = useStudio(({ viewer, mesh }) => (viewer.layer === 'mesh' ? mesh.faces : undefined));
  const loading = waiting !== undefined && waiting < 1;
  return (
    <p
      className="viewer-foot numeric"
      data-displayed={displayed}
      data-total={total}
      data-current={waiting === undefined && total === count}
      data-growing={partial}
    >
      {faces !== undefined
        ? t('Mesh of {n} faces.', { n: countText(faces) })
        : total > 0 && t('{n} of {all} points drawn.', { n: countText(displayed), all: countText(total) })}
      {total > 0 &&
        faces === undefined &&
        !loading &&
        !partial &&
        whole > count &&
        ` ${t('A sample: PLY and LAS hold all {all} points.', { all: countText(whole) })}`}
      {loading && ` ${t('The next cloud is loading, {n} %.', { n: Math.round(waiting * 100) })}`}
      {total > 0 && !loading && partial && ` ${t('Still growing while pairs are computed.')}`}
    </p>
  );
}
