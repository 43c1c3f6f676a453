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

/** How photos are drawn in the graph, pixels. */
export interface NodeLook {
  width: number;
  height: number;
  /** Of the name below the picture; nought without one. */
  label: number;
  /** A dot; its picture is shown under the pointer. */
  dot: boolean;
}

const LOOKS: readonly NodeLook[] = [
  { width: 54, height: 40, label: 16, dot: false },
  { width: 40, height: 30, label: 0, dot: false },
  { width: 26, height: 20, label: 0, dot: false },
];
const DOT: NodeLook = { width: 10, height: 10, label: 0, dot: true };
/** Pictures may take this share of the room; beyond it lines can't be told apart between them. */
const FILLED = 0.3;
const GAP = 6;
/** More pictures than these are dots however large the window is. */
const MOST_PICTURES = 80;

/** The largest look in which so many photos leave room for the lines between them. */
export function nodeLook(count: number, { width, height }: { width: number; height: number }): NodeLook {
  const room = width * height * FILLED;
  const fits = (look: NodeLook): boolean => (look.width + GAP) * (look.height + look.label + GAP) * count <= room;
  return (count <= MOST_PICTURES ? LOOKS.find(fits) : undefined) ?? DOT;
}

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
  look: NodeLook = nodeLook(photos.length, { width, height }),
): Map<string, Place> {
  const homes = cameraHomes(cameras, width - look.width * 2, height - look.height * 2.2);
  const limits = { x: width / 2 - look.width / 2 - 2, y: height / 2 - (look.height + look.label) / 2 - 2 };
  if (look.dot) return dotPlaces(photos, pairs, homes, limits);
  const radius = Math.min(width, height) / 2 - look.width;
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
    .force('collide', forceCollide(look.width * 0.66).iterations(3))
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
            .distance(look.width * 1.6)
            .strength(({ source }) => ((source as unknown as Node).home ? 0 : 0.2)),
    )
    .force('charge', free ? null : forceManyBody().strength(-8))
    .stop();
  simulation.tick(90);
  const places = nodes.map(({ id, x, y }) => ({ id, x: x!, y: y! }));
  separate(places, { width: look.width + GAP, height: look.height + look.label + GAP }, limits);
  return new Map(places.map(({ id, x, y }) => [id, { x, y }]));
}

/**
 * Dots stand exactly where cameras do: those that would cover each other are gathered (clusters.ts). A photo without a
 * camera stands amid those that it shares pairs with, else on a round about all. No simulation: of 500 photos it took a
 * tenth of a second, in one task.
 */
function dotPlaces(
  photos: readonly PhotoInfo[],
  pairs: readonly PairInfo[],
  homes: ReadonlyMap<string, Place>,
  limits: Place,
): Map<string, Place> {
  const sums = new Map<string, { x: number; y: number; count: number }>();
  for (const { a, b, state } of pairs) {
    if (state === 'rejected') continue;
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const home = homes.get(own) ? undefined : homes.get(other);
      if (!home) continue;
      const sum = sums.get(own) ?? { x: 0, y: 0, count: 0 };
      sums.set(own, { x: sum.x + home.x, y: sum.y + home.y, count: sum.count + 1 });
    }
  }
  return new Map(
    photos.map(({ id }, k) => {
      const sum = sums.get(id);
      const angle = (k / photos.length) * 2 * Math.PI - Math.PI / 2;
      const place = homes.get(id) ?? {
        x: sum ? sum.x / sum.count : Math.cos(angle) * limits.x,
        y: sum ? sum.y / sum.count : Math.sin(angle) * limits.y,
      };
      const inside = { ...place };
      keepInside(inside, limits);
      return [id, inside];
    }),
  );
}

function keepInside(place: Place, limits: Place): void {
  place.x = Math.min(limits.x, Math.max(-limits.x, place.x));
  place.y = Math.min(limits.y, Math.max(-limits.y, place.y));
}

/** Moves boxes apart, along the side where they overlap least, until none covers another or there is no room left. */
function separate(places: readonly Place[], box: { width: number; height: number }, limits: Place): void {
  for (let round = 0; round < 120; round++) {
    let moved = false;
    for (let i = 0; i < places.length; i++)
      for (let j = i + 1; j < places.length; j++) moved = push(places[i]!, places[j]!, box) || moved;
    places.forEach((place) => keepInside(place, limits));
    if (!moved) return;
  }
}

/** @returns whether the two covered each other */
function push(a: Place, b: Place, box: { width: number; height: number }): boolean {
  const over = { x: box.width - Math.abs(a.x - b.x), y: box.height - Math.abs(a.y - b.y) };
  if (over.x <= 0 || over.y <= 0) return false;
  const axis = over.x < over.y ? 'x' : 'y';
  const by = (over[axis] / 2 + 0.25) * (a[axis] <= b[axis] ? 1 : -1);
  a[axis] -= by;
  b[axis] += by;
  return true;
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
