import { threadExecution, type Executor } from '../compute/execution.js';
import { WorkerPool } from '../compute/pool.js';
import { UserError } from '../contract/errors.js';
import type { StageContext } from '../geometry/stage.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import type { Cleaning } from '../scene/cleaning.js';
import { breath } from '../scene/kept-pixels.js';
import { lightGains, lightTable } from '../scene/light.js';
import { invertRigid } from '../numerics/linear.js';
import { emptyPage } from './bake.js';
import { emptyCandidates, type Candidates } from './candidates.js';
import type { Erasure } from './erase.js';
import type { Derived, Wanted } from './levels.js';
import { shared, sharedMesh } from './shared.js';
import type { Picture, TexturePhoto } from './texture-photo.js';
import type { TexturedMesh } from './textured.js';
import type { BlockSurface } from './fusion.js';
import type { Mesh } from './types.js';
import { cutOut, windowOf } from './window.js';
import type { Atlas, StepName, Steps } from './worker.js';

export interface BuildOptions {
  /** Faces of the mesh, about. */
  faces: number;
  /** Side of a texture page, pixels. */
  textureSize: number;
  /** Pixels of less confidence are left out; at least 1. */
  minConfidence: number;
  removeFloating: boolean;
  /** Closes large holes too; the new faces are marked as inferred. */
  closeHoles: boolean;
  threads?: number | undefined;
}

export const BUILD_DEFAULTS: BuildOptions = {
  faces: 500_000,
  textureSize: 4096,
  minConfidence: 2,
  removeFloating: true,
  closeHoles: false,
};

export interface BuildInput {
  cameras: readonly Camera[];
  /** Parallel to the cameras. */
  maps: readonly DepthMap[];
  /**
   * sRGB [h, w, 3] of a map's view: by them photos are brought to one light, and the sky is found where the map does not
   * tell it.
   */
  pixelsOf?: ((index: number) => Uint8Array) | undefined;
  /** [h, w] on the maps' pixels, parallel to them: 1 where the photo is masked, and gives no colour. */
  masked?: readonly (Uint8Array | undefined)[] | undefined;
  /** What was taken away, in the world of the cameras. */
  cleaning?: Cleaning | undefined;
  /** 0 (blurred) to 1 (sharp), parallel to the cameras. */
  sharpness: readonly number[];
  /**
   * A photo's pixels, the long side at most so many; undefined when its file is gone. Its faces then take the next best
   * photo.
   */
  picture: (index: number, longSide: number) => Promise<Picture | undefined>;
  /** The finished surface of a build that was ended before its texture was; it is taken as it is. */
  surface?: Mesh | undefined;
  /** Told the finished surface before it is textured. */
  onSurface?: (mesh: Mesh) => void;
  /** Codes a page, sRGB [size, size, 3], as JPEG. */
  encode: (pixels: Uint8Array, size: number) => Promise<Uint8Array>;
}

export interface Built {
  mesh: TexturedMesh;
  facts: {
    faces: number;
    inferred: number;
    pages: number;
    charts: number;
    /** Texels per pixel of the photos. */
    scale: number;
    /** Wall-clock seconds per step. */
    seconds: Record<string, number>;
  };
}

/** The module that does this room's steps (worker.ts). */
export const surfaceWorker = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './surface-worker.js',
  import.meta.url,
);

/** Long side of the pictures that photos are judged by. */
const LOOK_SIDE = 1600;

/**
 * From depth maps to a textured mesh. All work is done by worker threads; an abort ends them.
 *
 * @throws UserError 'bad-input' when the depth maps hold no surface, the signal's reason when cancelled
 */
export async function buildMesh(
  input: BuildInput,
  options: Partial<BuildOptions> = {},
  context: Partial<StageContext> = {},
): Promise<Built> {
  const settings = { ...BUILD_DEFAULTS, ...options };
  const pool = (context.execution ?? threadExecution).open('surface', surfaceWorker, settings.threads);
  const builder = new Builder(input, settings, context, pool);
  try {
    return await builder.build();
  } finally {
    await pool.close();
  }
}

/** The mesh without what was taken away since it was built (see erase.ts), on a thread of its own. */
export async function eraseFrom(mesh: TexturedMesh, erasure: Erasure): Promise<TexturedMesh> {
  const pool = new WorkerPool(surfaceWorker, 1);
  try {
    return await pool.run<TexturedMesh>({ step: 'erase', request: { mesh, erasure } });
  } finally {
    await pool.close();
  }
}

