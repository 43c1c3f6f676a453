/** A view's camera as the network takes and gives it. */
export interface ViewCamera {
  /** Row-major 4x4, world-from-camera. */
  worldFromCamera: Float64Array;
  /** View pixels; the principal point is the view's centre. */
  fx: number;
  fy: number;
}

/** A rotation matrix (upper left of a row-major 4x4) as (x, y, z, w), w >= 0. Shepperd's method. */
function quaternionOf(m: Float64Array): [number, number, number, number] {
  const [xx, yy, zz] = [m[0]!, m[5]!, m[10]!];
  const candidates = [1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz, 1 + xx + yy + zz];
  const largest = candidates.indexOf(Math.max(...candidates));
  const root = Math.sqrt(candidates[largest]!);
  const [xy, xz, yz] = [m[1]! + m[4]!, m[2]! + m[8]!, m[6]! + m[9]!];
  const [wx, wy, wz] = [m[9]! - m[6]!, m[2]! - m[8]!, m[4]! - m[1]!];
  const rows = [
    [candidates[0]!, xy, xz, wx],
    [xy, candidates[1]!, yz, wy],
    [xz, yz, candidates[2]!, wz],
    [wx, wy, wz, candidates[3]!],
  ];
  const q = rows[largest]!.map((value) => value / (2 * root));
  const sign = q[3]! < 0 ? -1 : 1;
  return q.map((value) => sign * value) as [number, number, number, number];
}

/** The nine numbers of the camera encoder: translation, quaternion (x, y, z, w), vertical and horizontal field of view. */
export function cameraNumbers({ worldFromCamera: m, fx, fy }: ViewCamera, height: number, width: number): number[] {
  const fieldOfView = (size: number, focal: number) => 2 * Math.atan(size / (2 * focal));
  return [m[3]!, m[7]!, m[11]!, ...quaternionOf(m), fieldOfView(height, fy), fieldOfView(width, fx)];
}

/** The camera of the decoder's nine numbers. The quaternion need not have unit length. */
export function cameraOf(numbers: ArrayLike<number>, height: number, width: number): ViewCamera {
  const [tx, ty, tz, x, y, z, w, vertical, horizontal] = Array.from(numbers) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const s = 2 / (x * x + y * y + z * z + w * w || 1);
  const focal = (size: number, angle: number) => size / 2 / Math.max(Math.tan(angle / 2), 1e-6);
  // prettier-ignore
  const worldFromCamera = Float64Array.of(
    1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w), tx,
    s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w), ty,
    s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y), tz,
    0, 0, 0, 1,
  );
  return { worldFromCamera, fx: focal(width, horizontal), fy: focal(height, vertical) };
}
