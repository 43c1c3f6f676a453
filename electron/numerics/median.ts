/** The upper one of the two in the middle for an even number; undefined for none. The values stay as they are. */
export function median(values: ArrayLike<number>): number | undefined {
  return medianOfSorted(Float64Array.from(values).sort());
}

/** @param values ascending */
export const medianOfSorted = (values: ArrayLike<number>): number | undefined => values[values.length >> 1];
