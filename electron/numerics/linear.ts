/** Small dense linear algebra on row-major Float64Arrays. */

/** C = A B for 3x3. */
export function multiply3(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const c = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      c[3 * i + j] = a[3 * i]! * b[j]! + a[3 * i + 1]! * b[3 + j]! + a[3 * i + 2]! * b[6 + j]!;
  return c;
}

export function transpose3(a: ArrayLike<number>): Float64Array {
  return Float64Array.of(a[0]!, a[3]!, a[6]!, a[1]!, a[4]!, a[7]!, a[2]!, a[5]!, a[8]!);
}

/** Rotation by `angleAxis` (radians times unit axis): Rodrigues' formula. */
export function rotationFromVector(x: number, y: number, z: number): Float64Array {
  const squared = x * x + y * y + z * z;
  const angle = Math.sqrt(squared);
  // Series near zero, where sin(a)/a loses digits.
  const s = angle < 1e-6 ? 1 - squared / 6 : Math.sin(angle) / angle;
  const c = angle < 1e-6 ? 0.5 - squared / 24 : (1 - Math.cos(angle)) / squared;
  return Float64Array.of(
    1 - c * (y * y + z * z),
    c * x * y - s * z,
    c * x * z + s * y,
    c * x * y + s * z,
    1 - c * (x * x + z * z),
    c * y * z - s * x,
    c * x * z - s * y,
    c * y * z + s * x,
    1 - c * (x * x + y * y),
  );
}

/** The inverse of `rotationFromVector`, for angles below pi. */
export function rotationVector(r: ArrayLike<number>): Float64Array {
  const axis = [r[7]! - r[5]!, r[2]! - r[6]!, r[3]! - r[1]!];
  const sine = Math.hypot(axis[0]!, axis[1]!, axis[2]!) / 2;
  const angle = Math.atan2(sine, (r[0]! + r[4]! + r[8]! - 1) / 2);
  const factor = sine > 1e-12 ? angle / (2 * sine) : 0.5;
  return Float64Array.from(axis, (value) => value * factor);
}

/** Angle of a rotation matrix, radians. */
export function rotationAngle(r: ArrayLike<number>): number {
  const sine = Math.hypot(r[7]! - r[5]!, r[2]! - r[6]!, r[3]! - r[1]!) / 2;
  return Math.atan2(sine, (r[0]! + r[4]! + r[8]! - 1) / 2);
}

/** Nearest rotation to a nearly orthonormal matrix, by Newton's iteration for the polar factor. */
export function orthonormalise(r: ArrayLike<number>): Float64Array {
  let q = Float64Array.from(r);
  for (let k = 0; k < 8; k++) {
    const cofactor = Float64Array.of(
      q[4]! * q[8]! - q[5]! * q[7]!,
      q[5]! * q[6]! - q[3]! * q[8]!,
      q[3]! * q[7]! - q[4]! * q[6]!,
      q[2]! * q[7]! - q[1]! * q[8]!,
      q[0]! * q[8]! - q[2]! * q[6]!,
      q[1]! * q[6]! - q[0]! * q[7]!,
      q[1]! * q[5]! - q[2]! * q[4]!,
      q[2]! * q[3]! - q[0]! * q[5]!,
      q[0]! * q[4]! - q[1]! * q[3]!,
    );
    const determinant = q[0]! * cofactor[0]! + q[1]! * cofactor[1]! + q[2]! * cofactor[2]!;
    q = q.map((value, i) => 0.5 * (value + cofactor[i]! / determinant));
  }
  return q;
}

/** 4x4 rigid transform from rotation [9] and translation [3]. */
export function rigid(rotation: ArrayLike<number>, translation: ArrayLike<number>): Float64Array {
  return Float64Array.of(
    rotation[0]!,
    rotation[1]!,
    rotation[2]!,
    translation[0]!,
    rotation[3]!,
    rotation[4]!,
    rotation[5]!,
    translation[1]!,
    rotation[6]!,
    rotation[7]!,
    rotation[8]!,
    translation[2]!,
    0,
    0,
    0,
    1,
  );
}

export function rotationOf(pose: ArrayLike<number>): Float64Array {
  return Float64Array.of(pose[0]!, pose[1]!, pose[2]!, pose[4]!, pose[5]!, pose[6]!, pose[8]!, pose[9]!, pose[10]!);
}

export function multiply4(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const c = new Float64Array(16);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[4 * i + k]! * b[4 * k + j]!;
      c[4 * i + j] = sum;
    }
  }
  return c;
}

/** Inverse of a rigid transform. */
export function invertRigid(pose: ArrayLike<number>): Float64Array {
  const r = transpose3(rotationOf(pose));
  const [x, y, z] = [pose[3]!, pose[7]!, pose[11]!];
  return rigid(
    r,
    [0, 1, 2].map((i) => -(r[3 * i]! * x + r[3 * i + 1]! * y + r[3 * i + 2]! * z)),
  );
}

export const identity4 = (): Float64Array => Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

/**
 * Solves A x = b for symmetric positive definite A [n, n] by Cholesky, in place: A's lower triangle becomes the factor,
 * b the solution.
 *
 * @returns false, with b spoilt, when A is not positive definite
 */
export function solveCholesky(a: Float64Array, b: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    let diagonal = a[rowJ + j]!;
    for (let k = 0; k < j; k++) diagonal -= a[rowJ + k]! * a[rowJ + k]!;
    if (!(diagonal > 1e-300)) return false;
    diagonal = Math.sqrt(diagonal);
    a[rowJ + j] = diagonal;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let sum = a[rowI + j]!;
      for (let k = 0; k < j; k++) sum -= a[rowI + k]! * a[rowJ + k]!;
      a[rowI + j] = sum / diagonal;
    }
  }
  substituteCholesky(a, b, n);
  return true;
}

/** Solves L L' x = b in place, with the factor that `solveCholesky` left in the lower triangle of `a` [n, n]. */
export function substituteCholesky(a: Float64Array, b: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= a[i * n + k]! * b[k]!;
    b[i] = sum / a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * b[k]!;
    b[i] = sum / a[i * n + i]!;
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
