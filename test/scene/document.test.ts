import { describe, expect, it, test } from 'vitest';
import { decodeMask, emptyBits, encodeMask, isSet, type PhotoMask } from '../../electron/contract/mask.js';
import type { KnownLength, ScenePixel } from '../../electron/contract/scene.js';
import { compose, invert, transform, type Similarity } from '../../electron/geometry/similarity.js';
import type { Camera, Scene } from '../../electron/geometry/types.js';
import { multiply4, randomNumbers, rigid, rotationFromVector } from '../../electron/numerics/linear.js';
import { cleaned, deletionsInForce, keptPoints, resized } from '../../electron/scene/cleaning.js';
import {
  automaticFrame,
  keptFrame,
  cameraInScene,
  restored,
  sceneInFrame,
  similarityOf,
  matrixOf,
  stored,
  withScale,
} from '../../electron/scene/frame.js';
import { frameSamples } from '../../electron/scene/frame-samples.js';
import { automaticUp, upOfGimbal } from '../../electron/scene/level.js';
import { pointAtPixel } from '../../electron/scene/points.js';
import { boxRegion, insideRegion, movedRegion } from '../../electron/scene/region.js';
import { scaleOf, ScenePoints } from '../../electron/engine/scene-points.js';
import type { Project } from '../../electron/project/project.js';
import { cameraOf, depthMapOf, roomScene } from '../fixtures/scene.js';
import { lookAt, Room } from '../fixtures/room.js';

const DEGREE = Math.PI / 180;

/** The same scene in another world. */
function moved(scene: Scene, { scale, rotation, translation }: Similarity): Scene {
  const similarity = { scale, rotation, translation };
  return {
    ...scene,
    cameras: scene.cameras.map((camera) => cameraInScene(camera, similarity)),
    depthMaps: scene.depthMaps.map((map) => ({ ...map, depth: map.depth.map((value) => value * scale) })),
  };
}

/** Degrees between a frame's z and the true up of the room, whose y points down, after the room was moved by `change`. */
function tilt(scene: Scene, change: Similarity): number {
  const { sceneFromAlignment } = automaticFrame(scene.cameras, frameSamples(scene.cameras, scene.depthMaps));
  const turn = compose({ ...sceneFromAlignment, translation: new Float64Array(3) }, change);
  const up = transform({ ...turn, scale: 1, translation: new Float64Array(3) }, [0, -1, 0]);
  return Math.acos(Math.min(1, up[2]!)) / DEGREE;
}

const elsewhere: Similarity = {
  scale: 0.3,
  rotation: rotationFromVector(0.7, -1.1, 0.4),
  translation: Float64Array.of(3, -2, 5),
};

describe('automatic level', () => {
  it('finds up in any world, from photos that are rolled by some degrees', async () => {
    const { scene } = await roomScene(5);
    expect(tilt(moved(scene, elsewhere), elsewhere)).toBeLessThan(0.5);
    const random = randomNumbers(3);
    const room = new Room(4);
    const views = room
      .arc(5, 0.6)
      .map((pose) => multiply4(pose, rigid(rotationFromVector(0, 0, 4 * DEGREE * (random() - 0.5)), [0, 0, 0])))
      .map((pose) => room.render(pose, 60, 64, 48));
    const rolled = { cameras: views.map(cameraOf), depthMaps: views.map(depthMapOf), cloud: scene.cloud };
    expect(tilt(moved(rolled, elsewhere), elsewhere)).toBeLessThan(1);
  });

  it('does not take the ground for a wall when all photos look straight down', () => {
    const room = new Room(4);
    const down = Float64Array.of(1, 0, 0, 0, 0, 1, 0, -1, 0);
    const poses = [-1.4, 0, 1.4].flatMap((x) => [-1.4, 0, 1.4].map((z) => rigid(down, [x, -1.2, z])));
    const views = poses.map((pose) => room.render(pose, 50, 64, 48));
    const scene: Scene = {
      cameras: views.map(cameraOf),
      depthMaps: views.map(depthMapOf),
      cloud: {
        positions: new Float32Array(),
        colors: new Uint8Array(),
        confidence: new Float32Array(),
        source: new Uint16Array(),
      },
    };
    expect(
      tilt(scene, { scale: 1, rotation: rotationFromVector(0, 0, 0), translation: new Float64Array(3) }),
    ).toBeLessThan(1);
    expect(tilt(moved(scene, elsewhere), elsewhere)).toBeLessThan(1);
  });

  it('puts the origin on the floor', async () => {
    const { scene } = await roomScene(5);
    const { sceneFromAlignment } = automaticFrame(scene.cameras, frameSamples(scene.cameras, scene.depthMaps));
    // The room's floor is at y = 2.
    expect(transform(sceneFromAlignment, [0.3, 2, 0.2])[2]).toBeCloseTo(0, 1);
  });
});

