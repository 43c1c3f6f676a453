import { invertRigid } from '../../electron/numerics/linear.js';
import type { SurfaceView } from '../../electron/surface/types.js';

/** Depth maps of a ball of radius 1 at the origin, from cameras around it at the same distance. */
export function sphereViews(count = 6, size = 72, distance = 4): SurfaceView[] {
  return Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count;
    const height = 0.6 * Math.sin(3 * angle);
    return sphereView([distance * Math.cos(angle), height, distance * Math.sin(angle)], size);
  });
}

export function sphereView(eye: [number, number, number], size: number, focal = 1.4 * size): SurfaceView {
  const worldFromCamera = lookAt(eye);
  const depth = new Float32Array(size * size);
  const centre = (size - 1) / 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const ray = [(x - centre) / focal, (y - centre) / focal, 1];
      const d = [0, 1, 2].map((i) => [0, 1, 2].reduce((sum, j) => sum + worldFromCamera[4 * i + j]! * ray[j]!, 0));
      // |eye + t d| = 1; t is depth along z.
      const a = d.reduce((sum, value) => sum + value * value, 0);
      const b = d.reduce((sum, value, i) => sum + value * eye[i]!, 0);
      const c = eye.reduce((sum, value) => sum + value * value, 0) - 1;
      const root = b * b - a * c;
      if (root > 0) depth[y * size + x] = (-b - Math.sqrt(root)) / a;
    }
  }
  return {
    width: size,
    height: size,
    focal,
    centreX: centre,
    centreY: centre,
    cameraFromWorld: invertRigid(worldFromCamera),
    depth,
    confidence: new Float32Array(size * size).fill(10),
  };
}

/** Looks at the origin, y down. */
export function lookAt(eye: readonly [number, number, number]): Float64Array {
  const length = Math.hypot(...eye);
  const z = eye.map((value) => -value / length) as [number, number, number];
  const down = [0, 1, 0] as const;
  const x = cross(down, z);
  const norm = Math.hypot(...x);
  const right = x.map((value) => value / norm) as [number, number, number];
  const y = cross(z, right);
  return Float64Array.of(...[0, 1, 2].flatMap((i) => [right[i]!, y[i]!, z[i]!, eye[i]!]), ...[0, 0, 0, 1]);
}

function cross(a: readonly [number, number, number], b: readonly [number, number, number]): [number, number, number] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
