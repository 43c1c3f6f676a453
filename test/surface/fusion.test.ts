import { describe, expect, it } from 'vitest';
import { planBlocks, plannedView, type BlockOptions } from '../../electron/surface/blocks.js';
import { fuseBlock } from '../../electron/surface/fusion.js';
import { borderLoops, oppositeHalfEdges } from '../../electron/surface/half-edges.js';
import { joinBlocks } from '../../electron/surface/join.js';
import type { Mesh, SurfaceView } from '../../electron/surface/types.js';
import { cutOut, windowOf } from '../../electron/surface/window.js';
import { sphereView, sphereViews } from './sphere.js';

function surface(views: readonly SurfaceView[], options: Partial<BlockOptions> = {}): Mesh {
  const blocks = planBlocks(views.map(plannedView), options);
  return joinBlocks(blocks.map((block) => fuseBlock(views, block)));
}

/** How many faces each edge has, [one, two, more]; and whether two faces run along an edge in one direction. */
function edges({ indices }: Mesh): { counts: [number, number, number]; turned: number } {
  const faces = new Map<string, number>();
  const directed = new Set<string>();
  let turned = 0;
  for (let h = 0; h < indices.length; h++) {
    const [a, b] = [indices[h]!, indices[h % 3 === 2 ? h - 2 : h + 1]!];
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    faces.set(key, (faces.get(key) ?? 0) + 1);
    if (directed.has(`${a} ${b}`)) turned++;
    directed.add(`${a} ${b}`);
  }
  const counts: [number, number, number] = [0, 0, 0];
  for (const n of faces.values()) counts[Math.min(n, 3) - 1]!++;
  return { counts, turned };
}

const radii = ({ positions }: Mesh): number[] =>
  Array.from({ length: positions.length / 3 }, (_, k) =>
    Math.hypot(positions[3 * k]!, positions[3 * k + 1]!, positions[3 * k + 2]!),
  );

function pixelOf(
  { cameraFromWorld: M, focal, centreX, centreY, width, height }: SurfaceView,
  at: Float32Array,
): number {
  const [x, y, z] = [0, 4, 8].map((i) => M[i]! * at[0]! + M[i + 1]! * at[1]! + M[i + 2]! * at[2]! + M[i + 3]!) as [
    number,
    number,
    number,
  ];
  const [u, v] = [Math.round((focal * x) / z + centreX), Math.round((focal * y) / z + centreY)];
  return u >= 0 && v >= 0 && u < width && v < height ? v * width + u : -1;
}

