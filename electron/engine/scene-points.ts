import { UserError } from '../contract/errors.js';
import { luma } from '../numerics/luma.js';
import type { KnownLength, LengthEnd, ScenePixel } from '../contract/scene.js';
import type { Camera, Scene } from '../geometry/types.js';
import { readPixels } from '../photos/reader.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { cameraPoint, checkApart, endPoint, pointInPhotos, type FoundPoint } from '../scene/ends.js';
import { pointAtPixel, type SurfacePoint } from '../scene/points.js';
import { refinePoint, type GreyPicture } from '../scene/refine.js';
import { distanceBetween, fitScale, type ScaleFit } from '../scene/scale.js';

/** Photos that a point is compared in: more change little. */
const OTHERS = 8;
/** Pixels of the long side: beyond it a photo is read reduced. */
const LONG_SIDE = 4000;
/** Bytes of pictures that are kept between two points. */
const KEPT = 300e6;

/** Finds the scene points of pixels, in the alignment's world, as exactly as the photos allow. */
export class ScenePoints {
  private readonly pictures = new Map<string, GreyPicture | undefined>();

  constructor(
    private readonly project: Project,
    /** The largest component, in the alignment's world. */
    private readonly component: Scene,
  ) {}

  /** @throws UserError 'bad-input' where no depth is known */
  async find(end: LengthEnd): Promise<FoundPoint> {
    try {
      if ('camera' in end) return cameraPoint(end.camera, this.component);
      return end.others?.length ? pointInPhotos(end, this.component) : await this.onSurface(end);
    } catch (error) {
      throw this.inNames(error);
    }
  }

  /** The scene knows photos by their id, which says nothing to a person. */
  private inNames(error: unknown): unknown {
    if (!(error instanceof UserError)) return error;
    const names = this.project.photos().reduce((text, { id, name }) => text.replaceAll(id, name), error.message);
    return new UserError(error.code, names, { cause: error });
  }

  private async onSurface(pixel: ScenePixel): Promise<SurfacePoint> {
    const { cameras, depthMaps } = this.component;
    const point = pointAtPixel(pixel, cameras, depthMaps);
    const camera = cameras.find(({ photo }) => photo === pixel.photo)!;
    const others = nearest(point, camera, cameras).slice(0, OTHERS);
    await this.read([camera, ...others]);
    const pictures = new Map<string, GreyPicture>();
    for (const { photo } of [camera, ...others]) {
      const picture = this.pictures.get(photo);
      if (picture) pictures.set(photo, picture);
    }
    return refinePoint(point, camera, others, pictures);
  }

  /** The lengths with their distances in the alignment's world. */
  async measured(lengths: readonly KnownLength[], alignment: string): Promise<KnownLength[]> {
    const result: KnownLength[] = [];
    for (const length of lengths) {
      checkApart(length.a, length.b);
      const [a, b] = [await this.find(length.a), await this.find(length.b)];
      const deviation = Math.hypot(a.deviation, b.deviation);
      result.push({ ...length, measured: { alignment, distance: distanceBetween(a, b), deviation } });
    }
    return result;
  }

  private async read(cameras: readonly Camera[]): Promise<void> {
    const missing = cameras.filter(({ photo }) => !this.pictures.has(photo));
    if (missing.length === 0) return;
    const photos = new Map(this.project.photos().map((photo) => [photo.id, photo]));
    for (const { photo } of missing) {
      const bytes = [...this.pictures.values()].reduce((sum, picture) => sum + (picture?.values.length ?? 0), 0);
      if (bytes > KEPT) this.pictures.clear();
      const known = photos.get(photo);
      // A photo that is gone can't be compared: the depths alone say where the point is.
      this.pictures.set(photo, known && (await greyPicture(known).catch(() => undefined)));
    }
  }
}

/** The other cameras that stand nearest to the photo's, in front of which the point is. */
function nearest({ position }: SurfacePoint, camera: Camera, cameras: readonly Camera[]): Camera[] {
  const centre = ({ worldFromCamera: M }: Camera): number[] => [M[3]!, M[7]!, M[11]!];
  const at = centre(camera);
  const apart = (other: Camera): number => Math.hypot(...centre(other).map((value, i) => value - at[i]!));
  return cameras
    .filter((other) => other.photo !== camera.photo && sees(other, position))
    .sort((a, b) => apart(a) - apart(b));
}

function sees({ worldFromCamera: M, fx, fy, cx, cy, width, height }: Camera, position: readonly number[]): boolean {
  const d = [3, 7, 11].map((at, i) => position[i]! - M[at]!);
  const [x, y, z] = [0, 1, 2].map((i) => M[i]! * d[0]! + M[4 + i]! * d[1]! + M[8 + i]! * d[2]!) as [
    number,
    number,
    number,
  ];
  const [u, v] = [(fx * x) / z + cx, (fy * y) / z + cy];
  return z > 0 && u > 0 && v > 0 && u < width && v < height;
}

/** Brightness of a photo; larger ones than `longSide` are reduced. @throws UserError 'not-found' */
export async function greyPicture(photo: ProjectPhoto, longSide = LONG_SIDE): Promise<GreyPicture> {
  const { width, height, pixels } = await readPixels(photo, { longSide });
  return { width, height, values: luma(pixels) };
}

/**
 * The scale that known lengths give. Distances that were found for this alignment are used; for others, whose alignment
 * is gone, the depth maps say where the ends are.
 *
 * @throws UserError 'bad-input' where an end has no depth any more
 */
export function scaleOf(lengths: readonly KnownLength[], alignment: string, component: Scene): LengthsFit {
  const found = lengths.map(({ a, b, measured }) => {
    const { distance, deviation } = measured?.alignment === alignment ? measured : {};
    if (distance !== undefined && deviation !== undefined) return { distance, deviation };
    // Given before deviations were kept, or for another alignment.
    const ends = [endPoint(a, component), endPoint(b, component)] as const;
    return {
      distance: distance ?? distanceBetween(...ends),
      deviation: Math.hypot(...ends.map((end) => end.deviation)),
    };
  });
  const fit = fitScale(
    lengths,
    found.map(({ distance }) => distance),
  );
  return { ...fit, deviations: found.map(({ deviation }) => deviation * fit.metresPerUnit) };
}

/** @property deviations one standard deviation of each length, from those of its ends, in metres */
export interface LengthsFit extends ScaleFit {
  deviations: number[];
}
