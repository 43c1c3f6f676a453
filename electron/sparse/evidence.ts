/** log10 of n!, by Stirling's series beyond a table. */
const TABLE = new Float64Array(256);
for (let k = 1; k < TABLE.length; k++) TABLE[k] = TABLE[k - 1]! + Math.log10(k);
const logFactorial = (n: number): number =>
  n < TABLE.length
    ? TABLE[n]!
    : ((n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n)) * Math.LOG10E;
const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/**
 * How little chance explains that so many samples agree with a model: minus log10 of the expected number of models that
 * would do as well on random samples, at the best of all thresholds (a contrario, Moisan and Stival, IJCV 2004). Above 0
 * is more than chance; ten means one in 10^10. It replaces fixed numbers of inliers: 12 of 14 are better evidence than
 * 40 of 900.
 *
 * @param errors of the samples
 * @param limit largest error that may count as agreement
 * @param chance that a random sample has at most the given error
 * @param minimal samples that determine the model
 */
export function evidence(
  errors: ArrayLike<number>,
  limit: number,
  chance: (error: number) => number,
  minimal: number,
): number {
  const n = errors.length;
  const below = Array.from({ length: n }, (_, k) => errors[k]!)
    .filter((error) => error < limit)
    .sort((a, b) => a - b);
  let best = -Infinity;
  for (let k = minimal; k < below.length; k++) {
    // Rounded numbers give exact zeros: no error counts as less than a thirtieth of the limit.
    const alpha = Math.min(1, chance(Math.max(below[k]!, limit / 30)));
    const falseAlarms =
      Math.log10(n) + logChoose(n, k + 1) + logChoose(k + 1, minimal) + (k + 1 - minimal) * Math.log10(alpha);
    best = Math.max(best, -falseAlarms);
  }
  return best;
}

/** Chance of lying within `error` of a line that crosses a picture with sides of about one. */
export const chanceOfLine = (error: number): number => 3.3 * error;
/** Chance of lying within `error` of a place in such a picture. */
export const chanceOfPlace = (error: number): number => (Math.PI * error * error) / 0.7;
