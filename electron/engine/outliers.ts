import { WorkerPool } from '../compute/pool.js';
import { emptyBits, encodeMask, type PhotoMask } from '../contract/mask.js';
import { UserError } from '../contract/errors.js';
import type { Scene } from '../geometry/types.js';
import { keptPoints, type Cleaning } from '../scene/cleaning.js';
import type { OutlierInput, OutlierOptions } from '../scene/outliers.js';

const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../scene/outliers-worker.ts' : './outliers-worker.js',
  import.meta.url,
);

/**
 * The statistical outliers among the points that are left, as the bytes of a mask.
 *
 * @throws UserError 'bad-input' when there are none
 */
export async function outlierMask(
  { cameras, cloud, depthMaps }: Scene,
  cleaning: Cleaning,
  options: Partial<OutlierOptions>,
): Promise<{ bytes: Uint8Array; count: number }> {
  const kept = keptPoints(cloud, cameras, cleaning);
  const input: OutlierInput = {
    positions: new Float32Array(3 * kept.length),
    pitch: new Float32Array(kept.length),
  };
  kept.forEach((point, k) => {
    const source = cloud.source[point]!;
    const M = cameras[source]!.worldFromCamera;
    let depth = 0;
    for (let i = 0; i < 3; i++) {
      const value = cloud.positions[3 * point + i]!;
      input.positions[3 * k + i] = value;
      depth += M[4 * i + 2]! * (value - M[4 * i + 3]!);
    }
    input.pitch[k] = depth / depthMaps[source]!.focal;
  });
  const pool = new WorkerPool(workerUrl, 1);
  try {
    const transfer = [input.positions.buffer as ArrayBuffer, input.pitch.buffer as ArrayBuffer];
    const marks = await pool.run<Uint8Array>({ ...input, options }, { transfer });
    return maskOf(
      kept.filter((_, k) => marks[k] === 1),
      { cloud, depthMaps },
    );
  } finally {
    await pool.close();
  }
}

function maskOf(
  points: Uint32Array,
  { cloud, depthMaps }: Pick<Scene, 'cloud' | 'depthMaps'>,
): { bytes: Uint8Array; count: number } {
  if (points.length === 0 || !cloud.pixel)
    throw new UserError(
      'bad-input',
      'no point lies much farther from its neighbours than others do; nothing was deleted',
    );
  const masks = new Map<number, PhotoMask>();
  for (const point of points) {
    const source = cloud.source[point]!;
    const { photo, width, height } = depthMaps[source]!;
    const mask = masks.get(source) ?? { photo, width, height, bits: emptyBits(width * height) };
    masks.set(source, mask);
    const at = cloud.pixel[point]!;
    mask.bits[at >> 3]! |= 1 << (at & 7);
  }
  return { bytes: encodeMask([...masks.values()]), count: points.length };
}