describe('a frame that was decided', () => {
  it('is where it was after another alignment, whose world and scale are others', async () => {
    const { scene } = await roomScene(4);
    const frame = withScale(automaticFrame(scene.cameras, frameSamples(scene.cameras, scene.depthMaps)), 2.5);
    const kept = stored(frame, 'first', scene.cameras);
    expect(matrixOf(restored(kept, 'first', scene.cameras)!.sceneFromAlignment)).toEqual(
      kept.matrix.map((value) => expect.closeTo(value, 9)),
    );
    const again = restored(kept, 'second', moved(scene, elsewhere).cameras)!;
    const there = compose(again.sceneFromAlignment, elsewhere);
    expect(matrixOf(there)).toEqual(kept.matrix.map((value) => expect.closeTo(value, 6)));
    expect(restored(kept, 'third', [])).toBeUndefined();
    // One that nobody decided on is kept as long as the cameras stand as they stood.
    const { cameras } = moved(scene, elsewhere);
    expect(matrixOf(keptFrame(kept, 'second', cameras)!.sceneFromAlignment)).toEqual(
      matrixOf(again.sceneFromAlignment),
    );
    expect(keptFrame(kept, 'third', cameras.slice(0, 1))).toBeUndefined();
    const turned = Float64Array.of(0, -1, 0, 1, 0, 0, 0, 0, 1);
    const bent = cameras.map((camera, k) =>
      k % 2 === 0 ? camera : cameraInScene(camera, { scale: 1, rotation: turned, translation: new Float64Array(3) }),
    );
    expect(keptFrame(kept, 'third', bent)).toBeUndefined();
  });

  it('survives the way through a matrix', () => {
    const there = similarityOf(matrixOf(elsewhere));
    expect(matrixOf(compose(there, invert(elsewhere)))).toEqual(
      [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1].map((value) => expect.closeTo(value, 9)),
    );
  });

  it('turns cameras, points and depths alike', async () => {
    const { scene } = await roomScene(3);
    const out = sceneInFrame(scene, { level: 'hand', unit: 'metre', sceneFromAlignment: elsewhere });
    const k = 100;
    const at = [0, 1, 2].map((i) => out.cloud.positions[3 * k + i]!);
    expect(at).toEqual(
      [...transform(elsewhere, scene.cloud.positions.subarray(3 * k, 3 * k + 3))].map((value) =>
        expect.closeTo(value, 4),
      ),
    );
    const source = out.cloud.source[k]!;
    const [map, camera] = [out.depthMaps[source]!, out.cameras[source]!];
    const pixel = out.cloud.pixel![k]!;
    const z = map.depth[pixel]!;
    const ray = [
      ((pixel % map.width) - map.centreX) / map.focal,
      (Math.floor(pixel / map.width) - map.centreY) / map.focal,
      1,
    ];
    const W = camera.worldFromCamera;
    expect(
      [0, 1, 2].map((i) => z * (W[4 * i]! * ray[0]! + W[4 * i + 1]! * ray[1]! + W[4 * i + 2]!) + W[4 * i + 3]!),
    ).toEqual(at.map((value) => expect.closeTo(value, 4)));
  });
});

