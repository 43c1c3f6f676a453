// What the desktop needs beside the npm packages: Electron's program, and better-sqlite3 built for Electron's Node.
// Both are fetched on the first start into a place of their own (.cache/electron), so that the command line and the
// tests, which run in the installed Node, keep the build that `npm ci` made: nothing is ever rebuilt in node_modules.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { download } from './fetch.mjs';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const packageFile = (name, file) => join(root, 'node_modules', name, file);
const versionOf = (name) => JSON.parse(readFileSync(packageFile(name, 'package.json'), 'utf8')).version;

const programs = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
const programName = (platform) => programs[platform] ?? 'electron';

/**
 * @returns {{ version: string, abi: string, folder: string, program: string, sqlite: string }} where everything is, or
 * will be
 */
export function electronFiles({
  platform = process.platform,
  arch = process.arch,
  cache = join(root, '.cache', 'electron'),
} = {}) {
  const version = versionOf('electron');
  const folder = join(cache, `${version}-${platform}-${arch}`);
  // Somebody may have run Electron's own installer.
  const installed = packageFile('electron', `dist/${programName(platform)}`);
  const own = platform === process.platform && arch === process.arch && existsSync(installed);
  return {
    version,
    abi: readFileSync(packageFile('electron', 'abi_version'), 'utf8').trim(),
    folder,
    program: own ? installed : join(folder, 'dist', programName(platform)),
    sqlite: join(folder, `better-sqlite3-${versionOf('better-sqlite3')}`, 'better_sqlite3.node'),
  };
}

/**
 * Fetches what is missing. ELECTRON_MIRROR and npm_config_better_sqlite3_binary_host name other places to fetch from.
 *
 * @param {{ onProgress?: (what: string, done: number, total: number) => void, only?: 'sqlite',
 *   platform?: string, arch?: string, cache?: string, environment?: Record<string, string | undefined>, checksums?:
 * Record<string, string> }} options
 * @throws {Error} one line
 */
export async function fetchElectronFiles(options = {}) {
  const {
    onProgress = () => undefined,
    only,
    platform = process.platform,
    arch = process.arch,
    environment = process.env,
  } = options;
  const files = electronFiles(options);
  if (only !== 'sqlite' && !existsSync(files.program)) {
    const name = `electron-v${files.version}-${platform}-${arch}.zip`;
    const checksums = options.checksums ?? JSON.parse(readFileSync(packageFile('electron', 'checksums.json'), 'utf8'));
    if (!checksums[name])
      throw new Error(`there is no Electron ${files.version} for this system (${platform}-${arch})`);
    const host =
      environment.ELECTRON_MIRROR ??
      environment.npm_config_electron_mirror ??
      'https://github.com/electron/electron/releases/download/';
    const zip = join(files.folder, name);
    await download('Electron', `${host}v${files.version}/${name}`, zip, {
      sha256: checksums[name],
      onProgress: (done, total) => onProgress('Electron', done, total),
    });
    await replaceFolder(join(files.folder, 'dist'), async (folder) => {
      // Electron's own extractor: it keeps the links and permissions that a Mac needs.
      const { extract } = await import(
        pathToFileURL(createRequire(packageFile('electron', 'package.json')).resolve('@electron-internal/extract-zip'))
          .href
      );
      await extract(zip, { dir: folder });
    });
    rmSync(zip);
  }
  if (!existsSync(files.sqlite)) {
    const version = versionOf('better-sqlite3');
    const name = `better-sqlite3-v${version}-electron-v${files.abi}-${platform}-${arch}.tar.gz`;
    const host =
      environment.npm_config_better_sqlite3_binary_host ??
      'https://github.com/WiseLibs/better-sqlite3/releases/download';
    const archive = join(files.folder, name);
    await download('SQLite for Electron', `${host}/v${version}/${name}`, archive, {
      onProgress: (done, total) => onProgress('SQLite for Electron', done, total),
    });
    await replaceFolder(join(files.folder, `better-sqlite3-${version}`), (folder) => {
      const { status, stderr, error } = spawnSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=2'], {
        encoding: 'utf8',
      });
      if (status !== 0)
        throw new Error(
          `SQLite for Electron could not be unpacked (${error?.message ?? stderr.trim().split('\n')[0]}): ${archive}`,
        );
      if (!existsSync(join(folder, 'better_sqlite3.node')))
        throw new Error(`this archive holds no better_sqlite3.node: ${archive}`);
    });
    rmSync(archive);
  }
  return files;
}

/** All or nothing: a start that is interrupted here does not leave half an Electron behind. */
async function replaceFolder(folder, fill) {
  const half = `${folder}.part`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  await fill(half);
  rmSync(folder, { recursive: true, force: true });
  renameSync(half, folder);
}
