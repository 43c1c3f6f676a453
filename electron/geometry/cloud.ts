import type { CloudParts, PointCloud, Scene } from './types.js';

type Points = Pick<Scene, 'cloud' | 'whole'>;

/** Between two parts: a cancel, and whatever else is asked, gets its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** All points of a scene, piece by piece: its cloud, or part after part of the whole. */
export async function* piecesOf({ cloud, whole }: Points): AsyncGenerator<PointCloud> {
  if (!whole) {
    yield cloud;
    return;
  }
  for (let k = 0; k < whole.length; k++) {
    await turn();
    yield whole.part(k);
  }
}

const counted = new WeakMap<CloudParts, Promise<number>>();

/** Number of all points of a scene. Where some of a large cloud were taken away, its parts are counted once. */
export async function pointCount({ cloud, whole }: Points): Promise<number> {
  if (!whole) return cloud.confidence.length;
  if (whole.counts) return whole.counts.reduce((sum, count) => sum + count, 0);
  const known = counted.get(whole) ?? countParts(whole);
  counted.set(whole, known);
  return known;
}

async function countParts(parts: CloudParts): Promise<number> {
  let sum = 0;
  for (let k = 0; k < parts.length; k++) {
    await turn();
    sum += parts.part(k).confidence.length;
  }
  return sum;
}

/** The same, or a few more, without waiting. */
export const pointsAbout = ({ cloud, whole }: Points): number => whole?.about ?? cloud.confidence.length;

type FullCloud = Required<PointCloud>;

/** Part after part in one piece. @param breathe awaited between parts */
export async function joinedParts(
  parts: CloudParts & { counts: readonly number[] },
  breathe: () => Promise<void>,
): Promise<PointCloud> {
  const cloud = emptyCloud(parts.counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (let k = 0; k < parts.length; k++) {
    await breathe();
    put(cloud, at, parts.part(k));
    at += parts.counts[k]!;
  }
  return cloud;
}

/** With all that a point may have. */
export function emptyCloud(count: number): FullCloud {
  return {
    positions: new Float32Array(count * 3),
    colors: new Uint8Array(count * 3),
    normals: new Float32Array(count * 3),
    confidence: new Float32Array(count),
    source: new Uint16Array(count),
    pixel: new Uint32Array(count),
    inferred: new Uint8Array(count),
  };
}

function put(cloud: FullCloud, at: number, part: PointCloud): void {
  cloud.positions.set(part.positions, 3 * at);
  cloud.colors.set(part.colors, 3 * at);
  if (part.normals) cloud.normals.set(part.normals, 3 * at);
  cloud.confidence.set(part.confidence, at);
  cloud.source.set(part.source, at);
  if (part.pixel) cloud.pixel.set(part.pixel, at);
  if (part.inferred) cloud.inferred.set(part.inferred, at);
}
