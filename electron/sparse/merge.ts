import { multiply3, randomNumbers, transpose3 } from '../numerics/linear.js';
import { cross3, minus3 } from '../numerics/vector.js';
import type { Reconstruction } from './reconstruction.js';

/** q = scale * rotation p + translation. */
interface Similarity {
  scale: number;
  rotation: Float64Array;
  translation: Float64Array;
}

const SAMPLES = 300;
const LEAST_COMMON = 12;

/**
 * Moves the cameras of one piece into another's world, by the points that both see: a similarity from three of them
 * (Umeyama, PAMI 1991, is not needed for a minimal sample: two triangles give the axes), judged by where the first
 * piece's cameras see the second's points. The points are made anew by the caller.
 *
 * @returns false where too few agree; nothing is changed then
 */
export function mergePieces(into: Reconstruction, from: Reconstruction, limit: number): boolean {
  const common: number[] = [];
  for (let track = 0; track < into.has.length; track++) if (into.has[track] && from.has[track]) common.push(track);
  if (common.length < LEAST_COMMON) return false;
  const sightings = common.map((track) => into.held(track));
  const agreeing = (map: Similarity): number => {
    let count = 0;
    common.forEach((track, k) => {
      const moved = apply(map, from.point(track));
      if (sightings[k]!.every((s) => into.errorAt(s, moved) < 2 * limit)) count++;
    });
    return count;
  };
  const random = randomNumbers(common.length);
  const draw = () => common[Math.floor(random() * common.length)]!;
  let best: { map: Similarity; count: number } | undefined;
  for (let k = 0; k < SAMPLES; k++) {
    const sample = [draw(), draw(), draw()];
    const map = similarity(
      sample.map((track) => from.point(track)),
      sample.map((track) => into.point(track)),
    );
    if (!map) continue;
    const count = agreeing(map);
    if (count > (best?.count ?? 0)) best = { map, count };
  }
  if (!best || best.count < LEAST_COMMON || best.count < 0.3 * common.length) return false;
  const { map } = best;
  for (const [photo, camera] of from.cameras) {
    // x_camera = R p + t with p = rotation' (q - translation) / scale: scaled, R rotation' q + scale t - R rotation' translation.
    const rotation = multiply3(camera.rotation, transpose3(map.rotation));
    const translation = camera.translation.map(
      (t, i) =>
        map.scale * t -
        (rotation[3 * i]! * map.translation[0]! +
          rotation[3 * i + 1]! * map.translation[1]! +
          rotation[3 * i + 2]! * map.translation[2]!),
    );
    into.cameras.set(photo, { ...camera, rotation, translation, fixed: false });
    if (from.weak.has(photo)) into.weak.add(photo);
  }
  return true;
}

function apply({ scale, rotation: R, translation: t }: Similarity, p: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    [0, 1, 2],
    (i) => scale * (R[3 * i]! * p[0]! + R[3 * i + 1]! * p[1]! + R[3 * i + 2]! * p[2]!) + t[i]!,
  );
}

function similarity(p: readonly ArrayLike<number>[], q: readonly ArrayLike<number>[]): Similarity | undefined {
  const [a, b] = [triangle(p), triangle(q)];
  if (!a || !b) return undefined;
  const rotation = multiply3(transpose3(b.axes), a.axes);
  const scale = b.size / a.size;
  const moved = apply({ scale, rotation, translation: new Float64Array(3) }, a.centre);
  return { scale, rotation, translation: moved.map((value, k) => b.centre[k]! - value) };
}

/** Orthonormal axes of a triangle as rows, its centre and size; undefined for one that is nearly a line. */
function triangle([p, q, r]: readonly ArrayLike<number>[]) {
  const [e, f] = [minus3(q!, p!), minus3(r!, p!)];
  const n = cross3(e, f);
  const [le, lf, ln] = [Math.hypot(...e), Math.hypot(...f), Math.hypot(...n)];
  if (!(ln > 0.05 * le * lf) || ln === 0) return undefined;
  const x = e.map((value) => value / le);
  const z = n.map((value) => value / ln);
  return {
    axes: Float64Array.of(...x, ...cross3(z, x), ...z),
    centre: [0, 1, 2].map((k) => (p![k]! + q![k]! + r![k]!) / 3),
    size: le + lf + Math.hypot(...minus3(r!, q!)),
  };
}
