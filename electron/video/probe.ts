import { UserError } from '../contract/errors.js';
import { runFfmpeg } from './ffmpeg.js';

export interface VideoFacts {
  /** Upright size: rotation applied. */
  width: number;
  height: number;
  /** Seconds of each frame from the video's start, ascending, as far as the container tells. */
  times: Float64Array;
  /** Seconds of those that stand for themselves (a decoder can begin there). */
  keys: Float64Array;
}

interface Probe {
  streams?: {
    width?: number;
    height?: number;
    side_data_list?: { rotation?: number }[];
    tags?: { rotate?: string };
  }[];
}

/**
 * Size and time stamps of a video's first picture track, from the container; nothing is decoded.
 *
 * @throws UserError 'bad-input' when the file can't be read or holds no video
 */
export async function probe(path: string, signal?: AbortSignal): Promise<VideoFacts> {
  const text = await output(
    ['-select_streams', 'v:0', '-show_entries', 'stream=width,height:stream_tags=rotate:stream_side_data=rotation'],
    ['-of', 'json', path],
    signal,
  );
  const stream = text === undefined ? undefined : (JSON.parse(text) as Probe).streams?.[0];
  if (!stream?.width || !stream.height)
    throw new UserError('bad-input', `this is not a video that can be read, or it has no picture track: ${path}`);
  const turn = Number(stream.side_data_list?.find(({ rotation }) => rotation)?.rotation ?? stream.tags?.rotate ?? 0);
  const sideways = Math.abs(turn) % 180 === 90;
  const [width, height] = sideways ? [stream.height, stream.width] : [stream.width, stream.height];
  const packets = await output(
    ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time,flags'],
    ['-of', 'csv=p=0', path],
    signal,
  );
  const lines = (packets ?? '').split('\n').filter((line) => Number.isFinite(Number.parseFloat(line)));
  const secondsOf = (some: readonly string[]) => Float64Array.from(some, (line) => Number.parseFloat(line)).sort();
  const times = secondsOf(lines);
  const keys = secondsOf(lines.filter((line) => line.includes(',K')));
  const start = times[0] ?? 0;
  return { width, height, times: times.map((time) => time - start), keys: keys.map((time) => time - start) };
}

async function output(entries: string[], rest: string[], signal?: AbortSignal): Promise<string | undefined> {
  const parts: Buffer[] = [];
  const { code } = await runFfmpeg('ffprobe', ['-v', 'error', ...entries, ...rest], {
    signal,
    onData: (chunk) => parts.push(chunk),
  });
  return code === 0 ? Buffer.concat(parts).toString('utf8') : undefined;
}
