import { adjustBundle, project, type Lens, type PlacedCamera, type Sightings } from './bundle.js';
import { median } from '../numerics/median.js';
import type { PoseHold } from './pose-prior.js';
import type { Seen } from './resection.js';
import type { Track } from './tracks.js';
import { reprojectionError, triangulateTrack, type Ray } from './triangulate.js';

/** Least angle between two rays of a point, radians. */
const LEAST_ANGLE = (1.2 * Math.PI) / 180;

/** Bounds of the Cauchy scale, pixels. */
const LEAST_SCALE = 0.3;
const MOST_SCALE = 1.5;
/** Tracks that are asked for the noise, and the least errors that tell it. */
const NOISE_TRACKS = 4000;
const LEAST_ERRORS = 100;
/** Median of the length of a vector of two normal numbers, in their standard deviation. */
const RAYLEIGH_MEDIAN = 1.1774;

/** Tracks as flat arrays: sightings of track k are start[k] to start[k + 1]. */
export interface TrackTable {
  start: Int32Array;
  photo: Int32Array;
  feature: Int32Array;
  /** [sightings, 2], long sides relative to the photo's centre. */
  at: Float64Array;
  /** Per photo, its sightings. */
  ofPhoto: Int32Array[];
  /** Per sighting. */
  track: Int32Array;
}

export function trackTable(
  tracks: readonly Track[],
  photoCount: number,
  position: (photo: number, feature: number) => [number, number],
): TrackTable {
  const total = tracks.reduce((sum, { photos }) => sum + photos.length, 0);
  const table: TrackTable = {
    start: new Int32Array(tracks.length + 1),
    photo: new Int32Array(total),
    feature: new Int32Array(total),
    at: new Float64Array(2 * total),
    ofPhoto: [],
    track: new Int32Array(total),
  };
  const perPhoto: number[][] = Array.from({ length: photoCount }, () => []);
  let s = 0;
  tracks.forEach(({ photos, features }, k) => {
    photos.forEach((photo, i) => {
      table.photo[s] = photo;
      table.feature[s] = features[i]!;
      table.track[s] = k;
      table.at.set(position(photo, features[i]!), 2 * s);
      perPhoto[photo]!.push(s++);
    });
    table.start[k + 1] = s;
  });
  table.ofPhoto = perPhoto.map((list) => Int32Array.from(list));
  return table;
}

/** What an adjustment may change of the lenses, and how long it goes on. */
export interface FreeLenses {
  focal: boolean;
  distortion: boolean;
  iterations: number;
  /** See BundleOptions. */
  converged?: number;
  second?: ReadonlySet<number>;
  centre?: ReadonlySet<number>;
  /** By photo, poses that cameras are drawn to. */
  holds?: ReadonlyMap<number, PoseHold>;
  /** Cauchy scale, long sides; that of the present errors when not given. */
  scale?: number;
}

/** Cameras and points of one piece while it grows. */
export class Reconstruction {
  readonly cameras = new Map<number, PlacedCamera>();
  /** Placed by few points. */
  readonly weak = new Set<number>();
  /** [tracks, 3]; valid where `has`. */
  readonly points: Float64Array;
  /** Written by `know` only. */
  readonly has: Uint8Array;
  /** Per photo: goes up when one of the points that it may see comes or goes. */
  readonly changes: Int32Array;
  /** Per sighting: refused because it does not fit. */
  private readonly off: Uint8Array;
  private readonly predicted = new Float64Array(2);

  constructor(
    readonly table: TrackTable,
    readonly lenses: Lens[],
    /** A pixel of the picture that features are found on, in long sides. */
    readonly pixel: number,
  ) {
    this.points = new Float64Array(3 * (table.start.length - 1));
    this.has = new Uint8Array(table.start.length - 1);
    this.changes = new Int32Array(table.ofPhoto.length);
    this.off = new Uint8Array(table.photo.length);
  }

  get pointCount(): number {
    let count = 0;
    for (const has of this.has) count += has;
    return count;
  }

