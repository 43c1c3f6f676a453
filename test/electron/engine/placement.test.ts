import { expect, test } from 'vitest';
import { sharedFocalWarnings } from '../../../electron/engine/placement.js';

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
