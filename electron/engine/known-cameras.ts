import type { KnownPhotoCamera } from '../geometry/types.js';
import {
  matchCameras,
  readKnownCameras,
  type KnownCamera,
  type KnownIntrinsics,
} from '../photos/known-cameras/index.js';
import type { Project, ProjectPhoto } from '../project/project.js';

export type KnownCameraUse = KnownPhotoCamera['use'];

/** What became of a file of known cameras. */
export interface TakenCameras {
  /** Photos whose camera the file knows. */
  found: number;
  /** For the log, one line each. */
  notes: string[];
}

/** Ratios of sides of a photo and the picture that intrinsics are for may differ by this share. */
const SAME_SHAPE = 0.01;
/** Share of the long side by which a principal point may lie off the middle before it is worth a word. */
const CENTRED = 0.01;

/**
 * Gives the project's photos the cameras of a file, by file name.
 *
 * @throws UserError as readKnownCameras; nothing is changed then
 */
export async function takeKnownCameras(project: Project, path: string, use: KnownCameraUse): Promise<TakenCameras> {
  const file = await readKnownCameras(path);
  const photos = project.photos().filter(({ enabled }) => enabled);
  const names = photos.map(({ name }) => name);
  const { byPhoto, unmatched } = matchCameras(file.cameras, names);
  const notes = [...file.notes];
  const issues = new Map<string, string[]>();
  const remark = (what: string, name: string): void => void issues.set(what, [...(issues.get(what) ?? []), name]);
  photos.forEach((photo, index) => {
    const camera = byPhoto.get(index);
    const known = camera && knownOf(photo, camera, use, (what) => remark(what, photo.name));
    project.setFacts(photo.id, { known });
  });
  const poses = [...byPhoto.values()].filter(({ worldFromCamera, position }) => worldFromCamera ?? position).length;
  notes.push(`known cameras (${file.format}): ${byPhoto.size} of ${photos.length} photos, ${poses} with a place`);
  for (const [what, where] of issues) notes.push(`${what}: ${listed(where)}`);
  if (unmatched.length > 0) notes.push(`known cameras without a photo of that name: ${listed(unmatched)}`);
  return { found: byPhoto.size, notes };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function knownOf(
  photo: ProjectPhoto,
  { intrinsics, worldFromCamera, position }: KnownCamera,
  use: KnownCameraUse,
  remark: (what: string) => void,
): KnownPhotoCamera | undefined {
  const lens = intrinsics && lensOf(photo, intrinsics, remark);
  if (use === 'intrinsics') return lens && { use, lens };
  const pose = worldFromCamera && Array.from(worldFromCamera);
  if (!pose && !position) remark('no place is known, only the lens is used');
  const fixed = use === 'fixed' && pose && lens;
  if (use === 'fixed' && !fixed)
    remark('a camera is fixed by its pose and its lens together; what is known is a prior');
  return {
    use: fixed ? 'fixed' : 'prior',
    ...(lens ? { lens } : {}),
    ...(pose ? { worldFromCamera: pose } : {}),
    ...(position ? { position: Array.from(position) } : {}),
  };
}

function lensOf(
  photo: ProjectPhoto,
  known: KnownIntrinsics,
  remark: (what: string) => void,
): KnownPhotoCamera['lens'] | undefined {
  if (Math.abs((known.width * photo.height) / (known.height * photo.width) - 1) > SAME_SHAPE) {
    remark('intrinsics are for a picture of another shape and are not used');
    return undefined;
  }
  const scale = photo.width / known.width;
  const focal = scale * Math.sqrt(known.fx * known.fy);
  if (!(focal > 0)) return undefined;
  const long = Math.max(known.width, known.height);
  const offset = Math.hypot(known.cx - (known.width - 1) / 2, known.cy - (known.height - 1) / 2);
  if (offset > CENTRED * long) remark('the principal point is taken to be the middle of the picture');
  if (Math.hypot(known.p1, known.p2) > 1e-4) remark('tangential distortion is left out');
  return { focal, k1: closestRadial(known), k2: 0 };
}

/** The one radial term that comes closest to Brown's three over the picture, by the displacement it makes. */
function closestRadial({ width, height, fx, fy, k1, k2, k3 }: KnownIntrinsics): number {
  if (k2 === 0 && k3 === 0) return k1;
  let above = 0;
  let below = 0;
  for (let y = 0.5; y < 16; y++) {
    for (let x = 0.5; x < 16; x++) {
      const square = (((x / 16 - 0.5) * width) / fx) ** 2 + (((y / 16 - 0.5) * height) / fy) ** 2;
      // The displacement is r (k1 r^2 + k2 r^4 + k3 r^6).
      above += square * square * square * (k1 + k2 * square + k3 * square * square);
      below += square * square * square;
    }
  }
  return above / below;
}
