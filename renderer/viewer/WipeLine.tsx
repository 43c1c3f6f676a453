import type { KeyboardEvent, PointerEvent } from 'react';
import { t } from '../words/index.js';

/** The line up to which the photo lies over the points: dragged, or moved by the arrow keys. */
export function WipeLine({ share, onChange }: { share: number; onChange: (share: number) => void }) {
  const move = (next: number): void => onChange(Math.min(1, Math.max(0, next)));
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.parentElement!.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(share + step);
  };
  return (
    <div
      className="wipe-line"
      role="slider"
      tabIndex={0}
      aria-label={t('Photo on the left, points on the right')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * share)}
      style={{ left: `${100 * share}%` }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    />
  );
}
