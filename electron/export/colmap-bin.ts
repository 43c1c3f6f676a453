import { colmapModels, colmapPhotos, ORIGINALS, type ColmapModel } from './colmap.js';
import { photoName, type ExportFile, type ExportFormat } from './types.js';

/** COLMAP's numbers for its camera models. */
const MODEL_NUMBERS = {
  PINHOLE: 1,
  SIMPLE_RADIAL: 2,
  RADIAL: 3,
  OPENCV: 4,
  OPENCV_FISHEYE: 5,
  FULL_OPENCV: 6,
} as const;

export const colmapBinary: ExportFormat = {
  id: 'colmap-bin',
  description: 'cameras.bin, images.bin, points3D.bin and the photos, for COLMAP and what reads its models',
  estimateBytes: ({ cameras, cloud }) => cameras.length * 200 + Math.min(100_000, cloud.confidence.length) * 140,
  photoFiles: colmapPhotos,
  write: (scene, { mostSparsePoints } = {}) => {
    const { views, originals } = colmapModels(scene, mostSparsePoints ? { mostPoints: mostSparsePoints } : {});
    return [...binaryModel(views, 'colmap'), ...(originals ? binaryModel(originals, `colmap/${ORIGINALS}`) : [])];
  },
};

export function binaryModel(model: ColmapModel, folder: string): ExportFile[] {
  return [
    { name: `${folder}/cameras.bin`, chunks: cameraRecords(model) },
    { name: `${folder}/images.bin`, chunks: imageRecords(model) },
    { name: `${folder}/points3D.bin`, chunks: pointRecords(model) },
  ];
}

/** Appends little-endian numbers to one record. */
class RecordWriter {
  private readonly view: DataView;
  private at = 0;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.view = new DataView(bytes.buffer);
  }

  int32(value: number): this {
    this.view.setInt32(this.at, value, true);
    this.at += 4;
    return this;
  }

  uint64(value: number): this {
    this.view.setBigUint64(this.at, BigInt(value), true);
    this.at += 8;
    return this;
  }

  double(...values: number[]): this {
    for (const value of values) {
      this.view.setFloat64(this.at, value, true);
      this.at += 8;
    }
    return this;
  }

  raw(values: ArrayLike<number>): this {
    this.bytes.set(values, this.at);
    this.at += values.length;
    return this;
  }
}

const record = (size: number): RecordWriter => new RecordWriter(new Uint8Array(size));
const count = (value: number): Uint8Array => record(8).uint64(value).bytes;

function* cameraRecords({ cameras }: ColmapModel): Generator<Uint8Array> {
  yield count(cameras.length);
  for (const { id, model, width, height, parameters } of cameras)
    yield record(24 + 8 * parameters.length)
      .int32(id)
      .int32(MODEL_NUMBERS[model])
      .uint64(width)
      .uint64(height)
      .double(...parameters).bytes;
}

function* imageRecords({ images }: ColmapModel): Generator<Uint8Array> {
  yield count(images.length);
  for (const { id, quaternion, translation, camera, cameraId, sightings } of images) {
    const name = new TextEncoder().encode(`${photoName(camera)}\0`);
    yield record(64 + name.length + 8)
      .int32(id)
      .double(...quaternion, ...translation)
      .int32(cameraId)
      .raw(name)
      .uint64(sightings.length).bytes;
    const points = record(sightings.length * 24);
    for (const { x, y, point } of sightings) points.double(x, y).uint64(point);
    yield points.bytes;
  }
}

function* pointRecords({ points }: ColmapModel): Generator<Uint8Array> {
  yield count(points.length);
  for (let first = 0; first < points.length; first += 4096) {
    const some = points.slice(first, first + 4096);
    const out = record(some.reduce((sum, { track }) => sum + 51 + 8 * track.length, 0));
    for (const { id, position, color, error, track } of some) {
      out
        .uint64(id)
        .double(...position)
        .raw(color)
        .double(error)
        .uint64(track.length);
      for (const { image, sighting } of track) out.int32(image).int32(sighting);
    }
    yield out.bytes;
  }
}
