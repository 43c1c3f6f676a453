/**
 * Order of elimination that keeps the factor of a sparse symmetric matrix sparse: always the unknown that touches
 * fewest others next, on the quotient graph with approximate degrees (Amestoy, Davis and Duff, "An Approximate Minimum
 * Degree Ordering Algorithm", 1996, sections 2 to 4). Ties go to the smaller index, so that the order is the same
 * everywhere.
 *
 * @param neighbours of every unknown, without itself, both directions
 * @returns the unknowns in the order of elimination
 */
export function minimumDegree(neighbours: readonly (readonly number[] | Int32Array)[]): Int32Array {
  const n = neighbours.length;
  const variables: number[][] = neighbours.map((list) => Array.from(list));
  /** Eliminated unknowns that an unknown touches, and what each of them touches still. */
  const elements: number[][] = neighbours.map(() => []);
  const reach: (number[] | undefined)[] = new Array<undefined>(n).fill(undefined);
  const degree = Int32Array.from(variables, (list) => list.length);
  const done = new Uint8Array(n);
  const mark = new Int32Array(n).fill(-1);
  const outside = new Int32Array(n);
  const counted = new Int32Array(n).fill(-1);
  const order = new Int32Array(n);
  for (let step = 0; step < n; step++) {
    let pivot = -1;
    for (let k = 0; k < n; k++) if (!done[k] && (pivot < 0 || degree[k]! < degree[pivot]!)) pivot = k;
    order[step] = pivot;
    done[pivot] = 1;
    mark[pivot] = step;
    const touched: number[] = [];
    const gather = (list: readonly number[]): void => {
      for (const k of list) {
        if (done[k] || mark[k] === step) continue;
        mark[k] = step;
        touched.push(k);
      }
    };
    gather(variables[pivot]!);
    for (const e of elements[pivot]!) {
      if (reach[e]) gather(reach[e]);
      reach[e] = undefined;
    }
    reach[pivot] = touched;
    // Of every other element that is still touched: how many of its unknowns lie outside of the new one.
    for (const k of touched) {
      for (const e of elements[k]!) {
        if (!reach[e]) continue;
        if (counted[e] !== step) {
          counted[e] = step;
          outside[e] = reach[e].length;
        }
        outside[e] = outside[e]! - 1;
      }
    }
    for (const k of touched) {
      variables[k] = variables[k]!.filter((other) => !done[other] && mark[other] !== step);
      const kept = elements[k]!.filter((e) => reach[e] && outside[e]! > 0);
      const beyond = kept.reduce((sum, e) => sum + outside[e]!, 0);
      const sum = variables[k].length + touched.length - 1 + beyond;
      degree[k] = Math.min(n - step - 2, degree[k]! + touched.length - 1, sum);
      kept.push(pivot);
      elements[k] = kept;
    }
  }
  return order;
}
