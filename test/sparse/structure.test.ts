import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import type { Lens, PlacedCamera } from '../../electron/sparse/bundle.js';
import { buildStructure, type StructureInput } from '../../electron/sparse/structure.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { arc, directionDifference, exactPairs, relative, scatter, see, turn } from './synthetic.js';
import { multiply3 } from '../../electron/numerics/linear.js';

const TRUE_LENS: Lens = { focal: 0.9, k1: -0.12 };
const NOISE = 0.4 / 1600;

/** Exact tracks of a scene with noise; `wrong` of the sightings are elsewhere; pairwise poses a degree off. */
function scene(
  cameras: PlacedCamera[],
  start: Lens,
  wrong = 0.05,
  lens = TRUE_LENS,
  lensAt: (camera: number) => Lens = () => lens,
): StructureInput {
  const random = randomNumbers(5);
  const points = scatter(350, 2);
  const seen = cameras.map((camera, c) =>
    see(camera, lensAt(c), points, NOISE, random).map(
      (at) => at && (random() < wrong ? ([random() - 0.5, random() * 0.7 - 0.35] as [number, number]) : at),
    ),
  );
  const tracks = points
    .map((_, p) => {
      const photos = cameras.map((__, c) => c).filter((c) => seen[c]![p]);
      return { photos, features: photos.map(() => p) };
    })
    .filter(({ photos }) => photos.length > 1);
  const pairs = cameras.flatMap((a, i) =>
    cameras.slice(i + 1).map((b, k) => {
      const { rotation, translation } = relative(a, b);
      return {
        a: i,
        b: i + 1 + k,
        rotation: multiply3(turn(random() - 0.5, random() - 0.5, random() - 0.5), rotation),
        translation,
        inlierCount: 200,
        parallax: 8 * (k + 1),
        rotationShare: 0,
      };
    }),
  );
  return {
    photoCount: cameras.length,
    lensOf: cameras.map(() => 0),
    lenses: [start],
    tracks,
    position: (photo, feature) => seen[photo]![feature]!,
    pairs,
  };
}

const errors = (found: ReadonlyMap<number, PlacedCamera>, truth: readonly PlacedCamera[]) => {
  let [rotation, direction] = [0, 0];
  for (const [i, a] of found)
    for (const [j, b] of found) {
      if (j <= i) continue;
      const [p, q] = [relative(a, b), relative(truth[i]!, truth[j]!)];
      rotation = Math.max(rotation, rotationDifference(p.rotation, q.rotation));
      direction = Math.max(direction, directionDifference(p.translation, q.translation));
    }
  return { rotation, direction };
};

