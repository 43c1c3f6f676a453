import {
  useEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type WheelEvent,
} from 'react';
import type { PairInfo, PhotoInfo } from '../../electron/contract/api.js';
import { stem } from '../design/format.js';
import { choose } from '../store/selection.js';
import { setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { plural } from '../words/index.js';
import { clusterGraph, type Bundle, type Cluster, type Clustered } from './clusters.js';
import { drawCrowd } from './draw-crowd.js';
import type { Place } from './layout.js';
import type { GraphProps } from './PoseGraph.js';
import { pairLook } from './strength.js';

interface View {
  zoom: number;
  x: number;
  y: number;
}

const WHOLE: View = { zoom: 1, x: 0, y: 0 };
/** Pixels around the pointer in which a dot, or a line, is meant. */
const REACH = { dot: 5, line: 5 };
const MOST_ZOOM = 40;
/** Of one press of a key, and of a click on what is many. */
const STEP = { zoom: 1.5, pan: 60, open: 2.5 };

/**
 * Many photos: dots and lines on one canvas, zoomed by the wheel and moved by hand, the picture under the pointer. Photos
 * whose dots would cover each other are one dot with their number, which a click opens.
 */
export function Crowd({ photos, pairs, places, size, summary, onHover }: GraphProps) {
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const theme = useStudio(({ theme }) => theme);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<View>(WHOLE);
  const [under, setUnder] = useState<{ cluster: Cluster; at: Place }>();
  const byId = useMemo(() => new Map(photos.map((photo) => [photo.id, photo])), [photos]);
  const used = useMemo(() => pairs.filter((pair) => pairLook(pair).tone !== 'none'), [pairs]);
  const graph = useMemo(() => clusterGraph([...byId.keys()], used, places, view.zoom), [byId, used, places, view.zoom]);
  useEffect(() => {
    const frame = requestAnimationFrame(() =>
      drawCrowd(canvas.current!, { ...graph, photos: byId, size, offset: view, selected, chosen }),
    );
    return () => cancelAnimationFrame(frame);
  }, [graph, byId, size, view, selected, chosen, theme]);

  /** Pixels of the graph at this zoom. */
  const toGraph = ({ clientX, clientY }: { clientX: number; clientY: number }): Place => {
    const box = canvas.current!.getBoundingClientRect();
    return { x: clientX - box.left - size.width / 2 - view.x, y: clientY - box.top - size.height / 2 - view.y };
  };
  /** @param at pixels of the graph at this zoom, which stay where they are */
  const zoomBy = (factor: number, at: Place): void =>
    setView((now) => {
      const zoom = Math.min(MOST_ZOOM, Math.max(1, now.zoom * factor));
      if (zoom === 1) return WHOLE;
      const share = 1 - zoom / now.zoom;
      return { zoom, x: now.x + at.x * share, y: now.y + at.y * share };
    });
  const middle = (): Place => ({ x: -view.x, y: -view.y });
  const move = (event: PointerEvent): void => {
    if (event.buttons === 1) {
      setView((now) => ({ ...now, x: now.x + event.movementX, y: now.y + event.movementY }));
      return;
    }
    const { cluster, bundle } = find(graph, toGraph(event));
    const box = canvas.current!.getBoundingClientRect();
    setUnder(cluster && { cluster, at: { x: event.clientX - box.left, y: event.clientY - box.top } });
    onHover(bundle?.pairs.length === 1 ? bundle.pairs[0] : undefined);
  };
  const click = (event: MouseEvent): void => {
    const at = toGraph(event);
    const { cluster, bundle } = find(graph, at);
    if (cluster?.photos.length === 1) choose(cluster.photos[0]!, event);
    else if (bundle?.pairs.length === 1) choosePair(bundle.pairs[0]!);
    else if (cluster ?? bundle) zoomBy(STEP.open, at);
  };
  const press = (event: KeyboardEvent): void => {
    const steps: Record<string, readonly [number, number]> = {
      ArrowLeft: [STEP.pan, 0],
      ArrowRight: [-STEP.pan, 0],
      ArrowUp: [0, STEP.pan],
      ArrowDown: [0, -STEP.pan],
    };
    const step = steps[event.key];
    if (step) setView((now) => ({ ...now, x: now.x + step[0], y: now.y + step[1] }));
    else if (event.key === '+' || event.key === '=') zoomBy(STEP.zoom, middle());
    else if (event.key === '-') zoomBy(1 / STEP.zoom, middle());
    else if (event.key === 'Home') setView(WHOLE);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <canvas
        ref={canvas}
        className="crowd"
        style={{ width: size.width, height: size.height }}
        tabIndex={0}
        role="img"
        aria-label={summary}
        data-zoom={view.zoom}
        data-clusters={graph.clusters.length}
        onKeyDown={press}
        onPointerMove={move}
        onPointerLeave={() => {
          setUnder(undefined);
          onHover(undefined);
        }}
        onWheel={(event: WheelEvent) => zoomBy(Math.exp(-event.deltaY * 0.002), toGraph(event))}
        onClick={click}
      />
      {under && (
        <Under
          photos={under.cluster.photos.map((id) => byId.get(id)!)}
          at={{ x: Math.min(under.at.x + 14, size.width - 136), y: Math.min(under.at.y + 14, size.height - 116) }}
        />
      )}
    </>
  );
}

const choosePair = ({ a, b }: PairInfo): void => setStudio({ selectedPair: [a, b] });

/** The picture of the first photo under the pointer, and how many there are. */
function Under({ photos, at }: { photos: readonly PhotoInfo[]; at: Place }) {
  const [first] = photos;
  return (
    <figure
      className="crowd-picture"
      style={{ left: at.x, top: at.y }}
    >
      <img
        src={api.binaryUrl(`thumbnail/${first!.id}`)}
        alt=""
      />
      <figcaption className="truncate">
        {photos.length === 1 ? stem(first!.name) : plural(photos.length, '{n} photo', '{n} photos')}
      </figcaption>
    </figure>
  );
}

function find({ clusters, bundles }: Clustered, at: Place): { cluster?: Cluster; bundle?: Bundle } {
  const cluster = nearest(clusters, ({ x, y, radius }) => Math.hypot(x - at.x, y - at.y) - radius, REACH.dot);
  if (cluster) return { cluster };
  const bundle = nearest(bundles, ({ a, b }) => toSegment(at, clusters[a]!, clusters[b]!), REACH.line);
  return bundle ? { bundle } : {};
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
