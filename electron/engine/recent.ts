import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface RecentProject {
  path: string;
  name: string;
  openedAt: string;
  photos: number;
}

const LONGEST = 20;

/** The projects opened last, newest first, in a small JSON file of its own. */
export class RecentProjects {
  private readonly file: string;

  constructor(dataFolder: string) {
    this.file = join(dataFolder, 'recent.json');
  }

  /** Those that still exist. */
  list(): RecentProject[] {
    try {
      return (JSON.parse(readFileSync(this.file, 'utf8')) as RecentProject[]).filter(({ path }) => existsSync(path));
    } catch {
      // No list yet, or one that can't be read: it holds nothing worth an error.
      return [];
    }
  }

  add(project: Omit<RecentProject, 'openedAt'>): void {
    const others = this.list().filter(({ path }) => path !== project.path);
    const list = [{ ...project, openedAt: new Date().toISOString() }, ...others].slice(0, LONGEST);
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(`${this.file}.new`, JSON.stringify(list, null, 1));
      renameSync(`${this.file}.new`, this.file);
    } catch {
      // A read-only home must not stop anyone from working.
    }
  }
}
