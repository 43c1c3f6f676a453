/**
 * A thread that decodes one video for the engine (contract/video.ts) with the browser's own decoders, and hands frames
 * to its page. It waits for the page's word after each message, so that a slow engine is never flooded.
 */
import { ALL_FORMATS, CustomSource, Input, VideoSampleSink, type InputVideoTrack, type VideoSample } from 'mediabunny';
import type { VideoOrder } from '../../electron/contract/video.js';

export interface DecodeOrder extends VideoOrder {
  /** Of the file's pieces: `<from>/<to>` follows. */
  url: string;
}

export type FromDecoder =
  | { kind: 'frames'; width: number; height: number; length: number; frames: { seconds: number; grey: Uint8Array }[] }
  | { kind: 'picture'; index: number; jpeg: Uint8Array }
  | { kind: 'done'; error?: string };

/** Frames are handed over so many at a time. */
const BATCH = 16;
/** Bytes asked for at a time, at most. */
const PIECE = 4 * 2 ** 20;
const JPEG_QUALITY = 0.95;

let heard: (goOn: boolean) => void = () => undefined;

/** @returns whether to go on */
function tell(message: FromDecoder): Promise<boolean> {
  return new Promise((resolve) => {
    heard = resolve;
    self.postMessage(message);
  });
}

self.onmessage = ({ data }: MessageEvent<DecodeOrder | boolean>) => {
  if (typeof data === 'boolean') heard(data);
  else
    void decode(data).then(
      () => self.postMessage({ kind: 'done' } satisfies FromDecoder),
      (error: unknown) =>
        self.postMessage({ kind: 'done', error: error instanceof Error ? error.message : String(error) }),
    );
};

async function decode(order: DecodeOrder): Promise<void> {
  const source = new CustomSource({
    getSize: () => order.bytes,
    read: (from, to) => pieces(order.url, from, to),
    prefetchProfile: 'network',
  });
  using input = new Input({ source, formats: ALL_FORMATS });
  if (!(await input.canRead())) throw new Error('this is not a video that can be read');
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error('this file has no picture track');
  if (!(await track.canDecode()))
    throw new Error(
      `this system has no decoder for videos of this kind (${(await track.getCodec()) ?? 'unknown'}); install FFmpeg, or save the video as H.264`,
    );
  if (order.seconds) await take(track, order.seconds);
  else await look(track, order.side, await track.computeDuration());
}

async function pieces(url: string, from: number, to: number): Promise<Uint8Array> {
  const all = new Uint8Array(to - from);
  for (let at = from; at < to; at += PIECE) {
    const answer = await fetch(`${url}${at}/${Math.min(to, at + PIECE)}`);
    if (!answer.ok) throw new Error('the file could not be read');
    all.set(new Uint8Array(await answer.arrayBuffer()), at - from);
  }
  return all;
}

/** Every frame, small and grey. */
async function look(track: InputVideoTrack, side: number, length: number): Promise<void> {
  const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
  const scale = Math.min(1, side / Math.max(width, height));
  const [w, h] = [Math.max(24, Math.round(width * scale)), Math.max(18, Math.round(height * scale))];
  const context = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true })!;
  // The browser's own weights of the colours: the engine compares frames with one another only.
  context.filter = 'grayscale(1)';
  let frames: { seconds: number; grey: Uint8Array }[] = [];
  const hand = async (): Promise<boolean> => {
    const goOn = await tell({ kind: 'frames', width, height, length, frames });
    frames = [];
    return goOn;
  };
  for await (const sample of new VideoSampleSink(track).samples()) {
    using frame = sample;
    frame.draw(context, 0, 0, w, h);
    frames.push({ seconds: frame.timestamp, grey: everyFourth(context.getImageData(0, 0, w, h).data) });
    if (frames.length === BATCH && !(await hand())) return;
  }
  if (frames.length > 0) await hand();
}

function everyFourth(rgba: Uint8ClampedArray): Uint8Array {
  const grey = new Uint8Array(rgba.length / 4);
  for (let k = 0; k < grey.length; k++) grey[k] = rgba[4 * k]!;
  return grey;
}

/** The chosen frames, at full size. */
async function take(track: InputVideoTrack, seconds: readonly number[]): Promise<void> {
  let index = 0;
  for await (const sample of new VideoSampleSink(track).samplesAtTimestamps(seconds)) {
    if (sample && !(await tell({ kind: 'picture', index, jpeg: await picture(sample) }))) return;
    index++;
  }
}

async function picture(sample: VideoSample): Promise<Uint8Array> {
  using frame = sample;
  const { displayWidth, displayHeight } = frame;
  const canvas = new OffscreenCanvas(displayWidth, displayHeight);
  frame.draw(canvas.getContext('2d')!, 0, 0, displayWidth, displayHeight);
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY });
  return new Uint8Array(await blob.arrayBuffer());
}
