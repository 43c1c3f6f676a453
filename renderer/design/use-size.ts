import { useCallback, useRef, useState } from 'react';

export interface Size {
  width: number;
  height: number;
}

/** The size of an element in whole pixels, and the ref to give it; nought until it is known. */
export function useSize(): [ref: (element: HTMLElement | null) => void, size: Size] {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const observer = useRef<ResizeObserver>(null);
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(([entry]) =>
      setSize({ width: Math.floor(entry!.contentRect.width), height: Math.floor(entry!.contentRect.height) }),
    );
    observer.current.observe(element);
  }, []);
  return [ref, size];
}
