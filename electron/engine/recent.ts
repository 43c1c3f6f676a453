import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

export interface RecentProject {
  path: string;
  name: string;
  openedAt: string;
  photos: number;
  /** Of one of its photos, a small JPEG in base64. */
  picture?: string | undefined;
}

const LONGEST = 20;
/** Width and height of a picture, pixels. */
const PICTURE = { width: 192, height: 144 };

/** The projects opened last, newest first, in a small JSON file of its own. */
export class RecentProjects {
  private readonly file: string;

  constructor(dataFolder: string) {
    this.file = join(dataFolder, 'recent.json');
  }

  /** Those that still exist and hold photos. */
  list(): RecentProject[] {
    try {
      return (JSON.parse(readFileSync(this.file, 'utf8')) as RecentProject[]).filter(
        ({ path, photos }) => photos > 0 && existsSync(path),
      );
    } catch {
      // No list yet, or one that can't be read: it holds nothing worth an error.
      return [];
    }
  }

  /** Puts a project first. One without photos is forgotten: nobody looks for it again. */
  add(project: Omit<RecentProject, 'openedAt'>): void {
    const before = this.list();
    const picture = project.picture ?? before.find(({ path }) => path === project.path)?.picture;
    const others = before.filter(({ path }) => path !== project.path);
    const list = [{ ...project, picture, openedAt: new Date().toISOString() }, ...others].slice(0, LONGEST);
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(`${this.file}.new`, JSON.stringify(list, null, 1));
      renameSync(`${this.file}.new`, this.file);
    } catch {
      // A read-only home must not stop anyone from working.
    }
  }
}

/** A small picture of a photo or of its thumbnail, JPEG in base64; undefined for what can't be read. */
export async function smallPicture(photo: Uint8Array | string | undefined): Promise<string | undefined> {
  if (photo === undefined) return undefined;
  try {
    const { width, height } = PICTURE;
    return (
      await sharp(photo).rotate().resize(width, height, { fit: 'cover' }).jpeg({ quality: 72 }).toBuffer()
    ).toString('base64');
  } catch {
    return undefined;
  }
}
