import { multiply3, randomNumbers, rotationFromVector, solveCholesky } from '../numerics/linear.js';
import { adjustBundle, type Lens, type PlacedCamera, type Sightings } from './bundle.js';
import type { Track } from './tracks.js';
import { reprojectionError, triangulateTrack, undistort, type Ray } from './triangulate.js';

/** Distances are in long sides: 1/1600 is a pixel of the picture that features are found on. */
const PIXEL = 1 / 1600;
const LEAST_ANGLE = (1.2 * Math.PI) / 180;
const LEAST_INLIERS = 18;

export interface VerifiedPair {
  a: number;
  b: number;
  rotation: Float64Array;
  translation: Float64Array;
  inlierCount: number;
  parallax: number;
  rotationShare: number;
}

export interface StructureInput {
  photoCount: number;
  /** Index into lenses, per photo. */
  lensOf: readonly number[];
  /** Changed in place. */
  lenses: Lens[];
  tracks: readonly Track[];
  /** Position of a feature, long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
  pairs: readonly VerifiedPair[];
  /** Cameras of an earlier solution, held where they are; one map per piece. */
  known?: readonly ReadonlyMap<number, PlacedCamera>[] | undefined;
  onPlaced?: (placed: number) => void;
  signal?: AbortSignal | undefined;
  /** As in StageContext. */
  pass?: (() => Promise<void>) | undefined;
}

/** One connected piece: cameras that see common points, in a world of its own. */
export interface Piece {
  cameras: Map<number, PlacedCamera>;
  points: StructurePoint[];
}

/** A scene point and the sightings of it that hold. */
export interface StructurePoint {
  /** [3], in the piece's world. */
  position: Float64Array;
  photos: number[];
  features: number[];
}

/**
 * Structure from motion, photo by photo (Schoenberger and Frahm, CVPR 2016, in small): the best pair, then always the
 * photo that sees most known points, bundle adjustment after each. A photo's rotation is proposed by its pairs with
 * placed photos, so that only its translation has to be searched, linearly, from two points.
 */
export async function buildStructure(input: StructureInput): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const free = new Set(Array.from({ length: input.photoCount }, (_, k) => k));
  for (const cameras of input.known ?? []) {
    const piece = new Growth(input, free);
    await piece.resume(cameras);
    pieces.push(piece.result());
  }
  while (free.size > 1) {
    const seeds = input.pairs
      .filter(
        ({ a, b, rotationShare, parallax }) => free.has(a) && free.has(b) && rotationShare < 0.6 && parallax > 0.8,
      )
      .sort((p, q) => seedScore(q) - seedScore(p));
    let grown: Growth | undefined;
    for (const seed of seeds.slice(0, 5)) {
      const piece = new Growth(input, free);
      if (await piece.start(seed)) {
        grown = piece;
        break;
      }
    }
    if (!grown) break;
    pieces.push(grown.result());
  }
  return pieces.sort((a, b) => b.cameras.size - a.cameras.size);
}

const seedScore = ({ inlierCount, parallax }: VerifiedPair): number => inlierCount * Math.min(parallax, 12) ** 1.5;

class Growth {
  private readonly cameras = new Map<number, PlacedCamera>();
  private readonly points = new Map<number, Float64Array>();
  /** Photos whose sighting of a track was refused. */
  private readonly refused = new Set<string>();

  constructor(
    private readonly input: StructureInput,
    private readonly free: Set<number>,
  ) {}

  result(): Piece {
    const points = [...this.points].map(([index, position]) => {
      const track = this.input.tracks[index]!;
      const held = track.photos
        .map((_, k) => k)
        .filter((k) => this.cameras.has(track.photos[k]!) && !this.refused.has(`${index}:${track.photos[k]!}`));
      return { position, photos: held.map((k) => track.photos[k]!), features: held.map((k) => track.features[k]!) };
    });
    return { cameras: this.cameras, points };
  }

  async resume(known: ReadonlyMap<number, PlacedCamera>): Promise<void> {
    for (const [photo, camera] of known) this.place(photo, { ...camera, fixed: true });
    this.triangulate(6 * PIXEL);
    await this.grow();
  }

  async start(seed: VerifiedPair): Promise<boolean> {
    const lensOf = (photo: number) => this.input.lensOf[photo]!;
    const identity = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    this.cameras.set(seed.a, {
      lens: lensOf(seed.a),
      rotation: identity,
      translation: new Float64Array(3),
      fixed: true,
    });
    this.cameras.set(seed.b, {
      lens: lensOf(seed.b),
      rotation: seed.rotation,
      translation: seed.translation,
      fixed: false,
    });
    this.triangulate(8 * PIXEL);
    if (this.points.size < LEAST_INLIERS) return false;
    this.adjust(false, false);
    this.free.delete(seed.a);
    this.free.delete(seed.b);
    await this.grow();
    return true;
  }

  private place(photo: number, camera: PlacedCamera): void {
    this.cameras.set(photo, camera);
    this.free.delete(photo);
    this.input.onPlaced?.(this.cameras.size);
  }

