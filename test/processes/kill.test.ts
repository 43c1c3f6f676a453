import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
  files: number;
}

/** Lines that the process prints as it goes: what can be killed at. */
type Moment = 'opened' | 'started' | `stage ${string}` | `pair ${number}` | 'exporting';

/** @param at the line after which it is killed, at once or some milliseconds later; undefined lets it finish */
function attempt(project: string, at?: { moment: Moment; after: number }): Promise<{ end?: End; killed: boolean }> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(
      process.execPath,
      ['--import', 'tsx', 'test/fixtures/room-run.ts', project, photos, join(folder, 'out')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    let ordered = false;
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!at || ordered || !output.split('\n').includes(at.moment)) return;
      ordered = true;
      setTimeout(() => child.kill('SIGKILL'), at.after);
    });
    child.on('close', (_, signal) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      resolve({ ...(last.startsWith('{') ? { end: JSON.parse(last) as End } : {}), killed: signal === 'SIGKILL' });
    });
  });
}

const moments: Moment[] = [
  'opened',
  'started',
  'stage pairs',
  'stage pointmaps',
  'pair 1',
  'pair 4',
  'pair 9',
  'stage alignment',
  'stage cloud',
  'exporting',
];
/** 10 (one at each moment) as a test; 100 is what a release is measured with. */
const wanted = Number(process.env.POINTMAP_KILLS ?? moments.length);

test(
  `killed ${wanted} times, at every stage, a run goes on and ends with the same result and no stray file`,
  { timeout: 3_600_000 },
  async () => {
    const whole = (await attempt(join(folder, 'whole.pointmap'))).end!;
    expect(whole).toMatchObject({ end: 'finished', calls: 10 });
    const clean = readdirSync(join(folder, 'out')).sort();
    rmSync(join(folder, 'out'), { recursive: true });
    let kills = 0;
    let late = 0;
    for (let k = 0; kills < wanted; k++) {
      // A project of its own for every ten kills: one that has finished has nothing left to be killed in.
      const path = join(folder, `killed-${Math.floor(k / moments.length)}.pointmap`);
      const moment = moments[k % moments.length]!;
      const { killed, end } = await attempt(path, { moment, after: Math.random() * 30 });
      if (killed) kills++;
      else {
        late++;
        expect(end?.end).toBe('finished');
      }
      if (k % moments.length < moments.length - 1 && kills < wanted) continue;
      const last = (await attempt(path)).end!;
      expect(last.end).toBe('finished');
      expect(last.cameras).toEqual(whole.cameras);
      // Each kill may cost the pair in flight, no more; nearly all were stored by the attempts before.
      expect(last.calls).toBeLessThanOrEqual(1);
      expect(readdirSync(join(folder, 'out')).sort()).toEqual(clean);
      for (const ending of ['-wal', '-shm', '-journal']) expect(existsSync(path + ending)).toBe(false);
    }
    console.log(`kills: ${kills}, ended before their moment: ${late}, results lost: 0`);
    expect(kills).toBe(wanted);
    expect(late).toBeLessThan(wanted);
    expect(readdirSync(folder).filter((name) => /partial|-wal|-shm|-journal/.test(name))).toEqual([]);
  },
);
