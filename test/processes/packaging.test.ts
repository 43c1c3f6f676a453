import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import config from '../../build/electron-builder.mjs';
import { native } from '../../build/electron.mjs';
import { drawIcons } from '../../build/icon.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist', 'electron');
const run = promisify(execFile);
const require = createRequire(import.meta.url);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-packaging-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundle', () => {
  test('leaves only native packages outside, and they are the run-time dependencies', () => {
    const outside = new Set(
      readdirSync(dist)
        .filter((name) => /\.c?js$/.test(name))
        .flatMap((name) => {
          const source = readFileSync(join(dist, name), 'utf8');
          return [
            ...source.matchAll(
              /^(?:import|export)\b[^'"\n;]*["']([^."'][^"']*)["'];?$|\bimport\("([^."][^"]*)"\)|\b(?:__require|createRequire\(import\.meta\.url\)|require)\("([^."][^"]*)"\)/gm,
            ),
          ].map((found) => found[1] ?? found[2] ?? found[3]!);
        }),
    );
    const packages = [...outside]
      .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
      .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]);
    expect([...new Set(packages)].sort()).toEqual([...native, 'electron'].sort());
    expect(Object.keys((require(join(root, 'package.json')) as { dependencies: object }).dependencies).sort()).toEqual(
      [...native].sort(),
    );
  });

  test('has every module that another asks for beside it, and the preload script in one file', () => {
    const asked = new Set(['main.js', 'cli.js']);
    for (const name of readdirSync(dist).filter((each) => each.endsWith('.js'))) {
      const lines = readFileSync(join(dist, name), 'utf8')
        .split('\n')
        .filter((line) => line.includes('import.meta.url'));
      for (const [, path] of lines.join('\n').matchAll(/"\.\/([\w/-]+\.(?:js|cjs|wasm))"/g)) asked.add(path!);
    }
    for (const name of [
      'preload.cjs',
      'engine-process.js',
      'sparse-worker.js',
      'dense-worker.js',
      'assembly/features.wasm',
    ])
      expect([...asked]).toContain(name);
    expect([...asked].filter((name) => !existsSync(join(dist, name)))).toEqual([]);
    const preload = readFileSync(join(dist, 'preload.cjs'), 'utf8');
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron']);
  });

  test('is the one for users, even when a test builds it, and as small as it should be', () => {
    const assets = join(root, 'dist', 'renderer', 'assets');
    const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
    for (const name of scripts)
      expect(readFileSync(join(assets, name), 'utf8'), name).not.toContain('react.dev/link/warning-keys');
    const compressed = readdirSync(assets)
      .filter((name) => name.endsWith('.br'))
      .reduce((sum, name) => sum + statSync(join(assets, name)).size, 0);
    expect(compressed).toBeGreaterThan(100_000);
    expect(compressed).toBeLessThan(1_500_000);
  });

  test('finds its workers, kernels and native modules: it reconstructs', { timeout: 120_000 }, async () => {
    const samples = join(root, 'resources', 'samples', 'courtyard');
    const photos = readdirSync(samples)
      .filter((name) => name.endsWith('.jpg'))
      .sort()
      .slice(0, 2)
      .map((name) => join(samples, name));
    const { stdout } = await run(
      process.execPath,
      [join(dist, 'cli.js'), 'reconstruct', ...photos, '--out', join(folder, 'out'), '--quality', 'draft', '--json'],
      { cwd: folder, env: { ...process.env, POINTMAP_DATA: join(folder, 'data') } },
    );
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ photos: 2, registered: 2 });
    expect(existsSync(join(folder, 'out', 'scene.ply'))).toBe(true);
  });
});

