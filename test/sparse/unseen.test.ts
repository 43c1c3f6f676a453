import { describe, expect, it } from 'vitest';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { evidenceOf, overlaid, OVERLAID_DEFAULTS } from '../../electron/sparse/overlaid.js';
import { centreOf } from '../../electron/sparse/pose.js';
import { senseChecks } from '../../electron/sparse/sense.js';
import type { StructurePoint } from '../../electron/sparse/structure.js';
import { unseen, UNSEEN_DEFAULTS } from '../../electron/sparse/unseen.js';
import { lookAt, see, type Vector } from './synthetic.js';

const COUNT = 16;
const LENSES = [{ focal: 1.1, k1: 0 }];
const HALF = [0.5, 0.375] as const;

interface Spot {
  at: Vector;
  normal: Vector;
  isFront: boolean;
}

/** Front and back of a building, alike but for a half turn, its sides and the ground round it. */
function building(random: () => number): Spot[] {
  const spots: Spot[] = [];
  for (let k = 0; k < 160; k++) {
    const [x, y, z] = [4 * random() - 2, 2 * random() - 1, -1.5 - 0.25 * random()];
    spots.push({ at: [x, y, z], normal: [0, 0, -1], isFront: true });
  }
  for (const side of [-1, 1])
    for (let k = 0; k < 60; k++)
      spots.push({
        at: [side * (2 + 0.25 * random()), 2 * random() - 1, 3 * random() - 1.5],
        normal: [side, 0, 0],
        isFront: false,
      });
  for (let k = 0; k < 60; k++) {
    const [angle, far] = [2 * Math.PI * random(), 2.6 + 2 * random()];
    spots.push({ at: [far * Math.sin(angle), 1, far * Math.cos(angle)], normal: [0, -1, 0], isFront: false });
  }
  return spots;
}

const turned = ([x, y, z]: Vector): Vector => [-x, y, -z];
const cameraAt = (k: number): PlacedCamera => {
  const angle = (2 * Math.PI * k) / COUNT;
  return lookAt([7 * Math.sin(angle), -0.3 + 0.2 * Math.sin(4 * angle), -7 * Math.cos(angle)], [0, 0.1, 0]);
};

/**
 * Photos round the building. Folded: the half of them that sees the back is placed where it would see the front, with
 * what lies beside the back there as well.
 */
function piece(isFolded: boolean): { cameras: Map<number, PlacedCamera>; points: StructurePoint[] } {
  const random = randomNumbers(7);
  const cameras = Array.from({ length: COUNT }, (_, k) => cameraAt(k));
  const isBehind = (k: number): boolean => k > COUNT / 4 && k < (3 * COUNT) / 4;
  const back = (spot: Spot): Spot => ({ ...spot, at: turned(spot.at), normal: turned(spot.normal) });
  const spots = building(random);
  const sightsOf = ({ at, normal }: Spot): number[] =>
    cameras.flatMap((camera, k) => {
      const centre = centreOf(camera);
      const to = at.map((value, axis) => centre[axis]! - value) as Vector;
      const facing = to.reduce((sum, value, axis) => sum + value * normal[axis]!, 0) / Math.hypot(...to);
      const isHidden = normal[1] === 0 ? facing < 0.25 : Math.hypot(to[0], to[2]) > 6;
      const isShown = see(camera, LENSES[0]!, [at], 0, random)[0] !== undefined;
      return !isHidden && isShown && random() > 0.1 ? [k] : [];
    });
  const point = (at: Vector, photos: number[]): StructurePoint[] =>
    photos.length < 2 ? [] : [{ position: Float64Array.from(at), photos, features: photos.map(() => 0) }];
  const points = spots.flatMap((spot): StructurePoint[] => {
    if (spot.isFront) {
      const [front, behind] = [sightsOf(spot), sightsOf(back(spot))];
      return isFolded
        ? point(spot.at, [...front, ...behind])
        : [...point(spot.at, front), ...point(turned(spot.at), behind)];
    }
    const photos = sightsOf(spot);
    if (!isFolded) return point(spot.at, photos);
    // What photos of both halves saw keeps one place for each.
    return [
      ...point(
        spot.at,
        photos.filter((k) => !isBehind(k)),
      ),
      ...point(
        turned(spot.at),
        photos.filter((k) => isBehind(k)),
      ),
    ];
  });
  const placed = cameras.map((camera, k) => (isFolded && isBehind(k) ? cameraAt((k + COUNT / 2) % COUNT) : camera));
  return { cameras: new Map(placed.map((camera, k) => [k, camera])), points };
}

describe('a building whose front and back are alike', () => {
  const judge = ({ cameras, points }: ReturnType<typeof piece>) => {
    const given = { cameras, points };
    return { overlaid: overlaid(given, LENSES, () => HALF), unseen: unseen(given, LENSES, () => HALF) };
  };
  const warningsOf = (given: ReturnType<typeof piece>): string[] =>
    senseChecks({
      photos: Array.from({ length: COUNT }, (_, k) => ({
        id: `${k}`,
        path: `/${k}.jpg`,
        name: `${k}.jpg`,
        width: 1600,
        height: 1200,
        size: 1,
        sharpness: 1,
      })),
      candidates: [],
      pieces: [{ ...given, weak: new Set(), support: 1, ...judge(given) }],
      lensOf: new Array<number>(COUNT).fill(0),
      lenses: LENSES,
      rejected: [],
      verified: [],
      position: () => [0, 0],
    }).warnings;

  it('is warned of where it was folded', () => {
    expect(warningsOf(piece(true)).join()).toMatch(/two places that look alike may lie on each other/);
  });

  it('is folded beyond doubt by points that should have been seen, too few for small cells', () => {
    const told = judge(piece(true));
    expect(evidenceOf(told.overlaid, OVERLAID_DEFAULTS)).toBeLessThan(OVERLAID_DEFAULTS.evidence);
    expect(evidenceOf(told.unseen, UNSEEN_DEFAULTS)).toBeGreaterThan(OVERLAID_DEFAULTS.evidence);
  });

  it('is not warned of where it is right', () => {
    const right = piece(false);
    expect(judge(right).unseen.reduce((sum, { cells }) => sum + cells, 0)).toBeGreaterThan(40);
    expect(warningsOf(right)).toEqual([]);
  });
});
