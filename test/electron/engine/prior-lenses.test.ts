import { expect, it } from 'vitest';
import { withPriorLenses } from '../../../electron/engine/selection.js';
import type { KnownPhotoCamera } from '../../../electron/geometry/types.js';
import type { ProjectPhoto } from '../../../electron/project/project.js';
import { photoOf } from '../../fixtures/photo.js';

const photo = (name: string, use: KnownPhotoCamera['use'], focal: number, more: Partial<ProjectPhoto> = {}) =>
  ({
    ...photoOf(name, { known: { use, lens: { focal, k1: -0.1, k2: 0 } } }),
    enabled: true,
    ...more,
  }) as ProjectPhoto;

it('the lenses of a prior are one lens told with errors, where the search begins; fixed ones and exact lenses stay', () => {
  const given = [
    photo('a.jpg', 'prior', 1290),
    photo('b.jpg', 'prior', 1300),
    photo('c.jpg', 'prior', 1312),
    photo('zoomed.jpg', 'prior', 2600),
    photo('fixed.jpg', 'fixed', 1280),
    photo('lens.jpg', 'intrinsics', 1270),
    photo('typed.jpg', 'prior', 1300, { focal: { pixels: 1250, source: 'user' } }),
  ];
  const found = withPriorLenses(given);
  expect(found.slice(0, 4).map(({ focal }) => focal)).toEqual([
    { pixels: 1300, source: 'calibrated' },
    { pixels: 1300, source: 'calibrated' },
    { pixels: 1300, source: 'calibrated' },
    { pixels: 2600, source: 'calibrated' },
  ]);
  // Not exact any more: the photos find focal and distortion.
  expect(found.slice(0, 4).map(({ known }) => known)).toEqual(Array(4).fill({ use: 'prior' }));
  expect(found.slice(4)).toEqual(given.slice(4));
});
