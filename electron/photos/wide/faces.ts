import { pixelsPerRadian, projectRay, rayOf, type Projection } from '../../geometry/projection.js';
import { multiply3, rotationFromVector } from '../../numerics/linear.js';

/** A pinhole view of a wide picture. */
export interface FaceView {
  /** Part of the file's name. */
  name: string;
  width: number;
  height: number;
  /** Pixels; the principal point is the centre ((width - 1) / 2, (height - 1) / 2). */
  focal: number;
  /** Row-major 3x3: from the picture's camera frame to the face's. */
  faceFromPicture: number[];
}

export interface FaceOptions {
  /** Whole field of a face where several are cut, degrees. Neighbours overlap by what is more than their distance. */
  field: number;
  /** Half field up to which one face shows a fisheye picture whole, degrees: beyond, a pinhole stretches too much. */
  single: number;
  /** Angle between the middle face of a fisheye and those round it, degrees. */
  tilt: number;
  /** Share of a face that the picture must show for it to be cut. */
  leastShown: number;
  /** Longest side of a face, pixels. */
  longest: number;
}

export const FACE_DEFAULTS: FaceOptions = { field: 100, single: 56, tilt: 60, leastShown: 0.35, longest: 4000 };

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Looking `yaw` to the right and `pitch` up, degrees. */
function looking(yaw: number, pitch: number): Float64Array {
  return multiply3(rotationFromVector(radians(-pitch), 0, 0), rotationFromVector(0, radians(-yaw), 0));
}

const AROUND = [
  ['front', 0, 0],
  ['right', 1, 0],
  ['left', -1, 0],
  ['up', 0, 1],
  ['down', 0, -1],
] as const;

/**
 * The pinhole views that a picture is split into: six of a cube for 360 degrees, one or up to five for a fisheye, one
 * for a lens of Brown's. In the middle each has the picture's own resolution.
 */
export function facesOf(camera: Projection, options: FaceOptions = FACE_DEFAULTS): FaceView[] {
  if (camera.kind === 'equirectangular') {
    const ring = AROUND.map(([name, right, up]) => [name, 90 * right, 90 * up] as const);
    return [...ring, ['back', 180, 0] as const].map(([name, yaw, pitch]) => square(camera, name, yaw, pitch, options));
  }
  const [across, down] = halfFields(camera);
  if (camera.kind === 'brown' || Math.max(across, down) <= radians(options.single))
    return [whole(camera, across, down, options)];
  return AROUND.map(([name, right, up]) =>
    square(camera, name, options.tilt * right, options.tilt * up, options),
  ).filter((face) => shownShare(camera, face) >= options.leastShown);
}

/** The least angle to the axis at the middle of the picture's left and right edges, and of its upper and lower ones. */
function halfFields(camera: Exclude<Projection, { kind: 'equirectangular' }>): [number, number] {
  const angle = (x: number, y: number): number => Math.acos(rayOf(camera, x, y)[2]);
  const { width, height, cx, cy } = camera;
  return [Math.min(angle(-0.5, cy), angle(width - 0.5, cy)), Math.min(angle(cx, -0.5), angle(cx, height - 0.5))];
}

const even = (pixels: number): number => 2 * Math.round(pixels / 2);

function square(camera: Projection, name: string, yaw: number, pitch: number, options: FaceOptions): FaceView {
  const half = Math.tan(radians(options.field / 2));
  const side = Math.min(options.longest, even(2 * half * pixelsPerRadian(camera)));
  return { name, width: side, height: side, focal: side / (2 * half), faceFromPicture: [...looking(yaw, pitch)] };
}

function whole(camera: Projection, across: number, down: number, { longest }: FaceOptions): FaceView {
  const [u, v] = [Math.tan(across), Math.tan(down)];
  const focal = Math.min(pixelsPerRadian(camera), longest / (2 * Math.max(u, v)));
  const [width, height] = [even(2 * u * focal), even(2 * v * focal)];
  return { name: 'straight', width, height, focal, faceFromPicture: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
}

/** Where a face's pixel lies in the picture; undefined where the picture does not show it. */
export function pictureFromFace(
  camera: Projection,
  face: FaceView,
): (x: number, y: number) => [number, number] | undefined {
  const { focal, width, height, faceFromPicture: R } = face;
  return (x, y) => {
    const [u, v] = [(x - (width - 1) / 2) / focal, (y - (height - 1) / 2) / focal];
    const at = projectRay(
      camera,
      R[0]! * u + R[3]! * v + R[6]!,
      R[1]! * u + R[4]! * v + R[7]!,
      R[2]! * u + R[5]! * v + R[8]!,
    );
    if (!at || camera.kind === 'equirectangular') return at;
    return at[0] >= -0.5 && at[1] >= -0.5 && at[0] <= camera.width - 0.5 && at[1] <= camera.height - 0.5
      ? at
      : undefined;
  };
}

function shownShare(camera: Projection, face: FaceView): number {
  const at = pictureFromFace(camera, face);
  const steps = 24;
  let shown = 0;
  for (let y = 0; y < steps; y++)
    for (let x = 0; x < steps; x++)
      if (at(((x + 0.5) * face.width) / steps - 0.5, ((y + 0.5) * face.height) / steps - 0.5)) shown++;
  return shown / steps ** 2;
}
