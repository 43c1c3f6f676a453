import { Matrix3, Plane, Vector3, type Ray } from 'three';
import type { SceneRegion, Vector } from '../../electron/contract/scene.js';

/** What of a crop box can be dragged: a face along its normal, its turn about up, the whole box over the ground. */
export type BoxHandle = { kind: 'face'; axis: 0 | 1 | 2; sign: 1 | -1 } | { kind: 'turn' } | { kind: 'move' };

export const boxHandles: readonly BoxHandle[] = [
  ...([0, 1, 2] as const).flatMap((axis) => [
    { kind: 'face' as const, axis, sign: 1 as const },
    { kind: 'face' as const, axis, sign: -1 as const },
  ]),
  { kind: 'turn' },
  { kind: 'move' },
];

/** Shares of the longest side: how far the handle of the turn stands off, and the least side of a box. */
const STAND_OFF = 0.15;
const LEAST = 1e-3;

const up = new Vector3(0, 0, 1);

function axisOf({ rotation }: SceneRegion, axis: 0 | 1 | 2): Vector3 {
  return new Vector3(rotation[axis], rotation[3 + axis], rotation[6 + axis]);
}

/** Where a handle is, scene frame. */
export function handlePlace(region: SceneRegion, handle: BoxHandle): Vector3 {
  const centre = new Vector3(...region.centre);
  if (handle.kind === 'move') return centre;
  if (handle.kind === 'turn')
    return centre.addScaledVector(axisOf(region, 0), region.size[0] / 2 + STAND_OFF * Math.max(...region.size));
  return centre.addScaledVector(axisOf(region, handle.axis), (handle.sign * region.size[handle.axis]) / 2);
}

/** The box after its handle was dragged from one line of sight to another, scene frame. */
export function draggedBox(region: SceneRegion, handle: BoxHandle, from: Ray, to: Ray): SceneRegion {
  const place = handlePlace(region, handle);
  if (handle.kind === 'face') {
    const normal = axisOf(region, handle.axis).multiplyScalar(handle.sign);
    return grownBox(region, handle, along(place, normal, to) - along(place, normal, from));
  }
  const [a, b] = [onGround(place, from), onGround(place, to)];
  if (handle.kind === 'move') return movedBox(region, b.clone().sub(a));
  const centre = new Vector3(...region.centre);
  return turnedBox(region, angle(b.sub(centre)) - angle(a.sub(centre)));
}

/** One face outwards by a length; the face opposite stays. */
export function grownBox(region: SceneRegion, { axis, sign }: BoxHandle & { kind: 'face' }, by: number): SceneRegion {
  const size = [...region.size] as Vector;
  size[axis] = Math.max(LEAST * Math.max(...region.size), size[axis] + by);
  const shift = (sign * (size[axis] - region.size[axis])) / 2;
  const centre = new Vector3(...region.centre).addScaledVector(axisOf(region, axis), shift);
  return { ...region, centre: centre.toArray(), size };
}

/** About up, radians. */
export function turnedBox(region: SceneRegion, radians: number): SceneRegion {
  const [c, s] = [Math.cos(radians), Math.sin(radians)];
  const turn = new Matrix3().set(c, -s, 0, s, c, 0, 0, 0, 1);
  const before = new Matrix3().set(...(region.rotation as Parameters<Matrix3['set']>));
  return { ...region, rotation: turn.multiply(before).transpose().toArray() };
}

export function movedBox(region: SceneRegion, by: Vector3): SceneRegion {
  return { ...region, centre: new Vector3(...region.centre).add(by).toArray() };
}

const angle = ({ x, y }: Vector3): number => Math.atan2(y, x);

/** How far along a line the place is that a line of sight comes nearest to; nought where they run side by side. */
function along(start: Vector3, direction: Vector3, ray: Ray): number {
  const across = start.clone().sub(ray.origin);
  const b = direction.dot(ray.direction);
  const off = 1 - b * b;
  if (off < 1e-4) return 0;
  return (b * ray.direction.dot(across) - direction.dot(across)) / off;
}

/** Below this sine between the line of sight and the ground a hair's breadth on the screen is far away. */
const FLAT = 0.08;

/** On the level plane through a place; seen from its side, on the plane that faces the eye. */
function onGround(place: Vector3, ray: Ray): Vector3 {
  const normal = Math.abs(ray.direction.z) > FLAT ? up : ray.direction.clone().setZ(0).normalize();
  const plane = new Plane().setFromNormalAndCoplanarPoint(normal, place);
  return ray.intersectPlane(plane, new Vector3()) ?? place.clone();
}
