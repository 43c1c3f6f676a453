import { Canvas } from '@react-three/fiber';
import { Component, useCallback, useEffect, useRef, useState, type ReactNode, type Ref } from 'react';
import { NoToneMapping } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { FrameInfo, ScenePixel, SceneRegion } from '../../electron/contract/scene.js';
import { stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import type { CloudData } from './cloud-data.js';
import { letterbox } from './frames.js';
import type { ViewerHandle } from './handle.js';
import type { MeshShown } from './MeshLayer.js';
import type { CloudStatistics, ViewerSettings } from '../store/viewer-settings.js';
import { Stage } from './Stage.js';
import { ToolLayer } from './ToolLayer.js';
import './viewer.css';
import { t } from '../words/index.js';

export interface ViewerProps {
  cloud: CloudData;
  /** Those of the cloud's component, in the order in which its points name them. */
  cameras: readonly CameraInfo[];
  /** The scene frame: what is up, and where the ground is. */
  frame: FrameInfo;
  /** Bits of deleted pixels, by photo. */
  deleted?: ReadonlyMap<string, Uint8Array> | undefined;
  /** The crop box: what lies outside is not drawn. */
  region?: SceneRegion | undefined;
  onPick?: (pixel: ScenePixel) => void;
  /** Points have been selected. */
  onSelected?: () => void;
  /** Of all depths of the scene (contract/confidence.ts); the cloud's own without. */
  confidenceScale?: readonly number[] | undefined;
  settings: ViewerSettings;
  onSettings: (change: Partial<ViewerSettings>) => void;
  /** Photo ids; the last one is the one meant when only one can be. */
  selected: readonly string[];
  onSelect: (photo: string, event: MouseEvent) => void;
  /** URL of a binary resource of the contract. */
  binaryUrl: (name: string) => string;
  /** Whatever changes when the page's colours do. */
  theme: string;
  /** Of the mesh that is shown, if there is one: URLs, and what a click on a face and a failure do. */
  mesh?: MeshShown | undefined;
  onStatistics: (statistics: CloudStatistics) => void;
  ref?: Ref<ViewerHandle>;
}

/** The 3D view: points, cameras with their photos, grid and axes. It knows no store and no transport. */
export function Viewer(props: ViewerProps) {
  const { settings, cameras, onSettings } = props;
  const through = cameras.find(({ photo }) => photo === settings.lookThrough);
  const [hovered, setHovered] = useState<string>();
  const handle = useRef<ViewerHandle>(null);
  const { ref } = props;
  const mounted = useCallback(
    (mounted: ViewerHandle | null) => {
      handle.current = mounted;
      if (typeof ref === 'function') ref(mounted);
      else if (ref) ref.current = mounted;
    },
    [ref],
  );
  const leaveTool = useCallback(() => onSettings({ tool: 'turn' }), [onSettings]);
  const label = useRef<HTMLDivElement>(null);
  const labelled = through ? undefined : cameras.find(({ photo }) => photo === hovered);
  useEffect(() => {
    if (!through) return;
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) onSettings({ lookThrough: undefined });
    };
    window.addEventListener('keydown', leave);
    return () => window.removeEventListener('keydown', leave);
  }, [through, onSettings]);
  return (
    <Guard>
      <Canvas
        frameloop="demand"
        flat
        camera={{ fov: 45 }}
        dpr={[1, 2]}
        gl={{ antialias: true, alpha: false, toneMapping: NoToneMapping, powerPreference: 'high-performance' }}
        fallback={<p>{t('The cloud is drawn here.')}</p>}
      >
        <Stage
          {...props}
          ref={mounted}
          through={through}
          hovered={hovered}
          onHover={setHovered}
          label={label}
        />
      </Canvas>
      <div
        className="viewer-label"
        ref={label}
        hidden={!labelled}
      >
        {labelled && stem(labelled.name)}
      </div>
      {through && <PhotoFrame camera={through} />}
      {settings.tool !== 'turn' && (
        <ToolLayer
          tool={settings.tool}
          editing={() => handle.current?.editing}
          onPick={(pixel) => props.onPick?.(pixel)}
          onLeave={leaveTool}
          onSelected={() => props.onSelected?.()}
        />
      )}
    </Guard>
  );
}

/** The edge of the photo looked through: what is outside it the camera did not see. */
function PhotoFrame({ camera }: { camera: CameraInfo }) {
  const [frame, size] = useSize();
  return (
    <div
      className="overlay"
      ref={frame}
    >
      {size.width > 0 && (
        <div
          className="overlay-photo"
          style={{ ...letterbox(camera, size) }}
        />
      )}
    </div>
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
    return (
      <div className="empty">
        <h2>{t("The cloud can't be drawn here")}</h2>
        <p>
          {t(
            '{reason}. The studio needs WebGL 2: switch hardware acceleration on in the browser, or export the cloud and open it in another viewer.',
            { reason: this.state.failed },
          )}
        </p>
      </div>
    );
  }
}
