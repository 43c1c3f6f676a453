import { readFileSync } from 'node:fs';

export interface ReferenceCamera {
  name: string;
  fx: number;
  worldFromCamera: number[];
}

export interface PoseErrors {
  /** Degrees, over all pairs of photos. */
  rotation: number[];
  /** Degrees between the directions of the relative translations, over all pairs. */
  translation: number[];
  /** Relative, per photo. */
  focal: number[];
}

/** Both files in the form of `cameras.json`; photos are matched by name. */
export function comparePoses(found: string, reference: string): PoseErrors & { registered: number; photos: number } {
  const read = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as { photos: ReferenceCamera[] }).photos;
  const truth = read(reference);
  const byName = new Map(read(found).map((camera) => [camera.name, camera]));
  const pairs = truth.flatMap((camera) => {
    const match = byName.get(camera.name);
    return match ? [{ truth: camera, found: match }] : [];
  });
  const errors: PoseErrors = {
    rotation: [],
    translation: [],
    focal: pairs.map((pair) => Math.abs(pair.found.fx / pair.truth.fx - 1)),
  };
  for (let i = 0; i < pairs.length; i++) {
    for (let j = i + 1; j < pairs.length; j++) {
      const p = relative(pairs[i]!.found.worldFromCamera, pairs[j]!.found.worldFromCamera);
      const q = relative(pairs[i]!.truth.worldFromCamera, pairs[j]!.truth.worldFromCamera);
      let trace = 0;
      for (let k = 0; k < 9; k++) trace += p.rotation[k]! * q.rotation[k]!;
      errors.rotation.push(degrees((trace - 1) / 2));
      errors.translation.push(
        degrees(dot(p.translation, q.translation) / (Math.hypot(...p.translation) * Math.hypot(...q.translation))),
      );
    }
  }
  return { ...errors, registered: pairs.length, photos: truth.length };
}

/**
 * secondFromFirst of two worldFromCamera poses; the translation is the second camera's centre in the first one's frame.
 */
function relative(first: readonly number[], second: readonly number[]): { rotation: number[]; translation: number[] } {
  const at = (pose: readonly number[], row: number, column: number) => pose[row * 4 + column]!;
  const rotation: number[] = [];
  const translation: number[] = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++)
      rotation.push(
        dot(
          [0, 1, 2].map((k) => at(first, k, i)),
          [0, 1, 2].map((k) => at(second, k, j)),
        ),
      );
    translation.push(
      dot(
        [0, 1, 2].map((k) => at(first, k, i)),
        [0, 1, 2].map((k) => at(second, k, 3) - at(first, k, 3)),
      ),
    );
  }
  return { rotation, translation };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
}

function degrees(cosine: number): number {
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}
