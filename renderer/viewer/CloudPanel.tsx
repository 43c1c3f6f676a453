import { Canvas } from '@react-three/fiber';
import { Component, useEffect, useState, type ReactNode } from 'react';
import { NoToneMapping } from 'three';
import { Button, CommandButton, Empty, Slider } from '../design/controls.js';
import { countText, stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import { isActive, notify, setStudio, setViewer, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { loadCloud, type CloudData } from './cloud-data.js';
import { letterbox } from './frames.js';
import type { ViewerSettings } from './settings.js';
import { Stage } from './Stage.js';
import './viewer.css';

const colourChoices: readonly (readonly [ViewerSettings['colour'], string])[] = [['photo', 'Photo'], ['confidence', 'Confidence'], ['depth', 'Depth'], ['normal', 'Normal'], ['source', 'Source photo']];

/** The cloud, its cameras, and the few controls that belong on top of it. */
export function CloudPanel() {
  const [component, setComponent] = useState(0);
  const scene = useStudio(({ project }) => project?.scene);
  const running = useStudio(({ job }) => isActive(job));
  const hasPhotos = useStudio(({ project }) => (project?.photos.length ?? 0) > 0);
  const components = Math.max(0, ...(scene?.cameras.map((camera) => camera.component + 1) ?? []));
  const shown = Math.min(component, Math.max(0, components - 1));
  const cloud = useCloud(scene?.revision, shown);
  const [hovered, setHovered] = useState<string>();
  if (!cloud) {
    return (
      <div className="viewer">
        {scene ? <Empty title="Loading the cloud…" />
          : running ? <Empty title="The cloud grows here"><p>The first points appear once some pairs have been computed.</p></Empty>
          : <Empty title="No cloud yet"><p>{hasPhotos ? 'Start the reconstruction; the cloud appears while pairs are still being computed.' : 'Drop a handful of photos of the same place, taken from different spots.'}</p>{hasPhotos ? <CommandButton id="run.start" look={['primary', 'large']} icon="play">Start</CommandButton> : <CommandButton id="photos.add" look={['primary', 'large']} icon="plus">Choose photos</CommandButton>}</Empty>}
      </div>
    );
  }
  const cameras = scene?.cameras.filter((camera) => camera.component === shown) ?? [];
  return (
    <div className="viewer">
      <Guard>
        <Canvas frameloop="demand" flat camera={{ fov: 45 }} dpr={[1, 2]} gl={{ antialias: true, preserveDrawingBuffer: true, toneMapping: NoToneMapping, powerPreference: 'high-performance' }}
          fallback={<p>The cloud is drawn here.</p>} aria-label="Point cloud">
          <Stage cloud={cloud} cameras={cameras} onHover={setHovered} />
        </Canvas>
        <Overlay />
      </Guard>
      <Toolbar components={components} component={shown} onComponent={setComponent} />
      <Foot hovered={hovered} partial={scene?.partial ?? false} />
    </div>
  );
}

/** Fetches each new revision; the one shown stays until the next has arrived. */
function useCloud(revision: number | undefined, component: number): CloudData | undefined {
  const path = useStudio(({ project }) => project?.path);
  const [cloud, setCloud] = useState<{ path: string | undefined; data: CloudData }>();
  useEffect(() => {
    if (revision === undefined) return;
    const stop = new AbortController();
    loadCloud(api.binaryUrl(`cloud/${revision}/${component}`), stop.signal).then((data) => setCloud({ path, data }), (error: Error) => {
      // A revision that is gone has been followed by another one, which is on its way.
      if (!stop.signal.aborted && !error.message.includes('404')) notify('error', error.message);
    });
    return () => stop.abort();
  }, [revision, component, path]);
  useEffect(() => () => cloud?.data.dispose(), [cloud]);
  useEffect(() => () => setStudio({ statistics: { displayed: 0, total: 0 } }), []);
  return cloud && cloud.path === path && revision !== undefined ? cloud.data : undefined;
}

function Toolbar({ components, component, onComponent }: { components: number; component: number; onComponent: (component: number) => void }) {
  const settings = useStudio(({ viewer }) => viewer);
  const { colour, pointSize, cameras, grid, lookThrough, navigation } = settings;
  const [more, setMore] = useState(false);
  return (
    <>
      <div className="viewer-tools left" role="toolbar" aria-label="How the cloud is drawn">
        <label className="tool"><span>Colour</span>
          <select value={colour} onChange={(event) => setViewer({ colour: event.target.value as ViewerSettings['colour'] })}>{colourChoices.map(([value, title]) => <option key={value} value={value}>{title}</option>)}</select>
        </label>
        <label className="tool"><span>Point size</span>
          <select value={pointSize} onChange={(event) => setViewer({ pointSize: Number(event.target.value) })}>{[...new Set([1, 1.5, 2, 3, 4, 6, 8, pointSize])].sort((a, b) => a - b).map((value) => <option key={value} value={value}>{value}</option>)}</select>
        </label>
        <CommandButton id="view.cameras" look="square" pressed={cameras} icon="camera" />
        {components > 1 && (
          <label className="tool"><span>Part</span>
            <select value={component} onChange={(event) => onComponent(Number(event.target.value))}>{Array.from({ length: components }, (_, k) => <option key={k} value={k}>{k + 1} of {components}</option>)}</select>
          </label>
        )}
      </div>
      <div className="viewer-tools right" role="toolbar" aria-label="Where the cloud is seen from">
        <CommandButton id="view.through" look="square" pressed={lookThrough !== undefined} icon="eye" />
        <CommandButton id="view.fit" look="square" icon="fit" />
        <CommandButton id="view.fly" look="square" icon="fly" pressed={navigation === 'fly'} />
        <CommandButton id="view.grid" look="square" icon="grid" pressed={grid} />
        <CommandButton id="view.axes" look="square" icon="axes" pressed={settings.axes} />
        <CommandButton id="view.screenshot" look="square" icon="photo" />
        <Button look="square" aria-expanded={more} aria-label="More settings of the view" title="More settings of the view" icon="plus" onClick={() => setMore(!more)} />
      </div>
      {more && (
        <div className="viewer-more">
          <Slider label="Size of cameras" min={0.02} max={0.4} step={0.01} value={settings.frustumSize} format={(value) => `${Math.round(value * 100)} %`} onChange={(frustumSize) => setViewer({ frustumSize })} />
          <Slider label="Most points drawn" min={500_000} max={20_000_000} step={500_000} value={settings.pointBudget} format={countText} onChange={(pointBudget) => setViewer({ pointBudget })} />
          <label className="switch">Photos in the cameras<input type="checkbox" role="switch" checked={settings.images} onChange={(event) => setViewer({ images: event.target.checked })} /></label>
        </div>
      )}
    </>
  );
}

/** The photo over the cloud, exactly where its camera sees it. */
function Overlay() {
  const photo = useStudio(({ viewer }) => viewer.lookThrough);
  const opacity = useStudio(({ viewer }) => viewer.overlayOpacity);
  const camera = useStudio(({ project, viewer }) => project?.scene?.cameras.find((each) => each.photo === viewer.lookThrough));
  const [frame, size] = useSize();
  useEffect(() => {
    if (photo === undefined) return;
    const leave = (event: KeyboardEvent): void => { if (event.key === 'Escape') setViewer({ lookThrough: undefined }); };
    window.addEventListener('keydown', leave);
    return () => window.removeEventListener('keydown', leave);
  }, [photo]);
  if (!camera || photo === undefined) return null;
  return (
    <>
      <div className="overlay" ref={frame}>{size.width > 0 && <img src={api.binaryUrl(`photo/${photo}`)} alt="" style={{ ...letterbox(camera, size), opacity }} draggable={false} />}</div>
      <div className="overlay-slider"><Slider label={`Photo ${stem(camera.name)}`} min={0} max={1} step={0.01} value={opacity} format={(value) => `${Math.round(value * 100)} %`} onChange={(overlayOpacity) => setViewer({ overlayOpacity })} /></div>
    </>
  );
}

function Foot({ hovered, partial }: { hovered: string | undefined; partial: boolean }) {
  const { displayed, total } = useStudio(({ statistics }) => statistics);
  const name = useStudio(({ project }) => project?.photos.find(({ id }) => id === hovered)?.name);
  return (
    <p className="viewer-foot numeric" data-displayed={displayed} data-total={total}>
      {name ? `Camera of ${stem(name)}` : total > 0 ? `${countText(displayed)} shown of ${countText(total)} points.${partial ? ' Still growing while pairs are computed.' : ''}` : ''}
    </p>
  );
}

/** Without WebGL everything else still works, and this place says why it is empty. */
class Guard extends Component<{ children: ReactNode }, { failed?: string }> {
  override state: { failed?: string } = {};
  static getDerivedStateFromError(error: Error): { failed: string } {
    return { failed: error.message };
  }
  override render(): ReactNode {
    if (this.state.failed === undefined) return this.props.children;
    return <Empty title="The cloud can't be drawn here"><p>{this.state.failed}. The studio needs WebGL 2: switch hardware acceleration on in the browser, or export the cloud and open it in another viewer.</p></Empty>;
  }
}
