/**
 * The value at which half of the weight is reached, by quickselect; both arrays are reordered. Sorting an array of
 * pairs took four times as long, most of it in collecting the pairs.
 *
 * @returns Infinity for no values
 */
export function weightedMedian(values: Float64Array, weights: Float64Array, count = values.length): number {
  if (count === 0) return Infinity;
  let rest = 0;
  for (let k = 0; k < count; k++) rest += weights[k]!;
  rest /= 2;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = middle(values[low]!, values[(low + high) >> 1]!, values[high]!);
    let i = low;
    let j = high;
    let below = 0;
    while (i <= j) {
      while (values[i]! < pivot) below += weights[i++]!;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const [value, weight] = [values[i]!, weights[i]!];
      values[i] = values[j]!;
      weights[i] = weights[j]!;
      values[j] = value;
      weights[j] = weight;
      below += weights[i++]!;
      j--;
    }
    // low..i-1 hold what is at most the pivot, and weigh `below`.
    if (below >= rest) {
      if (i - 1 === high) return pivot;
      high = i - 1;
    } else {
      rest -= below;
      low = i;
    }
  }
  return values[low]!;
}

const middle = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
