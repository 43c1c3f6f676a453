import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../../electron/contract/errors.js';
import { PageVideos } from '../../../electron/engine/page-videos.js';
import { lookedAtSize } from '../../../electron/video/analyse.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-page-'));
  path = join(folder, 'film.mp4');
  await writeFile(path, 'a film of few bytes');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a window does with an order. */
type Window = (videos: PageVideos, order: string) => unknown;

function withWindow(window: Window, patience = { claim: 5000, frames: 5000 }): PageVideos {
  const videos: PageVideos = new PageVideos((name, payload) => {
    if (name === 'video.wanted') void window(videos, (payload as { order: string }).order);
  }, patience);
  return videos;
}

const grey = (value: number): string => {
  const { width, height } = lookedAtSize(64, 48);
  return Buffer.alloc(width * height, value).toString('base64');
};

describe('a video that a window decodes', () => {
  test('is claimed by one window only, read in pieces, and counted frame by frame', async () => {
    const pieces: string[] = [];
    const shares: number[] = [];
    let known = '';
    const videos = withWindow(async (all, order) => {
      expect(all.claim({ order })?.bytes).toBe(19);
      expect(all.claim({ order })).toBeNull();
      pieces.push(Buffer.from(await all.bytes(order, 2, 6)).toString());
      await expect(all.bytes(order, 10, 20)).rejects.toThrow('no such piece');
      for (const [k, value] of [10, 20, 30].entries())
        all.frames({ order, width: 64, height: 48, length: 3, frames: [{ seconds: k, grey: grey(value) }] });
      all.done({ order });
      known = order;
    });
    const { frames, times } = await videos.look(path, { onProgress: (share) => shares.push(share) });
    await expect(videos.bytes(known, 2, 6)).rejects.toThrow('no such piece');
    expect(pieces).toEqual(['film']);
    expect([frames.count, [...times]]).toEqual([3, [0, 1, 2]]);
    expect(shares).toEqual([0, 1 / 3, 2 / 3]);
  });

  test('gives pictures that come in parts, whole and in order', async () => {
    const videos = withWindow((all, order) => {
      expect(all.claim({ order })?.seconds).toEqual([0.5, 2]);
      const send = async (): Promise<void> => {
        for (const [index, text] of ['first', 'second'].entries())
          for (const part of [text.slice(0, 3), text.slice(3)])
            await all.picture({ order, index, jpeg: btoa(part), last: part !== text.slice(0, 3) });
        all.done({ order });
      };
      void send();
    });
    const files = await videos.take(
      path,
      [{ seconds: 0.5 }, { seconds: 2 }].map((each, number) => ({ ...each, number })),
      folder,
      {},
    );
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    expect(texts).toEqual(['first', 'second']);
  });

  test('fails with a line that says why: no window, one that has gone, one that has no decoder', async () => {
    const nobody = withWindow(() => undefined, { claim: 20, frames: 20 });
    await expect(nobody.look(path, {})).rejects.toThrow(/ffmpeg, which is not installed.*film\.mp4$/);
    const gone = withWindow((all, order) => all.claim({ order }), { claim: 5000, frames: 20 });
    await expect(gone.look(path, {})).rejects.toThrow(/has gone; add the video again.*film\.mp4$/);
    const without = withWindow((all, order) => {
      all.claim({ order });
      all.done({ order, error: 'no decoder for this (hevc)' });
    });
    await expect(without.look(path, {})).rejects.toThrow(/^no decoder for this \(hevc\): .*film\.mp4$/);
  });

  test('is let go of when the caller gives up: the window is told so at its next frame', async () => {
    const abort = new AbortController();
    let goOn: boolean | undefined;
    const videos = withWindow((all, order) => {
      all.claim({ order });
      abort.abort(new UserError('cancelled', 'enough'));
      setTimeout(() => ({ goOn } = all.frames({ order, width: 64, height: 48, length: 1, frames: [] })));
    });
    await expect(videos.look(path, { signal: abort.signal })).rejects.toThrow('enough');
    await expect.poll(() => goOn).toBe(false);
  });
});
