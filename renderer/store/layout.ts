import { create } from 'zustand';

/** What the drawer below the view can show, in the order of its tabs. */
export const drawerTabs = ['photos', 'graph', 'matrix', 'pair', 'depth', 'log'] as const;
export type DrawerTab = (typeof drawerTabs)[number];

/** The steps of the work, in the order of the right panel. */
export const steps = ['photos', 'solve', 'clean', 'surface', 'export'] as const;
export type Step = (typeof steps)[number];

/** Where panels lie. Sizes are pixels: a window that grows gives all it has to the view. */
export interface Layout {
  step: Step;
  tab: DrawerTab;
  /** Undefined until a person decides: closed before the first run, open from then on. */
  drawerOpen?: boolean | undefined;
  panelWidth: number;
  drawerHeight: number;
  /** Whether the facts of the selected photo are unfolded: with the step of the photos, and with the other steps. */
  details: boolean;
  detailsElsewhere: boolean;
}

/** Smallest and largest pixels of what can be dragged; the window sets a further limit in the style sheet. */
export const panelLimits = { least: 300, most: 640 };
export const drawerLimits = { least: 140, most: 900 };

const DEFAULTS: Layout = {
  step: 'photos',
  tab: 'graph',
  panelWidth: 332,
  drawerHeight: 250,
  details: true,
  detailsElsewhere: false,
};

/** Grows when the meaning of a field changes: an older arrangement is then put aside. */
const KEY = 'layout-4';

export const useLayout = create<Layout>(restore);

export function setLayout(change: Partial<Layout>): void {
  useLayout.setState(change);
  try {
    localStorage.setItem(KEY, JSON.stringify(useLayout.getState()));
  } catch {
    // A browser that keeps nothing: the arrangement holds for this visit.
  }
}

/** Opens the drawer on one of its tabs. */
export const showDrawer = (tab: DrawerTab): void => setLayout({ tab, drawerOpen: true });

export const showStep = (step: Step): void => setLayout({ step });

export const resetLayout = (): void => setLayout({ ...DEFAULTS, drawerOpen: undefined });

function restore(): Layout {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Layout>;
    const layout = { ...DEFAULTS, ...kept };
    return steps.includes(layout.step) && drawerTabs.includes(layout.tab) ? layout : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}
