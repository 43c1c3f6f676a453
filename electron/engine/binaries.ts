import sharp from 'sharp';
import { encodeCloud } from '../contract/cloud.js';
import { encodeMaps } from '../contract/photo-maps.js';
import { UserError } from '../contract/errors.js';
import type { DepthMap, ObservedView, Photo } from '../geometry/types.js';
import { readMask } from '../photos/masks.js';
import { readPreview } from '../photos/reader.js';
import { depthNormals } from '../scene/normals.js';
import { depthRange } from './scenes.js';
import type { Workspace } from './workspace.js';

export interface BinaryResource {
  /** MIME type. */
  type: string;
  bytes: Uint8Array;
}

const PREVIEW_SIZE = 2048;
const MASK_SIZE = 1000;
const png = async (bytes: Promise<Uint8Array>): Promise<BinaryResource> => ({ type: 'image/png', bytes: await bytes });

/**
 * A binary resource by its name (contract/api.ts lists them).
 * @throws UserError 'not-found'
 */
export async function binary(workspace: Workspace, name: string): Promise<BinaryResource> {
  const [kind, ...rest] = partsOf(name);
  const found = await read(workspace, kind!, rest);
  if (!found) throw new UserError('not-found', `there is no such resource: ${name}`);
  return found;
}

async function maskPicture(photo: Photo): Promise<Uint8Array> {
  const ratio = Math.min(1, MASK_SIZE / Math.max(photo.width, photo.height));
  const { width, height, keep } = (await readMask(
    photo,
    Math.round(photo.width * ratio),
    Math.round(photo.height * ratio),
  ))!;
  const white = keep.map((flag) => 255 * flag);
  return sharp(white, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}

/** The parts of a binary resource's name. */
export function partsOf(name: string): string[] {
  try {
    return name.split('/').map(decodeURIComponent);
  } catch {
    return [name];
  }
}

async function read(workspace: Workspace, kind: string, rest: readonly string[]): Promise<BinaryResource | undefined> {
  const { project, alignment, scenes } = workspace;
  switch (kind) {
    case 'thumbnail': {
      const bytes = project.thumbnail(rest[0]!);
      return bytes && { type: 'image/jpeg', bytes };
    }
    case 'photo': {
      const photo = project.photos().find(({ id }) => id === rest[0]);
      return photo && { type: 'image/jpeg', bytes: await readPreview(photo, PREVIEW_SIZE) };
    }
    case 'photo-mask': {
      const photo = project.photos().find(({ id }) => id === rest[0]);
      return photo?.mask && png(maskPicture(photo));
    }
    case 'cloud': {
      // A page may ask for a cloud that another has replaced since: it is given that one, and asks again when it hears of it.
      const component = scenes && Number(rest[0]) <= scenes.revision ? scenes.components[Number(rest[1])] : undefined;
      return (
        component && {
          type: 'application/octet-stream',
          bytes: encodeCloud(component.scene.cloud, component.scene.depthMaps),
        }
      );
    }
    case 'mask': {
      const bytes = project.mask(rest[0]!);
      return bytes && { type: 'application/octet-stream', bytes };
    }
    case 'maps': {
      const view = alignment?.components.flatMap(({ views }) => views).find(({ photo }) => photo === rest[0]);
      return view && { type: 'application/octet-stream', bytes: photoMaps(view) };
    }
    case 'pair': {
      const [a, b, maps, index] = rest;
      if (maps !== 'maps') return undefined;
      const pair = project.pairs().find((each) => (each.a === a && each.b === b) || (each.a === b && each.b === a));
      const view = pair?.observation === undefined ? undefined : project.observedView(pair.observation, Number(index));
      return view && { type: 'application/octet-stream', bytes: pairMaps(view) };
    }
    default:
      return undefined;
  }
}

function photoMaps(view: DepthMap): Uint8Array {
  const { width, height, originalFromView, depth, confidence, inferred } = view;
  const kept = Uint8Array.from(depth, (z) => Number(z > 0));
  const normals = Int8Array.from(depthNormals(view, kept), (value) => Math.round(127 * value));
  const range = depthRange(view) ?? NO_RANGE;
  return encodeMaps({
    width,
    height,
    originalFromView,
    range,
    depth,
    confidence,
    normals,
    ...(inferred ? { inferred } : {}),
  });
}

/** What a pair says of one of its photos: depths in the frame of its first view. */
function pairMaps({ width, height, points, confidence }: ObservedView): Uint8Array {
  const depth = new Float32Array(confidence.length);
  for (let i = 0; i < depth.length; i++) depth[i] = Math.max(0, points[i * 3 + 2]!);
  return encodeMaps({ width, height, range: depthRange({ depth, confidence }) ?? NO_RANGE, depth, confidence });
}

/** Where no depth is known there is nothing to colour. */
const NO_RANGE = [1, 2] as const;
