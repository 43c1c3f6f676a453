import type { Block, SurfaceView, ViewCamera } from './types.js';

export interface BlockOptions {
  /** Side of a cell, in pixels at a sample's depth. */
  cellPixels: number;
  /** Blocks of more samples (pixels with depth, of all views together) are cut into eight. */
  mostSamples: number;
  /** The coarsest cells are 2^levels finest ones wide: what is seen from farther away is no coarser. */
  levels: number;
  /** No block is narrower than 2^smallestBits finest cells; at least four times the coarsest cells. */
  smallestBits: number;
}

export const BLOCK_DEFAULTS: BlockOptions = { cellPixels: 2, mostSamples: 400_000, levels: 5, smallestBits: 7 };

/** Every so many pixels, along both axes, are looked at for planning. */
const STRIDE = 4;
/** Every so many, in reading order, for the size of the smallest cells. */
const SCATTER = 97;
/** Blocks are at most 2^11 smallest cells wide. */
const LARGEST_BITS = 11;

/** What planning looks at of a view: a fourteenth of its depths. */
export interface PlannedView extends ViewCamera {
  /** [height / 4, width / 4], rounded up: every fourth depth of every fourth row. */
  grid: Float32Array;
  /** Depths spread over the picture. */
  scattered: Float32Array;
}

export function plannedView(view: SurfaceView): PlannedView {
  const { width, height, focal, centreX, centreY, cameraFromWorld, depth } = view;
  const grid = new Float32Array(Math.ceil(width / STRIDE) * Math.ceil(height / STRIDE));
  let k = 0;
  for (let y = 0; y < height; y += STRIDE) for (let x = 0; x < width; x += STRIDE) grid[k++] = depth[y * width + x]!;
  const scattered = Float32Array.from({ length: Math.ceil(depth.length / SCATTER) }, (_, i) => depth[SCATTER * i]!);
  return { width, height, focal, centreX, centreY, cameraFromWorld, grid, scattered };
}

interface PlanCell {
  x: number;
  y: number;
  z: number;
  samples: number;
  coarsest: number;
}

/**
 * Cuts the space that the depth maps fill into blocks of about the same work. The grid hangs at the world's origin and
 * its cells are powers of two: after an edit the blocks that it does not touch are the same as before.
 */
export function planBlocks(views: readonly PlannedView[], options: Partial<BlockOptions> = {}): Block[] {
  const { cellPixels, mostSamples, levels, smallestBits } = { ...BLOCK_DEFAULTS, ...options };
  const cell = smallestCell(views, cellPixels);
  if (cell === undefined) return [];
  const side = cell * 2 ** smallestBits;
  const cells = planCells(views, side, (size) => Math.min(levels, Math.max(0, Math.round(Math.log2(size / cell)))), {
    cellPixels,
  });
  const blocks: Block[] = [];
  const divide = (bits: number, content: PlanCell[]): void => {
    const shift = bits - smallestBits;
    const groups = groupBy(content, ({ x, y, z }) => `${x >> shift},${y >> shift},${z >> shift}`);
    for (const group of groups) {
      const samples = group.reduce((sum, each) => sum + each.samples, 0);
      if (samples > mostSamples && bits > smallestBits) {
        divide(bits - 1, group);
        continue;
      }
      const width = cell * 2 ** bits;
      const first = group[0]!;
      const corner = [first.x, first.y, first.z].map((value) => (value >> shift) * width) as [number, number, number];
      blocks.push({ corner, bits, cell, coarsestBits: levels, halo: 0, views: [] });
    }
  };
  divide(LARGEST_BITS, [...cells.values()]);
  for (const block of blocks) {
    block.halo = 2.5 * cell * 2 ** coarsestNear(block, cells, side, smallestBits);
    block.views = views.flatMap((view, index) => (maySee(view, block) ? [index] : []));
  }
  return blocks;
}

