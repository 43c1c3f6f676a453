import { UserError } from '../contract/errors.js';
import type { EarthPlace, PlaceResidual } from '../contract/scene.js';
import { eastNorthUp, placeAt } from '../geometry/earth.js';
import { compose, registerPoints, transform, type Similarity } from '../geometry/similarity.js';
import type { Camera, GeoPosition, PhotoId } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import type { Frame } from './frame.js';
import { placesDeviation } from './scale.js';

/*
 * The scene frame from the places that cameras' receivers wrote into the photos: metres east, north and up.
 */

export interface GpsOptions {
  /** Metres: places within this of one another are one place for a receiver without corrections. */
  leastSpread: number;
  /** The places' own tilt is taken where it is known to this many degrees; else up is what the photos say. */
  mostTilt: number;
  /** A photo this many times farther off than the median is named. */
  distrusted: number;
  /** Of how far apart the places are, the share that they may be off by in the middle without a word. */
  mostNoise: number;
}
export const GPS_DEFAULTS: GpsOptions = { leastSpread: 3, mostTilt: 0.5, distrusted: 4, mostNoise: 0.1 };

export interface GpsFrame {
  frame: Frame;
  residuals: PlaceResidual[];
  /** What to distrust, a line each. */
  notes: string[];
}

interface Tie {
  camera: Camera;
  /** In the levelled frame. */
  from: readonly number[];
  /** Metres east, north, up of `origin`. */
  to: readonly number[];
}

/**
 * Robust similarity (least absolute deviations) from where the cameras stand to where their receivers say. Level is what
 * the photos say unless the places know it better: altitudes are off by metres, which over a short walk is a tilt of
 * many degrees.
 *
 * @param levelled the frame that is levelled by the photos
 * @param positions of photos, from EXIF
 * @throws UserError 'bad-input' for fewer than three places, or places without spread
 */
export function gpsFrame(
  cameras: readonly Camera[],
  positions: ReadonlyMap<PhotoId, GeoPosition>,
  levelled: Frame,
  options: Partial<GpsOptions> = {},
): GpsFrame {
  const settings = { ...GPS_DEFAULTS, ...options };
  const located = cameras.filter(({ photo }) => positions.has(photo));
  if (located.length < 3)
    throw new UserError(
      'bad-input',
      `${located.length === 0 ? 'no placed photo tells' : `only ${located.length} placed photos tell`} in EXIF where they were taken, and at least three are needed; give a known length instead`,
    );
  const withAltitude = located.every(({ photo }) => positions.get(photo)!.altitude !== undefined);
  const geodetic = (photo: PhotoId): EarthPlace => {
    const { latitude, longitude, altitude } = positions.get(photo)!;
    return { latitude, longitude, altitude: withAltitude ? altitude! : 0 };
  };
  const origin = geodetic(located[0]!.photo);
  const ties = located.map((camera): Tie => ({
    camera,
    from: [...transform(levelled.sceneFromAlignment, centreOf(camera))],
    to: eastNorthUp(geodetic(camera.photo), origin),
  }));
  checkSpread(ties, settings);
  const { turn, tilted } = bestTurn(ties, withAltitude, settings);
  const found = compose(turn, levelled.sceneFromAlignment);
  // The ground under the middle stays the origin; what it is on the earth is told with the frame.
  const ground = transform(turn, [0, 0, 0]) as unknown as [number, number, number];
  const place = placeAt(ground, origin);
  const translation = found.translation.map((value, i) => value - ground[i]!);
  const frame: Frame = { level: 'gps', unit: 'metre', sceneFromAlignment: { ...found, translation }, place };
  const residuals = placeResiduals(cameras, positions, frame);
  return {
    frame,
    residuals,
    notes: notesOn(residuals, { tilted, withAltitude, spread: extent(ties.map(({ to }) => to)) }, settings),
  };
}

/** How far placed photos are from where their EXIF says, in a frame that has a place on the earth. */
export function placeResiduals(
  cameras: readonly Camera[],
  positions: ReadonlyMap<PhotoId, GeoPosition>,
  { sceneFromAlignment, place }: Frame,
): PlaceResidual[] {
  if (!place) return [];
  return cameras.flatMap((camera): PlaceResidual[] => {
    const told = positions.get(camera.photo);
    if (!told) return [];
    const [x, y, z] = transform(sceneFromAlignment, centreOf(camera)) as unknown as [number, number, number];
    // Without altitudes the frame's height means nothing.
    const height = told.altitude ?? place.altitude + z;
    const [east, north, up] = eastNorthUp({ ...told, altitude: height }, place);
    return [{ photo: camera.photo, name: camera.name, across: Math.hypot(x - east, y - north), up: z - up }];
  });
}

/** Median length of a step whose two axes have a deviation of one (Rayleigh): some places are far off. */
const MIDDLE = Math.sqrt(2 * Math.LN2);

/** One standard deviation of the scale that places give, as a share of it; altitudes have little say in it. */
export function placeScaleDeviation(
  cameras: readonly Camera[],
  positions: ReadonlyMap<PhotoId, GeoPosition>,
  frame: Frame,
): number {
  const residuals = placeResiduals(cameras, positions, frame);
  const off = (median(residuals.map(({ across }) => across)) ?? 0) / MIDDLE;
  const centres = new Map(cameras.map((camera) => [camera.photo, centreOf(camera)]));
  const places = residuals.map(({ photo }) =>
    [...transform(frame.sceneFromAlignment, centres.get(photo)!)].slice(0, 2),
  );
  return placesDeviation(
    places,
    places.map(() => [off, off]),
    4,
  );
}

