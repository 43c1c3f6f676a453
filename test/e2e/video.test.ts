import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../electron/video/ffmpeg.js';
import { makeVideo } from '../fixtures/video.js';
import { chromiumPath, openStudio, type Studio } from './studio.js';

const present = chromiumPath !== undefined && findFfmpeg() !== undefined;
if (!present) console.warn('skipped: videos in the page need Chromium, and FFmpeg to make them');

/** The studio has no FFmpeg here: the page decodes. */
describe.skipIf(!present)('a video in a studio without FFmpeg', () => {
  let studio: Studio;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pointmap-video-'));
    studio = await openStudio({ environment: { POINTMAP_FFMPEG: join(folder, 'none') } });
  });
  afterAll(async () => {
    await studio?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Drops it on the window. */
  async function add(path: string): Promise<void> {
    const base64 = (await readFile(path)).toString('base64');
    await studio.page.evaluate(
      ({ base64, name }) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))], name));
        for (const kind of ['dragover', 'drop'])
          document
            .querySelector('.app, .start')!
            .dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
      },
      { base64, name: basename(path) },
    );
  }

  it.each([
    ['slide.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M']],
    ['turned.mp4', ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-pix_fmt', 'yuv420p']],
  ])('%s gives sharp frames of full size', async (name, encode) => {
    const path = join(folder, name);
    const { blurred } = await makeVideo(path, { width: 320, height: 240, count: 150, speed: 5, encode });
    const { page } = studio;
    await add(path);
    // 24 frames are the fewest of a video that is not asked for a number of them; two of them may be alike.
    await page.locator('.notice', { hasText: /^(2[0-9]) photos added/ }).waitFor({ timeout: 120_000 });
    await page.locator('.photo-row').first().click();
    await page.keyboard.press('End');
    const names = await page.locator('.photo-row').allInnerTexts();
    const numbers = names.flatMap((text) => Number(/-(\d{6})/.exec(text)?.[1] ?? NaN)).filter(Number.isFinite);
    expect(numbers.length).toBeGreaterThan(3);
    expect(numbers.filter((number) => blurred.has(number))).toEqual([]);
  });

  it('that is none is told in a line', async () => {
    const path = join(folder, 'text.mp4');
    await writeFile(path, 'this is no video');
    await add(path);
    await studio.page.locator('.notice.error', { hasText: 'not a video' }).waitFor();
    expect(studio.complaints).toEqual([]);
  });
});
