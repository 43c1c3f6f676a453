import { describe, expect, it } from 'vitest';
import type { ControlPoint, ScenePixel, Vector } from '../../electron/contract/scene.js';
import { eastNorthUp, localSystem, placeAt } from '../../electron/geometry/earth.js';
import { posesOf, projected } from '../../electron/geometry/rays.js';
import { registerPoints, transform, type Similarity } from '../../electron/geometry/similarity.js';
import type { Camera, GeoPosition, Scene } from '../../electron/geometry/types.js';
import { randomNumbers, rotationFromVector } from '../../electron/numerics/linear.js';
import { controlFrame, controlNotes, controlResiduals, controlScaleDeviation } from '../../electron/scene/control.js';
import { pointInPhotos } from '../../electron/scene/ends.js';
import { unlevelledFrame, type Frame } from '../../electron/scene/frame.js';
import { gpsFrame, placeScaleDeviation } from '../../electron/scene/gps-frame.js';
import { scaleDeviation } from '../../electron/scene/measure.js';
import { wallCameras } from '../fixtures/marker-room.js';
import { normalNumbers } from '../fixtures/room.js';

const home = { latitude: 48.7771, longitude: 2.2886, altitude: 91.5 };

describe('places on the earth', () => {
  it('a degree of latitude is 111 km here, and places come back from metres', () => {
    const north = eastNorthUp({ ...home, latitude: home.latitude + 0.001 }, home);
    expect(north[1]).toBeCloseTo(111.2, 1);
    expect(Math.abs(north[0])).toBeLessThan(1e-6);
    const east = eastNorthUp({ ...home, longitude: home.longitude + 0.001 }, home);
    // The circle of latitude: N cos(latitude), N of WGS 84 there.
    expect(east[0]).toBeCloseTo((Math.PI / 180) * 0.001 * (6_390_270 + 91.5) * Math.cos((48.7771 * Math.PI) / 180), 2);
    const back = placeAt([123, -456, 7], home);
    expect(eastNorthUp(back, home)).toEqual([123, -456, 7].map((value) => expect.closeTo(value, 5)));
  });

  it('the coordinate system is centred on the origin', () => {
    const { wkt } = localSystem(home);
    expect(wkt).toContain('PARAMETER["latitude_of_origin",48.777100000]');
    expect(wkt).toContain('PARAMETER["central_meridian",2.288600000]');
    expect(wkt.split('[').length).toBe(wkt.split(']').length);
  });
});

/** Cameras on a walk, in an alignment's world that has nothing to do with north; and where EXIF says they were. */
function walk(noise: (k: number) => Vector = () => [0, 0, 0], size = 30) {
  const random = randomNumbers(5);
  const truth: Similarity = {
    scale: 1 / 7,
    rotation: rotationFromVector(0, 0, 0.8),
    translation: Float64Array.of(3, 1, -2),
  };
  const positions = new Map<string, GeoPosition>();
  const cameras = Array.from({ length: 9 }, (_, k): Camera => {
    const at: Vector = [size * Math.cos(k / 3), size * 0.4 * Math.sin(k / 2), 1.6 + 0.3 * random()];
    const off = noise(k);
    const { latitude, longitude, altitude } = placeAt(at.map((v, i) => v + off[i]!) as Vector, home);
    positions.set(`photo-${k}`, { latitude, longitude, altitude });
    const centre = transform(truth, at);
    const worldFromCamera = Float64Array.of(1, 0, 0, centre[0]!, 0, 1, 0, centre[1]!, 0, 0, 1, centre[2]!, 0, 0, 0, 1);
    return { ...wallCameras(2)[0]!, photo: `photo-${k}`, name: `photo-${k}.jpg`, worldFromCamera };
  });
  return { cameras, positions };
}

/** The alignment's world is upright here already. */
const levelled: Frame = {
  ...unlevelledFrame(),
  level: 'auto',
  sceneFromAlignment: { scale: 1, rotation: rotationFromVector(0, 0, 0), translation: new Float64Array(3) },
};

