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

  test('are those that their numbers say: FFmpeg, asked for each by its number, gives the same picture', async () => {
    const path = join(folder, 'numbers.mp4');
    await makeVideo(path, { width: 320, height: 240, count: 90, speed: 5, encode: H264 });
    const { frames } = await extractFrames(path, join(folder, 'cache-numbers'), { frames: 12 });
    const { runFfmpeg } = await import('../../electron/video/ffmpeg.js');
    const grey = (file: string) => sharp(file).greyscale().raw().toBuffer();
    for (const frame of frames) {
      const alone = join(folder, 'alone.png');
      const only = ['-vf', `select=eq(n\\,${numberOf(frame.path)})`, '-frames:v', '1'];
      await runFfmpeg('ffmpeg', ['-v', 'error', '-y', '-i', path, ...only, alone]);
      const [is, should] = await Promise.all([grey(frame.path), grey(alone)]);
      const apart = is.reduce((sum, value, k) => sum + Math.abs(value - should[k]!), 0) / is.length;
      // A neighbour, five pixels on, is 30 levels away.
      expect(apart).toBeLessThan(3);
    }
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
    // Not enough of them: every second frame is looked at, at its own time; and with too few of those, all are.
    const { frames: half, notes: more } = await extractFrames(path, join(folder, 'cache-long'), { frames: 20 });
    expect(more[0]).toMatch(/of 120 frames chosen/);
    for (const { path, frame } of half) expect(frame.seconds * 30).toBeCloseTo(2 * numberOf(path), 1);
    const { notes: most } = await extractFrames(path, join(folder, 'cache-long'), { frames: 31 });
    expect(most[0]).toMatch(/of 240 frames chosen/);
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
    const { frames, notes } = await extractFrames(path, join(folder, 'cache-cut'), { frames: 10 });
    expect(notes[1]).toMatch(/^cut.mkv is cut off: it ends after [23]\.\d of 5\.0 seconds$/);
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

  test('what is wrong with a file is told; a cover is no video; pixels become square, half pictures whole', async () => {
    const { runFfmpeg } = await import('../../electron/video/ffmpeg.js');
    const plain = join(folder, 'small.mp4');
    await makeVideo(plain, { width: 160, height: 120, count: 30, speed: 5, encode: H264 });
    const made = async (name: string, ...args: string[]): Promise<string> => {
      await runFfmpeg('ffmpeg', ['-v', 'error', '-y', ...args, join(folder, name)]);
      return join(folder, name);
    };
    const chosen = (path: string) => extractFrames(path, join(folder, `cache-${basename(path)}`), { frames: 5 });
    const unfinished = await made('unfinished.mp4', '-i', plain, '-c', 'copy');
    await truncate(unfinished, 4000);
    await expect(chosen(unfinished)).rejects.toThrow(/not finished or is cut off.*unfinished\.mp4$/);
    await writeFile(join(folder, 'empty.mp4'), '');
    await expect(chosen(join(folder, 'empty.mp4'))).rejects.toThrow(/empty \(0 bytes\).*empty\.mp4$/);
    const cover = await made('cover.jpg', '-i', plain, '-frames:v', '1');
    const sound = ['-f', 'lavfi', '-i', 'sine=duration=1', '-i', cover, '-map', '0', '-map', '1'];
    const song = await made('song.mp4', ...sound, '-c:v', 'copy', '-disposition:v:0', 'attached_pic');
    await expect(chosen(song)).rejects.toThrow(/no picture track.*song\.mp4$/);

    const wide = await made('wide.mp4', '-i', plain, '-vf', 'setsar=4/3', ...H264);
    const { frames } = await chosen(wide);
    const { width, height } = await sharp(frames[0]!.path).metadata();
    expect([width, height]).toEqual([213, 120]);
    const halves = await made(
      'halves.mp4',
      '-i',
      plain,
      '-vf',
      'interlace,fieldorder=tff',
      '-flags',
      '+ildct+ilme',
      ...H264,
    );
    const { frames: whole, notes } = await chosen(halves);
    expect(notes[0]).toMatch(/of 15 frames/);
    expect((await sharp(whole[0]!.path).metadata()).height).toBe(120);

    const bytes = await readFile(plain);
    for (let at = 6000; at < bytes.length - 3000; at += 97) bytes[at] = at % 256;
    await writeFile(join(folder, 'damaged.mp4'), bytes);
    expect((await chosen(join(folder, 'damaged.mp4'))).notes.join()).toMatch(/damaged\.mp4 is damaged/);
  });

  test('are chosen among half as many where others are built on those, at their own times', async () => {
    const path = join(folder, 'between.mp4');
    const between = ['-c:v', 'libx264', '-bf', '1', '-b_strategy', '0', '-g', '60', '-pix_fmt', 'yuv420p'];
    await makeVideo(path, { width: 160, height: 120, count: 120, speed: 5, encode: between });
    const { frames, notes } = await extractFrames(path, join(folder, 'cache-between'), { frames: 10 });
    expect(Number(/of (\d+) frames/.exec(notes[0]!)![1])).toBeLessThan(80);
    // The picture slides by five pixels a frame: two frames are as far apart as their times say.
    expect(frames.length).toBeGreaterThan(7);
    for (const { frame } of frames)
      expect(Math.abs(frame.seconds * 30 - Math.round(frame.seconds * 30))).toBeLessThan(0.1);
    expect(frames.at(-1)!.frame.seconds).toBeGreaterThan(3);
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
