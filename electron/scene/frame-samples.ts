import type { Camera, DepthMap } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import { cross, dot, scaled, unit, type SurfaceSamples } from './level.js';
import { SURFACE_STEP, unprojected } from './normals.js';

/**
 * What a scene's frame is found from: independent of what a person sets about the cloud, so that moving a threshold does
 * not move the frame.
 */
export interface FrameSamples {
  surface: SurfaceSamples;
  /** World units; 1 where no depth is known. */
  medianDepth: number;
}

/** Pixels looked at per photo, on a grid, and how far their neighbours are, as a share of the map's long side. */
const SAMPLES = { perPhoto: 1500, reach: 0.008, most: 60_000 };
/** Depths of a photo that tell the median of all, about. */
const DEPTHS = 500;

export function frameSamples(cameras: readonly Camera[], maps: readonly DepthMap[]): FrameSamples {
  const sampler = new Sampler(maps.length);
  maps.forEach((map, k) => sampler.add(cameras[k]!, map));
  return sampler.samples();
}

/** The same, with turns of the event loop between the maps, which may lie behind a cache. */
export async function frameSamplesInTurns(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  breathe: () => Promise<void>,
): Promise<FrameSamples> {
  const sampler = new Sampler(maps.length);
  for (const [k, map] of maps.entries()) {
    sampler.add(cameras[k]!, map);
    await breathe();
  }
  return sampler.samples();
}

class Sampler {
  private readonly positions: number[] = [];
  private readonly normals: number[] = [];
  private readonly depths: number[] = [];
  private readonly perPhoto: number;

  constructor(maps: number) {
    this.perPhoto = Math.min(SAMPLES.perPhoto, SAMPLES.most / Math.max(1, maps));
  }

  samples(): FrameSamples {
    return {
      surface: { positions: Float64Array.from(this.positions), normals: Float64Array.from(this.normals) },
      medianDepth: this.depths.length > 0 ? median(this.depths)! : 1,
    };
  }

  add(camera: Camera, { width, height, focal, centreX, centreY, depth, confidence }: DepthMap): void {
    // Odd, so that it does not run down the columns of a map whose width is even.
    const apart = Math.floor(depth.length / DEPTHS) | 1;
    for (let k = 0; k < depth.length; k += apart) if (depth[k]! > 0 && confidence[k]! > 1) this.depths.push(depth[k]!);
    const step = Math.max(1, Math.floor(Math.sqrt((width * height) / this.perPhoto)));
    const reach = Math.max(1, Math.round(SAMPLES.reach * Math.max(width, height)));
    const map = { width, focal, centreX, centreY, depth, confidence };
    for (let y = reach; y < height - reach; y += step)
      for (let x = reach; x < width - reach; x += step) {
        const found = surfaceAt(map, x, y, reach);
        if (found) this.place(camera, found);
      }
  }

  private place({ worldFromCamera: W }: Camera, { point: p, normal: n }: Surface): void {
    for (let i = 0; i < 3; i++) {
      this.positions.push(W[4 * i]! * p[0]! + W[4 * i + 1]! * p[1]! + W[4 * i + 2]! * p[2]! + W[4 * i + 3]!);
      this.normals.push(W[4 * i]! * n[0]! + W[4 * i + 1]! * n[1]! + W[4 * i + 2]! * n[2]!);
    }
  }
}

interface Surface {
  point: Float64Array;
  normal: Float64Array;
}

function surfaceAt(
  map: Pick<DepthMap, 'width' | 'focal' | 'centreX' | 'centreY' | 'depth' | 'confidence'>,
  x: number,
  y: number,
  r: number,
): Surface | undefined {
  const { width, depth, confidence } = map;
  const centre = depth[y * width + x]!;
  const at = (px: number, py: number): Float64Array | undefined => {
    const k = py * width + px;
    if (!(depth[k]! > 0) || confidence[k]! <= 1 || Math.abs(depth[k]! - centre) > SURFACE_STEP * centre)
      return undefined;
    const point = new Float64Array(3);
    unprojected(map, px, py, depth[k]!, point);
    return point;
  };
  const [point, left, right, above, below] = [at(x, y), at(x - r, y), at(x + r, y), at(x, y - r), at(x, y + r)];
  if (!point || !left || !right || !above || !below) return undefined;
  const normal = unit(
    cross(
      right.map((value, i) => value - left[i]!),
      below.map((value, i) => value - above[i]!),
    ),
  );
  return { point, normal: dot(normal, point) > 0 ? scaled(normal, -1) : normal };
}
