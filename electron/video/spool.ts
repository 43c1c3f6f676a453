import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { UserError } from '../contract/errors.js';
import { runFfmpeg } from './ffmpeg.js';

/** Quality of FFmpeg's JPEG encoder, 2 (best) to 31. */
const JPEG_QUALITY = 2;
/** A frame's file is whole when so many later ones have been looked at; until then its size tells. */
const BEHIND = 4;

export interface SpoolOptions {
  width: number;
  height: number;
  /** Where frames and JPEGs go. */
  folder: string;
  /** Frames that are expected, and into how many neighbourhoods they are parted. */
  expected: number;
  neighbourhoods: number;
  /** Of a frame whose sharpness is known. */
  sharpnessOf: (frame: number) => number;
  signal?: AbortSignal | undefined;
}

/** Cuts a stream of bytes into frames. */
export class FrameCutter {
  private readonly frame: Uint8Array;
  private filled = 0;

  /** @param take is given each frame, which it must not keep */
  constructor(
    bytes: number,
    private readonly take: (frame: Uint8Array) => void,
  ) {
    this.frame = new Uint8Array(bytes);
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, this.frame.length - this.filled);
      this.frame.set(chunk.subarray(at, at + taken), this.filled);
      at += taken;
      this.filled += taken;
      if (this.filled < this.frame.length) continue;
      this.take(this.frame);
      this.filled = 0;
    }
  }
}

/** Bytes of a frame: brightness, and colours of half the size. */
const frameBytes = (width: number, height: number): number =>
  width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);

/** What the decoder is to give: as nearly every video stores it, so that only frames that are kept are converted. */
const FORMAT = 'yuv420p';

/**
 * Frames of full size as they are decoded; of each neighbourhood the sharpest is kept, as JPEG. Frames are parted evenly
 * by their number; where more come than were expected, neighbourhoods grow.
 *
 * The decoder writes each frame as a file of its own, which is gone before the system has put it on a disk: through a
 * pipe into this process a frame of 1080p took 13 ms of a processor. To code every frame as JPEG would take 15 to 24 ms
 * for each, more than decoding it.
 */
export class FrameSpool {
  /** The decoder's filters and output for frames of full size, which go on from `[full]`. */
  static readonly filter = `format=${FORMAT}`;
  readonly output: readonly string[];
  /** Numbers of the frames that were coded, in order of their files. */
  private readonly coded: number[] = [];
  /** The sharpest of the neighbourhood that is being decoded, and the frame at which the next one begins. */
  private best: number | undefined;
  private end = 0;
  private judged = 0;
  /** What happens to frames, one after the other. */
  private work: Promise<void> = Promise.resolve();
  private pipe: Writable | undefined;
  private readonly encoder: Promise<{ code: number; complaint: string }>;
  private isOver = false;
  private ended: () => void = () => undefined;

  constructor(private readonly options: SpoolOptions) {
    const { width, height, folder, signal } = options;
    // Not `.yuv`: that ending makes FFmpeg write three files.
    this.output = ['-c:v', 'rawvideo', '-f', 'image2', '-start_number', '0', join(folder, '%08d.raw')];
    this.encoder = runFfmpeg(
      'ffmpeg',
      [
        ...['-v', 'error', '-f', 'rawvideo', '-pix_fmt', FORMAT, '-s', `${width}x${height}`, '-i', 'pipe:0'],
        ...['-vf', 'scale=in_range=tv:out_range=pc,format=yuvj420p', '-vsync', 'passthrough'],
        ...['-q:v', String(JPEG_QUALITY), '-qmin', '1', join(folder, '%08d.jpg')],
      ],
      { signal, onInput: (input) => (this.pipe = input) },
    );
    const end = (): void => {
      this.isOver = true;
      this.ended();
    };
    this.encoder.then(end, end);
  }

  /**
   * Judges the frames whose sharpness is known.
   *
   * @param known how many those are
   * @returns resolved when there is room for more
   */
  judge(known: number): Promise<void> {
    for (; this.judged < known - BEHIND; this.judged++) this.judgeFrame(this.judged);
    return this.work;
  }

  private judgeFrame(number: number): void {
    const { expected, neighbourhoods, sharpnessOf } = this.options;
    const isNext = number >= this.end;
    if (isNext) this.end += Math.max(1, Math.max(expected, number) / neighbourhoods);
    const { best } = this;
    if (best !== undefined && isNext) this.keep(best);
    else if (best !== undefined) this.drop(sharpnessOf(best) >= sharpnessOf(number) ? number : best);
    if (best === undefined || isNext || sharpnessOf(best) < sharpnessOf(number)) this.best = number;
  }

  /**
   * Codes what is left and waits for the encoder.
   *
   * @returns files in the folder by number of their frame
   * @throws UserError 'unwritable' when pictures could not be written
   */
  async finish(known: number): Promise<Map<number, string>> {
    await this.judge(known + BEHIND);
    if (this.best !== undefined) this.keep(this.best);
    await this.work;
    this.pipe?.end();
    const { code, complaint } = await this.encoder;
    if (code !== 0) throw this.unwritable(complaint.trim().split('\n')[0]!);
    // Of what the decoder ended on, nobody has seen the small picture.
    const { folder } = this.options;
    for (const name of await readdir(folder)) if (name.endsWith('.raw')) await rm(join(folder, name));
    return new Map(this.coded.map((number, k) => [number, `${String(k + 1).padStart(8, '0')}.jpg`]));
  }

  /** Ends the encoder when the decoder has failed. */
  async abandon(): Promise<void> {
    this.pipe?.end();
    await this.encoder.catch(() => undefined);
    await this.work.catch(() => undefined);
  }

  private unwritable(reason: string): UserError {
    return new UserError(
      'unwritable',
      `frames of a video could not be written (${reason}); make room on this disk: ${this.options.folder}`,
    );
  }

  private fileOf = (number: number): string => join(this.options.folder, `${String(number).padStart(8, '0')}.raw`);

  private drop(number: number): void {
    this.next(() => rm(this.fileOf(number), { force: true }));
  }

  private keep(number: number): void {
    this.next(async () => {
      if (this.isOver) return;
      const pixels = await this.read(number);
      await rm(this.fileOf(number), { force: true });
      this.coded.push(number);
      await new Promise<void>((resolve) => {
        this.ended = resolve;
        this.pipe?.write(pixels, () => resolve());
      });
    });
  }

  private next(step: () => Promise<void>): void {
    this.work = this.work.then(step);
    // Told by whoever waits for it.
    this.work.catch(() => undefined);
  }

  /** A frame whose file is whole. */
  private async read(number: number): Promise<Buffer> {
    const { width, height } = this.options;
    const path = this.fileOf(number);
    for (let tries = 0; tries < 100; tries++) {
      if (existsSync(path) && (await stat(path)).size === frameBytes(width, height)) return readFile(path);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw this.unwritable(`frame ${number} is not whole`);
  }
}
