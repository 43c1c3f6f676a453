import type { PhotoInfo } from '../../electron/contract/api.js';
import type { Size } from '../design/use-size.js';
import type { Bundle, Cluster } from './clusters.js';
import type { Place } from './layout.js';
import { samePair } from './strength.js';

export interface CrowdDrawing {
  clusters: readonly Cluster[];
  bundles: readonly Bundle[];
  photos: ReadonlyMap<string, PhotoInfo>;
  size: Size;
  /** Of the graph's middle from the canvas's. */
  offset: Place;
  selected: readonly string[];
  chosen: readonly [string, string] | undefined;
}

/** A cluster of fewer pixels has no room for its number. */
const LEAST_LABELLED = 7;
/** Lines beyond so many are drawn paler. */
const MANY_LINES = 1000;

/** Draws lines first, then dots over them, then how many photos a dot stands for. */
export function drawCrowd(canvas: HTMLCanvasElement, drawing: CrowdDrawing): void {
  const { size, offset } = drawing;
  const context = canvas.getContext('2d')!;
  canvas.width = size.width * devicePixelRatio;
  canvas.height = size.height * devicePixelRatio;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`);
  context.scale(devicePixelRatio, devicePixelRatio);
  context.translate(size.width / 2 + offset.x, size.height / 2 + offset.y);
  drawBundles(context, drawing, colour);
  drawClusters(context, drawing, colour);
}

function drawBundles(
  context: CanvasRenderingContext2D,
  { clusters, bundles, chosen }: CrowdDrawing,
  colour: (name: string) => string,
): void {
  const path = (list: readonly Bundle[]): void => {
    context.beginPath();
    for (const { a, b } of list) {
      context.moveTo(clusters[a]!.x, clusters[a]!.y);
      context.lineTo(clusters[b]!.x, clusters[b]!.y);
    }
  };
  context.globalAlpha = bundles.length > MANY_LINES ? 0.35 : 0.6;
  // One path a tone: a path of its own for each of thousands of lines takes ten times as long.
  for (const tone of ['good', 'fair', 'bad'] as const) {
    path(bundles.filter((bundle) => bundle.tone === tone));
    context.strokeStyle = colour(tone);
    context.stroke();
  }
  context.globalAlpha = 1;
  const bundle = chosen && bundles.find(({ pairs }) => pairs.some((pair) => samePair(pair, chosen)));
  if (!bundle) return;
  path([bundle]);
  context.strokeStyle = colour('accent');
  context.lineWidth = 3;
  context.stroke();
}

function drawClusters(
  context: CanvasRenderingContext2D,
  { clusters, photos, selected }: CrowdDrawing,
  colour: (name: string) => string,
): void {
  const marked = new Set(selected);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = '10.5px system-ui, sans-serif';
  for (const { x, y, radius, photos: own } of clusters) {
    const isMarked = own.some((id) => marked.has(id));
    context.beginPath();
    context.arc(x, y, isMarked ? radius + 2 : radius, 0, 2 * Math.PI);
    context.fillStyle = isMarked ? colour('accent') : dotColour(own, photos, colour);
    context.fill();
    if (own.length === 1 || radius < LEAST_LABELLED) continue;
    context.fillStyle = isMarked ? colour('accent-text') : colour('panel');
    context.fillText(String(own.length), x, y + 0.5);
  }
}

/** Of several photos the colour says what asks for a look. */
function dotColour(
  own: readonly string[],
  photos: ReadonlyMap<string, PhotoInfo>,
  colour: (name: string) => string,
): string {
  const list = own.map((id) => photos.get(id)!);
  if (list.some(({ placed, enabled }) => enabled && placed === false)) return colour('bad');
  return list.some(({ enabled }) => enabled) ? colour('text-quiet') : colour('line-strong');
}
