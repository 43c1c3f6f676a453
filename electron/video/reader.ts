import type { FrameFacts } from './analyse.js';

/** What was seen of a video's frames. */
export interface LookedAt {
  frames: FrameFacts;
  /** Seconds of each frame since the first. */
  times: Float64Array;
  /** Frames that the container speaks of; more than were decoded when the video is cut off. */
  announced: number;
  /** Seconds that the container speaks of, where it does: more than the frames span when the video is cut off. */
  seconds?: number | undefined;
  /** What the decoder complained of, in its words. */
  damage?: string | undefined;
  /** What was decoded, where it was not all: there was enough of it. */
  part?: Part;
}

/** All frames, those that others are built on, or those that stand for themselves. */
export type Part = 'all' | 'references' | 'keys';

/** What of a video is decoded. */
export interface Reach {
  /** So many frames are enough to choose from. */
  enough?: number | undefined;
  /** As `look` said. */
  part?: Part | undefined;
}

export interface VideoProgress {
  signal?: AbortSignal | undefined;
  /** @param share of the video that was decoded, 0 to 1 */
  onProgress?: (share: number) => void;
}

/** Frames that were written while all were looked at. */
export interface Spooled {
  seen: LookedAt;
  /** By a frame's number, its file in the folder: one of each neighbourhood, the sharpest. */
  files: ReadonlyMap<number, string>;
}

/**
 * Who decodes videos: an installed FFmpeg (ffmpeg-reader.ts), or a window of the studio, whose browser has decoders
 * (engine/page-videos.ts). Frames are upright. Decoding is what takes the time, so that one pass is preferred.
 */
export type VideoReader = OnePass | TwoPasses;

export interface OnePass {
  /**
   * Decodes frames once: all, or of those that others are built on, or that stand for themselves, where such are enough.
   * Of each neighbourhood the sharpest is written at full size, as JPEG, into a folder.
   *
   * @param neighbourhoods into how many the video is parted, given its seconds
   * @throws UserError 'bad-input' for what is no video or has no frame that can be decoded, 'not-found' when the file
   * or the decoder is missing; the signal's reason
   */
  spool(
    path: string,
    folder: string,
    progress: VideoProgress & Pick<Reach, 'enough'> & { neighbourhoods: (seconds: number) => number },
  ): Promise<Spooled>;
}

export interface TwoPasses {
  /**
   * Decodes frames, small and grey: all, or of those that others are built on, or that stand for themselves, where such are
   * enough.
   *
   * @throws UserError 'bad-input' for what is no video or has no frame that can be decoded, 'not-found' when the file
   * or the decoder is missing; the signal's reason
   */
  look(path: string, progress: VideoProgress & Pick<Reach, 'enough'>): Promise<LookedAt>;
  /**
   * Decodes once more and writes frames of full size, as JPEG, into a folder.
   *
   * @param frames ascending, by number from 0, as `look` counted and timed them
   * @returns their file names, in order; fewer than asked for where a frame could not be decoded
   */
  take(
    path: string,
    frames: readonly { number: number; seconds: number }[],
    folder: string,
    progress: VideoProgress & Pick<Reach, 'part'>,
  ): Promise<string[]>;
}
