import { describe, expect, it } from 'vitest';
import { align } from '../../../electron/alignment/align.js';
import type { SparseModel } from '../../../electron/geometry/sparse-model.js';
import type { Observation, Pair } from '../../../electron/geometry/types.js';
import { chooseGroups } from '../../../electron/pointmaps/da3/groups.js';
import { fitDepth } from '../../../electron/pointmaps/da3/measured.js';
import { GroupSession } from '../../../electron/pointmaps/da3/session.js';
import { SparseViews } from '../../../electron/pointmaps/sparse-views.js';
import { viewMap, viewShape } from '../../../electron/pointmaps/da3/view.js';
import { groupNetworkThatGoesOn } from '../../../native-models/da3/network.js';
import {
  centre,
  depthAt,
  focalRatio,
  longSide,
  wallModel,
  wallNetwork,
  wallPhotos,
  wallReader,
  type WallCalls,
} from './wall.js';

const complete = (count: number): Pair[] =>
  Array.from({ length: count }, (_, a) =>
    Array.from({ length: count - a - 1 }, (_, k) => ({ a, b: a + 1 + k })),
  ).flat();

function open(count: number, model?: SparseModel, size = 4): { session: GroupSession; calls: WallCalls } {
  const photos = wallPhotos(count);
  const calls: WallCalls = { photos: [], groups: [], given: [], closed: 0 };
  const session = new GroupSession({
    network: wallNetwork(calls),
    reader: wallReader,
    photos,
    pairs: complete(count),
    sparse: model && new SparseViews(model, photos),
    options: {
      longSide,
      patch: 14,
      groups: { size, overlap: 2 },
      tokenKey: (photo, view) => `${photo}/${view}`,
      storeTokens: false,
    },
  });
  return { session, calls };
}

async function observeAll(session: GroupSession): Promise<Observation[]> {
  const context = { store: { get: () => undefined, put: () => undefined } };
  const outcomes = await Promise.all(session.plan.observe.map((pair) => session.observe(pair, context)));
  return outcomes.flatMap((outcome) => (outcome.kind === 'observation' ? [outcome.observation] : []));
}

describe('groups', () => {
  const near = (a: number, b: number): number => (Math.abs(a - b) < 4 ? 1 / Math.abs(a - b) : 0);
  const members = Array.from({ length: 20 }, (_, k) => k);

  it('overlap and chain, in proportion to the photos', () => {
    const groups = chooseGroups(members, near, { size: 8, overlap: 2 });
    expect(groups.length).toBe(3);
    expect(groups.every(({ length }) => length <= 8)).toBe(true);
    expect([...new Set(groups.flat())].sort((p, q) => p - q)).toEqual(members);
    groups.slice(1).forEach((group, k) => {
      const before = new Set(groups.slice(0, k + 1).flat());
      expect(group.filter((photo) => before.has(photo)).length).toBe(2);
    });
  });

  it('do not mix what is not tied, nor shapes; a photo without ties stays alone', () => {
    const groups = chooseGroups(
      [0, 1, 2, 3, 4],
      (a, b) => (a < 4 && b < 4 ? 1 : 0),
      { size: 8, overlap: 2 },
      [1, 2, 1, 2, 1],
    );
    expect(groups.map((group) => [...group].sort())).toEqual([[0, 2], [1, 3], [4]]);
  });
});

describe('a view', () => {
  it('is made of patches and centred on the photo', () => {
    const photo = wallPhotos(1)[0]!;
    const shape = viewShape({ ...photo, width: 4032, height: 2268 }, 504, 14);
    expect(shape).toEqual({ width: 504, height: 280 });
    const map = viewMap({ ...photo, width: 4032, height: 2268 }, shape, 504);
    expect(map.offsetX + map.scaleX * 252).toBeCloseTo((4032 - 1) / 2, 9);
    expect(map.offsetY + map.scaleY * 140).toBeCloseTo((2268 - 1) / 2, 9);
  });
});

describe('depth brought to measured depths', () => {
  const [width, height] = [64, 48];
  const depth = Float32Array.from({ length: width * height }, (_, i) => 2 + (i % width) / width);
  const measuredWith = (factor: (x: number, y: number) => number, count: number) => {
    const at = new Float64Array(2 * count);
    const values = Float64Array.from({ length: count }, (_, k) => {
      const [x, y] = [(k * 37) % width, (k * 23) % height];
      at.set([x, y], 2 * k);
      return depth[y * width + x]! * factor(x, y) * (k % 7 === 3 ? 2.5 : 1);
    });
    return { at, depth: values };
  };

  it('follows a smooth error, in spite of wrong measurements', () => {
    const factor = (x: number, y: number) => 3 * (1 + 0.1 * Math.sin(x / 20) + 0.05 * (y / height));
    const fit = fitDepth(depth, width, height, measuredWith(factor, 150))!;
    const errors = Array.from(fit.depth, (value, i) =>
      Math.abs(value / (depth[i]! * factor(i % width, Math.floor(i / width))) - 1),
    ).sort((p, q) => p - q);
    expect(errors[errors.length >> 1]).toBeLessThan(0.005);
    expect(errors[Math.floor(errors.length * 0.95)]).toBeLessThan(0.03);
    expect(fit.kept.length).toBeGreaterThan(100);
  });

  it('only scales where little is measured, and says so where nothing is', () => {
    const fit = fitDepth(
      depth,
      width,
      height,
      measuredWith(() => 3, 5),
    )!;
    fit.depth.forEach((value, i) => expect(value / depth[i]!).toBeCloseTo(3, 4));
    expect(fitDepth(depth, width, height, { at: new Float64Array(0), depth: new Float64Array(0) })).toBeUndefined();
  });
});

