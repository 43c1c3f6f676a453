import type { ProjectState } from '../../electron/contract/api.js';
import { t } from '../words/index.js';
import { api, desktop, onConnection } from '../transport/index.js';
import { isCommandId, type CommandId } from '../../electron/contract/commands.js';
import { dismiss, isActive, notify, setStudio, setViewer, studio } from './studio.js';

/** No more lines than a person scrolls through; the project file keeps them all. */
const LOG_LINES = 2000;

/** Times the engine told of the project's state. */
let changes = 0;

/**
 * Fills the store from the engine and keeps it in step. Called once.
 *
 * @param onCommand what the desktop's menu asks for
 */
export function connect(onCommand: (id: CommandId) => void): void {
  onConnection((connection) => {
    setStudio({ connection });
    if (connection === 'open') void load();
  });
  api.on('project.changed', (project) => {
    changes++;
    const other = studio().project?.path !== project?.path;
    enterProject(project);
    if (other && project) void refreshLog();
    if (project) void refreshMesh();
    else setStudio({ mesh: { state: 'none' } });
  });
  api.on('job.changed', (job) => {
    const before = studio().job;
    setStudio({ job });
    // A run that begins is another attempt: what was wrong with the last one has had its time.
    if (!isActive(before) && isActive(job)) dismiss();
    if (isActive(before) && job.state === 'failed')
      notify('error', job.error ?? t('Failed: {error}', { error: t('the log says why') }));
    if (isActive(before) && !isActive(job)) void refreshLog();
  });
  api.on('mesh.changed', (mesh) => {
    const before = studio().mesh;
    setStudio({ mesh });
    if (mesh.state === 'failed' && mesh.error) notify('error', mesh.error);
    // Whoever has waited for it wants to see it.
    if (before.state === 'building' && mesh.state === 'ready' && mesh.revision !== before.revision)
      setViewer({ layer: 'mesh' });
  });
  api.on('models.progress', (networkProgress) => setStudio({ networkProgress }));
  api.on('video.progress', (video) => setStudio({ video }));
  api.on('log.line', (line) => setStudio(({ log }) => ({ log: [...log, line].slice(-LOG_LINES) })));
  api.on('engine.stopped', ({ reason }) => {
    setStudio({ job: { state: 'failed', error: reason }, networkProgress: null });
    notify('error', reason);
  });
  desktop?.onCommand((id) => {
    if (isCommandId(id)) onCommand(id);
  });
}

async function load(): Promise<void> {
  const before = changes;
  try {
    const [info, recent, samples, estimators, project] = await Promise.all([
      api.request('app.info', {}),
      api.request('app.recent', {}),
      api.request('app.samples', {}),
      api.request('app.estimators', {}),
      api.request('project.state', {}),
    ]);
    setStudio({ info, recent, samples, estimators, ready: true });
    // An answer may arrive after news that are younger than it: events are what the state is taken from, wherever there
    // is one.
    if (changes === before) enterProject(project);
    if (project) await Promise.all([refreshLog(), refreshMesh()]);
  } catch (error) {
    notify('error', (error as Error).message);
  }
}

/** Takes a project's state; what was selected and is gone is forgotten. */
export function enterProject(project: ProjectState | null): void {
  const before = studio();
  const same = before.project?.path === project?.path;
  const ids = new Set(project?.photos.map(({ id }) => id));
  const pair = before.selectedPair;
  setStudio({
    project,
    job: project?.job ?? { state: 'idle' },
    selectedPhotos: same ? before.selectedPhotos.filter((id) => ids.has(id)) : [],
    selectedPair: same && pair && ids.has(pair[0]) && ids.has(pair[1]) ? pair : undefined,
    ...(same
      ? {}
      : {
          log: [],
          preflight: undefined,
          preflightError: undefined,
          notice: undefined,
          problems: [],
          picks: [],
          selectedPoints: 0,
          viewer: { ...before.viewer, lookThrough: undefined },
        }),
  });
  if (!same) document.title = project ? `${project.name} – Pointmap Studio` : 'Pointmap Studio';
}

/** Whether there is a mesh, and whether it still is that of the scene: an edit or a run may have changed it. */
async function refreshMesh(): Promise<void> {
  try {
    setStudio({ mesh: await api.request('mesh.state', {}) });
  } catch {
    // The project was closed meanwhile.
  }
}

export async function refreshLog(): Promise<void> {
  try {
    setStudio({ log: (await api.request('log.read', {})).slice(-LOG_LINES) });
  } catch {
    // The project was closed meanwhile.
  }
}

export async function refreshRecent(): Promise<void> {
  setStudio({ recent: await api.request('app.recent', {}) });
}