describe('a frame from GPS', () => {
  it('finds scale, north and place, whatever one photo says', () => {
    const { cameras, positions } = walk((k) =>
      k === 4 ? [35, -20, 0] : [0.05 * Math.sin(k), 0.05 * Math.cos(2 * k), 0],
    );
    const { frame, residuals, notes } = gpsFrame(cameras, positions, levelled);
    expect(frame.unit).toBe('metre');
    expect(frame.sceneFromAlignment.scale / 7).toBeCloseTo(1, 2);
    // From the first photo to the last: where it is in metres east and north.
    const [first, last] = [cameras[0]!, cameras[8]!].map(({ worldFromCamera: M }) =>
      transform(frame.sceneFromAlignment, [M[3]!, M[7]!, M[11]!]),
    );
    const told = eastNorthUp(positions.get('photo-8') as never, positions.get('photo-0') as never);
    [0, 1].forEach((i) => expect(Math.abs(last![i]! - first![i]! - told[i]!)).toBeLessThan(0.3));
    expect(residuals.find(({ photo }) => photo === 'photo-4')!.across).toBeCloseTo(Math.hypot(35, 20), 0);
    expect(notes.join()).toMatch(/photo-4\.jpg is 40\.\d m off: its place is not to be trusted/);
    // The origin is where it was: the ground under the middle of the levelled frame.
    expect([...frame.sceneFromAlignment.translation].map(Math.abs)).toEqual([0, 0, 0].map(() => expect.closeTo(0, 6)));
  });

  it('takes level from the photos where altitudes are off by metres', () => {
    const { cameras, positions } = walk((k) => [0, 0, 4 * Math.sin(5 * k)]);
    const { frame, notes } = gpsFrame(cameras, positions, levelled);
    expect(frame.sceneFromAlignment.rotation[8]).toBeCloseTo(1, 9);
    expect(notes.join()).toContain('level is that of the photos');
  });

  it('is refused for places without spread, and for too few', () => {
    const { cameras, positions } = walk(undefined, 0.5);
    expect(() => gpsFrame(cameras, positions, levelled)).toThrow(/closer than GPS tells apart/);
    expect(() => gpsFrame(cameras, new Map([...positions].slice(0, 2)), levelled)).toThrow(/only 2 placed photos/);
    expect(() => gpsFrame(cameras, new Map(), levelled)).toThrow(/no placed photo tells in EXIF/);
  });
});

/** A point as photos show it. */
function pixelOf(cameras: readonly Camera[], at: Vector): ScenePixel {
  const poses = posesOf(cameras);
  const [first, ...others] = cameras.map((camera, k) => {
    const [x, y] = projected(camera, poses[k]!, at)!;
    return { photo: camera.photo, x, y };
  });
  return { ...first!, others };
}

describe('control points', () => {
  const cameras = wallCameras(3, { k1: -0.1 });
  const scene = { cameras, depthMaps: [] } as unknown as Scene;
  const places: Vector[] = [
    [0, 0, 0],
    [0.5, 0.1, 0.2],
    [-0.4, 0.3, 0.1],
    [0.1, -0.3, -0.2],
  ];
  const surveyed: Similarity = {
    scale: 4.2,
    rotation: rotationFromVector(0.3, -0.2, 1.1),
    translation: Float64Array.of(612, 345, 77),
  };
  const points = places.map((at, k): ControlPoint => ({
    name: `P${k}`,
    role: k === 3 ? 'check' : 'control',
    known: [...transform(surveyed, at)] as unknown as Vector,
    at: pixelOf(cameras, at),
  }));

  it('put the scene into their coordinates; a check point tells how well', () => {
    const frame = controlFrame(points, scene);
    expect(frame.sceneFromAlignment.scale).toBeCloseTo(4.2, 6);
    const off = controlResiduals(points, scene, frame);
    expect(off.map(({ role }) => role)).toEqual(['control', 'control', 'control', 'check']);
    for (const { off: each, residualPixels } of off) {
      expect(Math.hypot(...each)).toBeLessThan(1e-4);
      expect(residualPixels).toBeLessThan(1e-3);
    }
    const wrong = points.map((point, k) =>
      k === 3 ? { ...point, known: point.known.map((v) => v + 0.1) as Vector } : point,
    );
    expect(controlResiduals(wrong, scene, controlFrame(wrong, scene))[3]!.off).toEqual(
      [-0.1, -0.1, -0.1].map((value) => expect.closeTo(value, 4)),
    );
  });

  it('are refused when they are too few or on one line', () => {
    expect(() => controlFrame(points.slice(0, 2), scene)).toThrow(/three control points at least .* 2 were given/);
    const line = [0, 1, 2].map((k): ControlPoint => ({
      name: `L${k}`,
      role: 'control',
      known: [k, 2 * k, 0],
      at: pixelOf(cameras, [0.2 * k, 0.1 * k, 0]),
    }));
    expect(() => controlFrame(line, scene)).toThrow(/in one place or on one line/);
  });

  it('are refused by name for a pixel that no photo has; a check point without a place is told', () => {
    const typed = (k: number): ControlPoint[] =>
      points.map((point, i) => (i === k ? { ...point, at: { ...point.at, x: 60_000 } } : point));
    expect(() => controlFrame(typed(1), scene)).toThrow(/^the point P1 has no place .* 60000,.* outside the photo/);
    expect(controlNotes(points, scene)).toEqual([]);
    expect(controlNotes(typed(3), scene)).toEqual([expect.stringMatching(/^the point P3 .* outside the photo/)]);
  });

  it('a point in several photos tells how far its pixels are from its projections', () => {
    const at = pixelOf(cameras, [0.1, 0.1, 0]);
    const exact = pointInPhotos(at, { cameras });
    expect(exact.position).toEqual([0.1, 0.1, 0].map((value) => expect.closeTo(value, 6)));
    const moved = pointInPhotos({ ...at, y: at.y + 3 }, { cameras });
    expect(moved.residualPixels).toBeGreaterThan(1);
    expect(moved.deviation).toBeGreaterThan(3 * exact.deviation);
    expect(() =>
      pointInPhotos({ photo: at.photo, x: 1, y: 1, others: [{ photo: 'gone', x: 1, y: 1 }] }, { cameras }),
    ).toThrow(/needs two different photos/);
    expect(() => pointInPhotos({ ...at, others: [{ photo: at.photo, x: at.x, y: at.y }] }, { cameras })).toThrow(
      /two different photos/,
    );
  });
});

