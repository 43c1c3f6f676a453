import { describe, expect, it } from 'vitest';
import type { KnownPhotoCamera, Photo } from '../../electron/geometry/types.js';
import { multiply3, randomNumbers, rigid, transpose3 } from '../../electron/numerics/linear.js';
import type { Lens, PlacedCamera } from '../../electron/sparse/bundle.js';
import { contradictingCameras } from '../../electron/sparse/contradicting-cameras.js';
import { poseHolds, posePriors, type PosePrior } from '../../electron/sparse/pose-prior.js';
import { buildStructure, type StructureInput } from '../../electron/sparse/structure.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { photoOf } from '../fixtures/photo.js';
import { arc, exactPairs, lookAt, see, turn, type Vector } from './synthetic.js';

const LENS: Lens = { focal: 0.9, k1: 0 };

const centreOf = ({ rotation: R, translation: t }: PlacedCamera): Vector =>
  [0, 1, 2].map((k) => -(R[k]! * t[0]! + R[3 + k]! * t[1]! + R[6 + k]! * t[2]!)) as Vector;

const poseOf = (camera: PlacedCamera): number[] => Array.from(rigid(transpose3(camera.rotation), centreOf(camera)));

/** The camera turned by so many degrees, and moved. */
function disturbed(camera: PlacedCamera, degrees: Vector, move: Vector): PlacedCamera {
  const rotation = multiply3(turn(...degrees), camera.rotation);
  const centre = centreOf(camera).map((value, k) => value + move[k]!);
  const translation = Float64Array.from([0, 3, 6], (k) => -centre.reduce((sum, v, i) => sum + rotation[k + i]! * v, 0));
  return { ...camera, rotation, translation };
}

/** Turned by 1 degree and moved by 1 % of a spread. */
function noisy(cameras: readonly PlacedCamera[], spread: number, seed = 9): PlacedCamera[] {
  const random = randomNumbers(seed);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const vector = (size: number): Vector => [0, 1, 2].map(() => (size * gaussian()) / Math.sqrt(3)) as Vector;
  return cameras.map((camera) => disturbed(camera, vector(1), vector(0.01 * spread)));
}

const photo = (name: string, known?: KnownPhotoCamera): Photo => photoOf(name, known ? { known } : {});

const priorsOf = (cameras: readonly PlacedCamera[], weight?: number): Map<number, PosePrior> =>
  posePriors(
    cameras.map((camera, k) =>
      photo(`${k}.jpg`, { use: 'prior', worldFromCamera: poseOf(camera), ...(weight === undefined ? {} : { weight }) }),
    ),
  );

/** A walk along a facade: few points, each seen by neighbours only, so that the row of cameras bends. */
function walk(count: number): { truth: PlacedCamera[]; input: () => StructureInput } {
  const truth = Array.from({ length: count }, (_, k) => lookAt([0.8 * k, 0.1 * Math.sin(k), -4], [0.8 * k, 0, 0]));
  const random = randomNumbers(3);
  const points = Array.from({ length: 11 * count }, (): Vector => [
    0.8 * count * random(),
    2 * random() - 1,
    random() - 0.5,
  ]);
  const seen = truth.map((camera) => see(camera, LENS, points, 1.2 / 1600, random));
  const tracks = points
    .map((_, p) => ({ photos: truth.map((__, c) => c).filter((c) => seen[c]![p]), p }))
    .filter(({ photos }) => photos.length > 1)
    .map(({ photos, p }) => ({ photos, features: photos.map(() => p) }));
  const pairs = exactPairs(truth).filter(({ a, b }) => b - a < 4);
  return {
    truth,
    input: () => ({
      photoCount: count,
      lensOf: truth.map(() => 0),
      lenses: [{ ...LENS, prior: { focal: 0.9, sigma: 0.05 } }],
      tracks,
      position: (k, feature) => seen[k]![feature]!,
      pairs,
    }),
  };
}

