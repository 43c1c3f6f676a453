import { randomUUID } from 'node:crypto';
import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegular } from '../compute/regular-file.js';
import type { EventName, EventPayload, Params, Result } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import type { VideoOrder } from '../contract/video.js';
import { FrameTally, lookedAtSize, SIDE } from '../video/analyse.js';
import type { LookedAt, TwoPasses, VideoProgress } from '../video/reader.js';

/** A window that is there answers at once; one that is decoding, after every few frames. */
export const PATIENCE = { claim: 5_000, frames: 60_000 };
/** No piece of a file is longer. */
const PIECE = 8 * 2 ** 20;

interface Order {
  path: string;
  order: VideoOrder;
  claimed: boolean;
  /** Somebody is at work. */
  alive(): void;
  frames(frames: Params<'video.frames'>): void;
  picture(picture: Params<'video.picture'>): Promise<void>;
  end(error?: UserError): void;
}

type Emit = <N extends EventName>(name: N, payload: EventPayload<N>) => void;

/**
 * Reads videos with the decoders of a window of the studio (contract/video.ts). The window only decodes: which frames
 * are chosen is decided here, from the same figures as with FFmpeg.
 */
export class PageVideos implements TwoPasses {
  private readonly orders = new Map<string, Order>();

  constructor(
    private readonly emit: Emit,
    private readonly patience = PATIENCE,
  ) {}

  async look(path: string, { signal, onProgress }: VideoProgress): Promise<LookedAt> {
    const times: number[] = [];
    let tally: FrameTally | undefined;
    let length = 0;
    await this.ask(path, { side: SIDE }, signal, {
      frames: (given) => {
        const { width, height } = lookedAtSize(given.width, given.height);
        tally ??= new FrameTally(width, height);
        for (const { seconds, grey } of given.frames) {
          const pixels = Buffer.from(grey, 'base64');
          if (pixels.length !== width * height) throw new UserError('usage', 'a frame of another size than was told');
          tally.add(pixels);
          times.push(seconds);
        }
        length = given.length;
        const last = times[times.length - 1];
        if (last !== undefined && length > 0) onProgress?.(Math.min(1, last / length));
      },
    });
    if (!tally?.count) throw new UserError('bad-input', `no picture of this video could be decoded: ${path}`);
    const perFrame = (times[times.length - 1]! - times[0]!) / Math.max(1, times.length - 1);
    const announced = perFrame > 0 ? Math.round(length / perFrame) : tally.count;
    return { frames: tally.result(), times: Float64Array.from(times), announced: Math.max(tally.count, announced) };
  }

  async take(
    path: string,
    frames: readonly { seconds: number }[],
    folder: string,
    { signal, onProgress }: VideoProgress,
  ): Promise<string[]> {
    const files: string[] = [];
    const seconds = frames.map((frame) => frame.seconds);
    await this.ask(path, { side: SIDE, seconds }, signal, {
      picture: async ({ index, jpeg, last }) => {
        if (index >= frames.length) throw new UserError('usage', 'a frame that nobody asked for');
        const name = `${String(index).padStart(8, '0')}.jpg`;
        await appendFile(join(folder, name), Buffer.from(jpeg, 'base64'));
        if (!last) return;
        files.push(name);
        onProgress?.(files.length / frames.length);
      },
    });
    return files.sort();
  }

  /** @throws UserError 'not-found' */
  async bytes(id: string, from: number, to: number): Promise<Uint8Array> {
    const order = this.orders.get(id);
    if (!order || !(from >= 0 && to > from && to <= order.order.bytes && to - from <= PIECE))
      throw new UserError('not-found', 'there is no such piece of a video');
    const { file } = await openRegular(order.path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(to - from), 0, to - from, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  claim({ order: id }: Params<'video.claim'>): Result<'video.claim'> {
    const order = this.orders.get(id);
    if (!order || order.claimed) return null;
    order.claimed = true;
    order.alive();
    return order.order;
  }

  frames(given: Params<'video.frames'>): Result<'video.frames'> {
    const order = this.orders.get(given.order);
    order?.alive();
    order?.frames(given);
    return { goOn: order !== undefined };
  }

  async picture(given: Params<'video.picture'>): Promise<Result<'video.picture'>> {
    const order = this.orders.get(given.order);
    order?.alive();
    await order?.picture(given);
    return { goOn: order !== undefined };
  }

  done({ order: id, error }: Params<'video.done'>): null {
    const order = this.orders.get(id);
    order?.end(error === undefined ? undefined : new UserError('bad-input', `${error}: ${order.path}`));
    return null;
  }

  private async ask(
    path: string,
    what: Omit<VideoOrder, 'bytes'>,
    signal: AbortSignal | undefined,
    on: Partial<Pick<Order, 'frames' | 'picture'>>,
  ): Promise<void> {
    signal?.throwIfAborted();
    const { size } = await stat(path);
    const id = randomUUID();
    let [resolve, reject]: [() => void, (reason: unknown) => void] = [() => undefined, () => undefined];
    const done = new Promise<void>((...ends) => ([resolve, reject] = ends));
    const none = (reason: string): void => reject(new UserError('not-found', `${reason}: ${path}`));
    let timer = setTimeout(
      () =>
        none(
          'videos are read by ffmpeg, which is not installed, or by an open window of the studio; install FFmpeg (on Debian: apt install ffmpeg), name it in POINTMAP_FFMPEG, or add the video in the studio',
        ),
      this.patience.claim,
    );
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(
        () => none('the window that decoded this video has gone; add the video again'),
        this.patience.frames,
      );
    };
    const stop = (): void => reject(signal!.reason);
    signal?.addEventListener('abort', stop, { once: true });
    this.orders.set(id, {
      path,
      order: { bytes: size, ...what },
      claimed: false,
      alive,
      frames: (given) => on.frames?.(given),
      picture: async (given) => on.picture?.(given),
      end: (error) => (error ? reject(error) : resolve()),
    });
    try {
      this.emit('video.wanted', { order: id });
      await done;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      this.orders.delete(id);
    }
  }
}
