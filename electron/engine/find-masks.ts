import { mkdir } from 'node:fs/promises';
import type { PhotoReader, StageContext } from '../geometry/stage.js';
import { beforePlain, withoutSky } from '../photos/found-masks/plain.js';
import { movingParts, type SmallPicture, type StillPartner } from '../photos/found-masks/still.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { stillPairs, type StillPair } from '../sparse/still.js';
import { isOwnMask, writeMask, type TakenMasks } from './masks.js';

/** Masks are found on pictures of this long side. */
const SIDE = 480;
/** The background of so many of the photos must stand still for all of them to be masked by what moves. */
const MOST_STILL = 0.7;
/** What is kept of a photo, on average, when an object turns: outside of these it was something else that changed. */
const KEPT = { least: 0.02, most: 0.75 };

/** How the masks of a set were found. */
type Kind = 'still' | 'plain' | 'sky';

const words: Record<Kind, string> = {
  still: 'what moves before a background that stands still',
  plain: 'what stands before a plain background',
  sky: 'all but the sky',
};

/**
 * Finds masks for the enabled photos from what they show: of a turntable the part that moves, else what stands before a
 * plain background, else all but the sky. They are written into `folder` and can be changed there.
 *
 * @throws the signal's reason
 */
export async function findMasks(
  project: Project,
  reader: PhotoReader,
  folder: string,
  context: StageContext,
  threads?: number,
): Promise<TakenMasks> {
  const photos = project.photos().filter((photo) => photo.enabled && !isOwnMask(photo));
  const bare = photos.map((photo) => ({ ...photo, mask: undefined }) as ProjectPhoto);
  const pictures: SmallPicture[] = [];
  for (const photo of bare) pictures.push(await reader.read(photo, { longSide: SIDE }));
  const found = (await turning(bare, pictures, reader, context, threads)) ?? separately(pictures);
  const notes: string[] = [];
  const without: string[] = [];
  await mkdir(folder, { recursive: true });
  for (const [k, photo] of photos.entries()) {
    const mask = found[k];
    if (!mask) {
      without.push(photo.name);
      continue;
    }
    project.setFacts(photo.id, { mask: await writeMask(folder, photo.id, pictures[k]!, mask.keep) });
  }
  for (const kind of ['still', 'plain', 'sky'] as const) {
    const of = found.filter((each) => each?.kind === kind);
    if (of.length === 0) continue;
    const kept = of.reduce((sum, each) => sum + shareOf(each!.keep), 0) / of.length;
    notes.push(
      `masks found for ${of.length} of ${photos.length} photos: ${words[kind]} is used, ${Math.round(100 * kept)} % of the pixels; they lie in ${folder}`,
    );
  }
  if (photos.length > without.length && without.length > 0)
    notes.push(`no mask found for ${without.length} photos, all of them is used: ${without.join(', ')}`);
  return { found: photos.length - without.length, without, notes };
}

type Found = { kind: Kind; keep: Uint8Array } | undefined;

const shareOf = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;

/** Undefined where the background does not stand still. */
async function turning(
  photos: readonly ProjectPhoto[],
  pictures: readonly SmallPicture[],
  reader: PhotoReader,
  context: StageContext,
  threads: number | undefined,
): Promise<Found[] | undefined> {
  if (photos.length < 3) return undefined;
  const pairs = await stillPairs(photos, reader, context, threads);
  const partners = pictures.map((_, k) => pairs.flatMap((pair) => partnerOf(k, pair, pictures)));
  if (partners.filter((list) => list.length > 1).length < MOST_STILL * photos.length) return undefined;
  const parts = movingParts(pictures, partners);
  const shares = parts.flatMap((part) => (part ? [shareOf(part)] : []));
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  if (mean < KEPT.least || mean > KEPT.most) return undefined;
  return parts.map((keep) => keep && { kind: 'still', keep });
}

function partnerOf(k: number, { a, b, motion }: StillPair, pictures: readonly SmallPicture[]): StillPartner[] {
  if (k !== a && k !== b) return [];
  const [own, other] = [pictures[k]!, pictures[k === a ? b : a]!];
  const square = motion.a ** 2 + motion.b ** 2;
  const move = (x: number, y: number): [number, number] => {
    if (k === a) return [motion.a * x - motion.b * y + motion.u, motion.b * x + motion.a * y + motion.v];
    const [p, q] = [x - motion.u, y - motion.v];
    return [(motion.a * p + motion.b * q) / square, (motion.a * q - motion.b * p) / square];
  };
  const [long, otherLong] = [Math.max(own.width, own.height), Math.max(other.width, other.height)];
  return [
    {
      other: k === a ? b : a,
      at: (x, y) => {
        const [u, v] = move((x - (own.width - 1) / 2) / long, (y - (own.height - 1) / 2) / long);
        return [u * otherLong + (other.width - 1) / 2, v * otherLong + (other.height - 1) / 2];
      },
    },
  ];
}

function separately(pictures: readonly SmallPicture[]): Found[] {
  return pictures.map((picture) => {
    const object = beforePlain(picture);
    if (object) return { kind: 'plain', keep: object };
    const ground = withoutSky(picture);
    return ground && { kind: 'sky', keep: ground };
  });
}
