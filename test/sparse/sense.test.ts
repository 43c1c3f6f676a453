import { describe, expect, it } from 'vitest';
import type { Photo } from '../../electron/geometry/types.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import type { Candidate } from '../../electron/sparse/correspondence.js';
import { senseChecks, type SenseInput } from '../../electron/sparse/sense.js';
import type { Piece, StructurePoint } from '../../electron/sparse/structure.js';
import type { TwoViewResult } from '../../electron/sparse/two-view.js';
import { arc, exactPairs } from './synthetic.js';

const MATCHES = 60;

function photo(k: number, rest: Partial<Photo> = {}): Photo {
  return { id: `${k}`, path: '', name: `${k}.jpg`, width: 1000, height: 750, size: 0, sharpness: 1, ...rest };
}

function piece(photos: number[]): Piece {
  const camera = (k: number): PlacedCamera => ({
    lens: 0,
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: Float64Array.of(k, 0, 0),
    fixed: false,
  });
  return { cameras: new Map(photos.map((k) => [k, camera(k)])), points: [], weak: new Set(), support: 0 };
}

/** Every pair of `count` photos matched; the first `still` of its features keep their places. */
function set(count: number, still: number, rotationShare = 0): SenseInput {
  const random = randomNumbers(2);
  const places = Array.from({ length: count }, () =>
    Array.from({ length: MATCHES }, (): [number, number] => [random() - 0.5, 0.7 * random() - 0.35]),
  );
  for (const own of places) for (let k = 0; k < still; k++) own[k] = places[0]![k]!;
  const matches = Uint32Array.from({ length: 2 * MATCHES }, (_, k) => k >> 1);
  const inliers = new Uint8Array(MATCHES).fill(1);
  const candidates = places.flatMap((_, a) =>
    places.slice(a + 1).map((__, k): Candidate => ({
      pair: { a, b: a + 1 + k },
      matches,
      fit: { inliers, inlierCount: MATCHES, evidence: 50, planarShare: still / MATCHES },
      result: { inliers, inlierCount: MATCHES, rotationShare, parallax: 10 } as TwoViewResult,
    })),
  );
  return {
    photos: places.map((_, k) => photo(k)),
    candidates,
    pieces: [piece(places.map((_, k) => k))],
    lensOf: places.map(() => 0),
    lenses: [{ focal: 1, k1: 0 }],
    rejected: [],
    verified: [],
    position: (k, feature) => places[k]![feature]!,
  };
}

