/** To 0..1 over the views. */
function spread(values: number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (value - least) / (most - least + 1e-8));
}

/**
 * The view that the network takes as its reference when it has three or more and no cameras: the most middling one in
 * likeness to the others, in length and in variance of its summary (the first token, from the photo graph). With fewer
 * views the first. Index into `summaries`.
 */
export function referenceView(summaries: readonly Float32Array[]): number {
  const count = summaries.length;
  if (count < 3) return 0;
  const lengths = summaries.map((token) => Math.sqrt(token.reduce((sum, value) => sum + value * value, 0)));
  const units = summaries.map((token, v) => Float64Array.from(token, (value) => value / (lengths[v]! || 1)));
  const likeness = units.map((unit, v) => {
    let sum = 0;
    units.forEach((other, u) => {
      if (u !== v) for (let c = 0; c < unit.length; c++) sum += unit[c]! * other[c]!;
    });
    return sum / (count - 1);
  });
  const variance = units.map((unit) => {
    const mean = unit.reduce((sum, value) => sum + value, 0) / unit.length;
    return unit.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (unit.length - 1);
  });
  const scores = [likeness, lengths, variance].map(spread);
  const odd = summaries.map((_, v) => scores.reduce((sum, score) => sum + Math.abs(score[v]! - 0.5), 0));
  return odd.indexOf(Math.min(...odd));
}
