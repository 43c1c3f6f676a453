import { useEffect, useRef } from 'react';
import type { PhotoMaps } from '../../electron/contract/photo-maps.js';
import { coloured, type MapKind } from './maps.js';

/** A map drawn in colours, at its own size; style makes it larger. */
export function MapCanvas({
  maps,
  kind,
  scale,
  label,
}: {
  maps: PhotoMaps | undefined;
  kind: MapKind;
  scale: readonly number[] | undefined;
  label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!maps || !canvas.current) return;
    canvas.current.width = maps.width;
    canvas.current.height = maps.height;
    canvas.current.getContext('2d')!.putImageData(coloured(maps, kind, scale), 0, 0);
    canvas.current.dataset.drawn = kind;
  }, [maps, kind, scale]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={label}
    />
  );
}
