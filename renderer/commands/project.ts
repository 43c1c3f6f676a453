import type { Edit } from '../../electron/contract/api.js';
import { enterProject, refreshRecent } from '../store/connect.js';
import { isActive, notify, setStudio, studio } from '../store/studio.js';
import { api, desktop } from '../transport/index.js';
import { upload } from '../transport/browser.js';
import { askForFiles } from '../store/file-question.js';
import { plural, t } from '../words/index.js';

/** Runs an action and shows what went wrong, once, where a person sees it. @returns undefined when it failed */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    notify('error', (error as Error).message);
    return undefined;
  }
}

export const apply = (edit: Edit): Promise<unknown> => attempt(() => api.request('edit.apply', { edit }));

export async function newProject(): Promise<void> {
  await attempt(() => api.request('project.create', {}));
}

export async function openProject(path?: string): Promise<void> {
  const chosen =
    path ??
    (desktop ? await desktop.chooseProject() : (await askForFiles({ title: t('Open project'), accept: 'project' }))[0]);
  if (chosen) await attempt(() => api.request('project.open', { path: chosen }));
}

export async function openSample(id: string): Promise<void> {
  await attempt(() => api.request('project.openSample', { id }));
}

export async function closeProject(): Promise<void> {
  await attempt(async () => {
    await api.request('project.close', {});
    enterProject(null);
    await refreshRecent();
  });
}

/** Every change is in the project file the moment it is made: what is left is to give it a name. */
export async function saveProject(): Promise<void> {
  if (studio().project?.saved) notify('information', t('Every change is kept already.'));
  else if (isActive(studio().job))
    notify('information', t('Everything computed is kept; the project can be given a name once the run is over.'));
  else await saveProjectAs();
}

export async function saveProjectAs(): Promise<void> {
  const { project } = studio();
  if (!project) return;
  const suggestion = `${project.saved ? project.name : t('My scene')}.pointmap`;
  const path = desktop
    ? await desktop.saveProject(suggestion)
    : (await askForFiles({ title: t('Save project as'), accept: 'save', suggestion }))[0];
  if (!path) return;
  await attempt(async () => {
    await api.request('project.saveAs', { path });
    notify('information', t('Saved. From here on every change is kept in {path}', { path }));
  });
}

/** Adds to the open project, or to a new one. Bad files are named; the others come in. */
export async function addPhotos(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await attempt(async () => {
    if (!studio().project) await api.request('project.create', {});
    const { added, refused } = await api.request('photos.add', { paths: [...paths] });
    for (const { path, reason } of refused.slice(0, 3))
      notify('error', t('Left out: {reason}: {path}', { reason, path }));
    if (refused.length > 3) notify('error', t('Left out {n} files in all; the log names them.', { n: refused.length }));
    if (added > 0) notify('information', plural(added, '{n} photo added.', '{n} photos added.'));
  });
}

export async function choosePhotos(kind: 'photos' | 'folder'): Promise<void> {
  const title = kind === 'photos' ? t('Add photos') : t('Add a folder of photos');
  if (!desktop) return addPhotos(await askForFiles({ title, accept: kind }));
  if (kind === 'photos') return addPhotos(await desktop.choosePhotos());
  const folder = await desktop.chooseFolder(title);
  return addPhotos(folder ? [folder] : []);
}

export async function findMasks(): Promise<void> {
  await attempt(async () => {
    const { found } = await api.request('photos.findMasks', {});
    const nothing = t(
      'No masks found: nothing stands still while an object turns, no background is plain, no sky is seen.',
    );
    notify('information', found > 0 ? t('Masks found for {found} photos.', { found }) : nothing);
  });
}

/** A folder or a file of any kind that a person points at. */
export async function askPath(kind: 'folder' | 'file', title: string): Promise<string | undefined> {
  if (!desktop) return (await askForFiles({ title, accept: kind }))[0];
  return (await (kind === 'folder' ? desktop.chooseFolder(title) : desktop.chooseFile(title))) ?? undefined;
}

export async function relocatePhotos(): Promise<void> {
  const title = t('Folder that now holds the photos');
  const folder = desktop ? await desktop.chooseFolder(title) : (await askForFiles({ title, accept: 'folder' }))[0];
  if (!folder) return;
  await attempt(async () => {
    const { found, missing } = await api.request('photos.relocate', { folder });
    notify(missing > 0 ? 'error' : 'information', t('{found} found, {missing} still missing.', { found, missing }));
  });
}

/** What was dropped on the window: in the desktop the files' paths, in a browser their bytes. */
export async function addDropped(data: DataTransfer): Promise<void> {
  const entries = [...data.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
  // A drop's data is gone once its event is over: the files are taken now.
  const loose = [...data.files];
  if (desktop) {
    const { pathForFile } = desktop;
    return addOrOpen(loose.map((file) => pathForFile(file)));
  }
  await attempt(async () => {
    const files = entries.length > 0 ? (await Promise.all(entries.map(filesOf))).flat() : loose;
    const setProgress = (done: number): void => setStudio({ upload: { done, total: files.length } });
    setProgress(0);
    try {
      await addOrOpen(await upload(files, setProgress));
    } finally {
      setStudio({ upload: undefined });
    }
  });
}

async function addOrOpen(paths: readonly string[]): Promise<void> {
  const project = paths.find((path) => path.endsWith('.pointmap'));
  if (project) await openProject(project);
  else await addPhotos(paths);
}

/** A dropped folder's files, all the way down. */
async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: File[] = [];
  for (;;) {
    // A reader answers at most a hundred entries a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all.filter(({ name }) => !name.startsWith('.'));
    all.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}