describe('buildStructure', () => {
  it('recovers poses, focal and distortion from a focal 10 % off and 5 % wrong sightings', async () => {
    const truth = arc(6, 50);
    const input = scene(truth, { focal: 0.99, k1: 0, prior: { focal: 0.99, sigma: 0.25 } });
    const [piece, ...others] = await buildStructure(input);
    expect(others).toHaveLength(0);
    expect(piece!.cameras.size).toBe(6);
    const { rotation, direction } = errors(piece!.cameras, truth);
    expect(rotation).toBeLessThan(0.15);
    expect(direction).toBeLessThan(0.4);
    expect(Math.abs(input.lenses[0]!.focal / TRUE_LENS.focal - 1)).toBeLessThan(0.01);
    expect(Math.abs(input.lenses[0]!.k1 - TRUE_LENS.k1)).toBeLessThan(0.02);
  });

  it('finds a second radial term where there is one', async () => {
    const lens = { focal: 0.7, k1: -0.3, k2: 0.35 };
    const input = scene(arc(12, 100, 4), { focal: 0.75, k1: 0, prior: { focal: 0.75, sigma: 0.25 } }, 0.02, lens);
    await buildStructure(input);
    expect(Math.abs(input.lenses[0]!.k2! - lens.k2)).toBeLessThan(0.1);
    expect(Math.abs(input.lenses[0]!.focal / lens.focal - 1)).toBeLessThan(0.01);
    expect(input.lenses[0]!.cx ?? 0).toBe(0);
  });

  it('finds a principal point beside the middle, where bent edges alone explain less', async () => {
    const lens = { focal: 0.9, k1: -0.12, cx: 0.03, cy: -0.02 };
    const truth = arc(14, 140);
    const input = scene(truth, { focal: 0.95, k1: 0, prior: { focal: 0.95, sigma: 0.25 } }, 0.02, lens);
    const [piece] = await buildStructure(input);
    const { cx, cy } = input.lenses[0]!;
    expect(Math.hypot(cx! - lens.cx, cy! - lens.cy)).toBeLessThan(0.005);
    expect(errors(piece!.cameras, truth).rotation).toBeLessThan(0.3);
  });

  it('makes the points again that were lost before the middle of the lens was known', async () => {
    const lens = { focal: 0.9, k1: 0, cx: -0.14, cy: 0.09 };
    const truth = arc(8, 100);
    const input = scene(truth, { focal: 0.9, k1: 0, prior: { focal: 0.9, sigma: 0.25 } }, 0, lens);
    const [piece] = await buildStructure(input);
    const sightings = (all: readonly { photos: number[] }[]) => all.reduce((sum, { photos }) => sum + photos.length, 0);
    expect(sightings(piece!.points)).toBeGreaterThan(0.98 * sightings(input.tracks));
    // 3.8 without.
    expect(errors(piece!.cameras, truth).rotation).toBeLessThan(0.7);
  });

  /** Some photos of one lens were cut: the same focal in pixels. */
  const cutScene = (truth: PlacedCamera[], isCut: (camera: number) => boolean) => {
    const whole = { focal: 0.9, k1: 0 };
    const cut = { focal: 0.9 / 0.8, k1: 0, cx: -0.12, cy: 0.02 };
    const input = scene(truth, whole, 0, whole, (c) => (isCut(c) ? cut : whole));
    input.lenses = [whole, { focal: cut.focal, k1: 0 }].map((lens) => ({
      ...lens,
      prior: { focal: lens.focal, sigma: 0.25 },
    }));
    input.lensOf = truth.map((_, c) => (isCut(c) ? 1 : 0));
    return { ...input, pictures: [1000, 800].map((long) => ({ camera: undefined, long, short: 0.75 * long })) };
  };

  it('moves the middle of the photos that were cut, not of the others', async () => {
    const truth = arc(10, 100);
    const input = cutScene(truth, (c) => c % 2 === 1);
    const [piece] = await buildStructure(input);
    const [whole, cut] = input.lenses as [Lens, Lens];
    expect(Math.hypot(whole.cx ?? 0, whole.cy ?? 0)).toBe(0);
    expect(Math.hypot(cut.cx! + 0.12, cut.cy! - 0.02)).toBeLessThan(0.01);
    expect(errors(piece!.cameras, truth).rotation).toBeLessThan(0.3);
  });

  it('finds the middle of a single photo that was cut', async () => {
    const truth = arc(8, 80);
    const input = cutScene(truth, (c) => c === 3);
    const [piece] = await buildStructure(input);
    expect(Math.hypot(input.lenses[1]!.cx! + 0.12, input.lenses[1]!.cy! - 0.02)).toBeLessThan(0.03);
    const rotation = errors(piece!.cameras, truth).rotation;
    const untold = cutScene(truth, (c) => c === 3);
    const [centred] = await buildStructure({ ...untold, pictures: undefined });
    expect(rotation).toBeLessThan(0.5 * errors(centred!.cameras, truth).rotation);
  });

  it('leaves both where the photos do not ask for them', async () => {
    const input = scene(arc(12, 100), { focal: 0.95, k1: 0, prior: { focal: 0.95, sigma: 0.25 } });
    await buildStructure(input);
    const { k2 = 0, cx = 0, cy = 0 } = input.lenses[0]!;
    expect([k2, cx, cy]).toEqual([0, 0, 0]);
  });

  it('tells whether the shape may be inside out: from very far it may', async () => {
    const costs = await Promise.all(
      [6, 14, 500].map(async (distance) => {
        const truth = arc(6, 25, distance);
        const lens = { focal: 0.15 * distance, k1: 0 };
        const prior = { focal: lens.focal, sigma: 1e-7 };
        const input = scene(truth, { ...lens, prior }, 0.02, lens);
        const [piece] = await buildStructure({ ...input, pairs: exactPairs(truth) });
        return piece!.mirrored;
      }),
    );
    expect(costs[0]).toBeUndefined();
    expect(costs[1]).toBeGreaterThan(2);
    expect(costs[2]).toBeLessThan(1.1);
  });

  it('turns a shape that is inside out', async () => {
    const truth = arc(6, 25, 150);
    const lens = { focal: 22.5, k1: 0 };
    const input = scene(truth, { ...lens, prior: { focal: lens.focal, sigma: 1e-7 } }, 0.02, lens);
    // What each pair says alone, of a shape mirrored in depth.
    const mirrored = truth.map((camera) => {
      const { rotation: R, translation: t } = camera;
      const rotation = R.map((value, k) => ((k % 3 === 2) !== k >= 6 ? -value : value));
      return { ...camera, rotation, translation: t };
    });
    const pairs = input.pairs.map((pair) => ({ ...pair, ...relative(mirrored[pair.a]!, mirrored[pair.b]!) }));
    const [piece] = await buildStructure({ ...input, pairs });
    expect(errors(piece!.cameras, truth).rotation).toBeLessThan(0.3);
  });

  it('keeps the focal that the user gave', async () => {
    const input = scene(arc(5, 40), { focal: 0.93, k1: 0, prior: { focal: 0.93, sigma: 1e-7 } });
    await buildStructure(input);
    expect(input.lenses[0]!.focal).toBeCloseTo(0.93, 5);
  });

  /** The last photo sees 6 points that others see too, and 100 with its neighbour alone; of those 6 some are wrong. */
  const hardlyTied = (truth: PlacedCamera[], moved: number): StructureInput => {
    const last = truth.length - 1;
    const input = scene(truth, { ...TRUE_LENS, prior: { focal: TRUE_LENS.focal, sigma: 0.05 } }, 0);
    const tracks = input.tracks.flatMap((track, k) => {
      const without = { photos: track.photos.filter((photo) => photo !== last), features: track.features.slice(1) };
      if (!track.photos.includes(last)) return [track];
      if (k < 6) return [track];
      // Points of the neighbour that no other photo sees.
      if (k < 106) return [{ photos: [last - 1, last], features: track.features.slice(0, 2) }];
      return [without];
    });
    const first = new Set(tracks.filter(({ photos }) => photos.includes(last) && photos.length > 2).slice(0, moved));
    const wrong = new Set([...first].map(({ features }) => features[0]!));
    const position = (photo: number, feature: number): [number, number] => {
      const [x, y] = input.position(photo, feature);
      return photo === last && wrong.has(feature) ? [x + 0.03 * feature + 0.05, y + 0.02] : [x, y];
    };
    return { ...input, tracks, position };
  };

  it('places a photo by its pair where few known points tell how far away it is', async () => {
    const truth = arc(5, 45);
    const [piece] = await buildStructure(hardlyTied(truth, 0));
    expect([...piece!.cameras.keys()].sort()).toEqual([0, 1, 2, 3, 4]);
    const { rotation, direction } = errors(piece!.cameras, truth);
    expect(rotation).toBeLessThan(0.5);
    expect(direction).toBeLessThan(1);
    expect([...piece!.weak]).toEqual([4]);
  });

  it('leaves such a photo out where the points don’t agree how far', async () => {
    const [piece] = await buildStructure(hardlyTied(arc(5, 45), 4));
    expect([...piece!.cameras.keys()].sort()).toEqual([0, 1, 2, 3]);
  });

  it('leaves cameras and lens of an earlier solution where they are while a photo joins', async () => {
    const truth = arc(6, 50);
    const before = new Map(truth.slice(0, 5).map((camera, k) => [k, { ...camera, fixed: true }]));
    const input = scene(truth, { ...TRUE_LENS, fixed: true });
    const [piece] = await buildStructure({ ...input, known: [before] });
    expect(piece!.cameras.size).toBe(6);
    for (const [k, camera] of before) expect(piece!.cameras.get(k)!.rotation).toEqual(camera.rotation);
    expect(input.lenses[0]).toMatchObject({ focal: TRUE_LENS.focal, k1: TRUE_LENS.k1 });
    expect(errors(piece!.cameras, truth).rotation).toBeLessThan(0.2);
  });

  it('keeps photos of unrelated scenes in separate pieces', async () => {
    const [one, two] = [arc(4, 30), arc(3, 20)];
    const [p, q] = [scene(one, { ...TRUE_LENS }), scene(two, { ...TRUE_LENS })];
    const shifted = {
      tracks: q.tracks.map(({ photos, features }) => ({ photos: photos.map((photo) => photo + 4), features })),
      pairs: q.pairs.map((pair) => ({ ...pair, a: pair.a + 4, b: pair.b + 4 })),
    };
    const pieces = await buildStructure({
      photoCount: 7,
      lensOf: new Array(7).fill(0),
      lenses: p.lenses,
      tracks: [...p.tracks, ...shifted.tracks],
      pairs: [...p.pairs, ...shifted.pairs],
      position: (photo, feature) => (photo < 4 ? p.position(photo, feature) : q.position(photo - 4, feature)),
    });
    expect(pieces.map(({ cameras }) => [...cameras.keys()].sort())).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('joins two known pieces, each in a world of its own, once pairs tie them together', async () => {
    const truth = arc(8, 60);
    const input = scene(truth, { ...TRUE_LENS });
    const piece = (photos: readonly number[], inWorld: (camera: PlacedCamera) => PlacedCamera) =>
      new Map(photos.map((photo) => [photo, inWorld(truth[photo]!)]));
    const R = turn(20, -35, 10);
    const scaled = ({ rotation, translation, ...rest }: PlacedCamera): PlacedCamera => ({
      ...rest,
      rotation: multiply3(rotation, R),
      translation: translation.map((value) => 0.4 * value),
    });
    const known = [piece([0, 1, 2, 3], (camera) => ({ ...camera })), piece([4, 5, 6, 7], scaled)];
    const pieces = await buildStructure({ ...input, known });
    expect(pieces.map(({ cameras }) => cameras.size)).toEqual([8]);
    const { rotation, direction } = errors(pieces[0]!.cameras, truth);
    expect(rotation).toBeLessThan(0.15);
    expect(direction).toBeLessThan(0.4);
  });

  it('places a photo where most of its pairs say, not where a repeated pattern offers more points', async () => {
    const truth = arc(6, 60);
    const random = randomNumbers(3);
    // The last camera as the pattern shows it: a period further along.
    const shifted = { ...truth[5]!, translation: truth[5]!.translation.map((t, i) => t + [2.6, 0, 1][i]!) };
    const groups = [
      { photos: [0, 1, 2], count: 150, last: truth[5]! },
      { photos: [3, 4, 5], count: 150, last: truth[5]! },
      { photos: [1, 2, 3, 4, 5], count: 60, last: truth[5]! },
      { photos: [0, 1, 5], count: 110, last: shifted },
    ];
    const seen = truth.map((): [number, number][] => []);
    const tracks: StructureInput['tracks'][number][] = [];
    for (const { photos, count, last } of groups) {
      const points = scatter(count, 20 + tracks.length);
      const sights = truth.map((camera, k) => see(k === 5 ? last : camera, TRUE_LENS, points, NOISE, random));
      for (let p = 0; p < count; p++) {
        const visible = photos.filter((photo) => sights[photo]![p]);
        if (visible.length < 2) continue;
        tracks.push({ photos: visible, features: visible.map((photo) => seen[photo]!.push(sights[photo]![p]!) - 1) });
      }
    }
    const pair = (a: number, b: number, inlierCount: number, from = truth[b]!) => {
      const parallax = 10 * (b - a);
      return { a, b, ...relative(truth[a]!, from), inlierCount, parallax, rotationShare: 0 };
    };
    const pairs = [
      pair(0, 1, 250),
      pair(0, 2, 150),
      pair(1, 2, 200),
      pair(3, 4, 200),
      pair(3, 5, 200),
      pair(4, 5, 200),
    ];
    for (const a of [1, 2]) for (const b of [3, 4, 5]) pairs.push(pair(a, b, 60));
    pairs.push(pair(0, 5, 100, shifted));
    const [piece] = await buildStructure({
      photoCount: 6,
      lensOf: new Array(6).fill(0),
      lenses: [{ ...TRUE_LENS, fixed: true }],
      tracks,
      pairs,
      position: (photo, feature) => seen[photo]![feature]!,
    });
    expect(piece!.cameras.size).toBe(6);
    const { rotation, direction } = errors(piece!.cameras, truth);
    expect(rotation).toBeLessThan(0.3);
    expect(direction).toBeLessThan(1);
  });

  it('tells of each photo that it has placed, with the points by then, at most as many as are asked for', async () => {
    const looks: { placed: number; points: number; cameras: number }[] = [];
    await buildStructure({
      ...scene(arc(6, 50), { ...TRUE_LENS }),
      onGrown: (placed, look) => {
        const { cameras, positions, photo } = look(100);
        expect(positions.every(Number.isFinite)).toBe(true);
        expect(Math.max(...photo)).toBeLessThan(6);
        looks.push({ placed, points: photo.length, cameras: cameras.size });
      },
    });
    expect(new Set(looks.map(({ placed }) => placed))).toEqual(new Set([2, 3, 4, 5, 6]));
    expect(looks.every(({ placed, cameras }) => placed === cameras)).toBe(true);
    expect(Math.max(...looks.map(({ points }) => points))).toBeLessThanOrEqual(100);
    expect(Math.min(...looks.map(({ points }) => points))).toBeGreaterThan(20);
  });

  it('stops when asked', async () => {
    const stop = new AbortController();
    const work = buildStructure({
      ...scene(arc(6, 50), { ...TRUE_LENS }),
      signal: stop.signal,
      onPlaced: () => stop.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
  });
});