function groupBy(cells: readonly PlanCell[], keyOf: (cell: PlanCell) => string): PlanCell[][] {
  const groups = new Map<string, PlanCell[]>();
  for (const cell of cells) {
    const key = keyOf(cell);
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  return [...groups.values()];
}

/** A twentieth of the samples ask for finer cells; undefined without samples. */
function smallestCell(views: readonly PlannedView[], cellPixels: number): number | undefined {
  const sizes: number[] = [];
  for (const { scattered, focal } of views) {
    for (const depth of scattered) if (depth > 0) sizes.push((cellPixels * depth) / focal);
  }
  if (sizes.length === 0) return undefined;
  const sorted = Float64Array.from(sizes).sort();
  return 2 ** Math.round(Math.log2(sorted[Math.floor(sorted.length * 0.05)]!));
}

function planCells(
  views: readonly PlannedView[],
  side: number,
  levelOf: (size: number) => number,
  { cellPixels }: { cellPixels: number },
): Map<string, PlanCell> {
  const cells = new Map<string, PlanCell>();
  const note = (at: readonly number[], level: number, samples: number): void => {
    const [x, y, z] = at.map((value) => Math.floor(value / side)) as [number, number, number];
    const key = `${x},${y},${z}`;
    let found = cells.get(key);
    if (!found) cells.set(key, (found = { x, y, z, samples: 0, coarsest: 0 }));
    found.samples += samples;
    found.coarsest = Math.max(found.coarsest, level);
  };
  for (const { width, height, grid, focal, centreX, centreY, cameraFromWorld: M } of views) {
    let k = 0;
    for (let y = 0; y < height; y += STRIDE) {
      for (let x = 0; x < width; x += STRIDE) {
        const z = grid[k++]!;
        if (!(z > 0)) continue;
        const px = ((x - centreX) / focal) * z - M[3]!;
        const py = ((y - centreY) / focal) * z - M[7]!;
        const pz = z - M[11]!;
        const at = [0, 1, 2].map((k) => M[k]! * px + M[4 + k]! * py + M[8 + k]! * pz) as [number, number, number];
        const size = (cellPixels * z) / focal;
        note(at, levelOf(size), STRIDE * STRIDE);
        // The sample's band, and the samples between this one and the next that is looked at, reach so far.
        const reach = 2.5 * size + (STRIDE / cellPixels) * size;
        for (let k = 0; k < 8; k++)
          note(
            [at[0] + (k & 1 ? reach : -reach), at[1] + (k & 2 ? reach : -reach), at[2] + (k & 4 ? reach : -reach)],
            levelOf(size),
            0,
          );
      }
    }
  }
  return cells;
}

/** Level of the largest cells in a block and around it. */
function coarsestNear(
  { corner, bits }: Block,
  cells: ReadonlyMap<string, PlanCell>,
  side: number,
  smallestBits: number,
): number {
  const [x, y, z] = corner.map((value) => Math.round(value / side)) as [number, number, number];
  const n = 2 ** (bits - smallestBits);
  let coarsest = 0;
  for (const cell of cells.values()) {
    if (cell.x < x - 1 || cell.y < y - 1 || cell.z < z - 1 || cell.x > x + n || cell.y > y + n || cell.z > z + n)
      continue;
    coarsest = Math.max(coarsest, cell.coarsest);
  }
  return coarsest;
}

/** Never false for a view that sees a part of the block or of its halo. */
function maySee(view: ViewCamera, { corner, bits, cell, halo }: Block): boolean {
  const side = cell * 2 ** bits;
  const radius = (Math.sqrt(3) / 2) * side + Math.sqrt(3) * halo;
  const M = view.cameraFromWorld;
  const [x, y, z] = corner.map((value) => value + side / 2) as [number, number, number];
  const at = [0, 4, 8].map((row) => M[row]! * x + M[row + 1]! * y + M[row + 2]! * z + M[row + 3]!) as [
    number,
    number,
    number,
  ];
  if (at[2] < -radius) return false;
  // Distance of the centre from each side plane of the frustum.
  const beyond = (along: number, low: number, high: number): boolean => {
    const outLow = (low * at[2] - along * view.focal) / Math.hypot(view.focal, low);
    const outHigh = (along * view.focal - high * at[2]) / Math.hypot(view.focal, high);
    return outLow > radius || outHigh > radius;
  };
  return (
    !beyond(at[0], -view.centreX, view.width - 1 - view.centreX) &&
    !beyond(at[1], -view.centreY, view.height - 1 - view.centreY)
  );
}
