import type { Writable } from 'node:stream';
import { UserError } from '../contract/errors.js';
import { runFfmpeg } from './ffmpeg.js';

/** Quality of FFmpeg's JPEG encoder, 2 (best) to 31. */
const JPEG_QUALITY = 2;
/** Frames that wait for the encoder before the decoder does. */
const WAITING = 3;

export interface SpoolOptions {
  width: number;
  height: number;
  /** Where the JPEGs go. */
  folder: string;
  /** Frames that are expected, and into how many neighbourhoods they are parted. */
  expected: number;
  neighbourhoods: number;
  /** Of a frame whose sharpness is known. */
  sharpnessOf: (frame: number) => number;
  signal?: AbortSignal | undefined;
}

interface Held {
  number: number;
  pixels: Uint8Array<ArrayBuffer>;
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
export const SPOOL_FORMAT = 'yuv420p';

/**
 * Frames of full size as they are decoded; of each neighbourhood the sharpest is written. Frames are parted evenly by
 * their number; where more come than were expected, neighbourhoods grow. A handful of frames is in memory at a time.
 *
 * To write every frame instead takes 15 to 24 ms of a processor for each of 1080p, more than decoding it.
 */
export class FrameSpool {
  /** Numbers of the frames that were written, in order of their files. */
  private readonly written: number[] = [];
  private readonly unjudged: Held[] = [];
  private readonly spare: Uint8Array<ArrayBuffer>[] = [];
  /** The sharpest of the neighbourhood that is being decoded, and the frame at which the next one begins. */
  private best: Held | undefined;
  private end = 0;
  private filling: Uint8Array<ArrayBuffer>;
  private filled = 0;
  private count = 0;
  private waiting = 0;
  /** Goes on with what waits for the encoder. */
  private goOn: () => void = () => undefined;
  private pipe: Writable | undefined;
  private readonly encoder: Promise<{ code: number; complaint: string }>;
  private isOver = false;

  constructor(private readonly options: SpoolOptions) {
    const { width, height, folder, signal } = options;
    this.filling = new Uint8Array(frameBytes(width, height));
    this.encoder = runFfmpeg(
      'ffmpeg',
      [
        ...['-v', 'error', '-f', 'rawvideo', '-pix_fmt', SPOOL_FORMAT, '-s', `${width}x${height}`, '-i', 'pipe:0'],
        ...['-vf', 'scale=in_range=tv:out_range=pc,format=yuvj420p', '-vsync', 'passthrough'],
        ...['-q:v', String(JPEG_QUALITY), '-qmin', '1', `${folder}/%08d.jpg`],
      ],
      { signal, onInput: (input) => (this.pipe = input) },
    );
    const end = (): void => {
      this.isOver = true;
      this.goOn();
    };
    this.encoder.then(end, end);
  }

  /** Takes the decoder's bytes. Resolved when there is room for more. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, this.filling.length - this.filled);
      this.filling.set(chunk.subarray(at, at + taken), this.filled);
      at += taken;
      this.filled += taken;
      if (this.filled < this.filling.length) continue;
      this.unjudged.push({ number: this.count++, pixels: this.filling });
      this.filling = this.spare.pop() ?? new Uint8Array(this.filling.length);
      this.filled = 0;
    }
    while (this.waiting >= WAITING && !this.isOver) await new Promise<void>((resolve) => (this.goOn = resolve));
  }

  /** Judges the frames that have come, as far as their sharpness is known. @param known frames of which it is */
  judge(known: number): void {
    const { expected, neighbourhoods, sharpnessOf } = this.options;
    while (this.unjudged.length > 0 && this.unjudged[0]!.number < known) {
      const { number, pixels } = this.unjudged.shift()!;
      const isNext = number >= this.end;
      if (isNext) this.end += Math.max(1, Math.max(expected, number) / neighbourhoods);
      const { best } = this;
      if (!isNext && best && sharpnessOf(best.number) >= sharpnessOf(number)) {
        this.spare.push(pixels);
        continue;
      }
      if (isNext) this.write();
      else if (best) this.spare.push(best.pixels);
      this.best = { number, pixels };
    }
  }

  /**
   * Writes what is left and waits for the encoder.
   *
   * @returns files in the folder by number of their frame
   * @throws UserError 'unwritable' when pictures could not be written
   */
  async finish(known: number): Promise<Map<number, string>> {
    this.judge(known);
    this.write();
    this.pipe?.end();
    const { code, complaint } = await this.encoder;
    if (code !== 0)
      throw new UserError(
        'unwritable',
        `frames of a video could not be written (${complaint.trim().split('\n')[0]}); make room on this disk: ${this.options.folder}`,
      );
    return new Map(this.written.map((number, k) => [number, `${String(k + 1).padStart(8, '0')}.jpg`]));
  }

  /** Ends the encoder when the decoder has failed. */
  async abandon(): Promise<void> {
    this.pipe?.end();
    await this.encoder.catch(() => undefined);
  }

  private write(): void {
    const { best } = this;
    this.best = undefined;
    if (!best || this.isOver) return;
    this.written.push(best.number);
    this.waiting++;
    this.pipe?.write(best.pixels, () => {
      this.waiting--;
      this.spare.push(best.pixels);
      this.goOn();
    });
  }
}
