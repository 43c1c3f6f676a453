import { threadExecution } from '../compute/execution.js';
import { WorkerPool } from '../compute/pool.js';
import type { StageContext } from '../geometry/stage.js';
import type { Camera, DepthMap, LightGain } from '../geometry/types.js';
import { packBits } from '../numerics/bits.js';
import { invertRigid } from '../numerics/linear.js';
import type { Cleaning } from '../scene/cleaning.js';
import { lightTable } from '../scene/light.js';
import { emptyPage } from './bake.js';
import { emptyCandidates, type Candidates } from './candidates.js';
import { Crew } from './crew.js';
import { mapsWithSky, surfaceOf } from './from-maps.js';
import type { Derived, Wanted } from './levels.js';
import { shared, sharedMesh } from './shared.js';
import type { BlindView, Picture, TexturePhoto } from './texture-photo.js';
import type { TexturedMesh } from './textured.js';
import type { Mesh } from './types.js';
import type { Atlas } from './worker.js';
import { surfaceWorker } from './worker-address.js';

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
  /** Parallel to the cameras. Their arrays may lie behind a cache: no more of them are asked for than are worked on. */
  maps: readonly DepthMap[];
  /** sRGB [h, w, 3] of a map's view: the sky is found by them where the map does not tell it. */
  pixelsOf?: ((index: number) => Uint8Array) | undefined;
  /** What brings each photo to one light (Scene.light); as they are without. */
  light?: readonly LightGain[] | undefined;
  /** [h, w] on a map's pixels, asked photo by photo: 1 where the photo is masked, and gives no colour. */
  masked?: ((index: number) => Promise<Uint8Array | undefined>) | undefined;
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
  const builder = new Builder(input, settings, new Crew(pool, context));
  try {
    return await builder.build();
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
  constructor(
    private readonly input: BuildInput,
    private readonly options: BuildOptions,
    private readonly crew: Crew,
  ) {}

  async build(): Promise<Built> {
    const { crew } = this;
    const maps = await mapsWithSky(this.input, this.options, crew);
    const mesh = this.input.surface ? sharedMesh(this.input.surface) : await this.freshSurface(maps);
    const photos = await this.texturePhotos(maps);
    const candidates = await crew.timed('views', () => this.lookAll(mesh, photos));
    crew.tell('unwrapping', 0, 1);
    const options = { pageSize: this.options.textureSize };
    const atlas = await crew.timed('unwrap', () => crew.ask('unwrap', { mesh, candidates, photos, options }));
    const pages = await crew.timed('texture', () => this.texture(mesh, photos, atlas));
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
        seconds: crew.seconds,
      },
    };
  }

  private async freshSurface(maps: readonly DepthMap[]): Promise<Mesh> {
    const mesh = await this.crew.timed('surface', () => surfaceOf(this.input, maps, this.options, this.crew));
    this.input.onSurface?.(mesh);
    return mesh;
  }

  private async texturePhotos(maps: readonly DepthMap[]): Promise<TexturePhoto[]> {
    const { cameras, sharpness, masked, light } = this.input;
    const photos: TexturePhoto[] = [];
    for (const [k, camera] of cameras.entries()) {
      photos.push({
        ...texturePhoto(camera, sharpness[k] ?? 1),
        blind: blindView(maps[k]!, await masked?.(k)),
        light: light && lightTable(light[k]!),
      });
      await this.crew.breathe();
    }
    return photos;
  }

  private async lookAll(mesh: Mesh, photos: readonly TexturePhoto[]): Promise<Candidates> {
    const faces = await this.crew.ask('facing', { mesh });
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
    await this.crew.each(photos.length, async (index) => {
      const picture = await this.input.picture(index, LOOK_SIDE);
      const earlier = before;
      if (!picture) gone++;
      const own = picture
        ? this.crew.ask('look', { mesh, faces, photo: photos[index]!, picture: sharedPicture(picture) })
        : undefined;
      before = (async () => {
        const [seen] = await Promise.all([own, earlier]);
        if (seen) await this.crew.ask('remember', { candidates, index, look: seen });
        this.crew.tell('choosing photos', ++done, photos.length);
      })();
      await before;
    });
    if (gone > 0)
      this.crew.context.onNote?.(
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
          await Promise.all(bands.map((band) => this.crew.ask('bake', { input, index, picture: given, page: band })));
        }
        this.crew.tell('painting the texture', ++done, used.size * atlas.pages);
      }
      const pixels = await this.crew.ask('finish', { page, number, unseen: { mesh, texels, labels, colours } });
      encoded.push(await this.input.encode(pixels, pageSize));
    }
    return encoded;
  }
}

function texturePhoto(camera: Camera, sharpness: number): TexturePhoto {
  const { width, height, fx, fy, cx, cy, k1, k2 } = camera;
  return { width, height, fx, fy, cx, cy, k1, k2, cameraFromWorld: invertRigid(camera.worldFromCamera), sharpness };
}

function blindView(map: DepthMap, masked: Uint8Array | undefined): BlindView | undefined {
  // It may lie behind a cache, and the depths beside it are not needed.
  const { width, height, focal, centreX, centreY, sky } = map;
  if (!sky?.includes(1) && !masked?.includes(1)) return undefined;
  const flags = Uint8Array.from({ length: width * height }, (_, k) => (sky?.[k] === 1 || masked?.[k] === 1 ? 1 : 0));
  return { width, height, focal, centreX, centreY, bits: shared(packBits(flags)) };
}

function sharedPicture({ width, height, pixels }: Picture): Picture {
  return { width, height, pixels: shared(pixels) };
}
