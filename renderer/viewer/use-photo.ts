import { useEffect, useState } from 'react';
import { ImageBitmapLoader, SRGBColorSpace, Texture } from 'three';

/** Decodes beside the page's thread, and the right way up for a texture, which takes bitmaps as they are. */
let loader: ImageBitmapLoader | undefined;
const bitmaps = (): ImageBitmapLoader =>
  (loader ??= new ImageBitmapLoader().setOptions({ imageOrientation: 'flipY', premultiplyAlpha: 'none' }));

/** Each goes to the graphics processor with the next frame: hundreds in one took half a second. */
const PICTURES_A_FRAME = 4;
const arrived: (() => void)[] = [];

function whenItsTurn(take: () => void): void {
  arrived.push(take);
  if (arrived.length === 1) requestAnimationFrame(takeSome);
}

function takeSome(): void {
  for (const take of arrived.splice(0, PICTURES_A_FRAME)) take();
  if (arrived.length > 0) requestAnimationFrame(takeSome);
}

/**
 * A picture as a texture once it has arrived; undefined before, without a URL, and where it can't be had. Disposed of
 * with its user.
 */
export function usePhoto(url: string | undefined, onLoad: () => void): Texture | undefined {
  const [texture, setTexture] = useState<Texture>();
  useEffect(() => {
    if (url === undefined) return;
    let current = true;
    bitmaps().load(url, (bitmap) =>
      whenItsTurn(() => {
        if (!current) return bitmap.close();
        const loaded = new Texture(bitmap);
        loaded.flipY = false;
        loaded.colorSpace = SRGBColorSpace;
        loaded.needsUpdate = true;
        loaded.addEventListener('dispose', () => bitmap.close());
        setTexture(loaded);
        onLoad();
      }),
    );
    return () => {
      current = false;
      setTexture(undefined);
    };
  }, [url, onLoad]);
  // Not with the cleanup above: a frame drawn before the next commit would still show it, and upload a closed bitmap.
  useEffect(() => () => texture?.dispose(), [texture]);
  return texture;
}
