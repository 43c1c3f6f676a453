import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { connect, openDatabase } from '../project/open.js';
import { RecentProjects } from './recent.js';
import { frameFolder } from './videos.js';

/*
 * What of the data folder is kept.
 *
 * - A project that was never saved under a name stays while it is among the projects opened last, or was changed within
 *   the last DAYS; then it is removed, with the frames of its videos.
 * - A photo that was dropped on a page stays for ever once a project that was saved under a name shows it: such projects
 *   may lie anywhere, so the photo is marked. Any other stays while a project that was never saved, or is among those
 *   opened last, shows it, and for DAYS in any case.
 * - Where a project can't be read (it is open elsewhere, or damaged), nothing is known of what it shows, and no photo is
 *   removed this time.
 */
const DAYS = 30;

const untitledFolder = (dataFolder: string): string => resolve(dataFolder, 'untitled');
/** As server/upload.ts has it. */
const uploadsFolder = (dataFolder: string): string => resolve(dataFolder, 'uploads');

/** A project that was never saved under a name is one of these, also when it is opened again. */
export function isTemporary(path: string, dataFolder: string): boolean {
  return dirname(resolve(path)) === untitledFolder(dataFolder);
}

export function temporaryPath(dataFolder: string): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  for (let k = 0; ; k++) {
    const path = join(untitledFolder(dataFolder), `Untitled ${stamp}${k ? `-${k}` : ''}.pointmap`);
    if (!existsSync(path)) return path;
  }
}

/** Beside a dropped photo: a project that was saved under a name shows it. */
const KEPT = '.kept';

/** To be told of the photos of every project that has a name. */
export function keepUploads(dataFolder: string, paths: readonly string[]): void {
  const uploads = uploadsFolder(dataFolder) + sep;
  for (const path of paths) if (resolve(path).startsWith(uploads)) mark(dirname(resolve(path)));
}

function mark(folder: string): void {
  try {
    writeFileSync(join(folder, KEPT), '');
  } catch {
    // The photo is gone, or the disk full: nothing is removed from either.
  }
}

/** Removes what the rules above do not keep. Never fails: what can't be removed stays. */
export function pruneDataFolder(dataFolder: string, now = Date.now()): { projects: number; photos: number } {
  // What is not there is older than anything.
  const isOld = (path: string): boolean => now - (changed(path) ?? 0) > DAYS * 86_400_000;
  const recent = new RecentProjects(dataFolder).list().map(({ path }) => resolve(path));
  const removed = { projects: 0, photos: 0 };
  const untitled = filesIn(untitledFolder(dataFolder)).filter((path) => path.endsWith('.pointmap'));
  const left = untitled.filter((path) => {
    if (recent.includes(path) || !isOld(path) || !isOld(`${path}-wal`) || !removeProject(path)) return true;
    removed.projects++;
    return false;
  });
  const forgotten = filesIn(uploadsFolder(dataFolder)).filter((folder) => {
    const photos = filesIn(folder);
    return photos.length > 0 && photos.every((path) => !path.endsWith(KEPT) && isOld(path));
  });
  // Projects are opened only where a photo's fate depends on them: this runs before the engine answers.
  const shown = forgotten.length > 0 ? photosOf([...new Set([...left, ...recent])]) : undefined;
  for (const folder of shown ? forgotten : [])
    if (!filesIn(folder).some((path) => shown!.has(path)) && remove(folder)) removed.photos++;
  return removed;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    // No such folder, or a file.
    return [];
  }
}

/** Undefined for what is not there. */
const changed = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs;

function remove(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** @returns false for one that is open somewhere, or can't be removed */
function removeProject(path: string): boolean {
  try {
    openDatabase(path, 'open', 0).close();
  } catch (error) {
    // Damaged ones go too; nobody has asked for them in a month.
    if ((error as { code?: string }).code !== 'damaged') return false;
  }
  return [path, `${path}-wal`, `${path}-shm`, frameFolder(path)].every(remove);
}

/** Paths of all photos that these projects show; undefined when one of them can't be read. */
function photosOf(projects: readonly string[]): ReadonlySet<string> | undefined {
  const paths = new Set<string>();
  for (const project of projects) {
    try {
      const database = connect(project, { readonly: true, fileMustExist: true, timeout: 0 });
      try {
        for (const path of database.prepare('SELECT path FROM photos').pluck().iterate())
          paths.add(resolve(String(path)));
      } finally {
        database.close();
      }
    } catch {
      return undefined;
    }
  }
  return paths;
}
