/** Sets that are joined one by one (disjoint-set forest with path halving). */
export class UnionFind {
  private readonly parent: Int32Array;

  constructor(count: number) {
    this.parent = Int32Array.from({ length: count }, (_, k) => k);
  }

  /** The member that stands for the set of this one. */
  root(member: number): number {
    const { parent } = this;
    let at = member;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }

  /** Joins two sets; the root of `into` stands for both. @returns whether they were two */
  join(member: number, into: number): boolean {
    const [from, to] = [this.root(member), this.root(into)];
    this.parent[from] = to;
    return from !== to;
  }
}
