import type { KeyboardEvent, PointerEvent } from 'react';

/** Pixels that an arrow key moves a border. */
const STEP = 16;

/** A border between two panels that is dragged, or moved with the arrow keys. `size` grows towards left or top. */
export function Splitter({
  label,
  direction,
  size,
  least,
  most,
  onChange,
}: {
  label: string;
  direction: 'vertical' | 'horizontal';
  size: number;
  least: number;
  most: number;
  onChange: (size: number) => void;
}) {
  const set = (next: number): void => onChange(Math.round(Math.min(most, Math.max(least, next))));
  const place = ({ clientX, clientY }: { clientX: number; clientY: number }): number =>
    direction === 'vertical' ? clientX : clientY;
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return;
    event.preventDefault();
    const element = event.currentTarget;
    const [from, before] = [place(event), size];
    element.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent): void => set(before + from - place(moved));
    const end = (): void => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', end);
      element.removeEventListener('pointercancel', end);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
  };
  const press = (event: KeyboardEvent): void => {
    const more = direction === 'vertical' ? 'ArrowLeft' : 'ArrowUp';
    const less = direction === 'vertical' ? 'ArrowRight' : 'ArrowDown';
    if (event.key !== more && event.key !== less) return;
    event.preventDefault();
    set(size + (event.key === more ? STEP : -STEP));
  };
  return (
    <div
      className={`splitter ${direction}`}
      role="separator"
      aria-label={label}
      aria-orientation={direction}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={size}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={press}
    />
  );
}
