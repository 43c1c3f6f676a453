import { create } from 'zustand';
import type {
  EstimatorInfo,
  EventPayload,
  JobState,
  Preflight,
  ProjectState,
  Result,
} from '../../electron/contract/api.js';
import type { CommandId } from '../../electron/contract/commands.js';
import type { MeshState } from '../../electron/contract/mesh.js';
import type { ScenePixel } from '../../electron/contract/scene.js';
import type { ConnectionState } from '../transport/index.js';
import type { PhotoView } from './photo-view.js';
import { defaultViewerSettings, type CloudStatistics, type ViewerSettings } from './viewer-settings.js';

export type DialogName = 'export' | 'mask' | 'palette' | 'shortcuts' | 'preferences' | 'networks' | undefined;
export type Theme = 'dark' | 'light';
/** What lengths are told in, once the scene has a scale. */
export type LengthUnit = 'metre' | 'foot';

/** A line for a person: an error, or what an action did. */
export interface Notice {
  id: number;
  tone: 'error' | 'information';
  text: string;
}

/** Choosing files in a browser, where the operating system's dialogs know no paths. */
export interface FileQuestion {
  title: string;
  accept: 'photos' | 'folder' | 'project' | 'save' | 'file';
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
  preflight?: Preflight | undefined;
  /** Why a run can't begin. */
  preflightError?: string | undefined;
  log: Result<'log.read'>;
  /** What is said now, over the view; a newer one takes its place. */
  notice?: Notice | undefined;
  /** Errors since the project was opened, the newest first. */
  problems: readonly Notice[];
  /** Frames of a video of the view that are made. */
  recording?: { done: number; total: number } | undefined;
  upload?: { done: number; total: number };
  /** The network that is fetched or built. */
  networkProgress: EventPayload<'models.progress'>;
  /** The video that is being read. */
  video?: EventPayload<'video.progress'>;
  /** Photo ids, the last one is the one shown alone. */
  selectedPhotos: readonly string[];
  photoView: PhotoView;
  selectedPair?: readonly [string, string];
  viewer: ViewerSettings;
  /** Scene points picked in the view, each by a pixel of a photo. */
  picks: readonly ScenePixel[];
  /** One point as it is being marked, a pixel a photo. */
  mark: readonly { photo: string; x: number; y: number }[];
  /** What measurements, picks and the mark come to, by what they are (scene/use-measured.ts). */
  measured: ReadonlyMap<string, Result<'scene.measure'> | { error: string }>;
  /** Revision and frame that they were measured in. */
  measuredIn?: string;
  /** Of the cloud. */
  selectedPoints: number;
  statistics: CloudStatistics;
  theme: Theme;
  lengthUnit: LengthUnit;
  dialog: DialogName;
  /** The context menu that is open, at a place of the window. */
  menu?: { x: number; y: number; ids: readonly CommandId[] } | undefined;
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
  networkProgress: null,
  problems: [],
  selectedPhotos: [],
  photoView: { sort: 'order', show: 'all' },
  viewer: defaultViewerSettings,
  picks: [],
  mark: [],
  measured: new Map(),
  selectedPoints: 0,
  statistics: { displayed: 0, total: 0 },
  theme:
    (remembered('theme') as Theme | null) ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'),
  lengthUnit: remembered('length-unit') === 'foot' ? 'foot' : 'metre',
  dialog: undefined,
}));

export const { getState: studio, setState: setStudio } = useStudio;

/** A run that has not ended. */
export const isActive = ({ state }: JobState): boolean => ['running', 'paused', 'cancelling'].includes(state);

/** More errors than these nobody reads; the log keeps all. */
const MOST_PROBLEMS = 50;
/** Milliseconds that a remark stays. */
const REMARK_STAYS = 6000;

let lastNotice = 0;
export function notify(tone: Notice['tone'], text: string): void {
  const notice = { id: ++lastNotice, tone, text };
  setStudio(({ problems }) => ({
    notice,
    ...(tone === 'error'
      ? { problems: [notice, ...problems.filter((other) => other.text !== text)].slice(0, MOST_PROBLEMS) }
      : {}),
  }));
  if (tone === 'information')
    setTimeout(() => {
      if (studio().notice === notice) dismiss();
    }, REMARK_STAYS);
}

export const dismiss = (): void => setStudio({ notice: undefined });

/** What was wrong with one project, or before another attempt, says nothing about what follows. */
export const clearProblems = (): void => setStudio({ notice: undefined, problems: [] });

export function setTheme(theme: Theme): void {
  remember('theme', theme);
  setStudio({ theme });
}

export function setLengthUnit(lengthUnit: LengthUnit): void {
  remember('length-unit', lengthUnit);
  setStudio({ lengthUnit });
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing: the choice holds for this visit.
  }
}

export function setViewer(change: Partial<ViewerSettings>): void {
  setStudio(({ viewer }) => ({ viewer: { ...viewer, ...change } }));
}
