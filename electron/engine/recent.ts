import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { JsonFile } from './json-file.js';

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
  private readonly file: JsonFile;

  constructor(dataFolder: string) {
    this.file = new JsonFile(join(dataFolder, 'recent.json'));
  }

  /** Those that still exist and hold photos. */
  list(): RecentProject[] {
    const usable = ({ path, photos }: RecentProject): boolean => photos > 0 && existsSync(path);
    return this.file.read((value) => (value as RecentProject[]).filter(usable), []);
  }

  /** Puts a project first. One without photos is forgotten: nobody looks for it again. */
  add(project: Omit<RecentProject, 'openedAt'>): void {
    const before = this.list();
    const picture = project.picture ?? before.find(({ path }) => path === project.path)?.picture;
    const others = before.filter(({ path }) => path !== project.path);
    const newest = { ...project, picture, openedAt: new Date().toISOString() };
    this.file.tryToWrite([newest, ...others].slice(0, LONGEST));
  }
}

/** A small JPEG of a photo or of its thumbnail, in base64; undefined for what can't be read. */
export const smallPicture = async (photo: Uint8Array | string | undefined): Promise<string | undefined> =>
  (await smallJpeg(photo))?.toString('base64');

/** The same as bytes. */
export async function smallJpeg(photo: Uint8Array | string | undefined): Promise<Buffer | undefined> {
  if (photo === undefined) return undefined;
  try {
    const { width, height } = PICTURE;
    return await sharp(photo).rotate().resize(width, height, { fit: 'cover' }).jpeg({ quality: 72 }).toBuffer();
  } catch {
    return undefined;
  }
}
