import { useEffect, useState } from 'react';
import type { CameraInfo, SceneInfo } from '../../electron/contract/api.js';
import type { FrameInfo } from '../../electron/contract/scene.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button, Empty, Slider } from '../design/controls.js';
import { countText, stem } from '../design/format.js';
import { choose } from '../store/selection.js';
import { isActive, notify, setStudio, setViewer, studio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { loadCloud, type CloudData } from '../viewer/cloud-data.js';
import { currentViewer, mountViewer } from '../viewer/handle.js';
import { useDeleted } from '../viewer/use-deleted.js';
import type { CloudStatistics, ViewerSettings } from '../store/viewer-settings.js';
import { Viewer } from '../viewer/Viewer.js';
import { MeshTools } from './MeshTools.js';
import { useMeshShown } from './use-mesh.js';

const colourChoices: readonly (readonly [ViewerSettings['colour'], string])[] = [
  ['photo', 'Photo'],
  ['confidence', 'Confidence'],
  ['depth', 'Depth'],
  ['normal', 'Normal'],
  ['source', 'Source photo'],
];

/** The cloud, its cameras, and the few controls that belong on top of it. */
export function CloudPanel() {
  const [component, setComponent] = useState(0);
  const scene = useStudio(({ project }) => project?.scene);
  const running = useStudio(({ job }) => isActive(job));
  const hasPhotos = useStudio(({ project }) => (project?.photos.length ?? 0) > 0);
  const settings = useStudio(({ viewer }) => viewer);
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const theme = useStudio(({ theme }) => theme);
  // A photo to be looked through may stand in another part than the one shown.
  const needed = scene?.cameras.find(({ photo }) => photo === settings.lookThrough)?.component;
  const components = Math.max(0, ...(scene?.cameras.map((camera) => camera.component + 1) ?? []));
  const shown = needed ?? Math.min(component, Math.max(0, components - 1));
  const mesh = useMeshShown();
  const { loaded, arrived } = useCloud(scene, shown);
  const document = useStudio(({ project }) => project?.document);
  const deleted = useDeleted(shown === 0 ? (document?.deletions ?? []) : [], loaded?.cloud, loaded?.cameras);
  if (!loaded) {
    return (
      <div className="viewer">
        {scene ? (
          <Empty title={`Loading the cloud… ${Math.round(arrived * 100)} %`} />
        ) : running ? (
          <Empty title="The cloud grows here">
            <p>The first points appear once some pairs have been computed.</p>
          </Empty>
        ) : (
          <Empty title="No cloud yet">
            <p>
              {hasPhotos
                ? 'Start the reconstruction; the cloud appears while pairs are still being computed.'
                : 'Drop a handful of photos of the same place, taken from different spots.'}
            </p>
            {hasPhotos ? (
              <CommandButton
                id="run.start"
                look={['primary', 'large']}
                icon="play"
              >
                Start
              </CommandButton>
            ) : (
              <CommandButton
                id="photos.add"
                look={['primary', 'large']}
                icon="plus"
              >
                Choose photos
              </CommandButton>
            )}
          </Empty>
        )}
      </div>
    );
  }
  // A frame that was edited holds for the cloud that is shown; until the next cloud has arrived, the one it came with.
  const frame = (loaded.revision === scene?.revision && scene.frames[shown]) || loaded.frame;
  return (
    <div className="viewer">
      <Viewer
        cloud={loaded.cloud}
        cameras={loaded.cameras}
        frame={frame}
        deleted={deleted}
        region={shown === 0 ? document?.region : undefined}
        onPick={(pixel) => setStudio(({ picks }) => ({ picks: [...picks, pixel] }))}
        onSelected={countSelection}
        settings={settings}
        onSettings={setViewer}
        selected={selected}
        onSelect={choose}
        binaryUrl={api.binaryUrl}
        theme={theme}
        mesh={shown === 0 ? mesh : undefined}
        onStatistics={keepStatistics}
        ref={mountViewer}
      />
      <Toolbar
        components={components}
        component={shown}
        onComponent={(next) => {
          setViewer({ lookThrough: undefined });
          setComponent(next);
        }}
      />
      <OverlaySlider cameras={loaded.cameras} />
      <Legend
        colour={settings.colour}
        range={loaded.cloud.confidenceRange}
      />
      <Foot
        count={loaded.cloud.count}
        partial={loaded.partial}
        waiting={loaded.revision === scene?.revision ? undefined : arrived}
      />
    </div>
  );
}

function countSelection(): void {
  setStudio({ selectedPoints: currentViewer()?.editing?.count() ?? 0 });
}

/** As often as a frame: nothing happens unless a number has changed. */
function keepStatistics(next: CloudStatistics): void {
  const { statistics } = studio();
  if (statistics.displayed !== next.displayed || statistics.total !== next.total) setStudio({ statistics: next });
}

interface LoadedCloud {
  project: string | undefined;
  revision: number;
  partial: boolean;
  cloud: CloudData;
  /** As they were when this cloud was made: its points name them by index. */
  cameras: readonly CameraInfo[];
  frame: FrameInfo;
}

/** Fetches each new revision; the one shown stays until the next has arrived. */
function useCloud(
  scene: SceneInfo | undefined,
  component: number,
): { loaded: LoadedCloud | undefined; arrived: number } {
  const project = useStudio(({ project }) => project?.path);
  const [loaded, setLoaded] = useState<LoadedCloud>();
  const [arrived, setArrived] = useState(0);
  const revision = scene?.revision;
  useEffect(() => {
    if (!scene) return;
    const stop = new AbortController();
    const cameras = scene.cameras.filter((camera) => camera.component === component);
    const frame = scene.frames[component]!;
    // In whole per cent: a cloud arrives in thousands of pieces.
    loadCloud(api.binaryUrl(`cloud/${scene.revision}/${component}`), stop.signal, (share) =>
      setArrived(Math.floor(share * 100) / 100),
    ).then(
      (cloud) => {
        if (stop.signal.aborted) return;
        setLoaded({ project, revision: scene.revision, partial: scene.partial, cloud, cameras, frame });
      },
      (error: Error) => {
        // A revision that is gone has been followed by another one, which is on its way.
        if (!stop.signal.aborted && !error.message.includes('404')) notify('error', error.message);
      },
    );
    return () => stop.abort();
  }, [revision, component, project]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => () => loaded?.cloud.dispose(), [loaded]);
  useEffect(() => () => setStudio({ statistics: { displayed: 0, total: 0 } }), []);
  return { loaded: loaded?.project === project && revision !== undefined ? loaded : undefined, arrived };
}

function Toolbar({
  components,
  component,
  onComponent,
}: {
  components: number;
  component: number;
  onComponent: (component: number) => void;
}) {
  const settings = useStudio(({ viewer }) => viewer);
  const { colour, pointSize, cameras, grid, lookThrough, navigation } = settings;
  const [more, setMore] = useState(false);
  return (
    <>
      <div
        className="viewer-tools left"
        role="toolbar"
        aria-label="How the cloud is drawn"
      >
        <label className="tool">
          <span>Colour</span>
          <select
            value={colour}
            onChange={(event) => setViewer({ colour: event.target.value as ViewerSettings['colour'] })}
          >
            {colourChoices.map(([value, title]) => (
              <option
                key={value}
                value={value}
              >
                {title}
              </option>
            ))}
          </select>
        </label>
        <label className="tool">
          <span>Point size</span>
          <select
            value={pointSize}
            onChange={(event) => setViewer({ pointSize: Number(event.target.value) })}
          >
            {[...new Set([1, 1.5, 2, 3, 4, 6, 8, pointSize])]
              .sort((a, b) => a - b)
              .map((value) => (
                <option
                  key={value}
                  value={value}
                >
                  {value}
                </option>
              ))}
          </select>
        </label>
        <MeshTools />
        <CommandButton
          id="view.cameras"
          look="square"
          pressed={cameras}
          icon="camera"
        />
        {components > 1 && (
          <label className="tool">
            <span>Part</span>
            <select
              value={component}
              onChange={(event) => onComponent(Number(event.target.value))}
            >
              {Array.from({ length: components }, (_, k) => (
                <option
                  key={k}
                  value={k}
                >
                  {k + 1} of {components}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div
        className="viewer-tools right"
        role="toolbar"
        aria-label="Where the cloud is seen from"
      >
        <CommandButton
          id="view.through"
          look="square"
          pressed={lookThrough !== undefined}
          icon="eye"
        />
        <CommandButton
          id="view.fit"
          look="square"
          icon="fit"
        />
        <CommandButton
          id="view.fly"
          look="square"
          icon="fly"
          pressed={navigation === 'fly'}
        />
        <CommandButton
          id="view.grid"
          look="square"
          icon="grid"
          pressed={grid}
        />
        <CommandButton
          id="view.axes"
          look="square"
          icon="axes"
          pressed={settings.axes}
        />
        <CommandButton
          id="view.screenshot"
          look="square"
          icon="photo"
        />
        <Button
          look="square"
          aria-expanded={more}
          aria-label="More settings of the view"
          title="More settings of the view"
          icon="plus"
          onClick={() => setMore(!more)}
        />
      </div>
      {more && (
        <div className="viewer-more">
          <Slider
            label="Size of cameras"
            min={0.02}
            max={0.4}
            step={0.01}
            value={settings.frustumSize}
            format={(value) => `${Math.round(value * 100)} %`}
            onChange={(frustumSize) => setViewer({ frustumSize })}
          />
          <Slider
            label="Most points drawn"
            min={500_000}
            max={20_000_000}
            step={500_000}
            value={settings.pointBudget}
            format={countText}
            onChange={(pointBudget) => setViewer({ pointBudget })}
          />
          <label className="switch">
            Photos in the cameras
            <input
              type="checkbox"
              role="switch"
              checked={settings.images}
              onChange={(event) => setViewer({ images: event.target.checked })}
            />
          </label>
        </div>
      )}
    </>
  );
}

/** How strongly the photo lies over the cloud, while looking through its camera. */
function OverlaySlider({ cameras }: { cameras: readonly CameraInfo[] }) {
  const { lookThrough, overlayOpacity } = useStudio(({ viewer }) => viewer);
  const camera = cameras.find(({ photo }) => photo === lookThrough);
  if (!camera) return null;
  return (
    <div className="overlay-slider">
      <Slider
        label={`Photo ${stem(camera.name)}`}
        min={0}
        max={1}
        step={0.01}
        value={overlayOpacity}
        format={(value) => `${Math.round(value * 100)} %`}
        onChange={(opacity) => setViewer({ overlayOpacity: opacity })}
      />
    </div>
  );
}

/** What the colours say, where they are not those of the photos. */
function Legend({
  colour,
  range: [low, high],
}: {
  colour: ViewerSettings['colour'];
  range: readonly [number, number];
}) {
  if (colour !== 'confidence' && colour !== 'depth') return null;
  return (
    <p className="viewer-legend numeric">
      {colour === 'confidence' ? low.toPrecision(2) : 'far'}
      <span
        className="ramp"
        role="img"
        aria-label={colour === 'confidence' ? 'Confidence, from dark to bright' : 'Depth, from dark to bright'}
      />
      {colour === 'confidence' ? high.toPrecision(2) : 'near'}
    </p>
  );
}

/**
 * What is drawn of the cloud on the screen; while a newer one is on its way, how much of that has arrived. Between its
 * arrival and its first frame the numbers are still those of the one before.
 */
function Foot({ count, partial, waiting }: { count: number; partial: boolean; waiting: number | undefined }) {
  const { displayed, total } = useStudio(({ statistics }) => statistics);
  return (
    <p
      className="viewer-foot numeric"
      data-displayed={displayed}
      data-total={total}
      data-current={waiting === undefined && total === count}
    >
      {total > 0 &&
        `${countText(displayed)} shown of ${countText(total)} points.${waiting !== undefined && waiting < 1 ? ` The next is loading, ${Math.round(waiting * 100)} %.` : partial ? ' Still growing while pairs are computed.' : ''}`}
    </p>
  );
}