describe('the packages', () => {
  const { validateConfiguration } = require('app-builder-lib/out/util/config/config') as {
    validateConfiguration: (config: unknown, log: unknown) => Promise<void>;
  };
  const { DebugLogger } = require('builder-util') as { DebugLogger: new (enabled: boolean) => unknown };

  test("are configured as the builder's own schema has it", async () => {
    await validateConfiguration(config, new DebugLogger(false));
    await expect(
      validateConfiguration({ ...config, linux: { targets: ['deb'] } }, new DebugLogger(false)),
    ).rejects.toThrow(/linux/);
  });

  test('are an installer and a portable program, a dmg, an AppImage and a deb, which open .pointmap', () => {
    expect(config.win?.target).toEqual(['nsis', 'portable']);
    expect(config.mac?.target).toEqual(['dmg']);
    expect(config.linux?.target).toEqual(['AppImage', 'deb']);
    expect(config.fileAssociations).toMatchObject([{ ext: 'pointmap' }]);
  });

  test('have icons in the forms that each system reads', async () => {
    await drawIcons(join(folder, 'icons'));
    const ico = readFileSync(join(folder, 'icons', 'icon.ico'));
    const pictures = Array.from({ length: ico.readUInt16LE(4) }, (_, k) => {
      const at = 6 + k * 16;
      return ico.subarray(ico.readUInt32LE(at + 12), ico.readUInt32LE(at + 12) + ico.readUInt32LE(at + 8));
    });
    expect(await Promise.all(pictures.map(async (png) => (await sharp(png).metadata()).width))).toEqual([
      16, 24, 32, 48, 64, 128, 256,
    ]);
    const icns = readFileSync(join(folder, 'icons', 'icon.icns'));
    expect(icns.toString('latin1', 0, 4)).toBe('icns');
    expect(icns.readUInt32BE(4)).toBe(icns.length);
    const { data, info } = await sharp(join(folder, 'icons', 'linux', '512x512.png'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([512, 512, 4]);
    expect(data[3]).toBe(0);
    expect(data[(256 * 512 + 100) * 4 + 3]).toBe(255);
  });

  /** Electron's folder as far as the packager looks at it: its program is never run here. */
  function standInElectron(): string {
    const electron = join(folder, 'electron');
    mkdirSync(join(electron, 'resources'), { recursive: true });
    for (const name of ['electron', 'LICENSE', 'LICENSES.chromium.html', 'version'])
      writeFileSync(join(electron, name), '');
    return electron;
  }

  test.runIf(process.platform === 'linux')(
    'hold the program, with the engine and what it loads as real files beside the archive',
    { timeout: 120_000 },
    async () => {
      const { build, Platform } = require('electron-builder') as typeof import('electron-builder');
      const sqlite = require.resolve('better-sqlite3/build/Release/better_sqlite3.node');
      await build({
        projectDir: root,
        publish: 'never',
        targets: Platform.LINUX.createTarget('dir'),
        config: {
          ...(config as object),
          electronDist: standInElectron(),
          electronFuses: null,
          directories: { output: join(folder, 'packages'), buildResources: join(folder, 'icons') },
          extraResources: (config.extraResources as { from: string; to: string }[]).map((each) =>
            each.to.startsWith('native/') ? { ...each, from: sqlite } : each,
          ),
        },
      });
      const resources = join(folder, 'packages', 'linux-unpacked', 'resources');
      const { listPackage } = require('@electron/asar') as {
        listPackage: (archive: string, options: object) => string[];
      };
      const packed = listPackage(join(resources, 'app.asar'), {});
      expect(packed).toContain('/dist/renderer/index.html');
      expect(packed).toContain('/dist/electron/main.js');
      expect(
        packed.filter((path) =>
          /^\/(test|electron|renderer|build|node_modules\/(react|three|typescript|electron))\b/.test(path),
        ),
      ).toEqual([]);
      // The licences of what is shipped; the LGPL asks for its notices beside the libraries.
      for (const path of [
        '/LICENSE',
        '/NOTICE',
        '/dist/electron/third-party-licences.txt',
        '/node_modules/libheif-js/LICENSE',
      ])
        expect(packed).toContain(path);
      const [libvips] = readdirSync(join(resources, 'licences')).filter((name) => name.startsWith('sharp-libvips-'));
      expect(readFileSync(join(resources, 'licences', libvips!, 'README.md'), 'utf8')).toMatch(/LGPL/);
      expect(packed.filter((path) => /onnxruntime-node\/bin\/.*\/(darwin|win32)/.test(path))).toEqual([]);

      // As on a machine without the checkout: what the engine process needs must be in the package. Node plays
      // Electron, which is what it is told to be by the launcher.
      const installed = join(folder, 'installed');
      cpSync(join(folder, 'packages', 'linux-unpacked'), installed, { recursive: true });
      rmSync(join(installed, 'pointmap-studio'));
      symlinkSync(process.execPath, join(installed, 'pointmap-studio'));
      const pointmap = (...words: string[]): Promise<{ stdout: string }> =>
        run(join(installed, 'resources', 'bin', 'pointmap'), words, {
          cwd: tmpdir(),
          env: { ...process.env, POINTMAP_DATA: join(folder, 'data') },
        });
      expect((await pointmap('--version')).stdout.trim()).toBe(
        (require(join(root, 'package.json')) as { version: string }).version,
      );
      const { libraries } = JSON.parse((await pointmap('doctor', '--json')).stdout.trim().split('\n').at(-1)!) as {
        libraries: Record<string, string>;
      };
      expect(Object.keys(libraries)).toEqual(['sharp', 'sqlite', 'onnxruntime']);
      for (const [library, state] of Object.entries(libraries))
        expect(`${library} ${state}`).not.toMatch(/not working/);
    },
  );
});