describe('the session', () => {
  it("takes the sparse stage's cameras, and its points decide the depths", async () => {
    const photos = wallPhotos(6);
    const { session, calls } = open(6, wallModel(photos));
    const observations = await observeAll(session);
    expect(calls.photos.sort()).toEqual([0, 1, 2, 3, 4, 5]); // Each photo's own blocks once.
    expect(calls.given.every((cameras) => cameras !== undefined)).toBe(true);
    const focal = focalRatio * longSide;
    for (const { views, firstFromCamera } of observations) {
      const first = Number(views[0]!.photo.slice(5));
      views.forEach(({ photo, points, width, height, inferred }, role) => {
        const share = inferred!.reduce((sum, one) => sum + one, 0) / inferred!.length;
        expect(share).toBeGreaterThan(0.1);
        expect(share).toBeLessThan(0.9); // Near points that were measured it is measured.
        const index = Number(photo.slice(5));
        expect(firstFromCamera![role]![3]).toBeCloseTo(centre(index) - centre(first), 9);
        const errors = Array.from({ length: width * height }, (_, i) => {
          const [dx, dy] = [((i % width) - width / 2) / focal, (Math.floor(i / width) - height / 2) / focal];
          return Math.abs(points[3 * i + 2]! / depthAt(index, dx, dy) - 1);
        }).sort((p, q) => p - q);
        // The network was off by up to 30 % in scale and 10 % from left to right.
        expect(errors[errors.length >> 1]).toBeLessThan(0.01);
      });
    }
    expect(session.focal(0)!.pixels).toBeCloseTo(focalRatio * 224, 9);
    await session.close();
    expect(calls.closed).toBe(1);
  });

  it('joins groups by their common photos where nothing is measured', async () => {
    const { session, calls } = open(7);
    const observations = await observeAll(session);
    expect(calls.given.every((cameras) => cameras === undefined)).toBe(true);
    expect(observations.length).toBe(3);
    expect(observations.every(({ views }) => views.every(({ inferred }) => inferred!.every((one) => one === 1)))).toBe(
      true,
    );
    const views = await Promise.all(wallPhotos(7).map((_, k) => session.view(k)));
    const { components } = await align({ views, observations }, { threads: 1 });
    expect(components.length).toBe(1);
    const places = components[0]!.worldFromCamera.map((pose) => pose[3]! - components[0]!.worldFromCamera[0]![3]!);
    const unit = places[6]! / (centre(6) - centre(0));
    places.forEach((place, k) => expect(place / unit / 0.3).toBeCloseTo(k, 1));
    await session.close();
  });

  it('looks at one photo alone', async () => {
    const { session } = open(1);
    expect(session.plan.observe).toEqual([{ a: 0, b: 0 }]);
    const [observation] = await observeAll(session);
    expect(observation!.views.length).toBe(1);
    expect(observation!.focal![0]).toBeCloseTo(focalRatio * longSide, 9);
    await session.close();
  });

  it('keeps placed photos together, and leads the others to them', async () => {
    const photos = wallPhotos(7);
    const { session, calls } = open(7, wallModel(photos, 4));
    await observeAll(session);
    const of = (k: number) => calls.groups.findIndex((group) => group.includes(k));
    expect(calls.given[of(0)]).toBeDefined();
    const next = calls.groups[of(4)]!;
    expect(calls.given[of(4)]).toBeUndefined();
    expect(next.filter((k) => k < 4).length).toBe(2);
    await session.close();
  });
});

describe('a provider that fails in mid-run', () => {
  it('is left for the CPU, once, and the work is done again', async () => {
    const calls: WallCalls = { photos: [], groups: [], given: [], closed: 0 };
    const opened: string[] = [];
    const notes: string[] = [];
    const network = groupNetworkThatGoesOn(
      (provider) => {
        opened.push(provider);
        const good = wallNetwork(calls);
        return provider === 'cpu'
          ? good
          : { ...good, group: () => Promise.reject(new Error('out of device memory\nat line 5')) };
      },
      'webgpu',
      (note) => notes.push(note),
    );
    const image = new Float32Array(3 * 42 * 56).fill((12 / 255 - 0.485) / 0.229);
    const photo = await network.photo(image, 42, 56);
    const [one, two] = await Promise.all([network.group([photo]), network.group([photo])]);
    expect([one.cameras.length, two.cameras.length]).toEqual([1, 1]);
    expect(opened).toEqual(['webgpu', 'cpu']);
    expect(notes).toEqual(['webgpu failed (out of device memory); going on with the CPU']);
    await network.close();
    expect(calls.closed).toBe(2);
  });

  it('is the end where it is the CPU already', async () => {
    const network = groupNetworkThatGoesOn(
      () => ({
        ...wallNetwork({ photos: [], groups: [], given: [], closed: 0 }),
        photo: () => Promise.reject(new Error('no')),
      }),
      'cpu',
      () => expect.unreachable(),
    );
    await expect(network.photo(new Float32Array(0), 14, 14)).rejects.toThrow('no');
  });
});
