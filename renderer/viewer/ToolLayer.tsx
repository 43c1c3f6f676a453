import { commands } from '../../electron/contract/commands.js';
import { t } from '../words/index.js';
import { useEffect, useRef, useState, type PointerEvent } from 'react';
import { polygonShape, strokeShape, type SelectionMode } from './cloud-state.js';
import type { ViewerTool } from '../store/viewer-settings.js';
import type { Editing } from './handle.js';

type Place = readonly [number, number];

/** Of the brush, CSS pixels. */
const BRUSH = 18;

/** Takes the pointer while a tool is chosen: draws what it does over the view, and gives it to the view at its end. */
export function ToolLayer({
  tool,
  editing,
  onPick,
  onLeave,
  onSelected,
}: {
  tool: Exclude<ViewerTool, 'turn'>;
  editing: () => Editing | undefined;
  onPick: (pixel: NonNullable<ReturnType<Editing['pick']>>) => void;
  onLeave: () => void;
  onSelected: () => void;
}) {
  const [path, setPath] = useState<readonly Place[]>([]);
  const drawing = useRef<Place[]>([]);
  useEffect(() => {
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) onLeave();
    };
    window.addEventListener('keydown', leave);
    return () => window.removeEventListener('keydown', leave);
  }, [onLeave]);
  const place = (event: PointerEvent<SVGSVGElement>): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const down = (event: PointerEvent<SVGSVGElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drawing.current = [place(event)];
    setPath(drawing.current);
  };
  const move = (event: PointerEvent<SVGSVGElement>): void => {
    if (drawing.current.length === 0) return;
    const at = place(event);
    drawing.current = tool === 'rectangle' ? [drawing.current[0]!, at] : [...drawing.current, at];
    setPath(drawing.current);
  };
  const up = (event: PointerEvent<SVGSVGElement>): void => {
    const drawn = drawing.current;
    drawing.current = [];
    setPath([]);
    if (drawn.length === 0) return;
    const mode: SelectionMode = event.shiftKey ? 'add' : event.altKey ? 'remove' : 'replace';
    const edit = editing();
    if (tool === 'pick' || tool === 'mark') {
      const found = edit?.[tool](...place(event));
      if (found) onPick(found);
      return;
    }
    if (tool === 'brush')
      edit?.select((width, height) => strokeShape(drawn, BRUSH, width, height), event.altKey ? 'remove' : 'add');
    else {
      const corners = tool === 'rectangle' ? rectangle(drawn) : drawn;
      if (corners.length > 2) edit?.select((width, height) => polygonShape(corners, width, height), mode);
    }
    onSelected();
  };
  const shown = tool === 'rectangle' ? rectangle(path) : path;
  return (
    <svg
      className={`tool-layer ${tool}`}
      aria-label={t(commands[`points.${tool}`].title)}
      role="img"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
    >
      {shown.length > 1 && (
        <polyline
          className={tool === 'brush' ? 'stroke' : 'outline'}
          points={shown.map((at) => at.join()).join(' ')}
          strokeWidth={tool === 'brush' ? 2 * BRUSH : undefined}
        />
      )}
    </svg>
  );
}

function rectangle(path: readonly Place[]): Place[] {
  const [a, b] = [path[0], path[path.length - 1]];
  if (!a || !b) return [];
  return [a, [b[0], a[1]], b, [a[0], b[1]], a];
}
