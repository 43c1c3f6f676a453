import { create } from 'zustand';
import type { EstimatorInfo, JobState, Preflight, ProjectState, Result } from '../../electron/contract/api.js';
import type { MeshState } from '../../electron/contract/mesh.js';
import type { ScenePixel } from '../../electron/contract/scene.js';
import type { ConnectionState } from '../transport/index.js';
import { defaultViewerSettings, type CloudStatistics, type ViewerSettings } from './viewer-settings.js';

export type DialogName = 'export' | 'palette' | 'shortcuts' | 'licence' | undefined;
export type Theme = 'dark' | 'light';

/** A line that stays until it is read: an error, or what an action did. */
export interface Notice {
  id: number;
  tone: 'error' | 'information';
  text: string;
}

/** Choosing files in a browser, where the operating system's dialogs know no paths. */
export interface FileQuestion {
  title: string;
  accept: 'photos' | 'folder' | 'project' | 'save';
  suggestion?: string;
  answer: (paths: string[]) => void;
}

export interface StudioState {
  connection: ConnectionState;
  /** True once the first answers are in: nothing is shown as empty before it is known to be. */
  ready: boolean;
  info?: Result<'app.info'>;
  recent: Result<'app.recent'>;
  samples: Result<'app.samples'>;
  estimators: readonly EstimatorInfo[];
  project: ProjectState | null;
  job: JobState;
  mesh: MeshState;
  preflight?: Preflight;
  log: Result<'log.read'>;
  notices: readonly Notice[];
  upload?: { done: number; total: number };
  /** Photo ids, the last one is the one shown alone. */
  selectedPhotos: readonly string[];
  selectedPair?: readonly [string, string];
  viewer: ViewerSettings;
  /** Scene points picked in the view, each by a pixel of a photo. */
  picks: readonly ScenePixel[];
  /** Of the cloud. */
  selectedPoints: number;
  statistics: CloudStatistics;
  theme: Theme;
  dialog: DialogName;
  fileQuestion?: FileQuestion;
}

const remembered = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

export const useStudio = create<StudioState>(() => ({
  connection: 'connecting',
  ready: false,
  recent: [],
  samples: [],
  estimators: [],
  project: null,
  job: { state: 'idle' },
  mesh: { state: 'none' },
  log: [],
  notices: [],
  selectedPhotos: [],
  viewer: defaultViewerSettings,
  picks: [],
  selectedPoints: 0,
  statistics: { displayed: 0, total: 0 },
  theme:
    (remembered('theme') as Theme | null) ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'),
  dialog: undefined,
}));

export const { getState: studio, setState: setStudio } = useStudio;

/** A run that has not ended. */
export const isActive = ({ state }: JobState): boolean => ['running', 'paused', 'cancelling'].includes(state);

let lastNotice = 0;
export function notify(tone: Notice['tone'], text: string): void {
  const notice = { id: ++lastNotice, tone, text };
  setStudio(({ notices }) => ({ notices: [...notices.filter((other) => other.text !== text), notice].slice(-4) }));
  if (tone === 'information') setTimeout(() => dismiss(notice.id), 6000);
}

export function dismiss(id: number): void {
  setStudio(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
}

export function setTheme(theme: Theme): void {
  try {
    localStorage.setItem('theme', theme);
  } catch {
    // A browser that keeps nothing: the theme holds for this visit.
  }
  setStudio({ theme });
}

export function setViewer(change: Partial<ViewerSettings>): void {
  setStudio(({ viewer }) => ({ viewer: { ...viewer, ...change } }));
}
