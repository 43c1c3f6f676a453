/**
 * The half-edge across each half-edge; half-edge `3 t + i` runs from corner i of face t to the next. -1 at a border, and
 * where more than two faces meet, or two with opposite sides up: nobody can say which two belong together.
 */
export function oppositeHalfEdges(indices: Uint32Array): Int32Array {
  const opposite = new Int32Array(indices.length).fill(-1);
  let slots = 1024;
  while (slots < 2 * indices.length) slots *= 2;
  const table = new Int32Array(slots);
  const from = (h: number): number => indices[h]!;
  const to = (h: number): number => indices[h % 3 === 2 ? h - 2 : h + 1]!;
  const find = (a: number, b: number): number => {
    let slot = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & (slots - 1);
    for (; table[slot] !== 0; slot = (slot + 1) & (slots - 1)) {
      const h = table[slot]! - 1;
      if (from(h) === a && to(h) === b) return slot;
    }
    return slot;
  };
  /** Edges that are there twice in one direction. */
  const twice = new Set<number>();
  for (let h = 0; h < indices.length; h++) {
    const slot = find(from(h), to(h));
    if (table[slot] === 0) table[slot] = h + 1;
    else twice.add(h).add(table[slot]! - 1);
  }
  for (let h = 0; h < indices.length; h++) {
    const found = table[find(to(h), from(h))]!;
    if (found > 0 && !twice.has(h) && !twice.has(found - 1)) opposite[h] = found - 1;
  }
  return opposite;
}

/** Loops of border half-edges, each in the order of walking around the hole. */
export function borderLoops(indices: Uint32Array, opposite: Int32Array): number[][] {
  const next = (h: number): number => (h % 3 === 2 ? h - 2 : h + 1);
  const loops: number[][] = [];
  const done = new Uint8Array(indices.length);
  for (let start = 0; start < indices.length; start++) {
    if (opposite[start] !== -1 || done[start]) continue;
    const loop: number[] = [];
    for (let h = start; !done[h];) {
      done[h] = 1;
      loop.push(h);
      // The border goes on from the end of h: turn about that corner from face to face until there is none.
      let turn = next(h);
      while (opposite[turn] !== -1) turn = next(opposite[turn]!);
      h = turn;
    }
    loops.push(loop);
  }
  return loops;
}
