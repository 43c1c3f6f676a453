// `npm start [PROJECT]`: the studio on the desktop; `npm start -- --browser` in a browser. Where Electron can't be had
// or can't run, it says why and starts the browser mode instead: the same interface over the same engine.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build.mjs';
import { electronFiles, fetchElectronFiles } from './electron-files.mjs';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const words = process.argv.slice(2);
const projects = words.filter((word) => !word.startsWith('-'));

/** Electron that fails this soon never showed its window. */
const EARLY_MILLISECONDS = 8000;

process.exitCode = await main();

async function main() {
  await ensureBuilt(console.error);
  if (words.includes('--browser')) return browser();
  try {
    return await desktop();
  } catch (error) {
    console.error(
      `The desktop window can't be opened: ${error.message}\nStarting in the browser instead; "npm start -- --browser" does so at once.\n`,
    );
    return browser();
  }
}

async function desktop() {
  if (!hasScreen()) throw new Error('there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)');
  if (process.platform === 'linux' && process.getuid?.() === 0)
    throw new Error('it keeps its pages in a sandbox, which does not work for root; start as another user');
  const { program, sqlite } = electronFiles();
  if (!existsSync(program) || !existsSync(sqlite))
    console.error('First start: fetching what the desktop window needs. This happens once.');
  await fetchElectronFiles({ onProgress: progress() });
  const started = Date.now();
  const code = await run(program, [root, ...projects], { POINTMAP_SQLITE: sqlite, ELECTRON_RUN_AS_NODE: undefined });
  if (code !== 0 && Date.now() - started < EARLY_MILLISECONDS)
    throw new Error(`Electron ended with code ${code}; what it says is above`);
  return code;
}

function browser() {
  return run(
    process.execPath,
    [
      join(root, 'dist', 'electron', 'cli.js'),
      'serve',
      ...(hasScreen() ? ['--open'] : []),
      ...words.filter((word) => word !== '--browser'),
    ],
    {},
  );
}

function hasScreen() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

function run(program, given, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, given, { stdio: 'inherit', env: { ...process.env, ...environment } });
    // Control+C reaches the child by itself; this process waits for it to close the project.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => {
        if (signal === 'SIGTERM') child.kill(signal);
      });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** One line that counts up on a terminal; a line per tenth elsewhere. */
function progress() {
  let last = '';
  return (what, done, total) => {
    const percent = total > 0 ? Math.floor((done / total) * 100) : 0;
    const line = `${what}: ${percent} % of ${(total / 1e6).toFixed(0)} MB`;
    if (line === last || (!process.stderr.isTTY && percent % 10 !== 0)) return;
    last = line;
    process.stderr.write(process.stderr.isTTY ? `\r${line}${percent === 100 ? '\n' : ''}` : `${line}\n`);
  };
}