const centreOf = ({ worldFromCamera: M }: Camera): number[] => [M[3]!, M[7]!, M[11]!];

function checkSpread(ties: readonly Tie[], { leastSpread }: GpsOptions): void {
  const spread = extent(ties.map(({ to }) => to));
  if (spread < leastSpread)
    throw new UserError(
      'bad-input',
      `the places that the photos tell lie within ${spread.toFixed(1)} m of one another, closer than GPS tells apart; give a known length instead`,
    );
  if (!(extent(ties.map(({ from }) => from)) > 0))
    throw new UserError('bad-input', 'the cameras all stand in one place, so GPS says nothing about scale');
}

/** Largest horizontal distance from the first place. */
function extent(points: readonly (readonly number[])[]): number {
  const [first] = points;
  return Math.max(...points.map((point) => Math.hypot(point[0]! - first![0]!, point[1]! - first![1]!)));
}

function bestTurn(
  ties: readonly Tie[],
  withAltitude: boolean,
  { mostTilt }: GpsOptions,
): { turn: Similarity; tilted: boolean } {
  const upright = uprightTurn(ties, withAltitude);
  if (!withAltitude || ties.length < 5) return { turn: upright, tilted: false };
  const flat = (points: (readonly number[])[]): Float64Array => Float64Array.from(points.flat());
  const free = registerPoints(
    flat(ties.map(({ from }) => from)),
    flat(ties.map(({ to }) => to)),
    new Float64Array(ties.length).fill(1),
  );
  if (!free) return { turn: upright, tilted: false };
  // What the residuals leave of the tilt, over the narrower way across the places.
  const off = median(free.residuals) ?? 0;
  const tilt = (Math.atan2(off / Math.sqrt(ties.length), narrowest(ties)) * 180) / Math.PI;
  return tilt < mostTilt ? { turn: free.similarity, tilted: true } : { turn: upright, tilted: false };
}

/** Standard deviation of the places along their narrower horizontal axis. */
function narrowest(ties: readonly Tie[]): number {
  const mean = [0, 1].map((i) => ties.reduce((sum, { to }) => sum + to[i]!, 0) / ties.length);
  let [xx, xy, yy] = [0, 0, 0];
  for (const { to } of ties) {
    const [x, y] = [to[0]! - mean[0]!, to[1]! - mean[1]!];
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const half = (xx + yy) / 2;
  return Math.sqrt(Math.max(0, half - Math.hypot((xx - yy) / 2, xy)) / ties.length);
}

const ROUNDS = 20;

/** About the vertical: scale and turn from the horizontal places, re-weighted; height by the median. */
function uprightTurn(ties: readonly Tie[], withAltitude: boolean): Similarity {
  let weights = ties.map(() => 1);
  let [a, b, tx, ty] = [1, 0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = (of: (tie: Tie) => number): number =>
      ties.reduce((sum, tie, k) => sum + weights[k]! * of(tie), 0) / total;
    const [fx, fy, gx, gy] = [
      mean(({ from }) => from[0]!),
      mean(({ from }) => from[1]!),
      mean(({ to }) => to[0]!),
      mean(({ to }) => to[1]!),
    ];
    // As complex numbers: to = (a + b i) from + t.
    let [real, imaginary, square] = [0, 0, 0];
    ties.forEach(({ from, to }, k) => {
      const [x, y, u, v] = [from[0]! - fx, from[1]! - fy, to[0]! - gx, to[1]! - gy];
      real += weights[k]! * (x * u + y * v);
      imaginary += weights[k]! * (x * v - y * u);
      square += weights[k]! * (x * x + y * y);
    });
    [a, b] = [real / square, imaginary / square];
    [tx, ty] = [gx - a * fx + b * fy, gy - b * fx - a * fy];
    const off = ties.map(({ from, to }) =>
      Math.hypot(a * from[0]! - b * from[1]! + tx - to[0]!, b * from[0]! + a * from[1]! + ty - to[1]!),
    );
    const floor = 0.1 * (median(off) ?? 0) + 1e-9;
    weights = off.map((value) => 1 / Math.max(floor, value));
  }
  const scale = Math.hypot(a, b);
  const height = withAltitude ? (median(ties.map(({ from, to }) => to[2]! - scale * from[2]!)) ?? 0) : 0;
  const [c, s] = [a / scale, b / scale];
  return { scale, rotation: Float64Array.of(c, -s, 0, s, c, 0, 0, 0, 1), translation: Float64Array.of(tx, ty, height) };
}

function notesOn(
  residuals: readonly PlaceResidual[],
  { tilted, withAltitude, spread }: { tilted: boolean; withAltitude: boolean; spread: number },
  { distrusted, mostNoise }: GpsOptions,
): string[] {
  const off = residuals.map(({ across }) => across);
  const typical = median(off) ?? 0;
  const notes = [`places of ${residuals.length} photos, off by ${typical.toFixed(2)} m in the middle`];
  if (typical > mostNoise * spread)
    notes.push(
      `the places disagree with the cameras by ${typical.toFixed(1)} m, over ${spread.toFixed(1)} m that they span: scale and direction are rough; give a known length`,
    );
  if (!withAltitude) notes.push('not every photo tells its altitude: heights are above the ground of the scene');
  else notes.push(tilted ? 'level is that of the places' : 'level is that of the photos, which know it better');
  for (const { name, across } of residuals)
    if (across > distrusted * Math.max(typical, 0.05))
      notes.push(`${name} is ${across.toFixed(1)} m off: its place is not to be trusted`);
  return notes;
}
