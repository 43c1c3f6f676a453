import type { DockviewApi } from 'dockview-react';

/** Grows when panels are added or renamed: an older arrangement is then put aside. */
const KEY = 'layout-3';

let dock: DockviewApi | undefined;

export const panelTitles = {
  photos: 'Photos',
  cloud: 'Cloud',
  graph: 'Pose graph',
  matrix: 'Pair matrix',
  depth: 'Depth',
  log: 'Log',
  pair: 'Pair',
  settings: 'Reconstruction',
  photo: 'Photo',
  scene: 'Scene',
} as const;
export type PanelName = keyof typeof panelTitles;

/** Restores the arrangement a person left, or makes the first one. */
export function setUpLayout(api: DockviewApi): void {
  dock = api;
  if (!restore(api)) arrange(api);
  api.onDidLayoutChange(() => {
    try {
      localStorage.setItem(KEY, JSON.stringify(api.toJSON()));
    } catch {
      // A browser that keeps nothing: the arrangement holds for this visit.
    }
  });
}

export function resetLayout(): void {
  if (!dock) return;
  dock.clear();
  arrange(dock);
}

/** Brings a panel to the front, and back when it was closed. */
export function showPanel(name: PanelName): void {
  const panel = dock?.getPanel(name);
  if (panel) panel.api.setActive();
  else resetLayout();
}

function restore(api: DockviewApi): boolean {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === null) return false;
    api.fromJSON(JSON.parse(stored) as Parameters<DockviewApi['fromJSON']>[0]);
    return (Object.keys(panelTitles) as PanelName[]).every((name) => api.getPanel(name));
  } catch {
    api.clear();
    return false;
  }
}

/** A window that shrinks takes from the cloud: below these widths photos lose their names and buttons their ends. */
const LEAST = { photos: 268, settings: 280, pair: 224 };

function arrange(api: DockviewApi): void {
  api.clear();
  const add = (name: PanelName, rest: object): unknown =>
    api.addPanel({ id: name, component: name, title: panelTitles[name], ...rest });
  const { width, height } = api;
  add('cloud', {});
  add('photos', {
    position: { referencePanel: 'cloud', direction: 'left' },
    initialWidth: Math.max(LEAST.photos, Math.min(272, width * 0.22)),
    minimumWidth: LEAST.photos,
  });
  add('settings', {
    position: { referencePanel: 'cloud', direction: 'right' },
    initialWidth: Math.max(LEAST.settings, Math.min(296, width * 0.24)),
    minimumWidth: LEAST.settings,
  });
  add('photo', {
    position: { referencePanel: 'settings', direction: 'within' },
    inactive: true,
    minimumWidth: LEAST.settings,
  });
  add('scene', {
    position: { referencePanel: 'settings', direction: 'within' },
    inactive: true,
    minimumWidth: LEAST.settings,
  });
  add('graph', {
    position: { referencePanel: 'cloud', direction: 'below' },
    initialHeight: Math.min(296, height * 0.34),
  });
  add('matrix', { position: { referencePanel: 'graph', direction: 'within' }, inactive: true });
  add('depth', { position: { referencePanel: 'graph', direction: 'within' }, inactive: true });
  add('log', { position: { referencePanel: 'graph', direction: 'within' }, inactive: true });
  add('pair', {
    position: { referencePanel: 'graph', direction: 'right' },
    initialWidth: Math.max(LEAST.pair, Math.min(300, width * 0.24)),
    minimumWidth: LEAST.pair,
  });
}
