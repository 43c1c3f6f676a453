import { useEffect, useState } from 'react';
import type { CameraInfo, SceneInfo } from '../../electron/contract/api.js';
import type { FrameInfo, ScenePixel } from '../../electron/contract/scene.js';
import { editScene } from '../commands/scene.js';
import { useMeasured } from '../scene/use-measured.js';
import { choose } from '../store/selection.js';
import { notify, setStudio, setViewer, studio, useStudio } from '../store/studio.js';
import { stem } from '../design/format.js';
import { t } from '../words/index.js';
import { api } from '../transport/index.js';
import { loadCloud, type CloudData } from '../viewer/cloud-data.js';
import { currentViewer, mountViewer } from '../viewer/handle.js';
import { useDeleted } from '../viewer/use-deleted.js';
import type { CloudStatistics } from '../store/viewer-settings.js';
import { Viewer } from '../viewer/Viewer.js';
import { NoCloud } from './NoCloud.js';
import { useMeshShown } from './use-mesh.js';
import { Foot, Legend, OverlaySlider, ViewerTools } from './ViewerTools.js';

/** The cloud, its cameras, and the few controls that belong on top of it. */
export function CloudPanel() {
  const [component, setComponent] = useState(0);
  const scene = useStudio(({ project }) => project?.scene);
  const settings = useStudio(({ viewer }) => viewer);
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const theme = useStudio(({ theme }) => theme);
  // A photo to be looked through may stand in another part than the one shown.
  const needed = scene?.cameras.find(({ photo }) => photo === settings.lookThrough)?.component;
  const components = Math.max(0, ...(scene?.cameras.map((camera) => camera.component + 1) ?? []));
  const shown = needed ?? Math.min(component, Math.max(0, components - 1));
  const threshold = useStudio(({ project }) => project?.settings.minConfidence ?? 1);
  // Whoever has changed it: the slider, undo, another window.
  useEffect(() => setViewer({ minConfidence: threshold }), [threshold]);
  const { lines, places } = useMeasured();
  const mesh = useMeshShown();
  const { loaded, arrived } = useCloud(scene, shown);
  const document = useStudio(({ project }) => project?.document);
  const summary = useSummary(loaded);
  // Until another part's cloud is there, the former one stands in its own frame, with its own edits.
  const drawn = loaded?.component ?? shown;
  const deleted = useDeleted(drawn === 0 ? (document?.deletions ?? []) : [], loaded?.cloud, loaded?.cameras);
  if (!loaded)
    return (
      <div className="viewer">
        <NoCloud arrived={scene && arrived} />
      </div>
    );
  // A frame that was edited holds for the cloud that is shown; until the next cloud has arrived, the one it came with.
  const frame = (loaded.revision === scene?.revision && scene.frames[drawn]) || loaded.frame;
  return (
    <div
      className="viewer"
      role="group"
      aria-label={summary}
    >
      <Viewer
        cloud={loaded.cloud}
        part={String(drawn)}
        cameras={loaded.cameras}
        frame={frame}
        deleted={deleted}
        region={drawn === 0 ? document?.region : undefined}
        onPick={takePick}
        onRegion={(region) => editScene({ kind: 'region', region })}
        onTurn={(rotation) => editScene({ kind: 'turn', rotation })}
        lines={drawn === 0 ? lines : undefined}
        places={drawn === 0 ? places : undefined}
        onSelected={countSelection}
        confidenceScale={scene?.confidence}
        settings={settings}
        onSettings={setViewer}
        selected={selected}
        onSelect={choose}
        binaryUrl={api.binaryUrl}
        theme={theme}
        mesh={drawn === 0 ? mesh : undefined}
        onStatistics={keepStatistics}
        ref={mountViewer}
      />
      <ViewerTools
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
        scale={scene?.confidence ?? loaded.cloud.confidenceScale}
      />
      <Foot
        count={loaded.cloud.count}
        whole={components === 1 ? scene?.points : undefined}
        partial={loaded.partial}
        waiting={loaded.revision === scene?.revision ? undefined : arrived}
      />
    </div>
  );
}

/** Another picked point, or, while one point is marked in several photos, another photo of it. */
function takePick({ photo, x, y }: ScenePixel): void {
  setStudio(({ viewer, picks, mark }) =>
    viewer.tool === 'mark'
      ? { mark: [...mark.filter((each) => each.photo !== photo), { photo, x, y }] }
      : { picks: [...picks, { photo, x, y }] },
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

/** The view in one sentence, for whoever can't see it. */
function useSummary(loaded: LoadedCloud | undefined): string {
  const photos = useStudio(({ project }) => project?.photos.filter(({ enabled }) => enabled).length ?? 0);
  const through = useStudio(({ viewer }) => viewer.lookThrough);
  const camera = loaded?.cameras.find(({ photo }) => photo === through);
  const words = t('Point cloud of {points} points, from {placed} of {photos} photos.', {
    points: loaded?.cloud.count ?? 0,
    placed: loaded?.cameras.length ?? 0,
    photos,
  });
  return camera ? `${words} ${t('Seen through the camera of {name}.', { name: stem(camera.name) })}` : words;
}

interface LoadedCloud {
  project: string | undefined;
  revision: number;
  component: number;
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
        setLoaded({ project, revision: scene.revision, component, partial: scene.partial, cloud, cameras, frame });
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