describe('scale by known lengths', () => {
  /** Pixels of the originals, which are twice the maps. */
  const pixelsOf = (
    { depthMaps }: Scene,
    photo: number,
    places: readonly (readonly [number, number])[],
  ): ScenePixel[] => places.map(([x, y]) => ({ photo: depthMaps[photo]!.photo, x: 2 * x - 0.5, y: 2 * y - 0.5 }));

  it('is that of the truth, and every other length is right with it', async () => {
    const { scene } = await roomScene(3);
    const shrunk = moved(scene, elsewhere);
    const [a, b, c, d] = pixelsOf(scene, 0, [
      [10, 40],
      [52, 41],
      [30, 12],
      [12, 20],
    ]) as [ScenePixel, ScenePixel, ScenePixel, ScenePixel];
    const apart = (p: ScenePixel, q: ScenePixel): number => {
      const [from, to] = [p, q].map((pixel) => pointAtPixel(pixel, scene.cameras, scene.depthMaps).position);
      return Math.hypot(...from!.map((value, i) => value - to![i]!));
    };
    const lengths: KnownLength[] = [
      { metres: apart(a, b), a, b },
      { metres: apart(c, d), a: c, b: d },
    ];
    const fit = scaleOf(lengths, 'none', shrunk);
    expect(fit.metresPerUnit * elsewhere.scale).toBeCloseTo(1, 4);
    expect(fit.lengths.every(({ residual }) => Math.abs(residual) < 1e-3)).toBe(true);
    const wrong = scaleOf([lengths[0]!, { ...lengths[1]!, metres: 2 * lengths[1]!.metres }], 'none', shrunk);
    expect(wrong.lengths[1]!.residual).toBeLessThan(-0.1);
  });

  it('refuses two ends that are one point, and a pixel without depth or outside the photo', async () => {
    const { scene } = await roomScene(3);
    const [a] = pixelsOf(scene, 0, [[20, 30]]) as [ScenePixel];
    const by = (b: ScenePixel) => () => scaleOf([{ metres: 1, a, b }], 'none', scene);
    expect(by({ ...a, x: a.x + 0.01 })).toThrow(/one point/);
    expect(by({ ...a, x: 4000 })).toThrow(/outside the photo/);
    const blind = scene.depthMaps.map((map) => ({ ...map, depth: new Float32Array(map.depth.length) }));
    expect(() => pointAtPixel(a, scene.cameras, blind)).toThrow(/no depth is known/);
    expect(() => pointAtPixel({ ...a, photo: 'other' }, scene.cameras, scene.depthMaps)).toThrow(
      /no place in the scene/,
    );
  });

  it('names a photo without a place as a person does', async () => {
    const { scene } = await roomScene(3);
    const project = { photos: () => [{ id: '7f3c-91', name: 'left out.jpg' }] } as unknown as Project;
    const points = new ScenePoints(project, scene);
    for (const end of [{ camera: '7f3c-91' }, { photo: '7f3c-91', x: 5, y: 5 }])
      await expect(points.find(end)).rejects.toThrow(/no place in the scene.*: left out\.jpg$/);
  });
});