/** Of trials: the standard deviation of the scales that they found, and the root mean square of what they foretold. */
function foretold(trial: (random: () => number) => { scale: number; deviation: number }) {
  const random = normalNumbers(11);
  const trials = Array.from({ length: 400 }, () => trial(random));
  const mean = trials.reduce((sum, { scale }) => sum + scale, 0) / trials.length;
  const spread = Math.sqrt(trials.reduce((sum, { scale }) => sum + (scale / mean - 1) ** 2, 0) / trials.length);
  return { spread, told: Math.sqrt(trials.reduce((sum, { deviation }) => sum + deviation ** 2, 0) / trials.length) };
}

describe('how well the scale is known', () => {
  it('from places of GPS that are off by metres', () => {
    const { spread, told } = foretold((random) => {
      const { cameras, positions } = walk(() => [3 * random(), 3 * random(), 3 * random()]);
      const { frame } = gpsFrame(cameras, positions, levelled);
      return { scale: frame.sceneFromAlignment.scale, deviation: placeScaleDeviation(cameras, positions, frame) };
    });
    expect(spread).toBeGreaterThan(0.03);
    expect(told / spread).toBeGreaterThan(0.75);
    expect(told / spread).toBeLessThan(1.35);
  });

  it('from control points that are off by centimetres', () => {
    const places = [
      [0, 0, 0],
      [10, 0, 1],
      [10, 8, 0],
      [0, 8, 2],
      [5, 4, 3],
    ];
    const { spread, told } = foretold((random) => {
      const known = places.map((place) => place.map((value) => value + 0.05 * random()) as Vector);
      const { similarity } = registerPoints(
        Float64Array.from(places.flat()),
        Float64Array.from(known.flat()),
        new Float64Array(places.length).fill(1),
        1,
      )!;
      const residuals = places.map((place, k) => ({
        name: String(k),
        role: 'control' as const,
        known: known[k]!,
        off: [...transform(similarity, place)].map((value, i) => value - known[k]![i]!) as Vector,
      }));
      return { scale: similarity.scale, deviation: controlScaleDeviation(residuals) };
    });
    expect(told / spread).toBeGreaterThan(0.85);
    expect(told / spread).toBeLessThan(1.15);
  });

  it('from lengths: their ends at least, what they disagree by at most', () => {
    const lengths = [
      { metres: 2, measured: 2.02, residual: 0.02 },
      { metres: 3, measured: 2.985, residual: -0.015 },
    ];
    expect(scaleDeviation(lengths.slice(0, 1), [0.01])).toBeCloseTo(0.01 / 2.02, 9);
    expect(scaleDeviation(lengths, [0, 0])).toBeCloseTo(Math.hypot(0.02, 0.015) / Math.hypot(2.02, 2.985), 9);
    expect(scaleDeviation(lengths, [0.1, 0.1])).toBeGreaterThan(0.02);
  });
});
