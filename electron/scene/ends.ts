import { UserError } from '../contract/errors.js';
import type { LengthEnd, ScenePixel } from '../contract/scene.js';
import { posesOf, projected, triangulated, widestAngle, type Sighting } from '../geometry/rays.js';
import type { Camera, Scene } from '../geometry/types.js';
import { checkInside, pointAtPixel } from './points.js';

interface Cameras {
  cameras: readonly Camera[];
}

/** A place in the frame of the cameras, and how well it is known. */
export interface FoundPoint {
  position: [number, number, number];
  /** One standard deviation, same unit. */
  deviation: number;
  /** Of a point that several photos show: mean distance of its pixels from its projections. */
  residualPixels?: number;
}

/** Pixels that a person's or a detector's mark is good for at best. */
const MARK = 0.3;
/** Degrees: lines of sight that meet at less say nothing about the depth. */
const LEAST_ANGLE = 0.5;

/**
 * Where the lines of sight of a point that several photos show meet.
 *
 * @throws UserError 'bad-input' when fewer than two of the photos are placed, or their lines are parallel
 */
export function pointInPhotos({ others = [], ...first }: ScenePixel, { cameras }: Cameras): FoundPoint {
  const sightings = [first, ...others].flatMap(({ photo, x, y }): Sighting[] => {
    const camera = cameras.findIndex((each) => each.photo === photo);
    if (camera < 0) return [];
    checkInside({ x, y }, cameras[camera]!);
    return [{ camera, x, y }];
  });
  const distinct = new Set(sightings.map(({ camera }) => camera));
  if (distinct.size < 2)
    throw new UserError(
      'bad-input',
      'a point that is marked in photos needs two different photos that have a place in the scene; mark it in another',
    );
  const poses = posesOf(cameras);
  const position = triangulated(cameras, poses, sightings);
  const angle = position ? widestAngle(cameras, sightings, position) : 0;
  if (!position || angle < LEAST_ANGLE)
    throw new UserError(
      'bad-input',
      'the photos that this point is marked in look at it from one direction; mark it in a photo from elsewhere',
    );
  const errors = sightings.map(({ camera, x, y }) => {
    const seen = projected(cameras[camera]!, poses[camera]!, position);
    return seen ? Math.hypot(seen[0] - x, seen[1] - y) : Infinity;
  });
  const residualPixels = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const across = sightings.map(({ camera }) => {
    const M = cameras[camera]!.worldFromCamera;
    return Math.hypot(...[3, 7, 11].map((at, i) => position[i]! - M[at]!)) / cameras[camera]!.fx;
  });
  const deviation =
    (Math.max(MARK, residualPixels) * Math.max(...across)) / Math.max(0.02, Math.sin((angle * Math.PI) / 180));
  return { position, deviation, residualPixels };
}

/** Pixels of one photo: a mark is not set more exactly than to half of one, and a length of one is good for nothing. */
const LEAST_APART = 2;

/**
 * Refuses points that were picked at one spot: a length of a fifth of a pixel made a scene of ten metres one of four
 * kilometres.
 *
 * @throws UserError 'bad-input' when a photo shows both less than two pixels apart
 */
export function checkApart(a: LengthEnd, b: LengthEnd): void {
  const marksOf = (end: LengthEnd): ScenePixel[] => ('camera' in end ? [] : [end, ...(end.others ?? [])]);
  const isSame = marksOf(a).some((mark) =>
    marksOf(b).some(
      (other) => other.photo === mark.photo && Math.hypot(other.x - mark.x, other.y - mark.y) < LEAST_APART,
    ),
  );
  if (isSame)
    throw new UserError(
      'bad-input',
      `two picked points coincide: they lie less than ${LEAST_APART} pixels apart; choose two that are farther apart`,
    );
}

/** The place of a length's end, as the cameras and depth maps alone know it. @throws UserError 'bad-input' */
export function endPoint(end: LengthEnd, scene: Pick<Scene, 'cameras' | 'depthMaps'>): FoundPoint {
  if ('camera' in end) return cameraPoint(end.camera, scene);
  if (end.others?.length) return pointInPhotos(end, scene);
  return pointAtPixel(end, scene.cameras, scene.depthMaps);
}

export function cameraPoint(photo: string, { cameras }: Cameras): FoundPoint {
  const camera = cameras.find((each) => each.photo === photo);
  if (!camera)
    throw new UserError('bad-input', `this photo has no place in the scene, so nor has its camera: ${photo}`);
  const M = camera.worldFromCamera;
  return { position: [M[3]!, M[7]!, M[11]!], deviation: 0 };
}
