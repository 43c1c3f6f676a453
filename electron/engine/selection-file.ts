import { z } from 'zod';
import { readRegularSync } from '../compute/regular-file.js';
import { decodeMask, emptyBits, encodeMask, type PhotoMask } from '../contract/mask.js';
import { UserError } from '../contract/errors.js';
import { vector } from '../contract/scene.js';
import type { Camera, DepthMap, Scene } from '../geometry/types.js';
import { unprojected } from '../scene/normals.js';
import { boxRegion, regionTest } from '../scene/region.js';
import { viewFromOriginal } from '../scene/points.js';
import { cameraInScene, type Frame } from '../scene/frame.js';

/*
 * A selection in a file. Either the bytes of a mask, as the studio saves them, or JSON:
 *
 *   { "polygons": [{ "photo": "IMG_1.jpg", "points": [[x, y], ...] }, ...],
 *     "boxes": [{ "centre": [x, y, z], "size": [x, y, z], "yaw": degrees }, ...] }
 *
 * Polygons are in pixels of the original photo and select what that photo's depth map shows there; boxes are in the
 * scene frame and select what lies inside, whatever photo it comes from.
 */
const selectionFile = z.object({
  polygons: z
    .array(z.object({ photo: z.string(), points: z.array(z.tuple([z.number(), z.number()])).min(3) }))
    .default([]),
  boxes: z.array(z.object({ centre: vector, size: vector, yaw: z.number().default(0) })).default([]),
});

/** @throws UserError 'not-found', 'bad-input' */
export function readSelection(
  path: string,
  { cameras, depthMaps }: Scene,
  frame: Frame,
  photoNamed: (name: string) => string,
): Uint8Array {
  const bytes = readBytes(path);
  if (bytes.subarray(0, 4).toString('latin1') === 'PMSK') {
    try {
      decodeMask(bytes);
    } catch (error) {
      throw new UserError('bad-input', `this selection is damaged; save it again: ${path}`, { cause: error });
    }
    return new Uint8Array(bytes);
  }
  const { polygons, boxes } = parsed(bytes, path);
  const masks = new Map<string, PhotoMask>();
  const maskOf = ({ photo, width, height }: DepthMap): PhotoMask => {
    const mask = masks.get(photo) ?? { photo, width, height, bits: emptyBits(width * height) };
    masks.set(photo, mask);
    return mask;
  };
  for (const { photo, points } of polygons) {
    const id = photoNamed(photo);
    const map = depthMaps.find((each) => each.photo === id);
    if (map)
      fillPolygon(
        maskOf(map),
        points.map(([x, y]) => viewFromOriginal(map.originalFromView, x, y)),
      );
  }
  for (const { centre, size, yaw } of boxes)
    depthMaps.forEach((map, k) => {
      const inScene = cameraInScene(cameras[k]!, frame.sceneFromAlignment);
      fillBox(maskOf(map), map, inScene, frame.sceneFromAlignment.scale, regionTest(boxRegion(centre, size, yaw)));
    });
  const chosen = [...masks.values()].filter(({ bits }) => bits.some((byte) => byte !== 0));
  if (chosen.length === 0)
    throw new UserError('bad-input', `this selection names no point of the scene; nothing was deleted: ${path}`);
  return encodeMask(chosen);
}

function readBytes(path: string): Buffer {
  try {
    return readRegularSync(path);
  } catch (error) {
    throw new UserError(
      'not-found',
      `the selection can't be read (${(error as NodeJS.ErrnoException).code}); check the path: ${path}`,
      { cause: error },
    );
  }
}

function parsed(bytes: Buffer, path: string): z.infer<typeof selectionFile> {
  const bad = (detail: string, cause?: unknown): UserError =>
    new UserError(
      'bad-input',
      `this is no selection (${detail}); it holds polygons of photos and boxes, or a saved mask: ${path}`,
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw bad('neither a mask nor JSON', error);
  }
  const result = selectionFile.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw bad(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`);
  }
  return result.data;
}

/** Even-odd rule, at pixel centres. */
export function fillPolygon({ width, height, bits }: PhotoMask, points: readonly (readonly [number, number])[]): void {
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    points.forEach(([x0, y0], k) => {
      const [x1, y1] = points[(k + 1) % points.length]!;
      if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const end = Math.min(width - 1, Math.floor(crossings[k + 1]!));
      for (let x = Math.max(0, Math.ceil(crossings[k]!)); x <= end; x++) {
        const at = y * width + x;
        bits[at >> 3]! |= 1 << (at & 7);
      }
    }
  }
}

function fillBox(
  { bits }: PhotoMask,
  given: DepthMap,
  { worldFromCamera: W }: Camera,
  scale: number,
  inside: (x: number, y: number, z: number) => boolean,
): void {
  // Its arrays may lie behind a cache: they are asked for once.
  const map = { ...given };
  const p = new Float64Array(3);
  for (let k = 0; k < map.depth.length; k++) {
    if (!(map.depth[k]! > 0) || map.confidence[k]! <= 1) continue;
    unprojected(map, k % map.width, Math.floor(k / map.width), map.depth[k]! * scale, p);
    const [x, y, z] = [0, 1, 2].map(
      (i) => W[4 * i]! * p[0]! + W[4 * i + 1]! * p[1]! + W[4 * i + 2]! * p[2]! + W[4 * i + 3]!,
    ) as [number, number, number];
    if (inside(x, y, z)) bits[k >> 3]! |= 1 << (k & 7);
  }
}