describe('sense checks', () => {
  it('have nothing to say of a sound set', () => {
    expect(senseChecks(set(5, 5))).toMatchObject({ warnings: [], reasons: new Array(5).fill(undefined) });
  });

  it('tell of photos that were cut, where that leaves the cameras uncertain', () => {
    const told = (sigma: number) => senseChecks({ ...set(5, 5), cut: { photos: [1, 3], sigma } }).warnings;
    expect(told(0.6)).toEqual([expect.stringMatching(/^2 photos seem to be cut \(1.jpg, 3.jpg\).* about 2 degrees/)]);
    expect(told(0.1)).toEqual([]);
  });

  it('see an object that turns before a background that stands still', () => {
    const input = set(5, 45);
    // The pose is the object's.
    const inliers = new Uint8Array(MATCHES).fill(1, 15);
    for (const candidate of input.candidates) candidate.result = { ...candidate.result!, inliers, inlierCount: 45 };
    expect(senseChecks(input).warnings).toEqual([expect.stringMatching(/mask the background/)]);
  });

  it('take neighbours in a row, that move little but show depth, for what they are', () => {
    expect(senseChecks(set(5, 45)).warnings).toEqual([]);
  });

  it('see that the camera only turned', () => {
    const { warnings } = senseChecks(set(4, 0, 0.95));
    expect(warnings).toEqual([expect.stringMatching(/from one spot.*step aside/)]);
  });

  it('doubt a result of which the lens is one that no camera has', () => {
    const wide = { ...set(5, 5), lenses: [{ focal: 0.27, k1: 0 }] };
    expect(senseChecks(wide).warnings).toEqual([expect.stringMatching(/270 px, a view of 123 degrees/)]);
    const told = wide.photos.map((_, k) => photo(k, { focal: { pixels: 270, source: 'user' } }));
    expect(senseChecks({ ...wide, photos: told }).warnings).toEqual([]);
  });

  it('call the focal of two photos assumed, unless it is known', () => {
    const two = set(2, 0);
    const { warnings, assumed } = senseChecks(two);
    expect(warnings).toEqual([expect.stringMatching(/two photos can't tell the focal length: 1000 px is assumed/)]);
    expect([...assumed]).toEqual([0]);
    const focal = { pixels: 1000, source: 'user' as const };
    expect(senseChecks({ ...two, photos: two.photos.map((each) => ({ ...each, focal })) }).warnings).toEqual([]);
    expect([...senseChecks(set(3, 0)).assumed]).toEqual([]);
  });

  it('name why a photo was not placed', () => {
    const four = { ...set(4, 0), pieces: [piece([0, 1])] };
    const alone = { ...four, candidates: four.candidates.filter(({ pair }) => pair.b !== 3) };
    const { warnings, reasons } = senseChecks(alone);
    expect(warnings).toContainEqual(expect.stringMatching(/only two photos could be placed/));
    expect(reasons.slice(0, 2)).toEqual([undefined, undefined]);
    expect(reasons[2]).toMatch(/^shares 60 points with 0.jpg, but too few of them with a third photo/);
    expect(reasons[3]).toMatch(/nothing in it was found in another photo/);
  });

  it('see that much contradicts the result', () => {
    const five = set(5, 0);
    const rejected = five.candidates
      .slice(0, 5)
      .map(({ pair }) => ({ pair, reason: 'inconsistent' as const, detail: '' }));
    expect(senseChecks({ ...five, rejected }).warnings).toEqual([expect.stringMatching(/5 of 10 pairs.*look alike/)]);
    expect(senseChecks({ ...five, rejected: rejected.slice(0, 2) }).warnings).toEqual([]);
  });

  it('see that pairs contradict which are as strong as those that are believed: windows all alike', () => {
    const five = set(5, 0);
    const verified = exactPairs(arc(5, 60))
      .slice(3)
      .map((pair) => ({ ...pair, parallax: 0 }));
    /** The first three pairs contradict. */
    const told = (inlierCount: number): string[] => {
      const candidates = five.candidates.map((each, k) => ({
        ...each,
        result: { ...each.result!, inlierCount: k < 3 ? inlierCount : 200 },
      }));
      const rejected = candidates
        .slice(0, 3)
        .map(({ pair }) => ({ pair, reason: 'inconsistent' as const, detail: '' }));
      return senseChecks({ ...five, candidates, rejected, verified }).warnings;
    };
    expect(told(180)).toEqual([expect.stringMatching(/3 of 10 pairs.*look alike/)]);
    expect(told(80)).toEqual([]);
  });

  it('has nothing to say of many weak pairs that contradict few strong ones: wallpaper', () => {
    const five = set(5, 0);
    const [weak, firm] = [five.candidates.slice(0, 5), five.candidates.slice(5)];
    const withInliers = (candidate: (typeof weak)[number], inlierCount: number) => ({
      ...candidate,
      result: { ...candidate.result!, inlierCount },
    });
    const candidates = [...weak.map((each) => withInliers(each, 40)), ...firm.map((each) => withInliers(each, 300))];
    const rejected = weak.map(({ pair }) => ({ pair, reason: 'inconsistent' as const, detail: '' }));
    expect(senseChecks({ ...five, candidates, rejected }).warnings).toEqual([]);
  });

  it('see that pairs which hold contradict where their cameras were placed', () => {
    const truth = arc(4, 60);
    const pairs = exactPairs(truth);
    const placed = (cameras: PlacedCamera[]): SenseInput => ({
      ...set(4, 0),
      verified: pairs,
      pieces: [{ ...piece([]), cameras: new Map(cameras.map((camera, k) => [k, camera])) }],
    });
    expect(senseChecks(placed(truth)).warnings).toEqual([]);
    const moved = { ...truth[3]!, translation: truth[3]!.translation.map((t, i) => t + [0, 8, 0][i]!) };
    expect(senseChecks(placed([...truth.slice(0, 3), moved])).warnings).toEqual([
      expect.stringMatching(/3 of 6 pairs of photos contradict where their cameras were placed \(0.jpg with 3.jpg/),
    ]);
  });

  it('see that a scene lies behind its cameras: pairs say the other way', () => {
    const truth = arc(4, 60);
    // Half a turn about the viewing axis' normal: what was before the camera is behind it.
    const behind = truth.map((camera) => ({
      ...camera,
      rotation: camera.rotation.map((value, k) => (k < 3 ? value : -value)),
      translation: camera.translation.map((value) => -value),
    }));
    const { warnings } = senseChecks({
      ...set(4, 0),
      verified: exactPairs(truth),
      pieces: [{ ...piece([]), cameras: new Map(behind.map((camera, k) => [k, camera])) }],
    });
    expect(warnings).toEqual([expect.stringMatching(/contradict where their cameras were placed/)]);
  });

  it('see that part of the photos hangs by one', () => {
    const shared = (photos: number[]) =>
      Array.from({ length: 20 }, () => ({
        position: Float64Array.of(0, 0, 5),
        photos,
        features: photos.map(() => 0),
      }));
    const six = set(6, 0);
    const tied = (points: Piece['points']): SenseInput => ({
      ...six,
      pieces: [{ ...piece([0, 1, 2, 3, 4, 5]), points }],
    });
    const loose = [...shared([0, 1, 2]), ...shared([1, 2, 3]), ...shared([3, 4, 5])];
    expect(senseChecks(tied(loose)).warnings).toEqual([
      expect.stringMatching(/^2 photos \(4.jpg, 5.jpg\) are tied to the others by 3.jpg alone.*add photos/),
    ]);
    expect(senseChecks(tied([...loose, ...shared([2, 4])])).warnings).toEqual([]);
  });

  it('see that near and far may be exchanged', () => {
    const one = set(5, 0);
    const seen = (mirrored: number | undefined): SenseInput => ({ ...one, pieces: [{ ...one.pieces[0]!, mirrored }] });
    expect(senseChecks(seen(1.02)).warnings).toEqual([expect.stringMatching(/inside out; add photos/)]);
    expect(senseChecks(seen(3)).warnings).toEqual([]);
  });

  it('see that places which look alike were laid on each other, by one pair of photos or by all', () => {
    const one = set(5, 0);
    const told = (overlaid: Piece['overlaid']): string[] =>
      senseChecks({ ...one, pieces: [{ ...one.pieces[0]!, overlaid }] }).warnings;
    const sound = { a: 0, b: 1, cells: 60, against: 1 };
    expect(told([sound, { ...sound, a: 2, against: 5 }])).toEqual([]);
    expect(told([sound, { a: 2, b: 4, cells: 10, against: 7 }])).toEqual([
      expect.stringMatching(/show different things there \(2\.jpg with 4\.jpg\): two places that look alike/),
    ]);
    const little = { cells: 20, against: 3 };
    expect(told([{ a: 0, b: 1, ...little }])).toEqual([]);
    const many = [0, 1, 2, 3].flatMap((a) => [a + 1, a + 2].map((b) => ({ a, b: b % 5, ...little })));
    expect(told(many)).toEqual([expect.stringMatching(/look alike/)]);
  });

  it('name why a photo was not placed: from one spot, tied to one that was not placed, or too little in common', () => {
    const four = { ...set(4, 0), pieces: [piece([0, 1])] };
    /** What photo 3 has in common with 0, 1 and 2. */
    const reason = (inliers: number[], parallax: number): string | undefined =>
      senseChecks({
        ...four,
        candidates: four.candidates.map((each) => {
          if (each.pair.b !== 3) return each;
          const inlierCount = inliers[each.pair.a]!;
          return { ...each, fit: { ...each.fit!, inlierCount }, result: { ...each.result!, inlierCount, parallax } };
        }),
      }).reasons[3];
    expect(reason([60, 10, 10], 0.4)).toMatch(/^taken from the same spot as 0\.jpg, or nearly/);
    expect(reason([22, 30, 60], 10)).toMatch(/60 points\) is with 2\.jpg, which could not be placed either/);
    expect(reason([12, 10, 10], 10)).toMatch(
      /^shares too little with the other photos \(at most 12 points, with 0\.jpg\)/,
    );
  });

  it('see that the photos were taken from nearly one spot', () => {
    const cameras = arc(4, 60);
    const one = set(4, 0);
    /** Points that all cameras see, at so many times the cameras' distance from each other. */
    const told = (distance: number): string[] => {
      const points = Array.from({ length: 40 }, (_, k): StructurePoint => ({
        position: Float64Array.of(0.1 * k, 0, 6 * distance),
        photos: [0, 1, 2, 3],
        features: [k, k, k, k],
      }));
      const placed = new Map(cameras.map((camera, k) => [k, camera]));
      return senseChecks({ ...one, pieces: [{ ...one.pieces[0]!, cameras: placed, points }] }).warnings;
    };
    expect(told(2)).toEqual([]);
    expect(told(200)).toEqual([expect.stringMatching(/nearly one spot \(lines of sight meet at 0\.\d degrees\)/)]);
  });
});
