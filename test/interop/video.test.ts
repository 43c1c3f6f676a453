import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extractFrames } from '../../electron/video/frames.js';
import { makeVideo } from '../fixtures/video.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-video-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-pix_fmt', 'yuv420p'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
const numberOf = (path: string): number => Number(/-(\d+)\.jpg$/.exec(path)![1]);

describe('frames of a video', () => {
  test.each([
    ['slide.mp4', H264],
    ['slide.webm', VP9],
    ['slide.mkv', H264],
  ])('of %s are sharp, spread by motion, of full size, and written once', async (name, encode) => {
    const path = join(folder, name);
    const { blurred } = await makeVideo(path, { width: 320, height: 240, count: 150, speed: 5, encode });
    const cache = join(folder, `cache-${name}`);
    const { frames, notes } = await extractFrames(path, cache, { frames: 20 });
    const numbers = frames.map((frame) => numberOf(frame.path));
    expect(numbers.length).toBeGreaterThanOrEqual(18);
    expect(numbers.filter((number) => blurred.has(number))).toEqual([]);
    const steps = numbers.slice(1).map((number, k) => number - numbers[k]!);
    expect(Math.max(...steps)).toBeLessThan(20);
    expect(Math.min(...steps)).toBeGreaterThan(2);
    frames.forEach(({ frame }, k) => expect(frame.seconds).toBeCloseTo(numbers[k]! / 30, 2));
    const { width, height } = await sharp(frames[0]!.path).metadata();
    expect([width, height]).toEqual([320, 240]);
    expect(notes).toEqual([`${name}: ${frames.length} of 150 frames chosen`]);

    const before = (await stat(frames[3]!.path)).mtimeMs;
    const again = await extractFrames(path, cache, { frames: 20 });
    expect(again.frames).toEqual(frames);
    expect((await stat(frames[3]!.path)).mtimeMs).toBe(before);
  });

  test('of a long video are chosen among those that stand for themselves', async () => {
    const path = join(folder, 'long.mp4');
    const often = [...H264, '-g', '3', '-keyint_min', '3'];
    await makeVideo(path, { width: 320, height: 240, count: 240, speed: 5, encode: often });
    const { frames, notes } = await extractFrames(path, join(folder, 'cache-long'), { frames: 8 });
    expect(notes).toEqual([`long.mp4: ${frames.length} of 80 key frames chosen`]);
    // Every third frame, at its own time.
    for (const { frame } of frames)
      expect((frame.seconds * 30) / 3).toBeCloseTo(Math.round((frame.seconds * 30) / 3), 2);
    expect(frames.map(({ path, frame }) => [numberOf(path) * 3, Math.round(frame.seconds * 30)])).toEqual(
      frames.map(({ frame }) => [Math.round(frame.seconds * 30), Math.round(frame.seconds * 30)]),
    );
    // A decoder that takes no notice gives all frames, at their own times.
    const web = join(folder, 'long.webm');
    await makeVideo(web, { width: 160, height: 120, count: 90, speed: 5, encode: [...VP9, '-g', '3'] });
    const { frames: all, notes: told } = await extractFrames(web, join(folder, 'cache-web'), { frames: 3 });
    expect(told).toEqual([`long.webm: ${all.length} of 90 frames chosen`]);
    for (const { path, frame } of all) expect(frame.seconds * 30).toBeCloseTo(numberOf(path), 1);
    // Not enough of them: all frames are looked at.
    const { notes: more } = await extractFrames(path, join(folder, 'cache-long'), { frames: 20 });
    expect(more[0]).toMatch(/of 240 frames chosen/);
  });

  test('are upright when the video says that it was turned', async () => {
    const plain = join(folder, 'plain.mp4');
    await makeVideo(plain, { width: 320, height: 240, count: 30, speed: 5, encode: H264 });
    const path = join(folder, 'turned.mp4');
    const { runFfmpeg } = await import('../../electron/video/ffmpeg.js');
    await runFfmpeg('ffmpeg', ['-v', 'error', '-i', plain, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', path]);
    const { frames } = await extractFrames(path, join(folder, 'cache-turned'), { frames: 5 });
    const { width, height } = await sharp(frames[0]!.path).metadata();
    expect([width, height]).toEqual([240, 320]);
  });

  test('of a video that stands still are one', async () => {
    const path = join(folder, 'still.mp4');
    await makeVideo(path, { width: 320, height: 240, count: 60, speed: 0, encode: H264 });
    const { frames, notes } = await extractFrames(path, join(folder, 'cache-still'));
    expect(frames.length).toBe(1);
    expect(notes[1]).toMatch(/stands still/);
  });

  test('of a video that is cut off are those before the cut; of what is no video there are none', async () => {
    const path = join(folder, 'cut.mkv');
    await makeVideo(path, { width: 320, height: 240, count: 150, speed: 5, encode: H264 });
    await truncate(path, Math.round((await stat(path)).size * 0.6));
    const { frames } = await extractFrames(path, join(folder, 'cache-cut'), { frames: 10 });
    expect(frames.length).toBeGreaterThan(5);
    expect(Math.max(...frames.map((frame) => numberOf(frame.path)))).toBeLessThan(110);

    const text = join(folder, 'text.mp4');
    await writeFile(text, 'this is no video');
    await expect(extractFrames(text, join(folder, 'none'))).rejects.toThrow(/not a video that can be read.*text\.mp4$/);
    const sound = join(folder, 'sound.mp4');
    const { runFfmpeg } = await import('../../electron/video/ffmpeg.js');
    await runFfmpeg('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=duration=1', sound]);
    await expect(extractFrames(sound, join(folder, 'none'))).rejects.toThrow(/no picture track.*sound\.mp4$/);
    await expect(extractFrames(join(folder, 'gone.mp4'), folder)).rejects.toThrow(/no such file.*gone\.mp4$/);
  });

  test('stop being read when the caller gives up, and nothing half-written stays', async () => {
    const path = join(folder, 'long.mp4');
    await makeVideo(path, { width: 320, height: 240, count: 150, speed: 5, encode: H264 });
    const abort = new AbortController();
    const cache = join(folder, 'cache-long');
    abort.abort(new Error('given up'));
    await expect(extractFrames(path, cache, { signal: abort.signal })).rejects.toThrow('given up');
    await expect(readFile(join(cache, 'frames.json'))).rejects.toThrow();
    expect(basename(path)).toBe('long.mp4');
  });
});
