import type { VideoCodec } from 'mediabunny';
import { setStudio, studio } from '../store/studio.js';
import { t } from '../words/index.js';
import { currentViewer } from '../viewer/handle.js';
import { download } from './download.js';

export interface TurntableOptions {
  /** Of one turn. */
  seconds: number;
  framesPerSecond: number;
  /** Pixels of the long side at most: what every player shows. */
  longSide: number;
  /** Bits of video a second and pixel; leaves and gravel need about twice of what films do. */
  bitsPerPixel: number;
}
export const TURNTABLE_DEFAULTS: TurntableOptions = {
  seconds: 10,
  framesPerSecond: 30,
  longSide: 1920,
  bitsPerPixel: 0.2,
};

/**
 * One turn of the view about up, as a video that the page itself encodes (WebCodecs). Each frame is drawn whole before it
 * is taken, however long that takes.
 *
 * @param signal ends it without a file
 * @throws Error where the browser can't encode video
 */
export async function recordTurntable(signal: AbortSignal, options = TURNTABLE_DEFAULTS): Promise<void> {
  const { seconds, framesPerSecond, longSide, bitsPerPixel } = options;
  const viewer = currentViewer();
  if (!viewer) return;
  const source = viewer.turntable(0);
  const shrink = Math.min(1, longSide / Math.max(source.width, source.height));
  // Encoders take even sizes only.
  const [width, height] = [source.width, source.height].map((side) => 2 * Math.floor((side * shrink) / 2)) as [
    number,
    number,
  ];
  const canvas = new OffscreenCanvas(width, height);
  const picture = canvas.getContext('2d')!;
  const bitrate = Math.round(width * height * framesPerSecond * bitsPerPixel);
  const { file, type, add, finish, cancel } = await openVideo(canvas, bitrate);
  const frames = Math.round(seconds * framesPerSecond);
  let turned = 0;
  try {
    for (let k = 0; k < frames; k++) {
      if (signal.aborted) return await cancel();
      setStudio({ recording: { done: k, total: frames } });
      const step = k === 0 ? 0 : 1 / frames;
      picture.drawImage(viewer.turntable(step), 0, 0, width, height);
      turned += step;
      await add(k / framesPerSecond, 1 / framesPerSecond);
      await new Promise(requestAnimationFrame);
    }
    download(new Blob([await finish()], { type }), `${studio().project!.name} turntable.${file}`);
  } finally {
    // Where it began, also when it was ended half-way.
    viewer.turntable(1 - turned);
    setStudio({ recording: undefined });
  }
}

/** An encoder and a file in memory, of the first kind that this browser can make. Loaded when it is asked for. */
async function openVideo(canvas: OffscreenCanvas, bitrate: number) {
  const { BufferTarget, CanvasSource, getFirstEncodableVideoCodec, Mp4OutputFormat, Output, WebMOutputFormat } =
    await import('mediabunny');
  const wanted: VideoCodec[] = ['avc', 'vp9', 'vp8'];
  const { width, height } = canvas;
  const codec =
    typeof VideoEncoder === 'undefined' ? null : await getFirstEncodableVideoCodec(wanted, { width, height, bitrate });
  if (codec === null) throw new Error(t('this browser can’t encode video; use Chrome or Edge, or the desktop studio'));
  const isMp4 = codec === 'avc';
  const target = new BufferTarget();
  const output = new Output({ format: isMp4 ? new Mp4OutputFormat() : new WebMOutputFormat(), target });
  const source = new CanvasSource(canvas, { codec, bitrate });
  output.addVideoTrack(source);
  await output.start();
  return {
    file: isMp4 ? 'mp4' : 'webm',
    type: isMp4 ? 'video/mp4' : 'video/webm',
    add: (at: number, duration: number) => source.add(at, duration),
    finish: async () => {
      await output.finalize();
      return target.buffer!;
    },
    cancel: () => output.cancel(),
  };
}
