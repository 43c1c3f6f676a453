/**
 * Order of the photos that keeps those that are seen together near each other (Cuthill and McKee, 1969, reversed):
 * breadth first from a photo at the rim, those with few neighbours first. Photos in a row then give a banded system,
 * whose factorisation takes time in proportion to their number instead of its cube.
 *
 * @param groups photos of each observation
 * @returns the place of every photo
 */
export function bandedOrder(photos: number, groups: readonly (readonly number[])[]): Int32Array {
  const neighbours: Set<number>[] = Array.from({ length: photos }, () => new Set());
  for (const group of groups) for (const a of group) for (const b of group) if (a !== b) neighbours[a]!.add(b);
  const place = new Int32Array(photos).fill(-1);
  const visit = (start: number, seen: Set<number>): number[] => {
    const queue = [start];
    seen.add(start);
    for (let k = 0; k < queue.length; k++) {
      const next = [...neighbours[queue[k]!]!]
        .filter((photo) => !seen.has(photo))
        .sort((a, b) => neighbours[a]!.size - neighbours[b]!.size || a - b);
      for (const photo of next) {
        seen.add(photo);
        queue.push(photo);
      }
    }
    return queue;
  };
  let count = 0;
  for (let photo = 0; photo < photos; photo++) {
    if (place[photo]! >= 0) continue;
    // The last photo of one sweep is at the rim; a second sweep starts from there.
    const rim = visit(photo, new Set()).at(-1)!;
    for (const each of visit(rim, new Set())) place[each] = count++;
  }
  return place.map((value) => photos - 1 - value);
}
