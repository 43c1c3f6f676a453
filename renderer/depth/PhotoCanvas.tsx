import { useEffect, useRef } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import type { PhotoMaps } from '../../electron/contract/photo-maps.js';
import { notify } from '../store/studio.js';
import { api } from '../transport/index.js';
import { photoOfMaps } from './maps.js';

/** The photo as its maps see it, pixel on pixel. */
export function PhotoCanvas({ photo, maps, label }: { photo: PhotoInfo; maps: PhotoMaps; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { id, width, height } = photo;
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      const response = await fetch(api.binaryUrl(`photo/${id}`), { signal: stop.signal });
      if (!response.ok) throw new Error(await response.text());
      const bitmap = await createImageBitmap(await response.blob());
      if (!stop.signal.aborted && canvas.current) {
        photoOfMaps(canvas.current, bitmap, { width, height }, maps);
        canvas.current.dataset.drawn = 'photo';
      }
      bitmap.close();
    })().catch((error: Error) => {
      if (!stop.signal.aborted) notify('error', error.message);
    });
    return () => stop.abort();
  }, [id, width, height, maps]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={label}
    />
  );
}