describe('surface from depth maps', () => {
  const views = sphereViews();
  const ball = surface(views);

  it('is the same to the bit from the parts of the views that a block needs', () => {
    for (const options of [{}, { mostSamples: 300, smallestBits: 3, levels: 2 }]) {
      const blocks = planBlocks(views.map(plannedView), options);
      let pixels = 0;
      for (const block of blocks) {
        const cut = views.flatMap((view) => {
          const window = windowOf(view, block);
          return window ? [cutOut(view, window)] : [];
        });
        pixels += cut.reduce((sum, { depth }) => sum + depth.length, 0);
        const whole = fuseBlock(views, { ...block, views: [...views.keys()] });
        expect(fuseBlock(cut, { ...block, views: [...cut.keys()] })).toEqual(whole);
      }
      // Of small blocks a part is read.
      const all = blocks.length * views.length * views[0]!.depth.length;
      if (blocks.length > 30) expect(pixels).toBeLessThan(0.5 * all);
    }
  });

  it('lies on the ball that the cameras see', () => {
    const away = radii(ball).map((radius) => Math.abs(radius - 1));
    const sorted = away.sort((a, b) => a - b);
    expect(ball.indices.length / 3).toBeGreaterThan(2000);
    // A pixel is 0.03 wide on the ball.
    expect(sorted[sorted.length >> 1]!).toBeLessThan(0.003);
    expect(sorted[Math.floor(sorted.length * 0.99)]!).toBeLessThan(0.05);
  });

  it('has outward faces, and no edge of more than two', () => {
    const { counts, turned } = edges(ball);
    expect(counts[2]).toBe(0);
    expect(turned).toBe(0);
    let inward = 0;
    for (let t = 0; t < ball.indices.length; t += 3) {
      const [a, b, c] = [0, 1, 2].map((i) => {
        const at = 3 * ball.indices[t + i]!;
        return ball.positions.subarray(at, at + 3);
      }) as [Float32Array, Float32Array, Float32Array];
      const u = [b[0]! - a[0]!, b[1]! - a[1]!, b[2]! - a[2]!];
      const v = [c[0]! - a[0]!, c[1]! - a[1]!, c[2]! - a[2]!];
      const n = [u[1]! * v[2]! - u[2]! * v[1]!, u[2]! * v[0]! - u[0]! * v[2]!, u[0]! * v[1]! - u[1]! * v[0]!];
      if (n[0]! * a[0]! + n[1]! * a[1]! + n[2]! * a[2]! < 0) inward++;
    }
    expect(inward / (ball.indices.length / 3)).toBeLessThan(0.03);
  });

  it('is the same whatever the blocks', () => {
    const small = { levels: 1, smallestBits: 3, mostSamples: 10 };
    const whole = surface(views, { levels: 1 });
    const cut = surface(views, small);
    expect(planBlocks(views.map(plannedView), small).length).toBeGreaterThan(30);
    expect(cut.indices.length).toBe(whole.indices.length);
    const places = ({ positions }: Mesh): string[] =>
      Array.from({ length: positions.length / 3 }, (_, k) => positions.subarray(3 * k, 3 * k + 3).join()).sort();
    expect(places(cut)).toEqual(places(whole));
    expect(edges(cut)).toEqual(edges(whole));
  });

  it('is finer where a camera was nearer, without cracks between', () => {
    // Seven times as near as the others, to one side only.
    const mixed = surface([...views, sphereView([1.6, 0, 0], 96)], {});
    const { counts } = edges(mixed);
    expect(counts[2]).toBe(0);
    // Borders only where nobody looks: at the poles of the ball, not between cells of two sizes on its sides.
    const loops = borderLoops(mixed.indices, oppositeHalfEdges(mixed.indices)).flat();
    const onSides = loops.filter((h) => Math.abs(mixed.positions[3 * mixed.indices[h]! + 1]!) < 0.6);
    expect(onSides.length).toBeLessThan(loops.length * 0.05 + 1);
    const size = (near: boolean): number => {
      const kept = [...mixed.indices].filter((v) => mixed.positions[3 * v]! > 0.7 === near);
      return kept.length;
    };
    expect(size(true)).toBeGreaterThan(size(false) * 0.3);
  });

  it('is opened by a view that sees through', () => {
    // One map sees a wall in front of the ball, all others see through it.
    const wall = sphereView([4, 0, 0], 96);
    wall.depth.fill(2);
    const carved = surface([...views, wall]);
    const floating = radii(carved).filter((radius) => radius > 1.2).length;
    expect(floating / carved.support.length).toBeLessThan(0.6);
  });

  it('is not there where most views see nothing but the sky, and its outlines stay as they are', () => {
    // One map sees a wall before and beside the ball; no depth lies behind the wall where the others look past the ball.
    const wall = sphereView([4, 0, 0], 96);
    wall.depth.fill(2.5);
    const sky = views.map((view) => ({ ...view, open: Uint8Array.from(view.depth, (z) => (z === 0 ? 1 : 0)) }));
    const count = (mesh: Mesh): number => {
      let floating = 0;
      for (let v = 0; v < mesh.positions.length; v += 3) {
        const at = mesh.positions.subarray(v, v + 3);
        if (Math.hypot(...at) > 1.3 && sky.filter((view) => view.open[pixelOf(view, at)] === 1).length > 1) floating++;
      }
      return floating;
    };
    const built = count(surface([...views, wall]));
    expect(built).toBeGreaterThan(2000);
    expect(count(surface([...sky, wall]))).toBeLessThan(0.1 * built);
    // Nor are there walls behind the ball's outlines, or holes in what its cameras face: all but the poles.
    const sides = ({ positions }: Mesh): number =>
      Array.from({ length: positions.length / 3 }, (_, v) => positions[3 * v + 1]!).filter((y) => Math.abs(y) < 0.6)
        .length;
    expect(sides(surface(sky)) / sides(ball)).toBeCloseTo(1, 2);
    expect(radii(surface(sky)).every((radius) => radius > 0.9 && radius < 1.1)).toBe(true);
  });

  it('is nothing where nothing is known', () => {
    const [view] = sphereViews(1);
    view!.depth.fill(0);
    expect(planBlocks([plannedView(view!)])).toEqual([]);
    expect(joinBlocks([]).indices.length).toBe(0);
  });
});
