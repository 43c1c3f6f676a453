import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { Vector3, type Ray } from 'three';
import type { SceneRegion } from '../../electron/contract/scene.js';
import { t } from '../words/index.js';
import { boxHandles, draggedBox, grownBox, handlePlace, movedBox, turnedBox, type BoxHandle } from './box-handles.js';
import type { Frames } from './projector.js';

const keyOf = (handle: BoxHandle): string => (handle.kind === 'face' ? `${handle.axis} ${handle.sign}` : handle.kind);

function nameOf(handle: BoxHandle): string {
  if (handle.kind === 'turn') return t('Turn the crop box');
  if (handle.kind === 'move') return t('Move the crop box');
  const names = [
    [t('Right face of the crop box'), t('Left face of the crop box')],
    [t('Far face of the crop box'), t('Near face of the crop box')],
    [t('Top of the crop box'), t('Bottom of the crop box')],
  ];
  return names[handle.axis]![handle.sign === 1 ? 0 : 1]!;
}

/** Milliseconds after the last key that the box is stored. */
const KEYS_REST = 500;

/** Handles over the picture: dragged, or moved by arrow keys. The box follows at once and is stored at the end. */
export function BoxHandles({
  region,
  frames,
  onDraft,
  onRegion,
}: {
  /** As it is shown. */
  region: SceneRegion;
  frames: Frames;
  onDraft: (region: SceneRegion) => void;
  onRegion: (region: SceneRegion) => void;
}) {
  const elements = useRef(new Map<string, HTMLButtonElement>());
  const held = useRef<{ region: SceneRegion; ray: Ray }>(undefined);
  const resting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () =>
      frames.follow((projector) => {
        for (const handle of boxHandles) {
          const element = elements.current.get(keyOf(handle));
          const at = projector.toScreen(handlePlace(region, handle));
          if (!element) continue;
          element.style.visibility = at ? 'visible' : 'hidden';
          if (at) element.style.translate = `calc(${at[0].toFixed(1)}px - 50%) calc(${at[1].toFixed(1)}px - 50%)`;
        }
      }),
    [region, frames],
  );
  const rayAt = (event: PointerEvent<HTMLElement>): Ray | undefined => {
    const box = event.currentTarget.parentElement!.getBoundingClientRect();
    return frames.last?.ray(event.clientX - box.left, event.clientY - box.top);
  };
  const down = (event: PointerEvent<HTMLElement>): void => {
    const ray = rayAt(event);
    if (event.button !== 0 || !ray) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { region, ray };
  };
  const move = (event: PointerEvent<HTMLElement>, handle: BoxHandle): void => {
    const ray = rayAt(event);
    if (held.current && ray) onDraft(draggedBox(held.current.region, handle, held.current.ray, ray));
  };
  const up = (): void => {
    if (held.current) onRegion(region);
    held.current = undefined;
  };
  const press = (event: KeyboardEvent, handle: BoxHandle): void => {
    const next = steppedBox(region, handle, event.key);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onDraft(next);
    clearTimeout(resting.current);
    resting.current = setTimeout(() => onRegion(next), KEYS_REST);
  };
  return (
    <div className="box-handles">
      {boxHandles.map((handle) => (
        <button
          key={keyOf(handle)}
          type="button"
          ref={(element) => {
            if (element) elements.current.set(keyOf(handle), element);
            else elements.current.delete(keyOf(handle));
          }}
          className={`box-handle ${handle.kind}`}
          aria-label={nameOf(handle)}
          title={nameOf(handle)}
          onPointerDown={down}
          onPointerMove={(event) => move(event, handle)}
          onPointerUp={up}
          onKeyDown={(event) => press(event, handle)}
        />
      ))}
    </div>
  );
}

const STEPS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** By a fiftieth of the side, or two degrees. */
function steppedBox(region: SceneRegion, handle: BoxHandle, key: string): SceneRegion | undefined {
  const step = STEPS[key];
  if (!step) return undefined;
  const [x, y] = step;
  if (handle.kind === 'turn') return turnedBox(region, ((x + y) * 2 * Math.PI) / 180);
  const length = Math.max(...region.size) / 50;
  if (handle.kind === 'move') return movedBox(region, new Vector3(x * length, y * length, 0));
  return grownBox(region, handle, (x + y) * length);
}
