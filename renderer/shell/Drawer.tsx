import type { FunctionComponent } from 'react';
import { DepthPanel } from '../depth/DepthPanel.js';
import { MatrixPanel } from '../graph/MatrixPanel.js';
import { PairPanel } from '../graph/PairPanel.js';
import { PoseGraph } from '../graph/PoseGraph.js';
import { PhotoStrip } from '../photos/PhotoStrip.js';
import { Button } from '../design/controls.js';
import { Splitter } from '../design/Splitter.js';
import { Tabs } from '../design/Tabs.js';
import { drawerLimits, drawerTabs, setLayout, showDrawer, useLayout, type DrawerTab } from '../store/layout.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { LogPanel } from './LogPanel.js';
import { useDrawerOpen } from '../store/use-drawer-open.js';

const bodies: Readonly<Record<DrawerTab, FunctionComponent>> = {
  photos: PhotoStrip,
  graph: withPair(PoseGraph),
  matrix: withPair(MatrixPanel),
  pair: PairPanel,
  depth: DepthPanel,
  log: LogPanel,
};

const titles = (): Readonly<Record<DrawerTab, string>> => ({
  photos: t('Photo strip'),
  graph: t('Pose graph'),
  matrix: t('Pair matrix'),
  pair: t('Pair'),
  depth: t('Depth'),
  log: t('Log'),
});

/** Below the view, as wide as the window: what belongs to photos, pairs and the run. Its tabs stay when it is closed. */
export function Drawer() {
  const tab = useLayout(({ tab }) => tab);
  const height = useLayout(({ drawerHeight }) => drawerHeight);
  const open = useDrawerOpen();
  const Body = bodies[tab];
  const names = titles();
  return (
    <section
      className={`drawer${open ? ' open' : ''}`}
      aria-label={t('Drawer')}
    >
      {open && (
        <Splitter
          label={t('Height of the drawer')}
          direction="horizontal"
          size={height}
          least={drawerLimits.least}
          most={drawerLimits.most}
          onChange={(drawerHeight) => setLayout({ drawerHeight })}
        />
      )}
      <div className="drawer-head">
        <Tabs
          label={t('Drawer')}
          className="drawer-tabs"
          controls="drawer"
          value={open ? tab : undefined}
          onChoose={(next) => (open && next === tab ? setLayout({ drawerOpen: false }) : showDrawer(next))}
          items={drawerTabs.map((value) => ({ value, title: names[value] }))}
        />
        <Button
          look={['plain', 'square']}
          icon={open ? 'down' : 'unfold'}
          aria-expanded={open}
          aria-label={open ? t('Close the drawer') : t('Open the drawer')}
          title={open ? t('Close the drawer') : t('Open the drawer')}
          onClick={() => setLayout({ drawerOpen: !open })}
        />
      </div>
      {open && (
        <div
          className="drawer-body"
          id="drawer"
          role="tabpanel"
          aria-labelledby={`drawer-${tab}`}
        >
          <Body />
        </div>
      )}
    </section>
  );
}

/** A chart of pairs with the selected pair beside it, its pictures and its switch in sight. */
function withPair(Chart: FunctionComponent): FunctionComponent {
  return function ChartWithPair() {
    const chosen = useStudio(({ selectedPair }) => selectedPair !== undefined);
    return (
      <div className={`chart${chosen ? ' with-pair' : ''}`}>
        <Chart />
        {chosen && <PairPanel />}
      </div>
    );
  };
}