  private async grow(): Promise<void> {
    const failed = new Set<number>();
    for (;;) {
      await this.breathe();
      const next = this.nextPhoto(failed);
      if (next === undefined) break;
      const camera = this.resect(next);
      if (!camera) {
        failed.add(next);
        continue;
      }
      this.place(next, camera);
      failed.clear();
      this.triangulate(6 * PIXEL);
      this.adjust(this.cameras.size >= 3, this.cameras.size >= 4);
      this.prune(6 * PIXEL);
    }
    // The lens is known now: tracks refused under a wrong one get another chance, and limits tighten. Where every
    // camera was known before, there is nothing to tighten towards: a realignment of 11 photos saves a second.
    const held = [...this.cameras.values()].every(({ fixed }) => fixed);
    for (const limit of held ? [3] : [6, 4, 3]) {
      await this.breathe();
      this.refused.clear();
      this.triangulate(limit * PIXEL);
      this.adjust(this.cameras.size >= 3, this.cameras.size >= 3);
      this.prune(limit * PIXEL);
    }
  }

  /** Lets progress and cancelling through between steps of a fraction of a second. */
  private async breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.input.pass?.();
    this.input.signal?.throwIfAborted();
  }

  private ray(photo: number, feature: number): Ray {
    const camera = this.cameras.get(photo)!;
    const [x, y] = this.input.position(photo, feature);
    return { camera, lens: this.input.lenses[camera.lens]!, x, y };
  }

  private nextPhoto(failed: ReadonlySet<number>): number | undefined {
    const seen = new Map<number, number>();
    for (const index of this.points.keys()) {
      for (const photo of this.input.tracks[index]!.photos)
        if (this.free.has(photo) && !failed.has(photo)) seen.set(photo, (seen.get(photo) ?? 0) + 1);
    }
    const best = [...seen].sort((a, b) => b[1] - a[1])[0];
    return best && best[1] >= LEAST_INLIERS ? best[0] : undefined;
  }

  /** Pose of a new photo from the points it sees; undefined when too few agree. */
  private resect(photo: number): PlacedCamera | undefined {
    const lens = this.input.lenses[this.input.lensOf[photo]!]!;
    const seen: { point: Float64Array; x: number; y: number; u: number; v: number }[] = [];
    for (const [index, point] of this.points) {
      const track = this.input.tracks[index]!;
      const at = track.photos.indexOf(photo);
      if (at < 0) continue;
      const [x, y] = this.input.position(photo, track.features[at]!);
      const [u, v] = undistort(lens, x, y);
      seen.push({ point, x, y, u, v });
    }
    let best: { camera: PlacedCamera; score: number } | undefined;
    const limit = 10 * PIXEL;
    const random = randomNumbers(photo + 1);
    for (const { a, b, rotation } of this.input.pairs) {
      const other = a === photo ? b : b === photo ? a : -1;
      const placed = this.cameras.get(other);
      if (!placed) continue;
      const relative =
        b === photo
          ? rotation
          : Float64Array.of(
              rotation[0]!,
              rotation[3]!,
              rotation[6]!,
              rotation[1]!,
              rotation[4]!,
              rotation[7]!,
              rotation[2]!,
              rotation[5]!,
              rotation[8]!,
            );
      const R = multiply3(relative, placed.rotation);
      for (let attempt = 0; attempt < 60; attempt++) {
        const t = translationFrom(R, [
          seen[Math.floor(random() * seen.length)]!,
          seen[Math.floor(random() * seen.length)]!,
        ]);
        if (!t) continue;
        const camera: PlacedCamera = { lens: this.input.lensOf[photo]!, rotation: R, translation: t, fixed: false };
        let score = 0;
        for (const { point, x, y } of seen) {
          const error = reprojectionError({ camera, lens, x, y }, point);
          if (error < limit * 2) score += 1 - (error / (2 * limit)) ** 2;
        }
        if (!best || score > best.score) best = { camera, score };
      }
    }
    if (!best) return undefined;
    const camera = best.camera;
    for (let k = 0; k < 10; k++) refinePose(camera, lens, seen, k < 5 ? limit : limit / 3);
    const inliers = seen.filter(({ point, x, y }) => reprojectionError({ camera, lens, x, y }, point) < limit).length;
    return inliers >= LEAST_INLIERS && inliers > 0.25 * seen.length ? camera : undefined;
  }

  private triangulate(limit: number): void {
    this.input.tracks.forEach((track, index) => {
      if (this.points.has(index)) return;
      const at = track.photos.map((_, k) => k).filter((k) => this.cameras.has(track.photos[k]!));
      if (at.length < 2) return;
      const found = triangulateTrack(
        at.map((k) => this.ray(track.photos[k]!, track.features[k]!)),
        limit,
        LEAST_ANGLE,
      );
      if (!found) return;
      this.points.set(index, found.point);
      found.inliers.forEach((good, k) => {
        if (!good) this.refused.add(`${index}:${track.photos[at[k]!]!}`);
      });
    });
  }

  private adjust(refineFocal: boolean, refineDistortion: boolean): void {
    const photos = [...this.cameras.keys()];
    const cameras = photos.map((photo) => this.cameras.get(photo)!);
    const indices = [...this.points.keys()];
    const points = new Float64Array(indices.length * 3);
    const camera: number[] = [];
    const point: number[] = [];
    const at: number[] = [];
    indices.forEach((index, p) => {
      points.set(this.points.get(index)!, 3 * p);
      const track = this.input.tracks[index]!;
      track.photos.forEach((photo, k) => {
        const c = photos.indexOf(photo);
        if (c < 0 || this.refused.has(`${index}:${photo}`)) return;
        camera.push(c);
        point.push(p);
        at.push(...this.input.position(photo, track.features[k]!));
      });
    });
    const sightings: Sightings = {
      camera: Int32Array.from(camera),
      point: Int32Array.from(point),
      at: Float64Array.from(at),
    };
    adjustBundle(cameras, this.input.lenses, points, sightings, {
      scale: 1.5 * PIXEL,
      iterations: 15,
      refineFocal,
      refineDistortion,
    });
    indices.forEach((index, p) => this.points.set(index, points.slice(3 * p, 3 * p + 3)));
  }

  /** Drops sightings that don't fit, and points that fewer than two photos see. */
  private prune(limit: number): void {
    for (const [index, point] of this.points) {
      const track = this.input.tracks[index]!;
      let left = 0;
      track.photos.forEach((photo, k) => {
        if (!this.cameras.has(photo) || this.refused.has(`${index}:${photo}`)) return;
        if (reprojectionError(this.ray(photo, track.features[k]!), point) > limit)
          this.refused.add(`${index}:${photo}`);
        else left++;
      });
      if (left < 2) this.points.delete(index);
    }
  }
}

