import { packRecord, unpackRecord, type RecordArray } from '../compute/record.js';
import type { Rejection } from '../geometry/stage.js';
import type { SparseCamera, SparseLens, SparseModel, SparsePair } from '../geometry/sparse-model.js';

/** What of a model is not numbers by the thousand; poses and relations lie in arrays, so that they keep every bit. */
interface Header {
  cameras: (Pick<SparseCamera, 'photo' | 'lens' | 'reason' | 'weak'> & { features: number; piece?: number })[];
  lenses: Omit<SparseLens, 'focal' | 'k1' | 'related'>[];
  pairs: Pick<SparsePair, 'a' | 'b' | 'inliers'>[];
  rejected: Rejection[];
  warnings: string[];
}

/** Numbers per placed camera, pair and lens. */
const POSE = 12;
const RELATION = 14;
const LENS = 3;

/** The model as the project file keeps it. */
export function encodeSparseModel({ cameras, lenses, points, pairs, rejected, warnings }: SparseModel): Uint8Array {
  const header: Header = {
    cameras: cameras.map(({ photo, lens, reason, weak, features, pose }) => ({
      photo,
      lens,
      features: features.length / 2,
      ...(reason === undefined ? {} : { reason }),
      ...(weak ? { weak } : {}),
      ...(pose ? { piece: pose.piece } : {}),
    })),
    lenses: lenses.map(({ focal: _focal, k1: _k1, related: _related, ...rest }) => rest),
    pairs: pairs.map(({ a, b, inliers }) => ({ a, b, inliers })),
    rejected,
    warnings,
  };
  const placed = cameras.flatMap(({ pose }) => pose ?? []);
  const arrays: RecordArray[] = [
    Float64Array.from(lenses.flatMap(({ focal, k1, related }) => [focal, k1, related])),
    Float64Array.from(placed.flatMap(({ rotation, translation }) => [...rotation, ...translation])),
    joined(
      Float32Array,
      cameras.map(({ features }) => features),
    ),
    Float64Array.from(
      pairs.flatMap(({ rotation, translation, parallax, rotationShare }) => [
        ...rotation,
        ...translation,
        parallax,
        rotationShare,
      ]),
    ),
    joined(
      Uint32Array,
      pairs.map(({ matches }) => matches),
    ),
    points.positions,
    points.piece,
    points.offsets,
    points.trackCamera,
    points.trackFeature,
    points.trackAt,
    points.error,
  ];
  return packRecord(header, arrays);
}

/** @returns undefined for a missing record and for a damaged one: the model is then made anew */
export function decodeSparseModel(bytes: Uint8Array | undefined): SparseModel | undefined {
  const record = unpackRecord<Header>(bytes);
  if (!record) return undefined;
  const { header } = record;
  const [lensNumbers, poses, features, relations, matches, ...points] = record.arrays as [
    Float64Array,
    Float64Array,
    Float32Array,
    Float64Array,
    Uint32Array,
    Float64Array,
    Uint16Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Float32Array,
    Float32Array,
  ];
  const [positions, piece, offsets, trackCamera, trackFeature, trackAt, error] = points;
  let pose = 0;
  let feature = 0;
  let match = 0;
  return {
    cameras: header.cameras.map(({ features: count, piece: of, ...camera }): SparseCamera => {
      const own = features.slice(2 * feature, 2 * (feature + count));
      feature += count;
      if (of === undefined) return { ...camera, features: own };
      const at = POSE * pose++;
      return {
        ...camera,
        features: own,
        pose: { piece: of, rotation: poses.slice(at, at + 9), translation: poses.slice(at + 9, at + POSE) },
      };
    }),
    lenses: header.lenses.map((lens, k) => ({
      ...lens,
      focal: lensNumbers[LENS * k]!,
      k1: lensNumbers[LENS * k + 1]!,
      related: lensNumbers[LENS * k + 2]!,
    })),
    points: { positions, piece, offsets, trackCamera, trackFeature, trackAt, error },
    pairs: header.pairs.map((pair, k) => {
      const at = RELATION * k;
      const own = matches.slice(2 * match, 2 * (match + pair.inliers));
      match += pair.inliers;
      return {
        ...pair,
        rotation: relations.slice(at, at + 9),
        translation: relations.slice(at + 9, at + 12),
        parallax: relations[at + 12]!,
        rotationShare: relations[at + 13]!,
        matches: own,
      };
    }),
    rejected: header.rejected,
    warnings: header.warnings,
  };
}

function joined<T extends Float32Array | Uint32Array>(make: new (length: number) => T, parts: readonly T[]): T {
  const out = new make(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
