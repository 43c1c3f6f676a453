import { useEffect, useState } from 'react';
import { SRGBColorSpace, TextureLoader, type Texture } from 'three';

const loader = new TextureLoader();

/**
 * A picture as a texture once it has arrived; undefined before, without a URL, and where it can't be had. Disposed of
 * with its user.
 */
export function usePhoto(url: string | undefined, onLoad: () => void): Texture | undefined {
  const [texture, setTexture] = useState<Texture>();
  useEffect(() => {
    if (url === undefined) return;
    let current = true;
    let loaded: Texture | undefined;
    loader.load(url, (answer) => {
      answer.colorSpace = SRGBColorSpace;
      if (!current) return answer.dispose();
      loaded = answer;
      setTexture(answer);
      onLoad();
    });
    return () => {
      current = false;
      setTexture(undefined);
      loaded?.dispose();
    };
  }, [url, onLoad]);
  return texture;
}
