import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatById } from '../../electron/export/formats.js';
import { writeFiles } from '../../electron/export/write-files.js';
import type { Scene } from '../../electron/geometry/types.js';
import { roomScene } from '../fixtures/scene.js';

export function installed(command: string, ...probe: string[]): boolean {
  const found = spawnSync(command, probe, { stdio: 'ignore', timeout: 60_000 }).status === 0;
  if (!found) console.warn(`skipped: ${command} ${probe.join(' ')} does not run here`);
  return found;
}

/** Debian's Python, which holds its packages, before any other. */
export const python = installedPython();

function installedPython(): string {
  return spawnSync('/usr/bin/python3', ['--version']).status === 0 ? '/usr/bin/python3' : 'python3';
}

export function run(command: string, ...parameters: string[]): string {
  return runWithin(110_000, command, ...parameters);
}

/** Also for programs that take minutes on a busy machine. */
export function runWithin(milliseconds: number, command: string, ...parameters: string[]): string {
  return execFileSync(command, parameters, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: milliseconds,
  });
}

/** The last line of a script's output that is JSON. */
export function lastJson<T>(output: string): T {
  const line = output
    .trim()
    .split('\n')
    .reverse()
    .find((text) => text.startsWith('{') || text.startsWith('['));
  if (!line) throw new Error(`no JSON in: ${output.slice(-2000)}`);
  return JSON.parse(line) as T;
}

export async function exported(...ids: string[]): Promise<{ folder: string; scene: Scene }> {
  const { scene } = await roomScene();
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-interop-'));
  for (const id of ids) await writeFiles(folder, formatById(id)!.write(scene));
  return { folder, scene };
}
