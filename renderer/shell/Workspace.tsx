import {
  DockviewReact,
  type DockviewReadyEvent,
  type IDockviewPanelHeaderProps,
  type IDockviewPanelProps,
} from 'dockview-react';
import 'dockview-react/dist/styles/dockview.css';
import './dock.css';
import type { FunctionComponent } from 'react';
import { DepthPanel } from '../depth/DepthPanel.js';
import { MatrixPanel } from '../graph/MatrixPanel.js';
import { PairPanel } from '../graph/PairPanel.js';
import { PoseGraph } from '../graph/PoseGraph.js';
import { PhotoList } from '../photos/PhotoList.js';
import { PhotoPanel } from '../photos/PhotoPanel.js';
import { RunPanel } from '../run/RunPanel.js';
import { ScenePanel } from '../scene/ScenePanel.js';
import { CloudPanel } from '../cloud/CloudPanel.js';
import { setUpLayout, type PanelName } from '../store/layout.js';
import { LogPanel } from './LogPanel.js';

const panels: Readonly<Record<PanelName, FunctionComponent<IDockviewPanelProps>>> = {
  photos: PhotoList,
  cloud: CloudPanel,
  graph: PoseGraph,
  matrix: MatrixPanel,
  depth: DepthPanel,
  log: LogPanel,
  pair: PairPanel,
  settings: RunPanel,
  photo: PhotoPanel,
  scene: ScenePanel,
};

const theme = { name: 'studio', className: 'studio-dock' };

/** The dockable panels of an open project. */
export default function Workspace() {
  return (
    <DockviewReact
      theme={theme}
      components={panels}
      defaultTabComponent={Tab}
      disableFloatingGroups
      onReady={({ api }: DockviewReadyEvent) => setUpLayout(api)}
    />
  );
}

/** Without a cross: panels are few, and one that is gone is missed more than its place. */
function Tab({ api }: IDockviewPanelHeaderProps) {
  return <span className="dock-tab">{api.title}</span>;
}
