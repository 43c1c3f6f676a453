import { useCallback, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { moved, pictureAt, whole, zoomed, type Zoom } from './zoom.js';

const KEYS: Readonly<Record<string, (zoom: Zoom) => Zoom>> = {
  '+': (zoom) => zoomed(zoom, 1.5),
  '=': (zoom) => zoomed(zoom, 1.5),
  '-': (zoom) => zoomed(zoom, 1 / 1.5),
  '0': () => whole,
  ArrowLeft: (zoom) => moved(zoom, 0.1, 0),
  ArrowRight: (zoom) => moved(zoom, -0.1, 0),
  ArrowUp: (zoom) => moved(zoom, 0, 0.1),
  ArrowDown: (zoom) => moved(zoom, 0, -0.1),
};

/** Wheel, drag and keys over any of the pictures that are zoomed together; what the pointer is over is told. */
export function useZooming(
  zoom: Zoom,
  setZoom: (change: (zoom: Zoom) => Zoom) => void,
  setAt: (at: { x: number; y: number } | undefined) => void,
) {
  const dragged = useRef<readonly [number, number]>(undefined);
  const place = ({ currentTarget, clientX, clientY }: PointerEvent<HTMLElement>): readonly [number, number] => {
    const box = currentTarget.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  // React listens for the wheel passively: the page would scroll as well.
  const ref = useCallback(
    (element: HTMLElement | null) => {
      if (!element) return;
      const wheel = (event: WheelEvent): void => {
        event.preventDefault();
        const box = element.getBoundingClientRect();
        const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
        setZoom((now) => zoomed(now, Math.exp(-event.deltaY / 300), x, y));
      };
      element.addEventListener('wheel', wheel, { passive: false });
      return () => element.removeEventListener('wheel', wheel);
    },
    [setZoom],
  );
  return {
    ref,
    onPointerDown: (event: PointerEvent<HTMLElement>): void => {
      event.currentTarget.setPointerCapture(event.pointerId);
      dragged.current = place(event);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>): void => {
      const [x, y] = place(event);
      const from = dragged.current;
      if (from) {
        setZoom((now) => moved(now, x - from[0], y - from[1]));
        dragged.current = [x, y];
      } else setAt(pictureAt(zoom, x, y));
    },
    onPointerUp: (): void => {
      dragged.current = undefined;
    },
    onPointerLeave: (): void => setAt(undefined),
    onDoubleClick: (): void => setZoom(() => whole),
    onKeyDown: (event: KeyboardEvent): void => {
      const change = KEYS[event.key];
      if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      setZoom(change);
    },
  };
}
