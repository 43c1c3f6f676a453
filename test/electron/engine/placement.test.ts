import { expect, test } from 'vitest';
import type { StoredObservation } from '../../../electron/alignment/types.js';
import { runSettings } from '../../../electron/contract/api.js';
import { alignmentProblem, asKnown, sharedFocalWarnings } from '../../../electron/engine/placement.js';
import { viewGeometry } from '../../../electron/pointmaps/dust3r/preprocess.js';
import { viewMap } from '../../../electron/pointmaps/geometric/view.js';
import type { ProjectPhoto } from '../../../electron/project/project.js';

const photo = (id: string, extra: Partial<ProjectPhoto> = {}): ProjectPhoto => ({
  id,
  path: `/${id}`,
  name: id,
  width: 4000,
  height: 3000,
  size: 1,
  sharpness: 1,
  enabled: true,
  locked: false,
  ...extra,
});
const viewOf = (one: ProjectPhoto) => {
  const { crop, originalFromView } = viewGeometry(one, { size: 512, square: false, patch: 16 });
  return { photo: one.id, width: crop.width, height: crop.height, pixels: new Uint8Array(0), originalFromView };
};

test('a shared focal that photos of several sizes can not have is told, not ignored', () => {
  const [upright, across] = [
    { width: 384, height: 512 },
    { width: 512, height: 384 },
  ];
  expect(sharedFocalWarnings({ sharedFocal: true }, [upright, across])).toEqual([
    expect.stringMatching(/of 2 sizes or orientations: each photo got its own/),
  ]);
  expect(sharedFocalWarnings({ sharedFocal: true }, [across, across])).toEqual([]);
  expect(sharedFocalWarnings({ sharedFocal: false }, [upright, across])).toEqual([]);
});

test('alignment is told where the middle of the photo lies in a view, and what EXIF says of the focal', () => {
  const photos = [
    photo('a', { focal: { pixels: 3600, source: 'exif-35mm' } }),
    photo('b', { focal: { pixels: 3600, source: 'user' } }),
    photo('c'),
  ];
  const views = photos.map(viewOf);
  const observations: StoredObservation[] = [];
  const { constraints } = alignmentProblem({ photos, observations, settings: runSettings.parse({}) }, views);
  // A pixel's centre is at integer coordinates: the middle of 512 pixels is at 255.5, not at 256.
  for (const constraint of constraints!)
    constraint!.principalPoint!.forEach((value, axis) => expect(value).toBeCloseTo(axis === 0 ? 255.5 : 191.5, 9));
  const perView = 512 / 4000;
  expect(constraints!.map((each) => each!.focal)).toEqual([undefined, 3600 * perView, undefined]);
  expect(constraints!.map((each) => each!.expectedFocal?.focal)).toEqual([3600 * perView, undefined, undefined]);
});

test('views of the built-in estimator have the middle of the photo at half their size', () => {
  const one = photo('a');
  const view = {
    ...viewOf(one),
    width: 640,
    height: 480,
    originalFromView: viewMap(one, 640, { focal: 3600, k1: 0.1 }),
  };
  const problem = alignmentProblem({ photos: [one], observations: [], settings: runSettings.parse({}) }, [view]);
  const [x, y] = problem.constraints![0]!.principalPoint!;
  expect(x).toBeCloseTo(320, 9);
  expect(y).toBeCloseTo(240, 9);
});

test('a lens that was given as exact leaves as it was given, to the last bit; one that was found stays', () => {
  const given = 995.5555555555555;
  const known = { use: 'fixed' as const, lens: { focal: given, k1: -0.1, k2: 0 } };
  const off = { fx: 995.5555555555554, fy: 995.5555555555557, cx: 639.5, cy: 479.5, k1: -0.1 + 1e-16 };
  expect(asKnown(photo('a', { known }), off)).toEqual({ ...off, fx: given, fy: given, k1: -0.1 });
  expect(asKnown(photo('a'), off)).toEqual(off);
  const other = { ...off, fx: 990, fy: 990, k1: 0.02 };
  expect(asKnown(photo('a', { known }), other)).toEqual(other);
});
