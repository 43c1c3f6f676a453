/**
 * Videos that a window of the studio decodes for the engine, where no FFmpeg is installed: the browser in it has the
 * decoders. The engine orders (`video.wanted`), one window takes the order (`video.claim`), reads the file in pieces
 * (the binary resource `video/<order>/<from>/<to>`, bytes, the last excluded) and answers with frames.
 */
import { z } from 'zod';

const order = z.object({ order: z.string() });
/** Bytes in base64: the contract's other questions are JSON too, and frames are small. */
const bytes = z.base64();

/** Told by the engine: somebody is wanted for this order. */
export const videoWanted = order;
/** How far reading videos is, 0 to 1; null when none is being read. */
export const videoProgress = z.object({ video: z.string(), share: z.number() }).nullable();

/** What is to be decoded, told to the first window that claims it; null for all others. */
export const videoOrder = z
  .object({
    bytes: z.number(),
    /** Frames wanted at full size as JPEG, ascending; absent: every frame, grey, its long side reduced to `side`. */
    seconds: z.array(z.number()).optional(),
    side: z.number(),
  })
  .nullable();
export type VideoOrder = NonNullable<z.infer<typeof videoOrder>>;

/** The next frames of an order, upright, in the order of time. */
export const videoFrames = order.extend({
  /** Of the whole video, upright. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  /** Seconds of the video's length, as far as it is known. */
  length: z.number(),
  frames: z
    .array(
      z.object({
        seconds: z.number(),
        /** Grey pixels, row by row, of `lookedAtSize`. */
        grey: bytes,
      }),
    )
    .max(64),
});
export type VideoFrames = z.infer<typeof videoFrames>;

/** A part of a JPEG: messages have a limit. */
export const videoPicture = order.extend({ index: z.number().int().nonnegative(), jpeg: bytes, last: z.boolean() });

/** @see VideoFrames `error`: why it could not be done, without the path */
export const videoDone = order.extend({ error: z.string().max(500).optional() });

/** True: go on. False: nobody waits for it any more. */
export const videoGoOn = z.object({ goOn: z.boolean() });