/** t with R X + t on the rays of two sightings, least squares. */
function translationFrom(
  R: Float64Array,
  sightings: readonly { point: Float64Array; u: number; v: number }[],
): Float64Array | undefined {
  const A = new Float64Array(9);
  const b = new Float64Array(3);
  for (const { point, u, v } of sightings) {
    const X = [0, 1, 2].map((i) => R[3 * i]! * point[0]! + R[3 * i + 1]! * point[1]! + R[3 * i + 2]! * point[2]!);
    // (X + t) x (u, v, 1) = 0: two rows.
    for (const [row, value] of [
      [[1, 0, -u], u * X[2]! - X[0]!],
      [[0, 1, -v], v * X[2]! - X[1]!],
    ] as const) {
      for (let i = 0; i < 3; i++) {
        b[i] = b[i]! + row[i]! * value;
        for (let j = 0; j < 3; j++) A[3 * i + j] = A[3 * i + j]! + row[i]! * row[j]!;
      }
    }
  }
  return solveCholesky(A, b, 3) ? b : undefined;
}

/** One Cauchy-weighted Gauss-Newton step of a pose on fixed points, in normalised coordinates. */
function refinePose(
  camera: PlacedCamera,
  lens: Lens,
  seen: readonly { point: Float64Array; x: number; y: number; u: number; v: number }[],
  scale: number,
): void {
  const H = new Float64Array(36);
  const g = new Float64Array(6);
  const J = new Float64Array(6);
  for (const { point, u, v } of seen) {
    const R = camera.rotation;
    const r = [0, 1, 2].map((i) => R[3 * i]! * point[0]! + R[3 * i + 1]! * point[1]! + R[3 * i + 2]! * point[2]!);
    const z = r[2]! + camera.translation[2]!;
    if (!(z > 1e-9)) continue;
    const p = (r[0]! + camera.translation[0]!) / z;
    const q = (r[1]! + camera.translation[1]!) / z;
    const e = [u - p, v - q];
    const weight = 1 / (1 + (e[0]! ** 2 + e[1]! ** 2) * (lens.focal / scale) ** 2);
    for (let i = 0; i < 2; i++) {
      const a = i === 0 ? 1 / z : 0;
      const b = i === 0 ? 0 : 1 / z;
      const d = -(i === 0 ? p : q) / z;
      J.set([-b * r[2]! + d * r[1]!, a * r[2]! - d * r[0]!, -a * r[1]! + b * r[0]!, a, b, d]);
      for (let j = 0; j < 6; j++) {
        g[j] = g[j]! + weight * J[j]! * e[i]!;
        for (let k = 0; k <= j; k++) H[6 * j + k] = H[6 * j + k]! + weight * J[j]! * J[k]!;
      }
    }
  }
  for (let j = 0; j < 6; j++) H[7 * j] = H[7 * j]! * (1 + 1e-6) + 1e-12;
  if (!solveCholesky(H, g, 6)) return;
  camera.rotation = multiply3(rotationFromVector(g[0]!, g[1]!, g[2]!), camera.rotation);
  camera.translation = camera.translation.map((value, k) => value + g[3 + k]!);
}
