type Three = ArrayLike<number>;

export const dot3 = (u: Three, v: Three): number => u[0]! * v[0]! + u[1]! * v[1]! + u[2]! * v[2]!;

export const minus3 = (u: Three, v: Three): number[] => [u[0]! - v[0]!, u[1]! - v[1]!, u[2]! - v[2]!];

export const cross3 = (u: Three, v: Three): number[] => [
  u[1]! * v[2]! - u[2]! * v[1]!,
  u[2]! * v[0]! - u[0]! * v[2]!,
  u[0]! * v[1]! - u[1]! * v[0]!,
];

/** The transpose of a row-major 3x3 matrix times a vector. */
export const transposedTimes3 = (A: ArrayLike<number>, v: Three): [number, number, number] => [
  A[0]! * v[0]! + A[3]! * v[1]! + A[6]! * v[2]!,
  A[1]! * v[0]! + A[4]! * v[1]! + A[7]! * v[2]!,
  A[2]! * v[0]! + A[5]! * v[1]! + A[8]! * v[2]!,
];

/** A row-major 3x3 matrix times a vector. */
export const times3 = (A: ArrayLike<number>, v: Three): Float64Array =>
  Float64Array.of(
    A[0]! * v[0]! + A[1]! * v[1]! + A[2]! * v[2]!,
    A[3]! * v[0]! + A[4]! * v[1]! + A[5]! * v[2]!,
    A[6]! * v[0]! + A[7]! * v[1]! + A[8]! * v[2]!,
  );