  /** Sightings that hold, of all points. */
  get sightingCount(): number {
    let count = 0;
    for (let s = 0; s < this.table.photo.length; s++) if (this.isHeld(s)) count++;
    return count;
  }

  private know(track: number, has: 0 | 1): void {
    if (this.has[track] === has) return;
    this.has[track] = has;
    for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++) {
      const photo = this.table.photo[s]!;
      this.changes[photo] = this.changes[photo]! + 1;
    }
  }

  point(track: number): Float64Array {
    return this.points.subarray(3 * track, 3 * track + 3);
  }

  isHeld(sighting: number): boolean {
    return (
      this.off[sighting] === 0 &&
      this.has[this.table.track[sighting]!] === 1 &&
      this.cameras.has(this.table.photo[sighting]!)
    );
  }

  /** Sightings of a track that hold. */
  held(track: number): number[] {
    const list: number[] = [];
    for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++) if (this.isHeld(s)) list.push(s);
    return list;
  }

  private heldCount(track: number): number {
    let count = 0;
    for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++) if (this.isHeld(s)) count++;
    return count;
  }

  /** Tracks that any of some photos may see, each once, in order; all tracks when not given. */
  private tracksOf(photos: ReadonlySet<number> | undefined): Int32Array {
    if (!photos) return Int32Array.from(this.has.keys());
    const seen = new Set<number>();
    for (const photo of photos) for (const s of this.table.ofPhoto[photo]!) seen.add(this.table.track[s]!);
    return Int32Array.from(seen).sort();
  }

  private ray(sighting: number): Ray {
    const camera = this.cameras.get(this.table.photo[sighting]!)!;
    const lens = this.lenses[camera.lens]!;
    return { camera, lens, x: this.table.at[2 * sighting]!, y: this.table.at[2 * sighting + 1]! };
  }

  /** Long sides; Infinity behind the camera. */
  error(sighting: number): number {
    const camera = this.cameras.get(this.table.photo[sighting]!)!;
    const p = 3 * this.table.track[sighting]!;
    const [x, y, z] = [this.points[p]!, this.points[p + 1]!, this.points[p + 2]!];
    if (!project(camera, this.lenses[camera.lens]!, x, y, z, this.predicted)) return Infinity;
    const dx = this.predicted[0]! - this.table.at[2 * sighting]!;
    const dy = this.predicted[1]! - this.table.at[2 * sighting + 1]!;
    return Math.sqrt(dx * dx + dy * dy);
  }

  /** Known points that a photo sees, those that most cameras see first. */
  seenBy(photo: number): Seen & { sightings: number[] } {
    const list: { s: number; views: number }[] = [];
    for (const s of this.table.ofPhoto[photo]!)
      if (this.has[this.table.track[s]!]) list.push({ s, views: this.heldCount(this.table.track[s]!) });
    list.sort((a, b) => b.views - a.views);
    const points = new Float64Array(3 * list.length);
    const at = new Float64Array(2 * list.length);
    list.forEach(({ s }, k) => {
      points.set(this.point(this.table.track[s]!), 3 * k);
      at.set(this.table.at.subarray(2 * s, 2 * s + 2), 2 * k);
    });
    return { points, at, sightings: list.map(({ s }) => s) };
  }

  /** Judges the sightings of a photo that was just placed, and makes points of what it now sees with others. */
  extend(photo: number, limit: number): void {
    for (const s of this.table.ofPhoto[photo]!) {
      const track = this.table.track[s]!;
      if (this.has[track]) this.off[s] = this.error(s) < limit ? 0 : 1;
      else this.triangulate(track, limit);
    }
  }

  /** Every track that has no point gets another chance, and every sighting of those that have. */
  retriangulate(limit: number): void {
    for (let track = 0; track < this.has.length; track++) {
      if (!this.has[track]) this.triangulate(track, limit);
      else
        for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++)
          if (this.off[s] && this.cameras.has(this.table.photo[s]!)) this.off[s] = this.error(s) < limit ? 0 : 1;
    }
  }

  private triangulate(track: number, limit: number): void {
    const sightings: number[] = [];
    for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++)
      if (this.cameras.has(this.table.photo[s]!)) sightings.push(s);
    if (sightings.length < 2) return;
    const found = triangulateTrack(
      sightings.map((s) => this.ray(s)),
      limit,
      LEAST_ANGLE,
    );
    if (!found) return;
    this.points.set(found.point, 3 * track);
    this.know(track, 1);
    sightings.forEach((s, k) => (this.off[s] = found.inliers[k] ? 0 : 1));
  }

  /** Drops sightings that don't fit, and points that fewer than two photos see. */
  prune(limit: number, photos?: ReadonlySet<number>): void {
    for (const track of this.tracksOf(photos)) {
      if (!this.has[track]) continue;
      let left = 0;
      for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++) {
        const photo = this.table.photo[s]!;
        if (this.off[s] || !this.cameras.has(photo)) continue;
        if ((!photos || photos.has(photo)) && this.error(s) > limit) this.off[s] = 1;
        else left++;
      }
      if (left < 2) this.know(track, 0);
    }
  }

  /**
   * Bundle adjustment.
   *
   * @param moving these cameras and the points they see, everything else held; all when not given
   * @returns the robust cost of a sighting, squared long sides
   */
  adjust(free: FreeLenses, moving?: ReadonlySet<number>): number {
    const tracks = this.tracksOf(moving).filter(
      (track) => this.has[track] === 1 && (!moving || this.held(track).some((s) => moving.has(this.table.photo[s]!))),
    );
    if (tracks.length === 0) return 0;
    const index = new Map<number, number>();
    const cameras: PlacedCamera[] = [];
    const originals: PlacedCamera[] = [];
    const sightings = this.sightingsOf(tracks, (photo) => {
      const known = index.get(photo);
      if (known !== undefined) return known;
      const original = this.cameras.get(photo)!;
      index.set(photo, cameras.length);
      originals.push(original);
      return cameras.push({ ...original, fixed: original.fixed || (moving !== undefined && !moving.has(photo)) }) - 1;
    });
    const points = new Float64Array(3 * tracks.length);
    tracks.forEach((track, p) => points.set(this.point(track), 3 * p));
    const cost = adjustBundle(cameras, this.lenses, points, sightings, {
      scale: free.scale ?? this.noiseScale(tracks),
      iterations: free.iterations,
      refineFocal: free.focal,
      refineDistortion: free.distortion,
      second: free.second,
      centre: free.centre,
      converged: free.converged,
      holds: free.holds && [...index.keys()].map((photo) => free.holds!.get(photo)),
      // A lens is free where every photo that has it moves.
      heldLenses: moving && this.lensesBeyond(moving),
    });
    cameras.forEach(({ rotation, translation }, c) => Object.assign(originals[c]!, { rotation, translation }));
    tracks.forEach((track, p) => this.points.set(points.subarray(3 * p, 3 * p + 3), 3 * track));
    return cost;
  }

  /**
   * Cauchy scale of an adjustment, long sides: what is 95 % efficient for the errors as they are (Holland and Welsch, 1977).
   * With one and a half pixels always, sharp pictures, whose right sightings are off by a quarter of a pixel, let wrong
   * ones pull: the samples' rotations were half as exact.
   */
  noiseScale(tracks: ArrayLike<number> = this.tracksOf(undefined).filter((track) => this.has[track] === 1)): number {
    const step = Math.max(1, Math.floor(tracks.length / NOISE_TRACKS));
    const errors: number[] = [];
    // Two sightings always nearly meet: longer tracks tell the noise, where there are enough.
    for (const least of [3, 2]) {
      for (let k = 0; k < tracks.length; k += step) {
        const held = this.held(tracks[k]!);
        if (held.length < least) continue;
        const freedom = Math.sqrt((2 * held.length) / (2 * held.length - 3));
        for (const s of held) errors.push(this.error(s) * freedom);
      }
      if (errors.length >= LEAST_ERRORS) break;
    }
    const sigma = (median(errors) ?? Infinity) / RAYLEIGH_MEDIAN;
    return Math.max(LEAST_SCALE, Math.min(MOST_SCALE, (2.385 * sigma) / this.pixel)) * this.pixel;
  }

  private sightingsOf(tracks: Int32Array, cameraOf: (photo: number) => number): Sightings {
    let count = 0;
    for (const track of tracks) count += this.heldCount(track);
    const [camera, point] = [new Int32Array(count), new Int32Array(count)];
    const at = new Float64Array(2 * count);
    let k = 0;
    tracks.forEach((track, p) => {
      for (let s = this.table.start[track]!; s < this.table.start[track + 1]!; s++) {
        if (!this.isHeld(s)) continue;
        camera[k] = cameraOf(this.table.photo[s]!);
        point[k] = p;
        at[2 * k] = this.table.at[2 * s]!;
        at[2 * k + 1] = this.table.at[2 * s + 1]!;
        k++;
      }
    });
    return { camera, point, at };
  }

  private lensesBeyond(moving: ReadonlySet<number>): Set<number> {
    const held = new Set(this.lenses.keys());
    for (const photo of moving) held.delete(this.cameras.get(photo)!.lens);
    for (const [photo, { lens }] of this.cameras) if (!moving.has(photo)) held.add(lens);
    return held;
  }

  /** Photos that see most points with a photo, best first. */
  neighbours(photo: number): number[] {
    const common = new Map<number, number>();
    for (const s of this.table.ofPhoto[photo]!) {
      if (!this.isHeld(s)) continue;
      for (const other of this.held(this.table.track[s]!)) {
        const q = this.table.photo[other]!;
        if (q !== photo) common.set(q, (common.get(q) ?? 0) + 1);
      }
    }
    return [...common].sort((a, b) => b[1] - a[1]).map(([other]) => other);
  }

  /** Points of a photo that hold. */
  heldBy(photo: number): number {
    let count = 0;
    for (const s of this.table.ofPhoto[photo]!) if (this.isHeld(s)) count++;
    return count;
  }

  /** Points of a photo that hold, and that two others see at least. */
  tiesOf(photo: number): number {
    let count = 0;
    for (const s of this.table.ofPhoto[photo]!)
      if (this.isHeld(s) && this.heldCount(this.table.track[s]!) >= 3) count++;
    return count;
  }

  /** How much of what the photos saw this explains: sightings that fit well, less what the points' freedom explains. */
  support(limit: number): number {
    let sum = 0;
    for (let track = 0; track < this.has.length; track++) {
      if (!this.has[track]) continue;
      let own = -1.5;
      for (const s of this.held(track)) {
        const ratio = (this.error(s) / limit) ** 2;
        if (ratio < 1) own += (1 - ratio) ** 3;
      }
      sum += Math.max(0, own);
    }
    return sum;
  }

  /** @returns a function that brings the present state back */
  snapshot(): () => void {
    const cameras = [...this.cameras].map(([photo, camera]) => [photo, { ...camera }] as const);
    const lenses = this.lenses.map((lens) => ({ k2: 0, cx: 0, cy: 0, ...lens }));
    const [points, has, off, weak] = [this.points.slice(), this.has.slice(), this.off.slice(), [...this.weak]];
    return () => {
      this.cameras.clear();
      // Copies, so that it can be brought back more than once.
      for (const [photo, camera] of cameras) this.cameras.set(photo, { ...camera });
      lenses.forEach((lens, k) => Object.assign(this.lenses[k]!, lens));
      this.points.set(points);
      has.forEach((known, track) => this.know(track, known ? 1 : 0));
      this.off.set(off);
      this.weak.clear();
      for (const photo of weak) this.weak.add(photo);
    };
  }

  /** Takes a photo out again. */
  remove(photo: number): void {
    this.cameras.delete(photo);
    this.weak.delete(photo);
    for (const s of this.table.ofPhoto[photo]!) {
      const track = this.table.track[s]!;
      if (this.has[track] && this.heldCount(track) < 2) this.know(track, 0);
    }
  }

  /** Error of a point that another piece says, in the cameras of this one, per sighting that holds. */
  errorAt(sighting: number, position: ArrayLike<number>): number {
    return reprojectionError(this.ray(sighting), position);
  }
}
