/**
 * One scale for every confidence that is shown: the percentile among all depths of the scene. Estimators' own numbers
 * mean different things and crowd at one end: a slider over them did nothing over half its way. A scale is the
 * confidences at 0, 1, ... 100 per cent, ascending. Pure.
 */

/** Steps of a scale; it has one value more. */
export const CONFIDENCE_STEPS = 100;

/**
 * @param sorted confidences, ascending
 * @returns the scale; undefined when there are no confidences
 */
export function confidenceScale(sorted: Float32Array): number[] | undefined {
  if (sorted.length === 0) return undefined;
  return Array.from({ length: CONFIDENCE_STEPS + 1 }, (_, k) => {
    const at = Math.min(sorted.length - 1, Math.floor((k / CONFIDENCE_STEPS) * sorted.length));
    // Five figures: it travels with every change of the project.
    return Number(sorted[at]!.toPrecision(5));
  });
}

/** Per cent of the scene's depths whose confidence is less, 0 to 100. */
export function percentileOf(scale: readonly number[], confidence: number): number {
  let [low, high] = [0, scale.length - 1];
  if (confidence <= scale[low]!) return 0;
  if (confidence > scale[high]!) return CONFIDENCE_STEPS;
  // The last step whose value is less: where many depths have one confidence, it is the first of them.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (scale[middle]! < confidence) low = middle;
    else high = middle;
  }
  const step = scale[high]! - scale[low]!;
  return low + (step > 0 ? (confidence - scale[low]!) / step : 0);
}

/** The confidence that a percentage of the scene's depths stay below. @param percentile 0 to 100 */
export function confidenceAt(scale: readonly number[], percentile: number): number {
  const at = Math.min(CONFIDENCE_STEPS, Math.max(0, percentile));
  const k = Math.min(CONFIDENCE_STEPS - 1, Math.floor(at));
  return scale[k]! + (at - k) * (scale[k + 1]! - scale[k]!);
}

/**
 * Share of the depths in each of some bins of equal width of the confidence's logarithm, over the whole scale.
 *
 * @returns of each bin the confidence at its beginning, and its share, 0 to 1
 */
export function confidenceHistogram(scale: readonly number[], bins: number): { from: number; share: number }[] {
  const [least, most] = [Math.log(scale[0]!), Math.log(scale.at(-1)!)];
  // The last bin holds its end too.
  const border = (k: number): number => Math.exp(least + (k / bins) * (most - least));
  const below = (k: number): number => {
    if (k === 0) return 0;
    return k === bins ? CONFIDENCE_STEPS : percentileOf(scale, border(k));
  };
  return Array.from({ length: bins }, (_, k) => ({
    from: border(k),
    share: (below(k + 1) - below(k)) / CONFIDENCE_STEPS,
  }));
}
