import { NO_DISTORTION, type KnownCamera, type KnownCameraFile, type KnownIntrinsics } from './types.js';

/** Parameters of COLMAP's camera models, in order (src/colmap/sensor/models.h); `f` stands for fx and fy. */
const models: Record<string, readonly string[]> = {
  SIMPLE_PINHOLE: ['f', 'cx', 'cy'],
  PINHOLE: ['fx', 'fy', 'cx', 'cy'],
  SIMPLE_RADIAL: ['f', 'cx', 'cy', 'k1'],
  RADIAL: ['f', 'cx', 'cy', 'k1', 'k2'],
  OPENCV: ['fx', 'fy', 'cx', 'cy', 'k1', 'k2', 'p1', 'p2'],
  OPENCV_FISHEYE: ['fx', 'fy', 'cx', 'cy', 'k1', 'k2', 'k3', 'k4'],
  FULL_OPENCV: ['fx', 'fy', 'cx', 'cy', 'k1', 'k2', 'p1', 'p2', 'k3', 'k4', 'k5', 'k6'],
  FOV: ['fx', 'fy', 'cx', 'cy', 'omega'],
  SIMPLE_RADIAL_FISHEYE: ['f', 'cx', 'cy', 'k1'],
  RADIAL_FISHEYE: ['f', 'cx', 'cy', 'k1', 'k2'],
};
/** By number, in the binary form. */
const modelNames = Object.keys(models);

interface ColmapCamera {
  intrinsics?: KnownIntrinsics;
  model: string;
}

function intrinsics(model: string, width: number, height: number, values: readonly number[]): ColmapCamera {
  const names = models[model];
  if (!names || values.length < names.length || model === 'FOV') return { model };
  const value = Object.fromEntries(names.map((name, k) => [name, values[k]!]));
  const fx = value.fx ?? value.f!;
  // A rational model is not Brown's.
  if (model === 'FULL_OPENCV' && [value.k4, value.k5, value.k6].some((term) => term !== 0)) return { model };
  const lens = { k1: value.k1 ?? 0, k2: value.k2 ?? 0, k3: value.k3 ?? 0, p1: value.p1 ?? 0, p2: value.p2 ?? 0 };
  const kind = model.endsWith('FISHEYE') ? { kind: 'fisheye' as const, k4: value.k4 ?? 0 } : {};
  // There a pixel's centre is at half integers.
  const centre = { cx: value.cx! - 0.5, cy: value.cy! - 0.5 };
  return {
    model,
    intrinsics: { ...NO_DISTORTION, ...lens, ...kind, width, height, fx, fy: value.fy ?? fx, ...centre },
  };
}

/** World from camera of COLMAP's camera-from-world quaternion (w, x, y, z) and translation. */
function inversePose([w, x, y, z]: readonly number[], t: readonly number[]): Float64Array | undefined {
  const norm = Math.hypot(w!, x!, y!, z!);
  if (!(norm > 1e-9) || !t.every(Number.isFinite)) return undefined;
  const [a, b, c, d] = [w! / norm, x! / norm, y! / norm, z! / norm];
  const R = [
    [1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)],
  ];
  const column = (k: number): number[] => [R[0]![k]!, R[1]![k]!, R[2]![k]!];
  const rows = [0, 1, 2].map((k) => {
    const axis = column(k);
    return [...axis, -(axis[0]! * t[0]! + axis[1]! * t[1]! + axis[2]! * t[2]!)];
  });
  return Float64Array.from([...rows.flat(), 0, 0, 0, 1]);
}

function assemble(
  cameras: ReadonlyMap<number, ColmapCamera>,
  images: readonly { name: string; camera: number; pose: Float64Array | undefined }[],
): KnownCameraFile {
  const unread = new Set<string>();
  const known = images.map(({ name, camera, pose }): KnownCamera => {
    const found = cameras.get(camera);
    if (found && !found.intrinsics) unread.add(found.model);
    return {
      name,
      ...(found?.intrinsics ? { intrinsics: found.intrinsics } : {}),
      ...(pose ? { worldFromCamera: pose } : {}),
    };
  });
  const notes = [...unread].map((model) => `intrinsics of the camera model ${model} are not read; poses are`);
  return { format: 'COLMAP model', cameras: known, notes };
}

/** cameras.txt and images.txt. */
export function readColmapText(camerasText: string, imagesText: string): KnownCameraFile {
  const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => !line.startsWith('#'));
  const cameras = new Map<number, ColmapCamera>();
  for (const line of lines(camerasText)) {
    const [id, model, width, height, ...values] = line.trim().split(/\s+/);
    if (model) cameras.set(Number(id), intrinsics(model, Number(width), Number(height), values.map(Number)));
  }
  // Every other line holds the image's points, and may be empty.
  const rows = lines(imagesText).filter((_, k) => k % 2 === 0);
  const images = rows.flatMap((line) => {
    const parts = line.trim().split(/\s+/);
    if (parts.length < 10) return [];
    const numbers = parts.slice(1, 8).map(Number);
    const pose = inversePose(numbers.slice(0, 4), numbers.slice(4));
    return [{ name: parts.slice(9).join(' '), camera: Number(parts[8]), pose }];
  });
  return assemble(cameras, images);
}

/** cameras.bin and images.bin. @throws RangeError when a file ends too soon */
export function readColmapBinary(camerasBytes: Uint8Array, imagesBytes: Uint8Array): KnownCameraFile {
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cameras = new Map<number, ColmapCamera>();
  const c = view(camerasBytes);
  let at = 8;
  for (let left = Number(c.getBigUint64(0, true)); left > 0; left--) {
    const id = c.getUint32(at, true);
    const model = modelNames[c.getInt32(at + 4, true)] ?? 'of another kind';
    const [width, height] = [Number(c.getBigUint64(at + 8, true)), Number(c.getBigUint64(at + 16, true))];
    at += 24;
    const count = models[model]?.length;
    if (count === undefined) throw new RangeError(`camera model ${model}`);
    const values = Array.from({ length: count }, (_, k) => c.getFloat64(at + 8 * k, true));
    at += 8 * count;
    cameras.set(id, intrinsics(model, width, height, values));
  }
  const i = view(imagesBytes);
  const images: { name: string; camera: number; pose: Float64Array | undefined }[] = [];
  at = 8;
  for (let left = Number(i.getBigUint64(0, true)); left > 0; left--) {
    const numbers = Array.from({ length: 7 }, (_, k) => i.getFloat64(at + 4 + 8 * k, true));
    const camera = i.getUint32(at + 60, true);
    const end = imagesBytes.indexOf(0, at + 64);
    if (end < 0) throw new RangeError('a name without an end');
    const name = new TextDecoder().decode(imagesBytes.subarray(at + 64, end));
    at = end + 1 + 8 + 24 * Number(i.getBigUint64(end + 1, true));
    images.push({ name, camera, pose: inversePose(numbers.slice(0, 4), numbers.slice(4)) });
  }
  return assemble(cameras, images);
}
