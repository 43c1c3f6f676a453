import { exactLens } from '../geometry/photo.js';
import { listed } from '../contract/listed.js';
import { projectRay } from '../geometry/projection.js';
import type { KnownPhotoCamera, Photo } from '../geometry/types.js';
import { multiply3, rigid, rotationOf, transpose3 } from '../numerics/linear.js';
import {
  matchCameras,
  projectionOf,
  readKnownCameras,
  type KnownCamera,
  type KnownIntrinsics,
} from '../photos/known-cameras/index.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { straighten, type StraightenOptions } from './straighten.js';
import type { WidePicture } from './wide.js';

export type KnownCameraUse = KnownPhotoCamera['use'];

/** What became of a file of known cameras. */
export interface TakenCameras {
  /** Photos whose camera the file knows. */
  found: number;
  /** For the log, one line each. */
  notes: string[];
}

/** Names in a line of the log. */
const MOST_NAMES = 5;
/** Ratios of sides of a photo and the picture that intrinsics are for may differ by this share. */
const SAME_SHAPE = 0.01;
/**
 * Share of the long side by which the one radial term that the sparse stage has may miss the known lens: a pixel of the
 * picture that features are found on. Beyond it the photo is straightened along its lens first.
 */
const SIMPLE = 1 / 1600;

export interface TakeOptions extends StraightenOptions {
  use: KnownCameraUse;
  /** Of priors. */
  weight?: number | undefined;
}

/**
 * Gives the project's photos the cameras of a file, by file name. A photo whose known lens is more than a focal and one
 * radial term (fisheye, tangential terms, a centre beside the middle) is disabled, and its pinhole views are added.
 *
 * @throws UserError as readKnownCameras; nothing is changed then
 */
export async function takeKnownCameras(project: Project, path: string, options: TakeOptions): Promise<TakenCameras> {
  const file = await readKnownCameras(path);
  const notes = [...file.notes];
  const issues = new Map<string, string[]>();
  const remark = (what: string, name: string): void => void issues.set(what, [...(issues.get(what) ?? []), name]);
  const wide = notSimple(project, file.cameras, remark);
  if (wide.length > 0) await straighten(project, wide, options);
  const photos = project.photos().filter(({ enabled }) => enabled);
  const names = [...new Set(photos.map(pictureName))];
  const { byPhoto, unmatched } = matchCameras(file.cameras, names);
  const cameraOf = new Map([...byPhoto].map(([index, camera]) => [names[index]!, camera]));
  for (const photo of photos) {
    const camera = cameraOf.get(pictureName(photo));
    const known = camera && knownOf(photo, camera, options, (what) => remark(what, pictureName(photo)));
    project.setFacts(photo.id, { known });
  }
  const poses = [...byPhoto.values()].filter(({ worldFromCamera, position }) => worldFromCamera ?? position).length;
  notes.push(`known cameras (${file.format}): ${byPhoto.size} of ${names.length} photos, ${poses} with a place`);
  for (const [what, where] of issues) notes.push(`${what}: ${listed([...new Set(where)], MOST_NAMES)}`);
  if (unmatched.length > 0) notes.push(`known cameras without a photo of that name: ${listed(unmatched, MOST_NAMES)}`);
  return { found: byPhoto.size, notes };
}

/** Of the photo, or of the picture that it is a view of. */
const pictureName = ({ name, face }: Photo): string => face?.picture ?? name;

/** Photos whose known lens is not simple. */
function notSimple(
  project: Project,
  cameras: readonly KnownCamera[],
  remark: (what: string, name: string) => void,
): WidePicture[] {
  const photos = project.photos().filter(({ enabled, face }) => enabled && !face);
  const { byPhoto } = matchCameras(
    cameras,
    photos.map(({ name }) => name),
  );
  return [...byPhoto].flatMap(([index, { intrinsics }]) => {
    const photo = photos[index]!;
    if (!intrinsics || closestRadial(intrinsics) !== undefined) return [];
    return isForShape(photo, intrinsics, remark) ? [{ photo, camera: projectionOf(intrinsics) }] : [];
  });
}

