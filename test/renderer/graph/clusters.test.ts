import { expect, test, vi } from 'vitest';
import type { PairInfo } from '../../../electron/contract/api.js';

vi.mock('../../../renderer/transport/index.js', () => ({ api: {}, desktop: undefined }));
const { clusterGraph } = await import('../../../renderer/graph/clusters.js');

const ids = Array.from({ length: 400 }, (_, k) => `p${k}`);
/** 20 x 20 photos, 3 pixels apart at zoom 1. */
const places = new Map(ids.map((id, k) => [id, { x: 3 * (k % 20), y: 3 * Math.floor(k / 20) }]));
const pair = (a: string, b: string, residual = 0.005): PairInfo =>
  ({ a, b, enabled: true, state: 'observed', residual }) as PairInfo;

test('dots that would cover each other are one, and come apart by zooming', () => {
  const whole = clusterGraph(ids, [], places, 1);
  expect(whole.clusters.length).toBeLessThan(40);
  expect(whole.clusters.flatMap(({ photos }) => photos).sort()).toEqual([...ids].sort());
  const near = clusterGraph(ids, [], places, 6);
  expect(near.clusters.length).toBe(400);
  expect(near.clusters[1]).toMatchObject({ x: 18, y: 0, photos: ['p1'] });
  // A dot of many is larger than one of one.
  expect(
    Math.min(...whole.clusters.filter(({ photos }) => photos.length > 4).map(({ radius }) => radius)),
  ).toBeGreaterThan(near.clusters[0]!.radius);
});

test('pairs between two dots are one line, in the colour of the worst; each is reached by zooming', () => {
  const { clusters } = clusterGraph(ids, [], places, 1);
  const [first, last] = [clusters[0]!.photos, clusters.at(-1)!.photos];
  const pairs = [pair(first[0]!, last[0]!), pair(first[1]!, last[1]!, 0.1), pair(first[0]!, first[1]!)];
  const whole = clusterGraph(ids, pairs, places, 1);
  expect(whole.bundles).toHaveLength(1);
  expect(whole.bundles[0]!.pairs).toHaveLength(2);
  expect(whole.bundles[0]!.tone).toBe('bad');
  expect(whole.inside).toBe(1);
  const near = clusterGraph(ids, pairs, places, 6);
  expect(near.bundles.map(({ pairs }) => pairs.length)).toEqual([1, 1, 1]);
});
