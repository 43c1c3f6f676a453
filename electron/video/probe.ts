import { openRegular } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import { runFfmpeg } from './ffmpeg.js';

/** What its pictures are like. */
export interface VideoShape {
  /** Upright size in square pixels: rotation and the pixels' own shape applied. */
  width: number;
  height: number;
  /** Width of a stored pixel over its height. */
  pixelRatio: number;
  /** Each frame holds two half pictures that were taken one after the other. */
  interlaced: boolean;
  /** Seconds that the container says the picture track lasts; undefined where it says nothing. */
  seconds?: number | undefined;
}

export interface VideoFacts extends VideoShape {
  /** Seconds of each frame from the video's start, ascending, as far as the container tells. */
  times: Float64Array;
  /** Seconds of those that stand for themselves (a decoder can begin there). */
  keys: Float64Array;
}

interface Stream {
  width?: number;
  height?: number;
  duration?: string;
  field_order?: string;
  sample_aspect_ratio?: string;
  side_data_list?: { rotation?: number }[];
  tags?: { rotate?: string };
}

interface Probe {
  streams?: Stream[];
  format?: { duration?: string };
}

const ENTRIES =
  'stream=width,height,duration,field_order,sample_aspect_ratio:stream_tags=rotate:stream_side_data=rotation:format=duration';
/** The first picture track; `V` passes over a cover, which is a track of one picture. */
const TRACK = ['-select_streams', 'V:0'];

/**
 * Size and shape of a video's first picture track, from the container's head.
 *
 * @throws UserError 'bad-input' when the file can't be read or holds no video
 */
export async function shapeOf(path: string, signal?: AbortSignal): Promise<VideoShape> {
  const { text, complaint } = await output([...TRACK, '-show_entries', ENTRIES], ['-of', 'json', path], signal);
  const { streams, format } = text === undefined ? {} : (JSON.parse(text) as Probe);
  const stream = streams?.[0];
  if (!stream?.width || !stream.height)
    throw new UserError('bad-input', `${await reason(path, text !== undefined, complaint)}: ${path}`);
  const turn = Number(stream.side_data_list?.find(({ rotation }) => rotation)?.rotation ?? stream.tags?.rotate ?? 0);
  const pixelRatio = ratioOf(stream.sample_aspect_ratio);
  const [across, down] = [Math.round(stream.width * pixelRatio), stream.height];
  const [width, height] = Math.abs(turn) % 180 === 90 ? [down, across] : [across, down];
  const seconds = [stream.duration, format?.duration].map(Number).find((value) => value > 0);
  const interlaced = ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? '');
  return { width, height, pixelRatio, seconds, interlaced };
}

/**
 * The same, and time stamps: the whole container is read, nothing is decoded.
 *
 * @throws UserError as shapeOf
 */
export async function probe(path: string, signal?: AbortSignal): Promise<VideoFacts> {
  const shape = await shapeOf(path, signal);
  const { text: packets } = await output(
    [...TRACK, '-show_entries', 'packet=pts_time,flags'],
    ['-of', 'csv=p=0', path],
    signal,
  );
  const lines = (packets ?? '').split('\n').filter((line) => Number.isFinite(Number.parseFloat(line)));
  const secondsOf = (some: readonly string[]) => Float64Array.from(some, (line) => Number.parseFloat(line)).sort();
  const times = secondsOf(lines);
  const keys = secondsOf(lines.filter((line) => line.includes(',K')));
  const start = times[0] ?? 0;
  return {
    ...shape,
    times: times.map((time) => time - start),
    keys: keys.map((time) => time - start),
  };
}

/** '4:3' is four wide and three high; '0:1' and '1:1' say that pixels are square. */
function ratioOf(text: string | undefined): number {
  const [wide, high] = (text ?? '').split(':').map(Number);
  const ratio = wide! > 0 && high! > 0 ? wide! / high! : 1;
  // Programs that scale to whole pixels write what they rounded by.
  return Math.abs(ratio - 1) < 0.01 ? 1 : ratio;
}

/** Why a file without a picture track has none. @param opened the container could be read */
async function reason(path: string, opened: boolean, complaint: string): Promise<string> {
  const head = await headOf(path);
  if (head === '') return 'the file is empty (0 bytes); copy it again from the camera';
  if (opened) return 'this file holds no picture track, only sound or data; choose another';
  if (/moov atom not found/i.test(complaint) && /^....(ftyp|mdat|wide|free|skip)/s.test(head))
    return 'this recording was not finished or is cut off: its index, at its end, is missing; copy it again from the camera';
  return 'this is not a video that can be read, or it is damaged; copy it again or convert it';
}

/** The first bytes, a letter each. */
async function headOf(path: string): Promise<string> {
  const { file } = await openRegular(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function output(
  entries: string[],
  rest: string[],
  signal?: AbortSignal,
): Promise<{ text?: string; complaint: string }> {
  const parts: Buffer[] = [];
  const { code, complaint } = await runFfmpeg('ffprobe', ['-v', 'error', ...entries, ...rest], {
    signal,
    onData: (chunk) => void parts.push(chunk),
  });
  return { complaint, ...(code === 0 ? { text: Buffer.concat(parts).toString('utf8') } : {}) };
}
