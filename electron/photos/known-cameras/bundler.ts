import { fromOpenGl, rigidMatrix, type KnownCamera, type KnownCameraFile } from './types.js';

/**
 * bundle.out of Snavely's Bundler, version 0.3, with the names of its list file: f, k1, k2, then R and t of a camera
 * that looks along -z. The pictures' sizes are not in the file, so that intrinsics stay unknown.
 *
 * @returns undefined for other text
 */
export function readBundler(text: string, names: readonly string[]): KnownCameraFile | undefined {
  if (!/^#\s*Bundle file/i.test(text)) return undefined;
  const values = text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .join(' ')
    .trim()
    .split(/\s+/)
    .map(Number);
  const count = values[0] ?? 0;
  const cameras: KnownCamera[] = [];
  for (let k = 0; k < count; k++) {
    const [focal, , , ...pose] = values.slice(2 + 15 * k, 17 + 15 * k);
    const name = names[k];
    if (name === undefined || pose.length < 12) continue;
    const worldFromCamera = focal! > 0 ? cameraPose(pose) : undefined;
    cameras.push({ name, ...(worldFromCamera ? { worldFromCamera } : {}) });
  }
  const notes = names.length < count ? [`the list names ${names.length} of ${count} cameras`] : [];
  return { format: 'Bundler file', cameras, notes };
}

/** World from camera of R, t (camera from world). */
function cameraPose(pose: readonly number[]): Float64Array | undefined {
  const [R, t] = [pose.slice(0, 9), pose.slice(9)];
  const rows = [0, 1, 2].map((k) => {
    const axis = [R[k]!, R[3 + k]!, R[6 + k]!];
    return [...axis, -(axis[0]! * t[0]! + axis[1]! * t[1]! + axis[2]! * t[2]!)];
  });
  const matrix = rigidMatrix([...rows.flat(), 0, 0, 0, 1]);
  return matrix && fromOpenGl(matrix);
}
