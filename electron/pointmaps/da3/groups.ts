/** How strongly two photos are tied, 0 for not at all. Symmetric. */
export type Tie = (a: number, b: number) => number;

export interface GroupOptions {
  /** Photos of a group, at most. */
  size: number;
  /** Photos that a group shares with earlier ones, where ties allow. */
  overlap: number;
}

export const GROUP_DEFAULTS: GroupOptions = { size: 8, overlap: 2 };

function strongest(candidates: Iterable<number>, strength: (photo: number) => number): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (const photo of candidates) {
    const value = strength(photo);
    if (value > most) [best, most] = [photo, value];
  }
  return best;
}

/**
 * Groups of `members` to be looked at together: each photo is new in one group, and every group but the first of a
 * connected part begins with photos of earlier ones, those tied most to what is new, so that alignment can join them.
 * The number of groups grows in proportion to the photos. A photo without ties is a group of its own.
 *
 */
export function chooseGroups(
  members: readonly number[],
  tie: Tie,
  { size, overlap }: GroupOptions,
  shapes: readonly number[] = [],
  earlier: readonly number[] = [],
): number[][] {
  const fits = (a: number, b: number): number => (shapes[a] === shapes[b] ? tie(a, b) : 0);
  const fresh = new Set(members);
  const seen = new Set(earlier);
  const groups: number[][] = [];
  const to = (group: readonly number[]) => (photo: number) => group.reduce((sum, other) => sum + fits(photo, other), 0);
  while (fresh.size) {
    // Where the next photo hangs on what is there; else where the ties are most.
    const next = strongest(fresh, to([...seen]));
    const start = next ?? strongest(fresh, to([...fresh])) ?? [...fresh][0]!;
    const group = next === undefined ? [] : anchors(seen, start, fits, Math.min(overlap, size - 1));
    for (let photo: number | undefined = start; photo !== undefined && group.length < size;) {
      group.push(photo);
      fresh.delete(photo);
      photo = strongest(fresh, to(group));
    }
    for (const photo of group) seen.add(photo);
    groups.push(group);
  }
  return groups;
}

/** The photos of earlier groups that a new one is tied to most, the strongest first. */
function anchors(seen: ReadonlySet<number>, photo: number, tie: Tie, count: number): number[] {
  return [...seen]
    .map((other) => ({ other, strength: tie(photo, other) }))
    .filter(({ strength }) => strength > 0)
    .sort((p, q) => q.strength - p.strength || p.other - q.other)
    .slice(0, count)
    .map(({ other }) => other);
}
