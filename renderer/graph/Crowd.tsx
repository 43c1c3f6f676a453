import { useEffect, useMemo, useRef, useState, type PointerEvent, type WheelEvent } from 'react';
import type { PairInfo, PhotoInfo } from '../../electron/contract/api.js';
import { stem } from '../design/format.js';
import { choose } from '../store/selection.js';
import { setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import type { Place } from './layout.js';
import type { GraphProps } from './PoseGraph.js';
import { pairLook, samePair } from './strength.js';

interface View {
  zoom: number;
  x: number;
  y: number;
}

/** Pixels around the pointer in which a dot, or a line, is meant. */
const REACH = { dot: 9, line: 5 };
const MOST_ZOOM = 24;

/** Many photos: dots and lines on one canvas, zoomed by the wheel and moved by hand, the picture under the pointer. */
export function Crowd({ photos, pairs, places, size, summary, onHover }: GraphProps) {
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const theme = useStudio(({ theme }) => theme);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<View>({ zoom: 1, x: 0, y: 0 });
  const [under, setUnder] = useState<{ photo: PhotoInfo; at: Place }>();
  const used = useMemo(
    () => pairs.filter((pair) => pairLook(pair).tone !== 'none' && places.has(pair.a) && places.has(pair.b)),
    [pairs, places],
  );
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      draw(canvas.current!, { photos, used, places, size, view, selected, chosen });
    });
    return () => cancelAnimationFrame(frame);
  }, [photos, used, places, size, view, selected, chosen, theme]);

  const toGraph = ({ clientX, clientY }: { clientX: number; clientY: number }): Place => {
    const box = canvas.current!.getBoundingClientRect();
    return {
      x: (clientX - box.left - size.width / 2 - view.x) / view.zoom,
      y: (clientY - box.top - size.height / 2 - view.y) / view.zoom,
    };
  };
  const find = (event: { clientX: number; clientY: number }): { photo?: PhotoInfo; pair?: PairInfo } => {
    const at = toGraph(event);
    const toDot = ({ id }: PhotoInfo): number => {
      const place = places.get(id);
      return place ? Math.hypot(place.x - at.x, place.y - at.y) : Infinity;
    };
    const toLine = ({ a, b }: PairInfo): number => toSegment(at, places.get(a)!, places.get(b)!);
    const photo = nearest(photos, toDot, REACH.dot / view.zoom);
    return photo ? { photo } : { pair: nearest(used, toLine, REACH.line / view.zoom) };
  };
  const move = (event: PointerEvent): void => {
    if (event.buttons === 1) {
      setView((now) => ({ ...now, x: now.x + event.movementX, y: now.y + event.movementY }));
      return;
    }
    const { photo, pair } = find(event);
    const box = canvas.current!.getBoundingClientRect();
    setUnder(photo && { photo, at: { x: event.clientX - box.left, y: event.clientY - box.top } });
    onHover(pair);
  };
  const zoom = (event: WheelEvent): void => {
    const at = toGraph(event);
    setView((now) => {
      const next = Math.min(MOST_ZOOM, Math.max(1, now.zoom * Math.exp(-event.deltaY * 0.002)));
      if (next === 1) return { zoom: 1, x: 0, y: 0 };
      return { zoom: next, x: now.x + at.x * (now.zoom - next), y: now.y + at.y * (now.zoom - next) };
    });
  };
  return (
    <>
      <canvas
        ref={canvas}
        className="crowd"
        style={{ width: size.width, height: size.height }}
        role="img"
        aria-label={summary}
        onPointerMove={move}
        onPointerLeave={() => {
          setUnder(undefined);
          onHover(undefined);
        }}
        onWheel={zoom}
        onDoubleClick={() => setView({ zoom: 1, x: 0, y: 0 })}
        onClick={(event) => {
          const { photo, pair } = find(event);
          if (photo) choose(photo.id, event);
          else if (pair) setStudio({ selectedPair: [pair.a, pair.b] });
        }}
      />
      {under && (
        <figure
          className="crowd-picture"
          style={{
            left: Math.min(under.at.x + 14, size.width - 136),
            top: Math.min(under.at.y + 14, size.height - 116),
          }}
        >
          <img
            src={api.binaryUrl(`thumbnail/${under.photo.id}`)}
            alt=""
          />
          <figcaption className="truncate">{stem(under.photo.name)}</figcaption>
        </figure>
      )}
    </>
  );
}

interface Drawn extends Pick<GraphProps, 'photos' | 'places' | 'size'> {
  used: readonly PairInfo[];
  view: View;
  selected: readonly string[];
  chosen: readonly [string, string] | undefined;
}

function draw(canvas: HTMLCanvasElement, { photos, used, places, size, view, selected, chosen }: Drawn): void {
  const context = canvas.getContext('2d')!;
  canvas.width = size.width * devicePixelRatio;
  canvas.height = size.height * devicePixelRatio;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`);
  context.scale(devicePixelRatio, devicePixelRatio);
  context.translate(size.width / 2 + view.x, size.height / 2 + view.y);
  const at = (id: string): [number, number] => {
    const place = places.get(id)!;
    return [place.x * view.zoom, place.y * view.zoom];
  };
  // One path a tone: a path of its own for each of thousands of lines takes ten times as long.
  for (const tone of ['good', 'fair', 'bad'] as const) {
    context.beginPath();
    for (const pair of used) {
      if (pairLook(pair).tone !== tone) continue;
      context.moveTo(...at(pair.a));
      context.lineTo(...at(pair.b));
    }
    context.strokeStyle = colour(tone);
    context.globalAlpha = used.length > 1000 ? 0.35 : 0.6;
    context.stroke();
  }
  context.globalAlpha = 1;
  const pair = used.find((each) => samePair(each, chosen));
  if (pair) {
    context.beginPath();
    context.moveTo(...at(pair.a));
    context.lineTo(...at(pair.b));
    context.strokeStyle = colour('accent');
    context.lineWidth = 3;
    context.stroke();
  }
  const marked = new Set(selected);
  for (const { id, enabled, placed } of photos) {
    if (!places.has(id)) continue;
    context.beginPath();
    context.arc(...at(id), marked.has(id) ? 6 : 4, 0, 2 * Math.PI);
    context.fillStyle = dotColour({ marked: marked.has(id), enabled, placed }, colour);
    context.fill();
  }
}

function dotColour(
  { marked, enabled, placed }: { marked: boolean; enabled: boolean; placed: boolean | undefined },
  colour: (name: string) => string,
): string {
  if (marked) return colour('accent');
  if (placed === false) return colour('bad');
  return enabled ? colour('text-quiet') : colour('line-strong');
}

/** The item within reach whose distance is least. */
function nearest<T>(items: readonly T[], distanceTo: (item: T) => number, reach: number): T | undefined {
  let best: T | undefined;
  let least = reach;
  for (const item of items) {
    const distance = distanceTo(item);
    if (distance < least) [best, least] = [item, distance];
  }
  return best;
}

function toSegment(point: Place, a: Place, b: Place): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((point.x - a.x) * dx + (point.y - a.y) * dy) / Math.max(1e-9, dx * dx + dy * dy);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy);
}
