/**
 * The 3D view alone on a page, with whatever cloud its server gives: for measurements and for looking at it while
 * working on it.
 */
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { firstPhotoUpright } from '../synthetic.js';
import type { CameraInfo } from '../../../../electron/contract/api.js';
import { encodeMask } from '../../../../electron/contract/mask.js';
import { polygonShape } from '../../../../renderer/viewer/cloud-state.js';
import { base64 } from '../../../../renderer/transport/base64.js';
import '../../../../renderer/design/tokens.css';
import '../../../../renderer/design/base.css';
import {
  defaultViewerSettings,
  loadCloud,
  Viewer,
  type CloudData,
  type CloudStatistics,
  type ViewerHandle,
  type ViewerSettings,
} from '../../../../renderer/viewer/index.js';

export interface ViewerPage {
  load(url: string, cameras: readonly CameraInfo[], part?: string): Promise<void>;
  set(change: Partial<ViewerSettings>): void;
  /** Selects what a round lasso holds, and makes the mask that would be stored; how long each part took. */
  lasso(): { selected: number; milliseconds: Record<string, number>; text: string };
  handle: ViewerHandle | null;
  statistics: CloudStatistics;
  selected: string | undefined;
  /** Milliseconds between one timer's calls: long when the interface is held up. */
  silences: number[];
}
declare global {
  interface Window {
    page: ViewerPage;
  }
}

window.page = {
  load: () => Promise.reject(new Error('not ready')),
  set: () => undefined,
  lasso,
  handle: null,
  statistics: { displayed: 0, total: 0 },
  selected: undefined,
  silences: [],
};
function lasso(): ReturnType<ViewerPage['lasso']> {
  const editing = window.page.handle!.editing!;
  const milliseconds: Record<string, number> = {};
  const timed = <T,>(name: string, step: () => T): T => {
    const before = performance.now();
    const result = step();
    milliseconds[name] = performance.now() - before;
    return result;
  };
  const circle = Array.from({ length: 200 }, (_, k) => {
    const angle = (k / 200) * 2 * Math.PI;
    return [640 + 250 * Math.cos(angle), 400 + 200 * Math.sin(angle)] as const;
  });
  timed('select', () => editing.select((width, height) => polygonShape(circle, width, height), 'replace'));
  const selected = timed('count', () => editing.count());
  const mask = timed('mask', () => editing.mask());
  const text = timed('text', () => base64(encodeMask(mask)));
  return { selected, milliseconds, text };
}

let last = performance.now();
setInterval(() => {
  const now = performance.now();
  window.page.silences.push(now - last);
  last = now;
}, 4);

function Page() {
  const [settings, setSettings] = useState<ViewerSettings>(defaultViewerSettings);
  const [shown, setShown] = useState<{ cloud: CloudData; cameras: readonly CameraInfo[]; part: string }>();
  const [selected, setSelected] = useState<readonly string[]>([]);
  useEffect(() => () => shown?.cloud.dispose(), [shown]);
  window.page.set = (change) => setSettings((now) => ({ ...now, ...change }));
  window.page.load = async (url, cameras, part = '0') =>
    setShown({ cloud: await loadCloud(url, new AbortController().signal), cameras, part });
  return (
    <div className="viewer">
      {shown && (
        <Viewer
          {...shown}
          frame={firstPhotoUpright}
          settings={settings}
          onSettings={window.page.set}
          selected={selected}
          onSelect={(photo) => {
            window.page.selected = photo;
            setSelected([photo]);
          }}
          binaryUrl={(name) => `/binary/${name}`}
          theme="dark"
          onStatistics={(statistics) => {
            window.page.statistics = statistics;
          }}
          ref={(handle) => {
            window.page.handle = handle;
          }}
        />
      )}
    </div>
  );
}

createRoot(document.getElementById('root')!).render(<Page />);
