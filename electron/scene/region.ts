import type { SceneRegion } from '../contract/scene.js';
import type { Similarity } from '../geometry/similarity.js';
import { multiply3 } from '../numerics/linear.js';

type Point = ArrayLike<number>;

/** Whether a point of the scene frame lies in the region; everything does where there is none. */
export function insideRegion(region: SceneRegion | undefined, point: Point): boolean {
  return region === undefined || regionTest(region)(point[0]!, point[1]!, point[2]!);
}

/** The same for many points: what depends on the region alone is worked out once. */
export function regionTest({ centre, size, rotation: R }: SceneRegion): (x: number, y: number, z: number) => boolean {
  const [cx, cy, cz] = centre;
  const [hx, hy, hz] = size.map((value) => value / 2) as [number, number, number];
  const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = R as [
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
  return (x, y, z) => {
    const [dx, dy, dz] = [x - cx, y - cy, z - cz];
    return (
      Math.abs(r0 * dx + r3 * dy + r6 * dz) <= hx &&
      Math.abs(r1 * dx + r4 * dy + r7 * dz) <= hy &&
      Math.abs(r2 * dx + r5 * dy + r8 * dz) <= hz
    );
  };
}

/** A box turned about the scene's up. @param yaw degrees, from x towards y */
export function boxRegion(centre: SceneRegion['centre'], size: SceneRegion['size'], yaw = 0): SceneRegion {
  const [c, s] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  return { centre, size, rotation: [c, -s, 0, s, c, 0, 0, 0, 1] };
}

/** The same box of the world after the frame has changed. @param change newScene-from-oldScene */
export function movedRegion(region: SceneRegion, { scale, rotation, translation }: Similarity): SceneRegion {
  const [x, y, z] = region.centre;
  return {
    centre: [0, 1, 2].map(
      (i) => scale * (rotation[3 * i]! * x + rotation[3 * i + 1]! * y + rotation[3 * i + 2]! * z) + translation[i]!,
    ) as SceneRegion['centre'],
    size: region.size.map((value) => value * scale) as SceneRegion['size'],
    rotation: [...multiply3(rotation, region.rotation)],
  };
}
