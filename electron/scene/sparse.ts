import type { SparseModel, SparsePoints } from '../geometry/sparse-model.js';
import { compose, invert, transform, type Similarity } from '../geometry/similarity.js';
import type { Camera } from '../geometry/types.js';
import { multiply3, rotationAngle, rotationOf, transpose3 } from '../numerics/linear.js';

/** Cameras that were moved by more than this (radians, and share of the extent) are no longer those of the model. */
const MOVED = { turn: 2e-3, shift: 2e-3 };

/**
 * The part of a sparse model that belongs to a scene, in the scene's world and parallel to its cameras.
 *
 * @returns undefined when the scene's cameras are not those of the model: its points and tracks would not fit them
 */
export function sparseOfScene(model: SparseModel, cameras: readonly Camera[]): SparseModel | undefined {
  const index = new Map(model.cameras.map(({ photo }, k) => [photo, k]));
  const known = cameras.map(({ photo }) => index.get(photo));
  const piece = largestPiece(model, known);
  if (piece === undefined) return undefined;
  const inPiece = known.map((k) => (k !== undefined && model.cameras[k]!.pose?.piece === piece ? k : undefined));
  const worldFromPiece = similarityBetween(model, cameras, inPiece);
  if (!worldFromPiece) return undefined;
  const place = new Map(inPiece.flatMap((k, camera) => (k === undefined ? [] : [[k, camera] as const])));
  return {
    cameras: cameras.map(({ photo }, camera) => {
      const { pose: _, ...rest } = model.cameras[known[camera] ?? -1] ?? {
        photo,
        lens: 0,
        features: new Float32Array(0),
      };
      if (inPiece[camera] === undefined) return rest;
      const pose = compose(worldFromPiece, poseOf(model, inPiece[camera]));
      const { rotation, translation } = invert({ ...pose, scale: 1 });
      return { ...rest, pose: { piece: 0, rotation, translation } };
    }),
    lenses: model.lenses,
    points: pointsOf(model.points, piece, place, worldFromPiece),
    pairs: model.pairs.flatMap((pair) => {
      const [a, b] = [place.get(pair.a), place.get(pair.b)];
      return a === undefined || b === undefined ? [] : [{ ...pair, a, b }];
    }),
    rejected: [],
    warnings: model.warnings,
  };
}

/** The points of one piece whose sightings are all in `place`, in the world. */
function pointsOf(
  { positions, piece, offsets, trackCamera, trackFeature, trackAt, error }: SparsePoints,
  wanted: number,
  place: ReadonlyMap<number, number>,
  worldFromPiece: Similarity,
): SparsePoints {
  const kept: number[] = [];
  for (let k = 0; k < piece.length; k++) if (piece[k] === wanted) kept.push(k);
  const at: number[] = [];
  const newOffsets = Uint32Array.of(0, ...kept.map(() => 0));
  const newPositions = new Float64Array(3 * kept.length);
  kept.forEach((point, k) => {
    for (let s = offsets[point]!; s < offsets[point + 1]!; s++) if (place.has(trackCamera[s]!)) at.push(s);
    newOffsets[k + 1] = at.length;
    newPositions.set(transform(worldFromPiece, positions.subarray(3 * point, 3 * point + 3)), 3 * k);
  });
  return {
    positions: newPositions,
    piece: new Uint16Array(kept.length),
    offsets: newOffsets,
    trackCamera: Uint32Array.from(at, (s) => place.get(trackCamera[s]!)!),
    trackFeature: Uint32Array.from(at, (s) => trackFeature[s]!),
    trackAt: Float32Array.from(at.flatMap((s) => [trackAt[2 * s]!, trackAt[2 * s + 1]!])),
    error: Float32Array.from(kept, (point) => error[point]!),
  };
}

function largestPiece(model: SparseModel, known: readonly (number | undefined)[]): number | undefined {
  const counts = new Map<number, number>();
  for (const k of known) {
    const piece = k === undefined ? undefined : model.cameras[k]!.pose?.piece;
    if (piece !== undefined) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  const best = [...counts].sort((p, q) => q[1] - p[1])[0];
  return best && best[1] > 1 ? best[0] : undefined;
}

/** worldFromCamera in the piece's world. */
function poseOf(model: SparseModel, k: number): Similarity {
  const { rotation, translation } = model.cameras[k]!.pose!;
  return invert({ scale: 1, rotation, translation });
}

/** World from the piece's world, by the camera pair that is farthest apart; undefined when other cameras disagree. */
function similarityBetween(
  model: SparseModel,
  cameras: readonly Camera[],
  inPiece: readonly (number | undefined)[],
): Similarity | undefined {
  const both = cameras.flatMap((camera, k) => {
    const index = inPiece[k];
    if (index === undefined) return [];
    const m = camera.worldFromCamera;
    const now: Similarity = { scale: 1, rotation: rotationOf(m), translation: Float64Array.of(m[3]!, m[7]!, m[11]!) };
    return [{ before: poseOf(model, index), now }];
  });
  const first = both[0]!;
  const far = both.reduce((best, each) =>
    distance(each.before, first.before) > distance(best.before, first.before) ? each : best,
  );
  const extent = distance(far.now, first.now);
  const scale = extent / distance(far.before, first.before);
  if (!(scale > 0 && scale < Infinity)) return undefined;
  const rotation = multiply3(first.now.rotation, transpose3(first.before.rotation));
  const turned: Similarity = { scale, rotation, translation: new Float64Array(3) };
  const centre = compose(turned, first.before).translation;
  const world = { ...turned, translation: first.now.translation.map((value, i) => value - centre[i]!) };
  const agree = both.every(({ before, now }) => {
    const expected = compose(world, before);
    return (
      distance(expected, now) < MOVED.shift * extent &&
      rotationAngle(multiply3(expected.rotation, transpose3(now.rotation))) < MOVED.turn
    );
  });
  return agree ? world : undefined;
}

const distance = (a: Similarity, b: Similarity): number =>
  Math.hypot(...a.translation.map((value, i) => value - b.translation[i]!));
