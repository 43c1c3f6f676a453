import type { CSSProperties } from 'react';
import { CloudPanel } from '../cloud/CloudPanel.js';
import { panelLimits, setLayout, useLayout } from '../store/layout.js';
import { Splitter } from '../design/Splitter.js';
import { t } from '../words/index.js';
import { usePreflight } from '../run/use-preflight.js';
import { Drawer } from './Drawer.js';
import { StepPanel } from './StepPanel.js';
import './workspace.css';

/** An open project: the view first, the steps of the work beside it, and a drawer below both. */
export default function Workspace() {
  const panelWidth = useLayout(({ panelWidth }) => panelWidth);
  const drawerHeight = useLayout(({ drawerHeight }) => drawerHeight);
  usePreflight();
  return (
    <div
      className="workspace"
      style={{ '--panel-width': `${panelWidth}px`, '--drawer-height': `${drawerHeight}px` } as CSSProperties}
    >
      <section
        className="view"
        aria-label={t('3D view')}
      >
        <CloudPanel />
      </section>
      <Splitter
        label={t('Width of the panel')}
        direction="vertical"
        size={panelWidth}
        least={panelLimits.least}
        most={panelLimits.most}
        onChange={(width) => setLayout({ panelWidth: width })}
      />
      <StepPanel />
      <Drawer />
    </div>
  );
}
