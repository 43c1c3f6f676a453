import { useLayoutEffect, useRef, type RefObject } from 'react';

/**
 * Marks a row of controls as `short` where it would be wider than its room with the words beside its icons. Words differ
 * by language and controls come and go, so it is measured, not known by the window's width.
 */
export function useShortWhenFull(): RefObject<HTMLDivElement | null> {
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = row.current!;
    const measure = (): void => {
      element.classList.remove('short');
      if (element.scrollWidth > element.clientWidth) element.classList.add('short');
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    const controls = new MutationObserver(measure);
    controls.observe(element, { childList: true, subtree: true });
    return () => {
      sizes.disconnect();
      controls.disconnect();
    };
  }, []);
  return row;
}