/** Of cameras under the similarity that fits them best: root mean square distance of places, greatest turn. */
function errors(found: ReadonlyMap<number, PlacedCamera>, truth: readonly PlacedCamera[]) {
  const exact = { outlier: Infinity, degrees: 1, share: 0.01, most: Infinity, pairs: 2000 };
  const holds = poseHolds(found, priorsOf(truth), exact);
  const off = [...found].map(([k, camera]) => {
    const { rotation, centre } = holds.get(k)!;
    const at = centreOf(camera);
    return {
      place: Math.hypot(...at.map((value, i) => value - centre[i]!)),
      turn: rotationDifference(camera.rotation, rotation),
    };
  });
  const scale = Math.hypot(...[0, 1, 2].map((i) => holds.get(1)!.centre[i]! - holds.get(0)!.centre[i]!)) / 0.8;
  return {
    place: Math.sqrt(off.reduce((sum, { place }) => sum + place ** 2, 0) / off.length) / scale,
    turn: Math.max(...off.map((each) => each.turn)),
  };
}

describe('cameras that are known as priors', () => {
  it('straighten a row of cameras that the photos alone let bend', async () => {
    const { truth, input } = walk(14);
    const spread = (0.8 * 14) / Math.sqrt(12);
    const [alone] = await buildStructure(input());
    const priors = priorsOf(noisy(truth, spread));
    const [held] = await buildStructure({ ...input(), priors });
    expect(held!.cameras.size).toBe(alone!.cameras.size);
    const [before, after] = [errors(alone!.cameras, truth), errors(held!.cameras, truth)];
    expect(after.place).toBeLessThan(0.5 * before.place);
    expect(after.turn).toBeLessThan(0.5 * before.turn);
    const [weightless] = await buildStructure({ ...input(), priors: priorsOf(noisy(truth, spread), 1e-12) });
    expect(errors(weightless!.cameras, truth).place).toBeGreaterThan(0.9 * before.place);
  }, 60_000);

  it('change nothing that the photos tell well, and one that is elsewhere is left out', () => {
    const truth = arc(8, 80);
    const said = noisy(truth, 5);
    said[3] = disturbed(truth[3]!, [0, 40, 0], [1, 0, 1]);
    const holds = poseHolds(new Map(truth.map((camera, k) => [k, camera])), priorsOf(said));
    expect([...holds.keys()]).toEqual([0, 1, 2, 4, 5, 6, 7]);
    for (const [k, { centre }] of holds)
      expect(Math.hypot(...centreOf(truth[k]!).map((value, i) => value - centre[i]!))).toBeLessThan(0.25);
  });

  it('are not followed at all where they are of something else', () => {
    const random = randomNumbers(4);
    const nonsense = arc(8, 80).map((camera) =>
      disturbed(camera, [300 * random(), 300 * random(), 0], [9 * random(), 9 * random(), 9 * random()]),
    );
    expect(poseHolds(new Map(arc(8, 80).map((camera, k) => [k, camera])), priorsOf(nonsense)).size).toBe(0);
  });
});

describe('known cameras that contradict the photos', () => {
  const truth = arc(6, 90);
  const pairs = exactPairs(truth);
  const told = (cameras: readonly PlacedCamera[], use: 'fixed' | 'prior'): string[] =>
    contradictingCameras(
      cameras.map((camera, k) => photo(`${k}.jpg`, { use, worldFromCamera: poseOf(camera) })),
      pairs,
    );

  it('are named, with what to do', () => {
    expect(told(truth, 'fixed')).toEqual([]);
    expect(told(noisy(truth, 5), 'prior')).toEqual([]);
    const wrong = truth.map((camera, k) => (k === 2 ? disturbed(camera, [0, 30, 0], [0, 0, 0]) : camera));
    expect(told(wrong, 'fixed')).toEqual([
      'known cameras that contradict what the photos show: 2.jpg (30 degrees against 5 others); they were fixed and left where they are, so that depth there is wrong; correct the file, or use --known-cameras-use prior',
    ]);
    expect(told(wrong, 'prior')[0]).toMatch(/2\.jpg.*they were not followed/);
  });

  it('are told as one where most of them do', () => {
    const swapped = truth.map((_, k) => truth[(k * 5 + 3) % 6]!);
    expect(told(swapped, 'fixed')).toHaveLength(1);
    expect(told(swapped, 'fixed')[0]).toMatch(/\d of 6 known cameras contradict what the photos show/);
  });
});
