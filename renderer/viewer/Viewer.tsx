import { Canvas } from '@react-three/fiber';
import { Component, useCallback, useEffect, useMemo, useRef, useState, type ReactNode, type Ref } from 'react';
import { NoToneMapping, setConsoleFunction, type Quaternion } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { FrameInfo, ScenePixel, SceneRegion, Vector } from '../../electron/contract/scene.js';
import { stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import type { CloudData } from './cloud-data.js';
import { BoxHandles } from './BoxHandles.js';
import { letterbox, sceneCentre } from './frames.js';
import type { ViewerHandle } from './handle.js';
import { LevelRings } from './LevelRings.js';
import type { MeshShown } from './MeshLayer.js';
import { Frames } from './projector.js';
import { SceneLines, type SceneLine } from './SceneLines.js';
import type { CloudStatistics, ViewerSettings } from '../store/viewer-settings.js';
import { Stage } from './Stage.js';
import { ToolLayer } from './ToolLayer.js';
import { WipeLine } from './WipeLine.js';
import './viewer.css';
import { t } from '../words/index.js';

/** What react-three-fiber itself still uses: a warning that nobody here can act on. */
const KNOWN_WARNING = 'THREE.Clock: This module has been deprecated';
setConsoleFunction((type, message, ...rest) => {
  if (!message.startsWith(KNOWN_WARNING)) console[type](message, ...rest);
});

export interface ViewerProps {
  cloud: CloudData;
  /** Names the part of a scene that the cloud is of: another part is framed anew, wherever a hand has moved the view. */
  part?: string | undefined;
  /** Those of the cloud's component, in the order in which its points name them. */
  cameras: readonly CameraInfo[];
  /** The scene frame: what is up, and where the ground is. */
  frame: FrameInfo;
  /** Bits of deleted pixels, by photo. */
  deleted?: ReadonlyMap<string, Uint8Array> | undefined;
  /** The crop box: what lies outside is not drawn. */
  region?: SceneRegion | undefined;
  /** The crop box was dragged. @returns what settles once it is stored */
  onRegion?: (region: SceneRegion) => Promise<unknown>;
  /** The scene was turned: newScene-from-scene, row-major 3x3. @returns undefined when it was refused */
  onTurn?: (rotation: number[]) => Promise<unknown>;
  /** Measurements to be drawn, and where the picked points are. */
  lines?: readonly SceneLine[];
  places?: readonly (Vector | undefined)[];
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
  const frames = useMemo(() => new Frames(), []);
  const [regionDraft, setRegionDraft] = useState<SceneRegion>();
  const [turn, setTurn] = useState<Quaternion>();
  const turned = useCallback(() => setTurn(undefined), []);
  const region = props.region && (regionDraft ?? props.region);
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
          region={region}
          frames={frames}
          turn={turn}
          onTurned={turned}
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
      {through && (
        <PhotoFrame
          camera={through}
          wipe={settings.overlay === 'wipe' ? settings.wipe : undefined}
          onWipe={(wipe) => onSettings({ wipe })}
        />
      )}
      <SceneLines
        lines={turn ? NO_LINES : (props.lines ?? NO_LINES)}
        places={turn ? NO_LINES : (props.places ?? NO_LINES)}
        frames={frames}
      />
      {settings.gizmo === 'region' && region && !through && (
        <BoxHandles
          region={region}
          frames={frames}
          onDraft={setRegionDraft}
          onRegion={(next) => void props.onRegion?.(next).finally(() => setRegionDraft(undefined))}
        />
      )}
      {settings.gizmo === 'level' && !through && (
        <LevelRings
          {...sceneCentre(props.cloud, props.frame)}
          frames={frames}
          onDraft={setTurn}
          onTurn={(rotation) =>
            void props.onTurn?.(rotation).then((done) => {
              // What was taken comes back as another frame, and ends the draft there.
              if (done === undefined) setTurn(undefined);
            })
          }
        />
      )}
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

const NO_LINES: readonly never[] = [];

/** The edge of the photo looked through: what is outside it the camera did not see. */
function PhotoFrame({
  camera,
  wipe,
  onWipe,
}: {
  camera: CameraInfo;
  wipe: number | undefined;
  onWipe: (share: number) => void;
}) {
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
        >
          {wipe !== undefined && (
            <WipeLine
              share={wipe}
              onChange={onWipe}
            />
          )}
        </div>
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
