import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { threadExecution, type Execution } from '../../electron/compute/execution.js';
import { ArrayCache, withLazyArrays } from '../../electron/compute/lazy-arrays.js';
import type { DepthMap } from '../../electron/geometry/types.js';
import { packBits } from '../../electron/numerics/bits.js';
import { buildMesh, type BuildInput, type Built } from '../../electron/surface/build.js';
import { eraseFrom } from '../../electron/surface/erasing.js';
import { hillFlight } from '../fixtures/hills.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const COUNT = 12;
const SIZE = { width: 64, height: 48 };
const MAP_BYTES = 4 * SIZE.width * SIZE.height;
const flight = hillFlight(COUNT, SIZE);
const options = { faces: 4000, textureSize: 256, threads: 1 };

type Numbers = Float32Array | Uint8Array;

/** Depth maps that are read when they are asked for, and which of the arrays that were read are still held by anybody. */
function watched(budget: number): { maps: DepthMap[]; heldDepths: () => Promise<number> } {
  const cache = new ArrayCache(() => budget);
  const made: WeakRef<Numbers>[] = [];
  const noted = <T extends Numbers>(array: T): T => {
    made.push(new WeakRef(array));
    return array;
  };
  const maps = flight.cameras.map((_, k) => {
    return withLazyArrays<DepthMap>(cache, flight.summary(k), {
      depth: () => noted(flight.view(k).depth),
      confidence: () => noted(flight.view(k).confidence),
    });
  });
  const heldDepths = async (): Promise<number> => {
    // What was just read is held until the turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    return made.filter((each) => each.deref()?.byteLength === MAP_BYTES).length;
  };
  return { maps, heldDepths };
}

function inputOf(maps: readonly DepthMap[]): BuildInput {
  return {
    cameras: flight.cameras,
    maps,
    pixelsOf: (index) => flight.view(index).pixels,
    sharpness: maps.map(() => 1),
    picture: async (index) => ({ ...SIZE, pixels: flight.view(index).pixels }),
    encode: async (pixels) => pixels.slice(),
  };
}

/** Threads that count, before each request, what is held; and the largest request but those of blocks, in depth maps. */
function counting(heldDepths: () => Promise<number>): { execution: Execution; most: { held: number; sent: number } } {
  const most = { held: 0, sent: 0 };
  const execution: Execution = {
    open: (room, worker, threads) => {
      const inner = threadExecution.open(room, worker, threads);
      return {
        size: inner.size,
        close: () => inner.close(),
        run: async <Response>(request: unknown, given?: object): Promise<Response> => {
          const { step } = request as { step?: string };
          if (step !== 'fuse') most.sent = Math.max(most.sent, depthBytes(request) / MAP_BYTES);
          most.held = Math.max(most.held, await heldDepths());
          return inner.run<Response>(request, given);
        },
      };
    },
  };
  return { execution, most };
}

/** Of depths and confidences in a request, wherever they lie in it. */
function depthBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 0;
  return Object.entries(value).reduce((sum, [name, each]) => {
    const isMap = (name === 'depth' || name === 'confidence') && ArrayBuffer.isView(each);
    return sum + (isMap ? each.byteLength : depthBytes(each));
  }, 0);
}

describe('a mesh of depth maps behind a budget', () => {
  const held = flight.cameras.map((_, k): DepthMap => flight.view(k));
  let expected: Built;

  test('is the same to the bit, and no step holds or is sent all of them', async () => {
    expected = await buildMesh(inputOf(held), options);
    expect(expected.facts.faces).toBeGreaterThan(1000);
    const { maps, heldDepths } = watched(1);
    const { execution, most } = counting(heldDepths);
    const { mesh } = await buildMesh(inputOf(maps), options, { execution });
    expect(mesh).toEqual(expected.mesh);
    // Of 12 maps, depth and confidence are 24 arrays.
    expect(most.held).toBeLessThanOrEqual(6);
    expect(most.sent).toBeLessThanOrEqual(4);
  }, 120_000);

  test('loses what was deleted, reading the maps that see it one by one', async () => {
    // The first photo's left half.
    const flags = Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, k) => Number(k % SIZE.width < 32));
    const deleted = flight.cameras.map((_, k) => (k === 0 ? packBits(flags) : undefined));
    const { cameras } = flight;
    const whole = await eraseFrom(expected.mesh, { cameras, maps: held, deleted });
    expect(whole.photo.length).toBeLessThan(expected.mesh.photo.length);
    const { maps, heldDepths } = watched(1);
    const cut = await eraseFrom(expected.mesh, { cameras, maps, deleted });
    expect(cut).toEqual(whole);
    expect(await heldDepths()).toBeLessThanOrEqual(2);
  }, 60_000);
});