/** Lighter copies and a collision mesh, on a thread of its own. */
export async function deriveFrom(mesh: TexturedMesh, wanted: Wanted): Promise<Derived> {
  const pool = new WorkerPool(surfaceWorker, 1);
  try {
    return await pool.run<Derived>({ step: 'derive', request: { mesh, wanted } });
  } finally {
    await pool.close();
  }
}

class Builder {
  private readonly seconds: Record<string, number> = {};

  constructor(
    private readonly input: BuildInput,
    private readonly options: BuildOptions,
    private readonly context: Partial<StageContext>,
    private readonly pool: Executor,
  ) {}

  async build(): Promise<Built> {
    const maps = await this.mapsWithSky();
    const mesh = this.input.surface ? sharedMesh(this.input.surface) : await this.freshSurface(maps);
    const photos = await this.texturePhotos(maps);
    const candidates = await this.timed('views', () => this.lookAll(mesh, photos));
    this.tell('unwrapping', 0, 1);
    const options = { pageSize: this.options.textureSize };
    const atlas = await this.timed('unwrap', () => this.ask('unwrap', { mesh, candidates, photos, options }));
    const pages = await this.timed('texture', () => this.texture(mesh, photos, atlas));
    const { pageFaces, ...laidOut } = atlas.laidOut;
    const textured: TexturedMesh = {
      ...laidOut,
      pages: pages.map((picture, k) => ({ picture, type: 'image/jpeg', ...pageFaces[k]! })),
    };
    return {
      mesh: textured,
      facts: {
        faces: textured.photo.length,
        inferred: textured.inferred.reduce((sum, one) => sum + one, 0),
        pages: atlas.pages,
        charts: atlas.charts,
        scale: atlas.scale,
        seconds: this.seconds,
      },
    };
  }

  private async freshSurface(maps: readonly DepthMap[]): Promise<Mesh> {
    const mesh = await this.timed('surface', () => this.surface(maps));
    this.input.onSurface?.(mesh);
    return mesh;
  }

  private async surface(maps: readonly DepthMap[]): Promise<Mesh> {
    const { cameras, cleaning } = this.input;
    const { minConfidence, removeFloating, faces, closeHoles } = this.options;
    this.tell('looking at the depth maps', 0, 1);
    const request = { cameras, maps, cleaning, options: { minConfidence, removeFloating } };
    const { views, blocks } = await this.ask('plan', request);
    const parts: BlockSurface[] = [];
    let done = 0;
    await this.each(blocks.length, async (k) => {
      // Only the parts of the views that the block needs: of hundreds that see a place, each shows it in a corner.
      const cut = blocks[k]!.views.flatMap((index) => {
        const window = windowOf(views[index]!, blocks[k]!);
        return window ? [cutOut(views[index]!, window)] : [];
      });
      const block = { ...blocks[k]!, views: [...cut.keys()] };
      parts[k] = await this.ask('fuse', { views: cut, block, options: {} });
      this.tell('building the surface', ++done, blocks.length);
    });
    this.tell('cleaning and simplifying', 0, 1);
    const mesh = await this.ask('refine', { blocks: parts, views, options: { faces, closeHoles } });
    if (mesh.indices.length === 0)
      throw new UserError(
        'bad-input',
        'the depth maps hold no surface: too little is confident; lower the confidence, or take more photos that overlap',
      );
    return mesh;
  }

  /** The maps in memory that all threads see, with the sky found in those that were made without looking for it. */
  private async mapsWithSky(): Promise<DepthMap[]> {
    const { minConfidence } = this.options;
    const { maps, pixelsOf } = this.input;
    return Promise.all(
      maps.map(async (given, k) => {
        const map = sharedMap(given);
        if (map.sky || !pixelsOf) return map;
        const pixels = shared(pixelsOf(k));
        const sky = await this.ask('sky', { map, pixels, options: { minConfidence } });
        return sky ? { ...map, sky } : map;
      }),
    );
  }

  private async texturePhotos(maps: readonly DepthMap[]): Promise<TexturePhoto[]> {
    const { cameras, sharpness, masked, pixelsOf } = this.input;
    const gains = pixelsOf && (await lightGains(cameras, maps, pixelsOf, { breathe: breath(this.context.signal) }));
    return cameras.map((camera, k) => ({
      ...texturePhoto(camera, sharpness[k] ?? 1),
      blind: blindView(maps[k]!, masked?.[k]),
      light: gains && lightTable(gains[k]!),
    }));
  }

