import type { CommandId } from '../../electron/contract/commands.js';
import { isActive, setStudio, setTheme, setViewer, studio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { resetLayout, setLayout, useLayout } from '../store/layout.js';
import { shownPhotos } from '../store/photo-view.js';
import { choose } from '../store/selection.js';
import { drawerIsOpen } from '../store/use-drawer-open.js';
import { setBookmarks, useBookmarks } from '../store/bookmarks.js';
import { t } from '../words/index.js';
import { currentViewer } from '../viewer/handle.js';
import { download } from './download.js';
import { recordTurntable } from './turntable.js';
import { countSelection, deleteSelectedPoints } from './scene.js';
import {
  apply,
  attempt,
  choosePhotos,
  closeProject,
  findMasks,
  newProject,
  openProject,
  relocatePhotos,
  saveProject,
  saveProjectAs,
} from './project.js';

interface Action {
  /** Without it always possible. */
  when?: () => boolean;
  run: () => unknown;
}

/** Times as many pixels as the screen shows, along each side. */
const LARGE = 4;

const withProject = (): boolean => studio().project !== null;
const idle = (): boolean => withProject() && !isActive(studio().job);
const withCloud = (): boolean => studio().project?.scene !== undefined;
const withPhotos = (): boolean => (studio().project?.photos.length ?? 0) > 0;
const withSelection = (): boolean => idle() && studio().selectedPhotos.length > 0;
const enabledPhotos = (): number =>
  studio().project?.photos.filter(({ enabled, missing }) => enabled && !missing).length ?? 0;

const selectedPhotos = () => studio().project!.photos.filter(({ id }) => studio().selectedPhotos.includes(id));
const colour = (by: ReturnType<typeof studio>['viewer']['colour']): Action => ({
  when: withCloud,
  run: () => setViewer({ colour: by }),
});

const tool = (name: ReturnType<typeof studio>['viewer']['tool']): Action => ({
  when: withCloud,
  run: () => setViewer({ tool: studio().viewer.tool === name ? 'turn' : name }),
});

/** What each command does and when it can be done. Keys, menus, buttons and the palette all come through here. */
export const actions: Readonly<Record<CommandId, Action>> = {
  'project.new': { run: newProject },
  'project.open': { run: () => openProject() },
  'project.close': { when: withProject, run: closeProject },
  'project.save': { when: withProject, run: saveProject },
  'project.saveAs': { when: idle, run: saveProjectAs },
  'photos.add': { when: () => !isActive(studio().job), run: () => choosePhotos('photos') },
  'photos.addFolder': { when: () => !isActive(studio().job), run: () => choosePhotos('folder') },
  'photos.relocate': {
    when: () => idle() && studio().project!.photos.some(({ missing }) => missing),
    run: relocatePhotos,
  },
  'photos.findMasks': { when: () => idle() && enabledPhotos() >= 1, run: findMasks },
  'photos.paintMask': { when: withSelection, run: () => setStudio({ dialog: 'mask' }) },
  'export.open': { when: withCloud, run: () => setStudio({ dialog: 'export' }) },

  'app.preferences': { run: () => setStudio({ dialog: 'preferences' }) },
  'app.networks': { run: () => setStudio({ dialog: 'networks' }) },
  'edit.undo': {
    when: () => idle() && studio().project?.canUndo !== undefined,
    run: () => attempt(() => api.request('edit.undo', {})),
  },
  'edit.redo': {
    when: () => idle() && studio().project?.canRedo !== undefined,
    run: () => attempt(() => api.request('edit.redo', {})),
  },
  'photos.selectAll': {
    when: withProject,
    run: () =>
      setStudio(({ project, photoView }) => ({
        selectedPhotos: shownPhotos(project!.photos, photoView).map(({ id }) => id),
      })),
  },
  'photos.toggle': {
    when: withSelection,
    run: () =>
      apply({
        kind: 'photos-enabled',
        photos: [...studio().selectedPhotos],
        enabled: !selectedPhotos().some(({ enabled }) => enabled),
      }),
  },
  'photos.remove': {
    when: withSelection,
    run: () => apply({ kind: 'photos-removed', photos: [...studio().selectedPhotos], removed: true }),
  },
  'photos.lock': {
    when: withSelection,
    run: () =>
      apply({
        kind: 'photos-locked',
        photos: [...studio().selectedPhotos],
        locked: !selectedPhotos().some(({ locked }) => locked),
      }),
  },
  'pair.toggle': { when: () => idle() && studio().selectedPair !== undefined, run: togglePair },

  'points.lasso': tool('lasso'),
  'points.rectangle': tool('rectangle'),
  'points.brush': tool('brush'),
  'points.pick': tool('pick'),
  'points.mark': tool('mark'),
  'points.invert': {
    when: withCloud,
    run: () => {
      currentViewer()?.editing?.invert();
      countSelection();
    },
  },
  'points.clear': {
    when: () => studio().selectedPoints > 0,
    run: () => {
      currentViewer()?.editing?.clear();
      countSelection();
    },
  },
  'points.hide': {
    when: () => studio().selectedPoints > 0,
    run: () => {
      currentViewer()?.editing?.hideSelected();
      countSelection();
    },
  },
  'points.showAll': { when: withCloud, run: () => currentViewer()?.editing?.showHidden() },
  'points.delete': { when: () => idle() && studio().selectedPoints > 0, run: () => deleteSelectedPoints() },

  'run.start': {
    when: () => idle() && enabledPhotos() >= 1 && studio().preflightError === undefined,
    run: () => attempt(() => api.request('run.start', {})),
  },
  'run.realign': {
    when: () => idle() && studio().project!.pairs.some(({ state }) => state === 'observed'),
    run: () => attempt(() => api.request('run.realign', {})),
  },
  'run.pause': {
    when: () => isActive(studio().job),
    run: () => attempt(() => api.request(studio().job.state === 'paused' ? 'run.resume' : 'run.pause', {})),
  },
  'run.cancel': { when: () => isActive(studio().job), run: () => attempt(() => api.request('run.cancel', {})) },

  'view.fit': { when: withCloud, run: () => currentViewer()?.fit() },
  'view.front': { when: withCloud, run: () => currentViewer()?.view('front') },
  'view.side': { when: withCloud, run: () => currentViewer()?.view('side') },
  'view.top': { when: withCloud, run: () => currentViewer()?.view('top') },
  'view.through': {
    when: () => withCloud() && (studio().viewer.lookThrough !== undefined || placedSelection() !== undefined),
    run: () => setViewer({ lookThrough: studio().viewer.lookThrough === undefined ? placedSelection() : undefined }),
  },
  'view.fly': {
    when: withCloud,
    run: () => setViewer({ navigation: studio().viewer.navigation === 'fly' ? 'orbit' : 'fly' }),
  },
  'view.cameras': { run: () => setViewer({ cameras: !studio().viewer.cameras }) },
  'view.grid': { run: () => setViewer({ grid: !studio().viewer.grid }) },
  'view.axes': { run: () => setViewer({ axes: !studio().viewer.axes }) },
  'view.larger': { run: () => setViewer({ pointSize: Math.min(12, studio().viewer.pointSize + 0.5) }) },
  'view.smaller': { run: () => setViewer({ pointSize: Math.max(0.5, studio().viewer.pointSize - 0.5) }) },
  'view.colourPhoto': colour('photo'),
  'view.colourConfidence': colour('confidence'),
  'view.colourDepth': colour('depth'),
  'view.colourNormal': colour('normal'),
  'view.colourSource': colour('source'),
  'view.screenshot': { when: withCloud, run: () => attempt(() => screenshot()) },
  'view.still': { when: withCloud, run: () => attempt(() => screenshot(LARGE)) },
  'view.keep': { when: withCloud, run: keepView },
  'view.turntable': { when: withCloud, run: turntable },
  'view.theme': { run: () => setTheme(studio().theme === 'dark' ? 'light' : 'dark') },
  'view.drawer': {
    when: withProject,
    run: () => setLayout({ drawerOpen: !drawerIsOpen(useLayout.getState().drawerOpen, studio()) }),
  },
  'view.next': { when: withPhotos, run: () => stepPhoto(1) },
  'view.previous': { when: withPhotos, run: () => stepPhoto(-1) },
  'view.layout': { when: withProject, run: resetLayout },

  'help.palette': { run: () => setStudio({ dialog: 'palette' }) },
  'help.shortcuts': { run: () => setStudio({ dialog: 'shortcuts' }) },
};

export const canRun = (id: CommandId): boolean => actions[id].when?.() ?? true;

export function runCommand(id: CommandId): void {
  if (canRun(id)) void actions[id].run();
}

function placedSelection(): string | undefined {
  const cameras = new Set(studio().project?.scene?.cameras.map(({ photo }) => photo));
  return studio().selectedPhotos.findLast((id) => cameras.has(id));
}

/** The photo before or after the one selected last; looking through a camera goes on to it. */
function stepPhoto(by: number): void {
  const { project, selectedPhotos, viewer, photoView } = studio();
  const placed = new Set(project!.scene?.cameras.map(({ photo }) => photo));
  const photos = shownPhotos(project!.photos, photoView).filter(
    ({ id }) => viewer.lookThrough === undefined || placed.has(id),
  );
  if (photos.length === 0) return;
  const at = photos.findIndex(({ id }) => id === (viewer.lookThrough ?? selectedPhotos.at(-1)));
  choose(photos[(Math.max(at, by > 0 ? -1 : 0) + by + photos.length) % photos.length]!.id, {});
}

function togglePair(): unknown {
  const [a, b] = studio().selectedPair!;
  const pair = studio().project!.pairs.find((each) => (each.a === a && each.b === b) || (each.a === b && each.b === a));
  return pair && apply({ kind: 'pairs-enabled', pairs: [[pair.a, pair.b]], enabled: !pair.enabled });
}

async function screenshot(scale = 1): Promise<void> {
  download(await currentViewer()!.screenshot(scale), `${studio().project!.name}.png`);
}

/** Keeps where the view is seen from, under the next number. */
function keepView(): void {
  const { path } = studio().project!;
  const known = useBookmarks.getState()[path] ?? [];
  const numbers = known.map(({ name }) => Number(/\d+$/.exec(name)?.[0] ?? 0));
  const name = t('View {n}', { n: Math.max(0, ...numbers) + 1 });
  setBookmarks(path, [...known, { name, place: currentViewer()!.place() }]);
}

let recording: AbortController | undefined;

/** Begins a video of one turn, or ends the one that is being made without a file. */
async function turntable(): Promise<void> {
  if (recording) return recording.abort();
  recording = new AbortController();
  const { signal } = recording;
  setViewer({ lookThrough: undefined, tool: 'turn', gizmo: 'none' });
  await attempt(() => recordTurntable(signal));
  recording = undefined;
}