describe('masks', () => {
  const mask = (width: number, height: number, seed: number): PhotoMask => {
    const random = randomNumbers(seed);
    const bits = emptyBits(width * height);
    for (let k = 0; k < width * height; k++)
      if (random() < 0.5 && Math.floor(k / 37) % 3 === 0) bits[k >> 3]! |= 1 << (k & 7);
    return { photo: `photo ${seed} ünï`, width, height, bits };
  };

  test('come back as they were', () => {
    const masks = [
      mask(61, 17, 1),
      mask(8, 8, 2),
      mask(1, 1, 3),
      { ...mask(64, 48, 4), bits: emptyBits(64 * 48).fill(255) },
    ];
    const bytes = encodeMask(masks);
    expect(decodeMask(bytes)).toEqual(masks);
    expect(bytes.length).toBeLessThan(1400);
  });

  test('strewn pixels take no more room than their bits, among others that are runs', () => {
    const bits = Uint8Array.from({ length: (64 * 48) / 8 }, () => 0b01010101);
    const masks = [mask(61, 17, 1), { photo: 'strewn', width: 64, height: 48, bits }, mask(8, 8, 2)];
    const bytes = encodeMask(masks);
    expect(decodeMask(bytes)).toEqual(masks);
    expect(encodeMask([masks[1]!]).length).toBe(12 + 16 + 'strewn'.length + bits.length);
  });

  test('damaged are refused, whatever byte it is', () => {
    const strewn = Uint8Array.from({ length: (64 * 16) / 8 }, () => 0b01010101);
    const bytes = encodeMask([mask(61, 17, 1), { photo: 's', width: 64, height: 16, bits: strewn }, mask(8, 8, 2)]);
    for (let k = 0; k < bytes.length; k++) {
      const wrong = bytes.slice();
      wrong[k]! ^= 0x55;
      try {
        decodeMask(wrong);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      expect(() => decodeMask(bytes.subarray(0, k))).toThrow(RangeError);
    }
  });

  test('hold at another resolution', () => {
    const half = resized({ photo: 'a', width: 4, height: 2, bits: Uint8Array.of(0b00110011) }, 8, 4);
    for (let y = 0; y < 4; y++) for (let x = 0; x < 8; x++) expect(isSet(half.bits, y * 8 + x)).toBe(x < 4);
  });
});

describe('cleaning', () => {
  it('takes away the pixels of the steps in force, later ones winning, from cloud and depth maps alike', async () => {
    const { scene } = await roomScene(3);
    const [map] = scene.depthMaps;
    const bits = emptyBits(map!.width * map!.height).fill(255, 0, 200);
    const some = emptyBits(map!.width * map!.height).fill(255, 0, 100);
    const masks: Record<string, Uint8Array> = {
      one: encodeMask([{ ...map!, bits }]),
      two: encodeMask([{ ...map!, bits: some }]),
    };
    const sizes = new Map(scene.depthMaps.map(({ photo, width, height }) => [photo, { width, height }]));
    const deleted = deletionsInForce(
      [
        { mask: 'one', mode: 'delete', title: '' },
        { mask: 'lost', mode: 'delete', title: '' },
        { mask: 'two', mode: 'restore', title: '' },
      ],
      (id) => masks[id],
      sizes,
    );
    const gone = (k: number): boolean =>
      scene.cloud.source[k] === 0 && scene.cloud.pixel![k]! >= 800 && scene.cloud.pixel![k]! < 1600;
    const left = cleaned(scene, { region: undefined, deleted });
    const expected = Array.from(scene.cloud.confidence.keys()).filter((k) => !gone(k));
    expect(left.cloud.confidence.length).toBe(expected.length);
    expect(expected.length).toBeLessThan(scene.cloud.confidence.length);
    expect(left.depthMaps[0]!.depth.subarray(800, 1600).every((depth) => depth === 0)).toBe(true);
    expect(left.depthMaps[0]!.depth[799]).toBe(map!.depth[799]);
    expect(left.cameras).toBe(scene.cameras);
  });

  it('keeps what lies in the region, in whatever frame it is told', async () => {
    const { scene } = await roomScene(3);
    const region = boxRegion([0, 1.5, 0.5], [3, 1, 4], 30);
    const [c, s] = [Math.cos(30 * DEGREE), Math.sin(30 * DEGREE)];
    expect(insideRegion(region, [1.4 * c, 1.5 + 1.4 * s, 0.5])).toBe(true);
    expect(insideRegion(region, [1.6 * c, 1.5 + 1.6 * s, 0.5])).toBe(false);
    expect(insideRegion(undefined, [99, 99, 99])).toBe(true);
    const kept = keptPoints(scene.cloud, scene.cameras, { region, deleted: new Map() });
    const out = sceneInFrame(scene, { level: 'hand', unit: 'metre', sceneFromAlignment: elsewhere });
    const there = keptPoints(out.cloud, out.cameras as Camera[], {
      region: movedRegion(region, elsewhere),
      deleted: new Map(),
    });
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(scene.cloud.confidence.length);
    expect(Math.abs(there.length - kept.length)).toBeLessThan(3);
  });
});

describe('level, from what else the photos know', () => {
  it('takes a gimbal’s word, and the vertical of quarter-turned photos around something', async () => {
    const { scene } = await roomScene(5);
    const gimbals = new Map(
      scene.cameras.map(({ photo, worldFromCamera: M }) => [photo, Float64Array.of(-M[4]!, -M[5]!, -M[6]!)]),
    );
    const { sceneFromAlignment } = automaticFrame(scene.cameras, frameSamples(scene.cameras, scene.depthMaps), gimbals);
    expect(transform({ ...sceneFromAlignment, translation: new Float64Array(3) }, [0, -1, 0])[2]).toBeGreaterThan(
      0.9999,
    );
    expect([...upOfGimbal({ pitch: -90, roll: 0 })]).toEqual([0, 0, -1].map((value) => expect.closeTo(value, 9)));
    expect([...upOfGimbal({ pitch: 0, roll: 0 })]).toEqual([0, -1, 0].map((value) => expect.closeTo(value, 9)));
    // Around something, from a little above, each camera on its side.
    const side = rigid(rotationFromVector(0, 0, Math.PI / 2), [0, 0, 0]);
    const cameras = Array.from({ length: 9 }, (_, k) => {
      const angle = 0.5 * k;
      return {
        ...scene.cameras[0]!,
        worldFromCamera: multiply4(lookAt([3 * Math.sin(angle), -1, -3 * Math.cos(angle)], [0, 0, 0]), side),
      };
    });
    const { up } = automaticUp(cameras, { positions: new Float64Array(), normals: new Float64Array() }, 3);
    expect(-up[1]!).toBeGreaterThan(0.99);
  });
});
