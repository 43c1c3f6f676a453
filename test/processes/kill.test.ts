import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roomPhotos } from '../fixtures/room-estimator.js';

let folder: string;
let photos: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-kill-'));
  photos = await roomPhotos(folder, 5);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface End {
  end: string;
  calls: number;
  cameras: { worldFromCamera: number[]; fx: number }[];
}

/** @param after milliseconds after the run began; undefined lets it finish */
function attempt(project: string, after?: number): Promise<End | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/fixtures/room-run.ts', project, photos], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '' && after !== undefined) setTimeout(() => child.kill('SIGKILL'), after);
      output += chunk.toString();
    });
    child.on('close', () => {
      const last = output.trim().split('\n').at(-1) ?? '';
      resolve(last.startsWith('{') ? (JSON.parse(last) as End) : undefined);
    });
  });
}

test('killed at random moments, a run goes on and ends with the same result', { timeout: 120_000 }, async () => {
  const whole = (await attempt(join(folder, 'whole.pointmap')))!;
  expect(whole).toMatchObject({ end: 'finished', calls: 10 });
  const path = join(folder, 'killed.pointmap');
  let kills = 0;
  let end: End | undefined;
  while (!end && kills < 4) {
    end = await attempt(path, 20 + Math.random() * 250);
    if (!end) kills++;
  }
  end ??= (await attempt(path))!;
  expect(end.end).toBe('finished');
  expect(end.cameras).toEqual(whole.cameras);
  // Each kill may cost the pair in flight: what the last attempt had to compute is what the others had not stored.
  expect(end.calls).toBeLessThanOrEqual(10);
});
