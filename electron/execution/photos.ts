import type { z } from 'zod';
import type { Photo } from '../geometry/types.js';
import { readImageFile, readPhotoFile } from '../photos/read-file.js';
import { readPixels } from '../photos/reader.js';
import type { UnreadPicture } from '../sparse/worker.js';
import type { featuresRequest, SentPhoto } from './schemas.js';
import type { BlobFolder } from './store.js';

type FeaturesRequest = z.infer<typeof featuresRequest>;

/** Puts a photo's file, and its mask's, into the store: whoever computes reads them by the hash of their content. */
export async function sendPhoto(
  { photo, size, ...rest }: UnreadPicture & Pick<FeaturesRequest, 'kind' | 'options'>,
  store: BlobFolder,
): Promise<FeaturesRequest> {
  const { id, name, width, height, mask } = photo;
  const sent: SentPhoto = { file: await store.put(await readPhotoFile(photo)), id, name, width, height };
  if (mask) {
    const { id: maskId, channel, inverted } = mask;
    sent.mask = { file: await store.put(await readImageFile(mask.path)), id: maskId, channel, inverted };
  }
  return { ...rest, photo: sent, size };
}

/** The request as this machine's threads take it: with the pixels. @throws LostBlob */
export async function readSentPhoto(
  { photo, size, ...rest }: FeaturesRequest,
  store: BlobFolder,
): Promise<Record<string, unknown>> {
  const { file, mask, ...facts } = photo;
  const local = {
    ...facts,
    path: await store.file(file),
    ...(mask ? { mask: { ...mask, path: await store.file(mask.file) } } : {}),
  };
  // What reading needs of a photo, and no more, has come.
  return { ...rest, ...(await readPixels(local as unknown as Photo, size)) };
}
