type Three = ArrayLike<number>;

export const dot3 = (u: Three, v: Three): number => u[0]! * v[0]! + u[1]! * v[1]! + u[2]! * v[2]!;

export const minus3 = (u: Three, v: Three): number[] => [u[0]! - v[0]!, u[1]! - v[1]!, u[2]! - v[2]!];

export const cross3 = (u: Three, v: Three): number[] => [
  u[1]! * v[2]! - u[2]! * v[1]!,
  u[2]! * v[0]! - u[0]! * v[2]!,
  u[0]! * v[1]! - u[1]! * v[0]!,
];
