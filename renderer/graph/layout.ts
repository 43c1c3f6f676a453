import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationNodeDatum,
} from 'd3-force';
import type { CameraInfo, PairInfo, PhotoInfo } from '../../electron/contract/api.js';

export interface Place {
  x: number;
  y: number;
}

/** A node's picture, pixels. */
export const NODE = { width: 54, height: 40 };

interface Node extends SimulationNodeDatum {
  id: string;
  home?: Place | undefined;
}

/**
 * Where each photo stands in the pose graph, pixels from the middle. Placed photos stand where their cameras do, seen
 * along the direction in which the cameras spread least, moved apart until no picture covers another; the others are
 * drawn towards the photos that they share pairs with.
 */
export function layoutGraph(
  photos: readonly PhotoInfo[],
  pairs: readonly PairInfo[],
  cameras: readonly CameraInfo[],
  { width, height }: { width: number; height: number },
): Map<string, Place> {
  const homes = cameraHomes(cameras, width - NODE.width * 2, height - NODE.height * 2.2);
  const radius = Math.min(width, height) / 2 - NODE.width;
  const nodes: Node[] = photos.map(({ id }, k) => {
    const home = homes.get(id);
    const angle = (k / photos.length) * 2 * Math.PI - Math.PI / 2;
    const start = home ?? {
      x: Math.cos(angle) * radius * (width / Math.max(1, height)) * 0.8,
      y: Math.sin(angle) * radius,
    };
    return { id, home, x: start.x, y: start.y };
  });
  const known = new Set(nodes.map(({ id }) => id));
  const links = pairs
    .filter(({ a, b, state }) => state !== 'rejected' && known.has(a) && known.has(b))
    .map(({ a, b }) => ({ source: a, target: b }));
  const free = homes.size === 0;
  const simulation = forceSimulation(nodes)
    .force('collide', forceCollide(NODE.width * 0.66).iterations(3))
    .force(
      'x',
      forceX<Node>(({ home, x }) => home?.x ?? x ?? 0).strength(({ home }) => (home || free ? 0.5 : 0.05)),
    )
    .force(
      'y',
      forceY<Node>(({ home, y }) => home?.y ?? y ?? 0).strength(({ home }) => (home || free ? 0.5 : 0.08)),
    )
    .force(
      'link',
      free
        ? null
        : forceLink<Node, { source: string; target: string }>(links)
            .id(({ id }) => id)
            .distance(NODE.width * 1.6)
            .strength(({ source }) => ((source as unknown as Node).home ? 0 : 0.2)),
    )
    .force('charge', free ? null : forceManyBody().strength(-8))
    .stop();
  simulation.tick(90);
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(-most, value));
  return new Map(
    nodes.map(({ id, x, y }) => [
      id,
      { x: clamp(x!, width / 2 - NODE.width * 0.7), y: clamp(y!, height / 2 - NODE.height) },
    ]),
  );
}

/** Camera centres on the plane of their two widest directions, scaled to fill the box. */
function cameraHomes(cameras: readonly CameraInfo[], width: number, height: number): Map<string, Place> {
  if (cameras.length < 2) return new Map();
  const centres = cameras.map(({ worldFromCamera: m }) => [m[3]!, m[7]!, m[11]!] as const);
  const mean = [0, 1, 2].map((axis) => centres.reduce((sum, centre) => sum + centre[axis]!, 0) / centres.length);
  const offsets = centres.map((centre) => centre.map((value, axis) => value - mean[axis]!));
  const first = principal(offsets);
  const second = principal(offsets.map((offset) => without(offset, first)));
  // Left in the first camera's picture stays left here: a graph that mirrors the scene confuses.
  const axis = first[0]! < 0 ? first.map((value) => -value) : first;
  const flat = offsets.map((offset) => ({ x: dot(offset, axis), y: dot(offset, second) }));
  // World z points away from the first camera: far is up, as on a map.
  const up = second[2]! > 0 ? -1 : 1;
  const most = (key: 'x' | 'y'): number => Math.max(...flat.map((place) => Math.abs(place[key])), 1e-9);
  const scale = { x: width / 2 / most('x'), y: height / 2 / most('y') };
  return new Map(cameras.map(({ photo }, k) => [photo, { x: flat[k]!.x * scale.x, y: flat[k]!.y * scale.y * up }]));
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
const without = (a: readonly number[], direction: readonly number[]): number[] =>
  a.map((value, k) => value - dot(a, direction) * direction[k]!);

/** Direction of largest spread, by power iteration. */
function principal(offsets: readonly (readonly number[])[]): number[] {
  let direction = [0.8, 0.1, 0.6];
  for (let step = 0; step < 30; step++) {
    const next = [0, 0, 0];
    for (const offset of offsets) {
      const along = dot(offset, direction);
      for (let k = 0; k < 3; k++) next[k]! += along * offset[k]!;
    }
    const length = Math.hypot(...next);
    if (length < 1e-12) return direction;
    direction = next.map((value) => value / length);
  }
  return direction;
}