function knownOf(
  photo: ProjectPhoto,
  { intrinsics, worldFromCamera, position }: KnownCamera,
  { use, weight }: Pick<TakeOptions, 'use' | 'weight'>,
  remark: (what: string) => void,
): KnownPhotoCamera | undefined {
  const lens = exactLens({ ...photo, known: undefined }) ?? (intrinsics && lensOf(photo, intrinsics, remark));
  if (use === 'intrinsics') return lens && { use, lens };
  const pose = worldFromCamera && poseOf(photo, worldFromCamera);
  if (!pose && !position) remark('no place is known, only the lens is used');
  const fixed = use === 'fixed' && pose && lens;
  if (use === 'fixed' && !fixed)
    remark('a camera is fixed by its pose and its lens together; what is known is a prior');
  return {
    use: fixed ? 'fixed' : 'prior',
    ...(lens ? { lens } : {}),
    ...(pose ? { worldFromCamera: pose } : {}),
    ...(position ? { position: Array.from(position) } : {}),
    ...(fixed || weight === undefined || weight === 1 ? {} : { weight }),
  };
}

/** Of the photo itself, or of the view where it is one. */
function poseOf({ face }: Photo, worldFromCamera: Float64Array): number[] {
  const turned = face && face.faceFromPicture.some((value, k) => value !== (k % 4 === 0 ? 1 : 0));
  if (!turned) return Array.from(worldFromCamera);
  const rotation = multiply3(rotationOf(worldFromCamera), transpose3(face.faceFromPicture));
  return Array.from(rigid(rotation, [worldFromCamera[3]!, worldFromCamera[7]!, worldFromCamera[11]!]));
}

function isForShape(
  photo: Photo,
  { width, height }: KnownIntrinsics,
  remark: (what: string, name: string) => void,
): boolean {
  if (Math.abs((width * photo.height) / (height * photo.width) - 1) <= SAME_SHAPE) return true;
  remark('intrinsics are for a picture of another shape and are not used', photo.name);
  return false;
}

function lensOf(
  photo: ProjectPhoto,
  known: KnownIntrinsics,
  remark: (what: string) => void,
): KnownPhotoCamera['lens'] | undefined {
  if (!isForShape(photo, known, remark)) return undefined;
  // The root of a square may be off by its last bit.
  const mean = known.fx === known.fy ? known.fx : Math.sqrt(known.fx * known.fy);
  const focal = (photo.width / known.width) * mean;
  const k1 = closestRadial(known);
  return focal > 0 && k1 !== undefined ? { focal, k1, k2: 0 } : undefined;
}

/**
 * The one radial term round the middle of the picture that comes closest to a lens, by the displacement it makes;
 * undefined where it misses the lens by more than SIMPLE somewhere.
 */
function closestRadial(known: KnownIntrinsics): number | undefined {
  const camera = projectionOf(known);
  if (camera.kind !== 'brown') return undefined;
  const { width, height, fx, fy } = camera;
  const focal = Math.sqrt(fx * fy);
  const rays: { x: number; y: number; u: number; v: number }[] = [];
  let [above, below] = [0, 0];
  for (let row = 0.5; row < 16; row++) {
    for (let column = 0.5; column < 16; column++) {
      const [x, y] = [((column / 16 - 0.5) * width) / fx, ((row / 16 - 0.5) * height) / fy];
      const [u, v] = projectRay(camera, x, y, 1)!;
      rays.push({ x, y, u: (u - (width - 1) / 2) / focal, v: (v - (height - 1) / 2) / focal });
      const square = x * x + y * y;
      const radial = ((u - camera.cx) / fx - x) * x + ((v - camera.cy) / fy - y) * y;
      above += radial * square;
      below += square ** 3;
    }
  }
  const k1 = known.k2 === 0 && known.k3 === 0 ? known.k1 : above / below;
  const off = rays.map(({ x, y, u, v }) => {
    const factor = 1 + k1 * (x * x + y * y);
    return Math.hypot(factor * x - u, factor * y - v);
  });
  return focal * Math.max(...off) < SIMPLE * Math.max(width, height) ? k1 : undefined;
}
