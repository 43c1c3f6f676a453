import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { adjustBundle, type Lens, type PlacedCamera } from '../../electron/sparse/bundle.js';
import { CERTAINTY_DEFAULTS, focalSigma, rotationSigmas } from '../../electron/sparse/certainty.js';
import type { Piece } from '../../electron/sparse/structure.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { arc, relative, scatter, see } from './synthetic.js';

const FOCAL = 0.9;
const NOISE = 0.5 / 1600;

/** Photos of one scene, adjusted from the truth, and what the sightings say of their lens. */
function adjusted(degrees: number, seed: number) {
  const random = randomNumbers(seed);
  const truth = arc(5, degrees);
  const points = scatter(100, 9);
  const seen = truth.map((camera) => see(camera, { focal: FOCAL, k1: 0 }, points, NOISE, random));
  const all = points.map((_, p) => truth.map((__, c) => c).filter((c) => seen[c]![p]));
  const kept = points.map((_, p) => p).filter((p) => all[p]!.length > 2);
  const cameras: PlacedCamera[] = truth.map((camera, k) => ({ ...camera, fixed: k === 0 }));
  const lenses = [{ focal: FOCAL, k1: 0 }];
  const positions = Float64Array.from(kept.flatMap((p) => points[p]!));
  const sightings = {
    camera: Int32Array.from(kept.flatMap((p) => all[p]!)),
    point: Int32Array.from(kept.flatMap((p, k) => all[p]!.map(() => k))),
    at: Float64Array.from(kept.flatMap((p) => all[p]!.flatMap((c) => seen[c]![p]!))),
  };
  adjustBundle(cameras, lenses, positions, sightings, {
    scale: 1.5 / 1600,
    iterations: 100,
    refineFocal: true,
    refineDistortion: true,
  });
  const piece: Piece = {
    cameras: new Map(cameras.map((camera, k) => [k, camera])),
    points: kept.map((p, k) => ({
      position: positions.slice(3 * k, 3 * k + 3),
      photos: all[p]!,
      features: all[p]!.map(() => p),
    })),
    weak: new Set(),
    support: 0,
  };
  const sigmaWith = (terms: Partial<Lens>) =>
    focalSigma(piece, 0, [{ ...lenses[0]!, ...terms }], (photo, feature) => seen[photo]![feature]!)!;
  const turns = (terms: readonly number[]) =>
    rotationSigmas(piece, lenses, (photo, feature) => seen[photo]![feature]!, CERTAINTY_DEFAULTS, terms)!;
  const turned = cameras.flatMap((p, i) =>
    cameras
      .slice(i + 1)
      .map((q, k) => rotationDifference(relative(p, q).rotation, relative(truth[i]!, truth[i + 1 + k]!).rotation)),
  );
  return { sigma: sigmaWith({}), sigmaWith, error: Math.log(lenses[0]!.focal / FOCAL), turns, turned };
}

describe('focalSigma', () => {
  it('is as large as the errors are', () => {
    const runs = Array.from({ length: 8 }, (_, k) => adjusted(50, k + 1));
    const spread = Math.sqrt(runs.reduce((sum, { error }) => sum + error ** 2, 0) / runs.length);
    const foretold = runs.reduce((sum, { sigma }) => sum + sigma, 0) / runs.length;
    expect(foretold / spread).toBeGreaterThan(0.5);
    expect(foretold / spread).toBeLessThan(2.2);
  });

  it('knows that more terms of the lens leave less to tell the focal', () => {
    const { sigma, sigmaWith } = adjusted(25, 1);
    // As small as can be, but found.
    const bent = sigmaWith({ k2: 1e-12 });
    const aside = sigmaWith({ k2: 1e-12, cx: 1e-12 });
    expect(bent).toBeGreaterThan(1.001 * sigma);
    expect(aside).toBeGreaterThan(1.001 * bent);
  });

  it('tells that photos from nearly one place know little', () => {
    expect(adjusted(3, 1).sigma).toBeGreaterThan(4 * adjusted(50, 1).sigma);
  });
});

describe('rotationSigmas', () => {
  const middle = (list: readonly number[]) => [...list].sort((p, q) => p - q)[list.length >> 1]!;

  it('are as large as the errors are', () => {
    const runs = Array.from({ length: 8 }, (_, k) => adjusted(50, k + 1));
    const ratio = middle(runs.flatMap(({ turns }) => turns([0, 1]))) / middle(runs.flatMap(({ turned }) => turned));
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.8);
  });

  it('grow where the middle of the lens is not known', () => {
    const { turns } = adjusted(25, 1);
    expect(middle(turns([0, 1, 3, 4]))).toBeGreaterThan(1.05 * middle(turns([0, 1])));
    expect(turns([])).toEqual([...turns([])].sort((p, q) => p - q));
    expect(turns([])).toHaveLength(10);
  });
});
