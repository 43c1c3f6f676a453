/** New faces over a hole: the border's vertices keep their numbers, further ones follow after those of the mesh. */
export interface Patch {
  faces: number[];
  /** [vertices, 3] places of the further vertices. */
  added: number[];
}

type Place = readonly [number, number, number];

/** Borders of at most so many edges are triangulated at least area, longer ones ear by ear. */
const EXACT_EDGES = 160;
/** Rounds of moving new vertices between their neighbours. */
const FAIR_ROUNDS = 60;
const MOST_ADDED = 20_000;

/**
 * A triangulation over a closed border: of least area (Barequet and Sharir 1995) or, for long borders, greedy. With
 * `refined` its faces are cut to about the size of the border's edges and spanned like a membrane (Liepa, SGP 2003), so
 * that a large hole gets a curved cover with room for colours.
 *
 * @param loop vertices, in the direction of the new faces
 * @returns undefined when the cover would be larger than `mostArea`
 */
export function patchOver(
  positions: Float32Array,
  loop: readonly number[],
  refined: boolean,
  mostArea = Infinity,
): Patch | undefined {
  const place = (v: number): Place => [positions[3 * v]!, positions[3 * v + 1]!, positions[3 * v + 2]!];
  const places = loop.map(place);
  const flat = loop.length <= EXACT_EDGES ? leastArea(places) : ears(places);
  const area = flat.reduce((sum, [a, b, c]) => sum + faceArea(places[a]!, places[b]!, places[c]!), 0);
  if (area > mostArea) return undefined;
  const numbers = (k: number): number => (k < loop.length ? loop[k]! : positions.length / 3 + k - loop.length);
  if (!refined) return { faces: flat.flat().map(numbers), added: [] };
  const all = places.slice();
  const faces = cutLongEdges(all, flat, area);
  span(all, faces, loop.length);
  return { faces: faces.flat().map(numbers), added: all.slice(loop.length).flat() };
}

type Face = [number, number, number];

function leastArea(places: readonly Place[]): Face[] {
  const n = places.length;
  const cost = new Float64Array(n * n);
  const split = new Int32Array(n * n);
  for (let span = 2; span < n; span++) {
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      let best = Infinity;
      for (let k = i + 1; k < j; k++) {
        const value = cost[i * n + k]! + cost[k * n + j]! + faceArea(places[i]!, places[k]!, places[j]!);
        if (value < best) {
          best = value;
          split[i * n + j] = k;
        }
      }
      cost[i * n + j] = best;
    }
  }
  const faces: Face[] = [];
  const open: [number, number][] = [[0, n - 1]];
  while (open.length > 0) {
    const [i, j] = open.pop()!;
    if (j - i < 2) continue;
    const k = split[i * n + j]!;
    faces.push([i, k, j]);
    open.push([i, k], [k, j]);
  }
  return faces;
}

/** Cuts off the ear with the shortest new edge, again and again. */
function ears(places: readonly Place[]): Face[] {
  const n = places.length;
  const next = Int32Array.from({ length: n }, (_, k) => (k + 1) % n);
  const before = Int32Array.from({ length: n }, (_, k) => (k + n - 1) % n);
  const heap: { k: number; length: number; stamp: number }[] = [];
  const stamps = new Int32Array(n);
  const push = (k: number): void => {
    const length = distance(places[before[k]!]!, places[next[k]!]!);
    heapPush(heap, { k, length, stamp: ++stamps[k]! });
  };
  for (let k = 0; k < n; k++) push(k);
  const faces: Face[] = [];
  while (faces.length < n - 2) {
    const { k, stamp } = heapPop(heap);
    if (stamp !== stamps[k]) continue;
    const [a, b] = [before[k]!, next[k]!];
    faces.push([a, k, b]);
    stamps[k] = -1;
    next[a] = b;
    before[b] = a;
    push(a);
    push(b);
  }
  return faces;
}

/** Halves the longest inner edges, with both of their faces, until none is much longer than the border's. */
function cutLongEdges(places: Place[], flat: readonly Face[], area: number): Face[] {
  const border = places.length;
  const mean = places.reduce((sum, place, k) => sum + distance(place, places[(k + 1) % border]!), 0) / border;
  const most = Math.max(1.5 * mean, Math.sqrt((2 * area) / MOST_ADDED));
  const faces = flat.map((face): Face => [...face]);
  const key = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
  const at = new Map<string, Set<number>>();
  const link = (t: number, on: boolean): void => {
    const [a, b, c] = faces[t]!;
    for (const edge of [key(a, b), key(b, c), key(c, a)]) {
      const set = at.get(edge) ?? new Set<number>();
      if (on) set.add(t);
      else set.delete(t);
      at.set(edge, set);
    }
  };
  faces.forEach((_, t) => link(t, true));
  const heap: { k: string; length: number }[] = [];
  const offer = (a: number, b: number): void => {
    const length = distance(places[a]!, places[b]!);
    if (length > most && at.get(key(a, b))!.size === 2) heapPush(heap, { k: key(a, b), length: -length });
  };
  for (const [a, b, c] of flat) {
    offer(a, b);
    offer(b, c);
    offer(c, a);
  }
  while (heap.length > 0 && places.length < border + MOST_ADDED) {
    const { k } = heapPop(heap);
    const sides = [...(at.get(k) ?? [])];
    if (sides.length !== 2) continue;
    const [a, b] = k.split(' ').map(Number) as [number, number];
    const middle = places.push([0, 1, 2].map((i) => (places[a]![i]! + places[b]![i]!) / 2) as unknown as Place) - 1;
    for (const t of sides) {
      link(t, false);
      const face = faces[t]!;
      const far = face.find((v) => v !== a && v !== b)!;
      const other = face.map((v) => (v === a ? middle : v)) as Face;
      faces[t] = face.map((v) => (v === b ? middle : v)) as Face;
      link(t, true);
      link(faces.push(other) - 1, true);
      offer(middle, far);
      offer(a, far);
      offer(b, far);
    }
    at.delete(k);
    offer(a, middle);
    offer(middle, b);
  }
  return faces;
}

/** Moves the vertices behind the border to the middle of their neighbours: a membrane. */
function span(places: Place[], faces: readonly Face[], border: number): void {
  const around = places.map(() => new Set<number>());
  for (const [a, b, c] of faces) {
    around[a]!.add(b).add(c);
    around[b]!.add(a).add(c);
    around[c]!.add(a).add(b);
  }
  for (let round = 0; round < FAIR_ROUNDS; round++) {
    for (let v = border; v < places.length; v++) {
      const near = [...around[v]!];
      places[v] = [0, 1, 2].map(
        (i) => near.reduce((sum, w) => sum + places[w]![i]!, 0) / near.length,
      ) as unknown as Place;
    }
  }
}

function heapPush<T extends { length: number }>(heap: T[], item: T): void {
  let k = heap.push(item) - 1;
  while (k > 0) {
    const parent = (k - 1) >> 1;
    if (heap[parent]!.length <= item.length) break;
    heap[k] = heap[parent]!;
    k = parent;
  }
  heap[k] = item;
}

function heapPop<T extends { length: number }>(heap: T[]): T {
  const top = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return top;
  let k = 0;
  for (;;) {
    let child = 2 * k + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.length < heap[child]!.length) child++;
    if (heap[child]!.length >= last.length) break;
    heap[k] = heap[child]!;
    k = child;
  }
  heap[k] = last;
  return top;
}

const distance = (a: Place, b: Place): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

function faceArea(a: Place, b: Place, c: Place): number {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [vx, vy, vz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]];
  return 0.5 * Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
}
