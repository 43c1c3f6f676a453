import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roomPhotos } from '../fixtures/room-estimator.js';
import { roomMoments, roomProcess, type RoomEnd, type RoomMoment } from '../fixtures/room-process.js';

let folder: string;
let photos: string;
let whole: RoomEnd;
let clean: string[];
const outOf = (name: string): string => join(folder, `out-${name}`);
const attempt = (name: string, strike?: Parameters<typeof roomProcess>[0]['strike']) =>
  roomProcess({
    project: join(folder, `${name}.pointmap`),
    photos,
    out: outOf(name),
    ...(strike ? { strike } : {}),
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-kill-'));
  photos = await roomPhotos(folder, 5);
  whole = (await attempt('whole')).end!;
  expect(whole).toMatchObject({ end: 'finished', calls: 10 });
  clean = readdirSync(outOf('whole')).sort();
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run that is not struck any more ends as one that never was, and nothing lies about. */
async function expectWhole(name: string): Promise<void> {
  const last = (await attempt(name)).end!;
  expect(last.end).toBe('finished');
  expect(last.cameras).toEqual(whole.cameras);
  // Each kill may cost the pair in flight, no more; nearly all were stored by the attempts before.
  expect(last.calls).toBeLessThanOrEqual(1);
  expect(readdirSync(outOf(name)).sort()).toEqual(clean);
  for (const ending of ['-wal', '-shm', '-journal'])
    expect(existsSync(join(folder, `${name}.pointmap${ending}`))).toBe(false);
  expect(readdirSync(folder).filter((file) => /partial|-wal|-shm|-journal/.test(file))).toEqual([]);
}

/*
 * A round is ten kills, one at each moment, of one project: one that has finished has nothing left to be killed in, so
 * that a kill that comes too late is tried again. POINTMAP_KILL_ROUNDS=10 is what a release is measured with; a part
 * of them runs with `-t "round 3"`, and each tells its own count.
 */
const rounds = Array.from({ length: Number(process.env.POINTMAP_KILL_ROUNDS ?? 1) }, (_, k) => k + 1);
describe('killed at every stage', () => {
  test.each(rounds)(
    'round %i: a run goes on and ends with the same result and no stray file',
    { timeout: 3_600_000 },
    async (round) => {
      let kills = 0;
      let late = 0;
      for (const [k, moment] of roomMoments.entries())
        for (let tries = 0; tries < 5; tries++) {
          const name = `killed-${round}${tries === 0 ? '' : `-${k}-${tries}`}`;
          const { killed, end } = await attempt(name, {
            moment,
            after: Math.random() * 30,
            act: (kill) => kill('SIGKILL'),
          });
          if (tries > 0) await expectWhole(name);
          if (killed) {
            kills++;
            break;
          }
          late++;
          expect(end?.end).toBe('finished');
        }
      await expectWhole(`killed-${round}`);
      console.log(`round ${round}: ${kills} kills, ${late} ended before their moment, 0 results lost`);
      expect(kills).toBe(roomMoments.length);
    },
  );
});

describe.skipIf(process.platform === 'win32').concurrent('stopped by the system, as when a computer sleeps', () => {
  test.each<RoomMoment>(['stage pairs', 'pair 4', 'stage alignment', 'exporting'])(
    'at %s: goes on as if nothing had been',
    { timeout: 600_000 },
    async (moment) => {
      const name = `stopped-${moment.replace(' ', '-')}`;
      const { end } = await attempt(name, {
        moment,
        after: 5,
        act: (kill) => {
          kill('SIGSTOP');
          setTimeout(() => kill('SIGCONT'), 1500);
        },
      });
      expect(end).toMatchObject({ end: 'finished', calls: 10 });
      expect(end!.cameras).toEqual(whole.cameras);
      expect(readdirSync(outOf(name)).sort()).toEqual(clean);
    },
  );
});

test(
  'two runs into one project at once: one computes, the other is told, nothing is lost',
  { timeout: 600_000 },
  async () => {
    const both = await Promise.all([attempt('both'), attempt('both')]);
    const finished = both.filter(({ end }) => end?.end === 'finished');
    expect(finished.length).toBeGreaterThanOrEqual(1);
    for (const { end } of finished) expect(end!.cameras).toEqual(whole.cameras);
    await expectWhole('both');
  },
);
