import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { UserError } from '../contract/errors.js';
import type { MaskReference, PhotoId, VideoFrame } from '../geometry/types.js';
import { discoverVideos, type Refusal } from '../photos/discover.js';
import type { Project } from '../project/project.js';
import { findFfmpeg } from '../video/ffmpeg.js';
import { extractFrames, type ExtractOptions } from '../video/frames.js';
import type { VideoReader } from '../video/reader.js';

/** How frames of videos are chosen. */
export type VideoChoice = Pick<ExtractOptions, 'frames' | 'perSecond'>;

export interface ExpandedPaths {
  /** Photos as they were given, and the frames of videos. */
  paths: string[];
  /** By the path of a frame's picture. */
  frameOf: Map<string, VideoFrame>;
  refused: Refusal[];
}

export interface ExpandContext {
  signal?: AbortSignal;
  note: (message: string) => void;
  /** @param share of all videos, 0 to 1 */
  onProgress?: (video: string, share: number) => void;
  /** Who decodes where no FFmpeg is installed. */
  reader?: VideoReader | undefined;
}

/** Where the frames of a project's videos lie: beside its file. */
export const frameFolder = (projectPath: string): string => `${projectPath}.frames`;

/**
 * Frames instead of videos: one bad video never stops the others, it comes back in `refused`.
 *
 * @throws the signal's reason; UserError 'not-found' when a program that reads videos is missing
 */
export async function expandVideos(
  given: readonly string[],
  cache: string,
  choice: VideoChoice,
  { signal, note, onProgress, reader }: ExpandContext,
): Promise<ExpandedPaths> {
  const { videos, others } = await discoverVideos(given);
  const expanded: ExpandedPaths = { paths: [...others], frameOf: new Map(), refused: [] };
  const options = Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined));
  for (const [k, video] of videos.entries()) {
    const progress = (share: number): void => onProgress?.(basename(video), (k + share) / videos.length);
    progress(0);
    try {
      const { frames, notes } = await extractFrames(video, cache, {
        ...options,
        ...(reader && !findFfmpeg() ? { reader } : {}),
        signal,
        onProgress: progress,
      });
      for (const line of notes) note(line);
      for (const { path, frame } of frames) {
        expanded.paths.push(path);
        expanded.frameOf.set(path, frame);
      }
    } catch (error) {
      if (signal?.aborted || !(error instanceof UserError)) throw error;
      expanded.refused.push({ path: video, reason: withoutPath(error.message, video) });
    }
  }
  return expanded;
}

const withoutPath = (message: string, path: string): string =>
  message.endsWith(`: ${path}`) ? message.slice(0, -path.length - 2) : message;

/** Where a photo and its mask lie in a copy of a project. */
export interface CopiedPhoto {
  path: string;
  mask?: MaskReference | undefined;
}

/**
 * Copies the frames of a project's videos and the views of its wide pictures beside another file of it.
 *
 * @returns where they are now, by photo id
 */
export async function copyFrames(project: Project, target: string): Promise<Map<PhotoId, CopiedPhoto>> {
  const from = frameFolder(project.path);
  const to = frameFolder(target);
  const moved = new Map<PhotoId, CopiedPhoto>();
  for (const { id, path, mask } of project.photos()) {
    const there = (own: string): string => (own.startsWith(from + sep) ? to + own.slice(from.length) : own);
    if (there(path) !== path || (mask && there(mask.path) !== mask.path))
      moved.set(id, { path: there(path), ...(mask ? { mask: { ...mask, path: there(mask.path) } } : {}) });
  }
  if (moved.size > 0 && from !== to && existsSync(from)) await cp(from, to, { recursive: true });
  return moved;
}
