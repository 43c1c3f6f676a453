import { useEffect, useRef } from 'react';
import type { Vector } from '../../electron/contract/scene.js';
import type { Frames, Projector } from './projector.js';

/** Something measured, drawn over the picture. */
export interface SceneLine {
  id: string;
  /** Scene frame. */
  points: readonly Vector[];
  closed: boolean;
  text: string;
}

/** Measurements as lines with their values, and picked points with their numbers. */
export function SceneLines({
  lines,
  places,
  frames,
}: {
  lines: readonly SceneLine[];
  /** Picked points, scene frame; undefined while it is not known where they are. */
  places: readonly (Vector | undefined)[];
  frames: Frames;
}) {
  const drawing = useRef<SVGSVGElement>(null);
  useEffect(
    () => frames.follow((projector) => draw(drawing.current, projector, lines, places)),
    [lines, places, frames],
  );
  return (
    <svg
      className="scene-lines"
      ref={drawing}
      aria-hidden="true"
    >
      {lines.map(({ id, closed, text }) => (
        <g
          key={id}
          className="measure"
        >
          {closed ? <polygon /> : <polyline />}
          <text>{text}</text>
        </g>
      ))}
      {places.map((_, k) => (
        <g
          key={`pick ${k}`}
          className="pick"
        >
          <circle r={4.5} />
          <text
            x={8}
            y={4}
          >
            {k + 1}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** Sets what changes with the view; React has made the elements, in this order. */
function draw(
  svg: SVGSVGElement | null,
  projector: Projector,
  lines: readonly SceneLine[],
  places: readonly (Vector | undefined)[],
): void {
  if (!svg) return;
  lines.forEach(({ points, closed }, k) => {
    const group = svg.children[k] as SVGGElement;
    const seen = points.map((point) => projector.toScreen(point));
    const whole = seen.every((at) => at !== undefined);
    group.style.display = whole ? '' : 'none';
    if (!whole) return;
    const [shape, text] = [...group.children] as [SVGElement, SVGTextElement];
    shape.setAttribute('points', seen.map((at) => at!.map((value) => value.toFixed(1)).join()).join(' '));
    const [x, y] = labelPlace(seen as (readonly [number, number])[], closed);
    text.setAttribute('x', x.toFixed(1));
    text.setAttribute('y', (y - 6).toFixed(1));
  });
  places.forEach((place, k) => {
    const group = svg.children[lines.length + k] as SVGGElement;
    const at = place && projector.toScreen(place);
    group.style.display = at ? '' : 'none';
    if (at) group.setAttribute('transform', `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`);
  });
}

/** The middle of a polygon, or half way along a line. */
function labelPlace(seen: readonly (readonly [number, number])[], closed: boolean): readonly [number, number] {
  if (closed || seen.length === 1) {
    const sum = seen.reduce(([x, y], at) => [x + at[0], y + at[1]], [0, 0]);
    return [sum[0] / seen.length, sum[1] / seen.length];
  }
  const lengths = seen.slice(1).map(([x, y], k) => Math.hypot(x - seen[k]![0], y - seen[k]![1]));
  let left = lengths.reduce((sum, length) => sum + length, 0) / 2;
  for (let k = 0; k < lengths.length; k++) {
    if (left > lengths[k]!) {
      left -= lengths[k]!;
      continue;
    }
    const share = lengths[k]! > 0 ? left / lengths[k]! : 0;
    const [from, to] = [seen[k]!, seen[k + 1]!];
    return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
  }
  return seen.at(-1)!;
}
