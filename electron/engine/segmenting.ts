import { graphPath } from '../../native-models/network.js';
import { installedModels } from '../../native-models/registry/folder.js';
import { openSegmenter, SEGMENT_SIDE, type Segmenter, type SegmentView } from '../../native-models/segmentation/sam.js';
import type { Params, Result } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import type { PhotoReader } from '../geometry/stage.js';
import type { Photo } from '../geometry/types.js';

/** The network's memory is given back after so many milliseconds without a question. */
const IDLE = 120_000;

/**
 * What a click or a box in a photo means, by an installed network (Segment Anything). A photo is looked at once; the
 * clicks after the first are answered in a fraction of a second.
 */
export class Segmenting {
  private opened: Promise<Segmenter> | undefined;
  private seen: { photo: string; view: SegmentView } | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly reader: PhotoReader) {}

  /** @throws UserError 'not-found' when no such network is installed */
  async ask(photo: Photo, question: Omit<Params<'photos.segment'>, 'photo'>): Promise<Result<'photos.segment'>> {
    clearTimeout(this.timer);
    const answer = this.last.then(() => this.answer(photo, question));
    // One question after the other, whatever became of the one before.
    this.last = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    // A graph that is running is not taken away.
    await this.last;
    const opened = this.opened;
    this.opened = undefined;
    this.seen = undefined;
    await (await opened?.catch(() => undefined))?.close();
  }

  private async answer(
    photo: Photo,
    { width, height, points, box }: Omit<Params<'photos.segment'>, 'photo'>,
  ): Promise<Result<'photos.segment'>> {
    this.opened ??= openInstalled();
    // An opening that failed is tried again: the network may be installed meanwhile.
    const segmenter = await this.opened.catch((error: unknown) => {
      this.opened = undefined;
      throw error;
    });
    if (this.seen?.photo !== photo.id) {
      const picture = await this.reader.read(photo, { longSide: SEGMENT_SIDE });
      this.seen = { photo: photo.id, view: await segmenter.look(picture) };
    }
    const { view } = this.seen;
    const [across, down] = [view.width / width, view.height / height];
    const mask = await segmenter.mask(view, {
      points: points.map(({ x, y, isObject }) => ({ x: x * across, y: y * down, isObject })),
      box: box && { x0: box.x0 * across, y0: box.y0 * down, x1: box.x1 * across, y1: box.y1 * down },
    });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.close(), IDLE).unref();
    return { runs: runsOf(mask, view, width, height) };
  }
}

async function openInstalled(): Promise<Segmenter> {
  const installed = await installedModels();
  for (const kind of ['sam', 'sam2'] as const) {
    const [encoder, decoder] = (['encoder', 'decoder'] as const).map((part) =>
      installed.find(({ card }) => card.architecture === `${kind}-${part}`),
    );
    if (!encoder || !decoder) continue;
    const path = ({ folder }: typeof encoder): string => graphPath(folder, 'float32', 'graph');
    return openSegmenter({ encoder: path(encoder), decoder: path(decoder) });
  }
  throw new UserError(
    'not-found',
    'the network that finds objects by a click is not installed (MobileSAM, Apache-2.0, 45 MB); add it with: pointmap models add mobilesam-encoder && pointmap models add mobilesam-decoder, or paint by hand',
  );
}

/** Lengths of runs beside and on the object by turns, row by row, at another size of the picture. */
function runsOf(mask: Uint8Array, view: { width: number; height: number }, width: number, height: number): number[] {
  const runs: number[] = [];
  let [value, length] = [0, 0];
  for (let y = 0; y < height; y++) {
    const row = Math.min(view.height - 1, Math.floor(((y + 0.5) * view.height) / height)) * view.width;
    for (let x = 0; x < width; x++) {
      const own = mask[row + Math.min(view.width - 1, Math.floor(((x + 0.5) * view.width) / width))]!;
      if (own !== value) {
        runs.push(length);
        [value, length] = [own, 0];
      }
      length++;
    }
  }
  runs.push(length);
  return runs;
}
