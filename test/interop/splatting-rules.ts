import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/**
 * What the usual Gaussian splatting trainers demand of a dataset: images/ with every picture that the model names, at the
 * size of its camera; sparse/0 in COLMAP's binary format with PINHOLE cameras, points that hold a track and an error;
 * transforms.json with the same cameras. Written from their published descriptions of the format.
 */
export interface Dataset {
  cameras: Map<number, { width: number; height: number; fx: number; fy: number; cx: number; cy: number }>;
  images: Map<number, { name: string; camera: number; pose: Float64Array; features: [number, number, number][] }>;
  points: { id: number; position: [number, number, number]; error: number; track: [number, number][] }[];
}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}
  int(): number {
    return this.bytes.readInt32LE((this.at += 4) - 4);
  }
  long(): number {
    return Number(this.bytes.readBigInt64LE((this.at += 8) - 8));
  }
  real(): number {
    return this.bytes.readDoubleLE((this.at += 8) - 8);
  }
  byte(): number {
    return this.bytes[this.at++]!;
  }
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    const value = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return value;
  }
  finish(name: string): void {
    if (this.at !== this.bytes.length) throw new Error(`${name} holds ${this.bytes.length - this.at} bytes too many`);
  }
}

const PINHOLE = 1;

export function readDataset(folder: string): Dataset {
  const open = (name: string) => new Reader(readFileSync(join(folder, 'sparse/0', name)));
  const cameras: Dataset['cameras'] = new Map();
  let file = open('cameras.bin');
  for (let n = file.long(); n > 0; n--) {
    const id = file.int();
    const model = file.int();
    if (model !== PINHOLE) throw new Error(`camera ${id} is of model ${model}, not PINHOLE`);
    const [width, height] = [file.long(), file.long()];
    cameras.set(id, { width, height, fx: file.real(), fy: file.real(), cx: file.real(), cy: file.real() });
  }
  file.finish('cameras.bin');
  const images: Dataset['images'] = new Map();
  file = open('images.bin');
  for (let n = file.long(); n > 0; n--) {
    const id = file.int();
    const [w, x, y, z] = [file.real(), file.real(), file.real(), file.real()];
    const [a, b, c] = [file.real(), file.real(), file.real()];
    const camera = file.int();
    const name = file.text();
    const features = Array.from({ length: file.long() }, (): [number, number, number] => [
      file.real(),
      file.real(),
      file.long(),
    ]);
    // Camera from world, row-major 3x4, of a unit quaternion.
    const pose = Float64Array.of(
      ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), a],
      ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), b],
      ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), c],
    );
    images.set(id, { name, camera, pose, features });
  }
  file.finish('images.bin');
  const points: Dataset['points'] = [];
  file = open('points3D.bin');
  for (let n = file.long(); n > 0; n--) {
    const id = file.long();
    const position: [number, number, number] = [file.real(), file.real(), file.real()];
    for (let k = 0; k < 3; k++) file.byte();
    const error = file.real();
    const track = Array.from({ length: file.long() }, (): [number, number] => [file.int(), file.int()]);
    points.push({ id, position, error, track });
  }
  file.finish('points3D.bin');
  return { cameras, images, points };
}

/** Everything that is wrong with a dataset, one line each; nothing when trainers can take it. */
export async function faults(folder: string): Promise<string[]> {
  const found: string[] = [];
  const { cameras, images, points } = readDataset(folder);
  const names = new Set<string>();
  for (const { name, camera, features } of images.values()) {
    const lens = cameras.get(camera);
    if (!lens) found.push(`${name} has no camera`);
    if (names.has(name)) found.push(`${name} is there twice`);
    names.add(name);
    const path = join(folder, 'images', name);
    if (!existsSync(path)) {
      found.push(`${name} is not in images/`);
      continue;
    }
    const { width, height, orientation = 1 } = await sharp(path).metadata();
    if (width !== lens?.width || height !== lens?.height) found.push(`${name} is not of the size of its camera`);
    if (orientation !== 1) found.push(`${name} would be turned by some readers and not by others`);
    for (const [x, y] of features)
      if (!(x >= 0 && y >= 0 && x <= width && y <= height)) found.push(`${name} has a feature outside`);
  }
  if (points.length < 100) found.push(`only ${points.length} points to start from`);
  for (const { id, error, track } of points) {
    if (track.length < 2) found.push(`point ${id} has a track of ${track.length}`);
    if (!(error >= 0 && Number.isFinite(error))) found.push(`point ${id} has the error ${error}`);
    for (const [image, feature] of track)
      if (images.get(image)?.features[feature]?.[2] !== id) found.push(`point ${id} and image ${image} disagree`);
  }
  return [...found, ...transformsFaults(folder, { cameras, images, points })];
}

function transformsFaults(folder: string, { cameras, images }: Dataset): string[] {
  const found: string[] = [];
  const document = JSON.parse(readFileSync(join(folder, 'transforms.json'), 'utf8'));
  if (!existsSync(join(folder, document.ply_file_path))) found.push('transforms.json names points that are not there');
  if (document.frames.length !== images.size) found.push('transforms.json has other photos than the model');
  for (const frame of document.frames) {
    const image = [...images.values()].find(({ name }) => `images/${name}` === frame.file_path);
    if (!image) {
      found.push(`${frame.file_path} is not in the model`);
      continue;
    }
    const lens = cameras.get(image.camera)!;
    for (const [a, b] of [
      [frame.w, lens.width],
      [frame.h, lens.height],
      [frame.fl_x, lens.fx],
      [frame.fl_y, lens.fy],
      [frame.cx, lens.cx],
      [frame.cy, lens.cy],
    ])
      if (Math.abs(a - b) > 1e-6) found.push(`${frame.file_path} has other intrinsics than the model`);
    for (const key of ['k1', 'k2', 'p1', 'p2']) if (frame[key]) found.push(`${frame.file_path} is distorted`);
    // The camera stands at -R^T t.
    const M = image.pose;
    for (let i = 0; i < 3; i++) {
      const place = -(M[i]! * M[3]! + M[4 + i]! * M[7]! + M[8 + i]! * M[11]!);
      if (Math.abs(place - frame.transform_matrix[i][3]) > 1e-5) found.push(`${frame.file_path} stands elsewhere`);
    }
    if (frame.mask_path && !existsSync(join(folder, frame.mask_path))) found.push(`${frame.mask_path} is not there`);
  }
  return found;
}

/** Mean distance between features and the projections of their points, pixels; computed, not read. */
export function reprojectionError(dataset: Dataset): number {
  const distances = featureDistances(dataset);
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

/** Sum of the squares of those distances. */
export const squaredError = (dataset: Dataset): number =>
  featureDistances(dataset).reduce((sum, distance) => sum + distance ** 2, 0);

function featureDistances({ cameras, images, points }: Dataset): number[] {
  return points.flatMap(({ position, track }) =>
    track.map(([image, feature]) => {
      const { pose, camera, features } = images.get(image)!;
      const { fx, fy, cx, cy } = cameras.get(camera)!;
      const at = [0, 1, 2].map((i) =>
        pose.subarray(4 * i, 4 * i + 3).reduce((s, v, j) => s + v * position[j]!, pose[4 * i + 3]!),
      );
      const [x, y] = features[feature]!;
      return Math.hypot((fx * at[0]!) / at[2]! + cx - x, (fy * at[1]!) / at[2]! + cy - y);
    }),
  );
}
