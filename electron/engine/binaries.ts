import sharp from 'sharp';
import { encodeCloud } from '../contract/cloud.js';
import { UserError } from '../contract/errors.js';
import type { ObservedView, Photo } from '../geometry/types.js';
import { readMask } from '../photos/masks.js';
import { readPreview } from '../photos/reader.js';
import { colourMap } from './colour-map.js';
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
  const [kind, ...rest] = decoded(name);
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

function decoded(name: string): string[] {
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
      const component = scenes?.revision === Number(rest[0]) ? scenes.components[Number(rest[1])] : undefined;
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
    case 'depth':
    case 'confidence': {
      const view = alignment?.components.flatMap(({ views }) => views).find(({ photo }) => photo === rest[0]);
      return view && (kind === 'depth' ? depthPicture(view) : confidencePicture(view));
    }
    case 'pair': {
      const [a, b, map, index] = rest;
      const pair = project.pairs().find((each) => (each.a === a && each.b === b) || (each.a === b && each.b === a));
      const view = pair?.observation === undefined ? undefined : project.observedView(pair.observation, Number(index));
      return view && (map === 'depth' ? depthPicture(withDepth(view)) : confidencePicture(view));
    }
    default:
      return undefined;
  }
}

interface Maps {
  width: number;
  height: number;
  depth: Float32Array;
  confidence: Float32Array;
}

/** Near is warm, far is cold; equal steps of inverse depth, as disparity has them. */
function depthPicture({ width, height, depth, confidence }: Maps): Promise<BinaryResource> {
  const [near, far] = depthRange({ depth, confidence }) ?? [1, 2];
  const inverse = depth.map((value) => (value > 0 ? 1 / value : 0));
  return png(colourMap(inverse, width, height, 1 / far, 1 / near, (i) => depth[i]! > 0 && confidence[i]! > 1));
}

function confidencePicture({ width, height, confidence }: Omit<Maps, 'depth'>): Promise<BinaryResource> {
  const logarithm = confidence.map((value) => Math.log(value));
  const highest = logarithm.reduce((most, value) => Math.max(most, value), 0.1);
  return png(colourMap(logarithm, width, height, 0, highest, () => true));
}

function withDepth({ width, height, points, confidence }: ObservedView): Maps {
  const depth = new Float32Array(confidence.length);
  for (let i = 0; i < depth.length; i++) depth[i] = Math.max(0, points[i * 3 + 2]!);
  return { width, height, depth, confidence };
}
