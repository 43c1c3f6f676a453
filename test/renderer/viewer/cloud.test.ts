import { Matrix4, type BufferAttribute, PerspectiveCamera, Quaternion, Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import { cloudSize, encodeCloud } from '../../../electron/contract/cloud.js';
import { CHUNK, makeCloud, receive } from '../../../renderer/viewer/cloud-data.js';
import { depthRange, extent, ownScale } from '../../../renderer/viewer/extent.js';
import { pickPoint } from '../../../renderer/viewer/pick.js';
import { syntheticCloud } from './synthetic.js';

/** A body that arrives in pieces of the given sizes, the last one taking the rest. */
function inPieces(bytes: Uint8Array, ...sizes: number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      let at = 0;
      for (const size of [...sizes, Infinity]) {
        controller.enqueue(bytes.slice(at, Math.min(bytes.length, at + size)));
        at += size;
      }
      controller.close();
    },
  });
}

describe('receiving a cloud', () => {
  const bytes = encodeCloud(syntheticCloud(1000));

  it.each([[[]], [[1, 1, 1, 1, 1, 20]], [[4]], [[3, 70, 999]], [[bytes.length]]])(
    'puts pieces of %j together',
    async (sizes) => {
      const shares: number[] = [];
      expect(new Uint8Array(await receive(inPieces(bytes, ...sizes), (share) => shares.push(share)))).toEqual(bytes);
      expect(shares.at(-1)).toBe(1);
    },
  );

  it('tells its size as soon as the header is there, and not before', () => {
    const header = 4 + new DataView(bytes.buffer).getUint32(0, true);
    expect(cloudSize(bytes.subarray(0, header))).toBe(bytes.length);
    for (const length of [0, 3, 4, header - 1]) expect(cloudSize(bytes.subarray(0, length))).toBeUndefined();
  });

  it('refuses one that is cut off, longer than it says, or empty', async () => {
    await expect(receive(inPieces(bytes.subarray(0, bytes.length - 1)))).rejects.toThrow('cut off');
    await expect(receive(inPieces(new Uint8Array([...bytes, 0]), 500))).rejects.toThrow('longer than it says');
    await expect(receive(inPieces(new Uint8Array([...bytes, 0])))).rejects.toThrow('longer than it says');
    await expect(receive(inPieces(new Uint8Array(0)))).rejects.toThrow('cut off');
  });
});

describe('a cloud for the graphics processor', () => {
  it('is chunks of views into what arrived: every point once, in order, nothing copied', () => {
    const bytes = encodeCloud(syntheticCloud(CHUNK + 7));
    const cloud = makeCloud(bytes.buffer as ArrayBuffer);
    expect(cloud.count).toBe(CHUNK + 7);
    expect(cloud.chunks.map((chunk) => chunk.getAttribute('position').count)).toEqual([CHUNK, 7]);
    for (const name of ['position', 'colour', 'confidence', 'source', 'normal']) {
      const [first, second] = cloud.chunks.map((chunk) => chunk.getAttribute(name).array as Float32Array);
      expect(first!.buffer).toBe(bytes.buffer);
      expect(second!.byteOffset).toBe(first!.byteOffset + first!.byteLength);
    }
  });

  it('hides inferred points from whatever asks for their confidence, and brings them back as they were', () => {
    const points = syntheticCloud(100);
    const inferred = Uint8Array.from({ length: 100 }, (_, k) => (k % 4 === 0 ? 1 : 0));
    const cloud = makeCloud(encodeCloud({ ...points, inferred }).buffer as ArrayBuffer);
    const confidence = cloud.chunks[0]!.getAttribute('confidence');
    const before = Array.from(confidence.array);
    const version = (confidence as BufferAttribute).version;
    cloud.showInferred(false);
    expect(Array.from(confidence.array).filter((value) => value < 1)).toHaveLength(25);
    expect(cloud.sampleConfidence.filter((value) => value >= 1)).toHaveLength(75);
    expect((confidence as BufferAttribute).version).toBeGreaterThan(version);
    cloud.showInferred(true);
    expect(Array.from(confidence.array)).toEqual(before);
    expect(makeCloud(encodeCloud({ ...points, inferred: new Uint8Array(100) }).buffer as ArrayBuffer).inferred).toBe(
      false,
    );
  });

  it('of no points has an extent all the same', () => {
    const cloud = makeCloud(encodeCloud(syntheticCloud(0)).buffer as ArrayBuffer);
    expect([cloud.chunks.length, cloud.radius]).toEqual([0, expect.any(Number)]);
    expect(cloud.confidenceScale).toEqual(Array(101).fill(1));
    expect(cloud.radius).toBeGreaterThan(0);
  });

  it('measures the bulk of the points, whatever a few outliers do', () => {
    const sample = syntheticCloud(20_000).positions;
    for (let k = 0; k < 300; k++) sample.set([1e6, -1e6, 1e6], k * 3);
    const { centre, radius, corners } = extent(sample);
    expect(centre.length()).toBeLessThan(2);
    expect(radius).toBeLessThan(8);
    for (const corner of corners) expect(corner.distanceTo(centre)).toBeCloseTo(radius, 6);
  });

  it('has a scale of confidence that one outlier does not stretch', () => {
    const confidence = Float32Array.from({ length: 1000 }, (_, k) => 1 + k / 100);
    confidence[999] = 1e9;
    const scale = ownScale(confidence);
    expect(scale[50]).toBeCloseTo(6, 1);
    expect(scale[99]).toBeCloseTo(10.9, 1);
  });
});

describe('from a point of view', () => {
  // In the room of the screen the eye looks along -z; the world is turned half round the x axis.
  const upright = new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), Math.PI);
  const camera = new PerspectiveCamera(45, 1.5, 0.01, 100);
  camera.position.set(0, 0, 2);
  camera.updateMatrixWorld();

  it('depths are distances along its axis, of points in front of it only', () => {
    const sample = new Float32Array([0, 0, 1, 5, 0, 3, 0, 0, -50]);
    expect(depthRange(sample, camera.matrixWorldInverse, upright, 0.1)).toEqual([expect.closeTo(3), expect.closeTo(5)]);
    expect(depthRange(new Float32Array([0, 0, -50]), camera.matrixWorldInverse, upright, 0.1)).toEqual([0.1, 0.2]);
  });

  it('a place on the screen means the nearest point there that is seen', () => {
    const cloud = {
      sample: new Float32Array([0, 0, 5, 0, 0, 3, 0, 0, 1, 0, 0, -9, 1, 0, 1]),
      sampleConfidence: new Float32Array([5, 3, 1.5, 9, 9]),
    };
    const world = new Matrix4().makeRotationFromQuaternion(upright);
    const pick = (minConfidence: number, x: number, y: number) =>
      pickPoint(cloud, minConfidence, world, camera, x, y, 1.5)?.toArray();
    expect(pick(1, 0, 0)).toEqual([0, 0, 1]);
    expect(pick(2, 0.01, 0.01)).toEqual([0, 0, 3]);
    expect(pick(4, 0, 0)).toEqual([0, 0, 5]);
    expect(pick(1, 0.8, -0.8)).toBeUndefined();
  });
});
