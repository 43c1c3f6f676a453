import { z } from 'zod';
import {
  fromOpenGl,
  numeric,
  rigidMatrix,
  NO_DISTORTION,
  type KnownCamera,
  type KnownCameraFile,
  type KnownIntrinsics,
} from './types.js';

const number = z.number();
const ours = z.object({
  photos: z.array(
    z.object({
      name: z.string(),
      width: number,
      height: number,
      model: z.string().optional(),
      // A picture of 360 degrees has none.
      fx: number.default(0),
      fy: number.optional(),
      cx: number.optional(),
      cy: number.optional(),
      k1: number.default(0),
      k2: number.default(0),
      k3: number.default(0),
      p1: number.default(0),
      p2: number.default(0),
      k4: number.default(0),
      worldFromCamera: z.array(number).length(16).optional(),
    }),
  ),
});

const nerfstudioIntrinsics = {
  camera_model: z.string().optional(),
  w: number.optional(),
  h: number.optional(),
  fl_x: number.optional(),
  fl_y: number.optional(),
  cx: number.optional(),
  cy: number.optional(),
  k1: number.optional(),
  k2: number.optional(),
  k3: number.optional(),
  p1: number.optional(),
  p2: number.optional(),
  k4: number.optional(),
  camera_angle_x: number.optional(),
};
const nerfstudio = z.object({
  ...nerfstudioIntrinsics,
  frames: z.array(
    z.object({ ...nerfstudioIntrinsics, file_path: z.string(), transform_matrix: z.array(z.array(number)) }),
  ),
});

/** Our own cameras.json, or a transforms.json as nerfstudio and instant-ngp have it; undefined for other JSON. */
export function readJsonCameras(text: string): KnownCameraFile | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const own = ours.safeParse(parsed);
  if (own.success) return { format: 'cameras.json', cameras: own.data.photos.map(ownCamera), notes: [] };
  const transforms = nerfstudio.safeParse(parsed);
  return transforms.success ? fromTransforms(transforms.data) : undefined;
}

/** As our own files, nerfstudio and COLMAP name it. */
function kindOf(model: string | undefined): KnownIntrinsics['kind'] {
  if (/equirectangular|spherical/i.test(model ?? '')) return 'equirectangular';
  return /fisheye/i.test(model ?? '') ? 'fisheye' : undefined;
}

function ownCamera(photo: z.infer<typeof ours>['photos'][number]): KnownCamera {
  const { name, worldFromCamera, width, height, model, fx, fy = fx, ...rest } = photo;
  const { cx = (width - 1) / 2, cy = (height - 1) / 2, ...lens } = rest;
  const pose = worldFromCamera && rigidMatrix(worldFromCamera);
  const camera: KnownCamera = { name, intrinsics: { kind: kindOf(model), width, height, fx, fy, cx, cy, ...lens } };
  return pose ? { ...camera, worldFromCamera: pose } : camera;
}

function fromTransforms({ frames, ...shared }: z.infer<typeof nerfstudio>): KnownCameraFile {
  const cameras = frames.map((frame): KnownCamera => {
    const pose = rigidMatrix(frame.transform_matrix.flat());
    const camera: KnownCamera = { name: frame.file_path };
    if (pose) camera.worldFromCamera = fromOpenGl(pose);
    const { w: width, h: height, fl_x, fl_y, cx, cy, camera_angle_x: angle, ...rest } = { ...shared, ...frame };
    const kind = kindOf(rest.camera_model);
    const fx = fl_x ?? (angle && width ? width / 2 / Math.tan(angle / 2) : kind === 'equirectangular' ? 0 : undefined);
    if (fx === undefined || !width || !height) return camera;
    // There a pixel's centre is at half integers.
    camera.intrinsics = {
      ...NO_DISTORTION,
      kind,
      width,
      height,
      fx,
      fy: fl_y ?? fx,
      cx: (cx ?? width / 2) - 0.5,
      cy: (cy ?? height / 2) - 0.5,
      ...Object.fromEntries(
        (['k1', 'k2', 'k3', 'k4', 'p1', 'p2'] as const).flatMap((term) => {
          const value = numeric(rest[term]);
          return value === undefined ? [] : [[term, value]];
        }),
      ),
    };
    return camera;
  });
  return { format: 'transforms.json', cameras, notes: [] };
}
