import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { photoEndings } from '../contract/photo-endings.js';

/** The folder that holds package.json and resources/, in a checkout and in a package alike. */
export const installFolder = rootOf(dirname(fileURLToPath(import.meta.url)));

function rootOf(folder: string): string {
  try {
    readFileSync(join(folder, 'package.json'));
    return folder;
  } catch {
    return dirname(folder) === folder ? process.cwd() : rootOf(dirname(folder));
  }
}

export function programVersion(): string {
  return (JSON.parse(readFileSync(join(installFolder, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Where the program keeps what belongs to no project: recent files, unsaved projects, models. */
export function defaultDataFolder(): string {
  if (process.env.POINTMAP_DATA) return process.env.POINTMAP_DATA;
  if (process.platform === 'win32')
    return join(process.env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'Pointmap Studio');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Pointmap Studio');
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'pointmap-studio');
}

export interface SampleSet {
  id: string;
  title: string;
  folder: string;
  photos: number;
  /** Path of its first photo. */
  first?: string | undefined;
}

/** The bundled sample photos: resources/samples itself, or each folder in it that holds photos. */
export function sampleSets(folder = join(installFolder, 'resources', 'samples')): SampleSet[] {
  const isPhoto = (name: string) => photoEndings.some((ending) => name.toLowerCase().endsWith(ending));
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const own = entries.filter((entry) => isPhoto(entry.name)).map(({ name }) => join(folder, name));
    if (own.length > 0) return [{ id: 'samples', title: 'Sample photos', folder, photos: own.length, first: own[0] }];
    return entries
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => {
        const photos = readdirSync(join(folder, name)).filter(isPhoto).sort();
        const title = name[0]!.toUpperCase() + name.slice(1);
        const first = photos[0] && join(folder, name, photos[0]);
        return photos.length > 0 ? [{ id: name, title, folder: join(folder, name), photos: photos.length, first }] : [];
      });
  } catch {
    return [];
  }
}

export interface Doctor {
  version: string;
  node: string;
  platform: string;
  threads: number;
  memoryBytes: number;
  dataFolder: string;
  /** Library versions, or what is wrong with one. */
  libraries: Record<string, string>;
}

/** What this machine offers. Never fails: a broken part is what it is there to show. */
export async function examine(): Promise<Doctor> {
  const library = async (load: () => Promise<string>): Promise<string> =>
    load().catch((error: Error) => `not working: ${error.message.split('\n')[0]}`);
  return {
    version: programVersion(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    dataFolder: defaultDataFolder(),
    libraries: {
      sharp: await library(async () => (await import('sharp')).default.versions.sharp ?? 'unknown'),
      sqlite: await library(async () => {
        const { connect } = await import('../project/open.js');
        const memory = connect(':memory:');
        const { version } = memory.prepare('SELECT sqlite_version() AS version').get() as { version: string };
        memory.close();
        return version;
      }),
      onnxruntime: await library(async () => {
        const runtime = (await import('onnxruntime-node')) as unknown as { env?: { versions?: { node?: string } } };
        return runtime.env?.versions?.node ?? 'present';
      }),
    },
  };
}