  private async lookAll(mesh: Mesh, photos: readonly TexturePhoto[]): Promise<Candidates> {
    const faces = await this.ask('facing', { mesh });
    const empty = emptyCandidates(mesh.indices.length / 3);
    const candidates: Candidates = {
      photo: shared(empty.photo),
      quality: shared(empty.quality),
      colour: shared(empty.colour),
    };
    // Photos are remembered in their own order, whichever is looked through first: the result is the same each time.
    let before: Promise<unknown> = Promise.resolve();
    let done = 0;
    let gone = 0;
    await this.each(photos.length, async (index) => {
      const picture = await this.input.picture(index, LOOK_SIDE);
      const earlier = before;
      if (!picture) gone++;
      const own = picture
        ? this.ask('look', { mesh, faces, photo: photos[index]!, picture: sharedPicture(picture) })
        : undefined;
      before = (async () => {
        const [seen] = await Promise.all([own, earlier]);
        if (seen) await this.ask('remember', { candidates, index, look: seen });
        this.tell('choosing photos', ++done, photos.length);
      })();
      await before;
    });
    if (gone > 0)
      this.context.onNote?.(
        `${gone === 1 ? 'a photo is' : `${gone} photos are`} missing; the mesh is coloured from the others`,
      );
    return candidates;
  }

  private async texture(mesh: Mesh, photos: readonly TexturePhoto[], atlas: Atlas): Promise<Uint8Array[]> {
    const { labels, levels, texels, layers, colours, pageSize } = atlas;
    const used = new Set(layers.photo);
    const encoded: Uint8Array[] = [];
    let done = 0;
    for (let number = 0; number < atlas.pages; number++) {
      const page = emptyPage(pageSize);
      for (const index of [...used].sort((a, b) => a - b)) {
        const photo = photos[index]!;
        // Reduced by whole steps only where texels are much larger than pixels: the texture stays sharp.
        const longSide = Math.ceil(Math.max(photo.width, photo.height) * Math.min(1, 1.25 * atlas.scale));
        const picture = await this.input.picture(index, longSide);
        if (picture) {
          const input = { mesh, texels, layers, photos, levels };
          const half = pageSize >> 1;
          const bands = [
            { page, number, firstRow: 0, endRow: half },
            { page, number, firstRow: half, endRow: pageSize },
          ];
          const given = sharedPicture(picture);
          await Promise.all(bands.map((band) => this.ask('bake', { input, index, picture: given, page: band })));
        }
        this.tell('painting the texture', ++done, used.size * atlas.pages);
      }
      const pixels = await this.ask('finish', { page, number, unseen: { mesh, texels, labels, colours } });
      encoded.push(await this.input.encode(pixels, pageSize));
    }
    return encoded;
  }

  /** One piece of work more than there are threads is under way, so that none waits for a file. */
  private async each(count: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const runners = Array.from({ length: Math.min(count, this.pool.size + 1) }, async () => {
      while (next < count) await work(next++);
    });
    await Promise.all(runners);
  }

  private ask<S extends StepName>(step: S, request: Steps[S]['request']): Promise<Steps[S]['answer']> {
    const { signal, pass } = this.context;
    return this.pool.run<Steps[S]['answer']>({ step, request }, { signal, pass });
  }

  private tell(stage: string, done: number, total: number): void {
    this.context.signal?.throwIfAborted();
    this.context.onProgress?.({ stage, done, total });
  }

  private async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.seconds[name] = Math.round(performance.now() - started) / 1000;
    return result;
  }
}

function texturePhoto(camera: Camera, sharpness: number): TexturePhoto {
  const { width, height, fx, fy, cx, cy, k1, k2 } = camera;
  return { width, height, fx, fy, cx, cy, k1, k2, cameraFromWorld: invertRigid(camera.worldFromCamera), sharpness };
}

function blindView({ width, height, focal, centreX, centreY, sky }: DepthMap, masked?: Uint8Array) {
  if (!sky?.includes(1) && !masked?.includes(1)) return undefined;
  const flags = Uint8Array.from({ length: width * height }, (_, k) => (sky?.[k] === 1 || masked?.[k] === 1 ? 1 : 0));
  return { width, height, focal, centreX, centreY, flags: shared(flags) };
}

function sharedMap(map: DepthMap): DepthMap {
  const { inferred, sky } = map;
  return {
    ...map,
    depth: shared(map.depth),
    confidence: shared(map.confidence),
    ...(inferred ? { inferred: shared(inferred) } : {}),
    ...(sky ? { sky: shared(sky) } : {}),
  };
}

function sharedPicture({ width, height, pixels }: Picture): Picture {
  return { width, height, pixels: shared(pixels) };
}
