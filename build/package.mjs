// `npm run package [-- --dir]`: the packages of this system into dist/packages; with --dir only the unpacked program.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, Platform } from 'electron-builder';
import { ensureBuilt } from './build.mjs';
import config from './electron-builder.mjs';
import { fetchElectronFiles } from './electron-files.mjs';
import { drawIcons } from './icon.mjs';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
try {
  await ensureBuilt();
  await drawIcons(join(root, 'dist', 'icons'));
  await fetchElectronFiles({ only: 'sqlite' });
  await build({
    projectDir: root,
    config,
    publish: 'never',
    targets: Platform.current().createTarget(process.argv.includes('--dir') ? 'dir' : null),
  });
} catch (error) {
  console.error(`The packages could not be made: ${error.message}`);
  process.exitCode = 1;
}
