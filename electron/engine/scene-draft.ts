import { createHash } from 'node:crypto';
import { decodeMask, encodeMask, wholeCells } from '../contract/mask.js';
import { UserError } from '../contract/errors.js';
import {
  controlCount,
  LEAST_CONTROLS,
  type ControlPoint,
  type Deletion,
  type KnownLength,
  type Measurement,
  type SceneChange,
  type SceneDocument,
  type ScenePixel,
  type SceneRegion,
  type Vector,
} from '../contract/scene.js';
import { compose, invert, transform, type Similarity } from '../geometry/similarity.js';
import type { Scene } from '../geometry/types.js';
import { keptPoints } from '../scene/cleaning.js';
import { controlFrame } from '../scene/control.js';
import { checkApart } from '../scene/ends.js';
import type { FrameSamples } from '../scene/frame-samples.js';
import { areSame, frameWithUp, stored, unlevelledFrame, withScale, type Frame } from '../scene/frame.js';
import { cross, unit } from '../scene/level.js';
import { movedRegion } from '../scene/region.js';
import type { ScaleFit } from '../scene/scale.js';
import { scaleOf, type ScenePoints } from './scene-points.js';
import { readSelection } from './selection-file.js';

export interface DraftBase {
  document: SceneDocument;
  frame: Frame;
  /** Key of the alignment. */
  alignment: string;
  /** The largest component, in the alignment's world. */
  component: Scene;
  points: ScenePoints;
  /** Of the component. */
  samples: FrameSamples;
  /** What the photos alone say, and what is seen while nobody decides: of earlier photos, where there were any. */
  automatic: Frame;
  undecided: Frame;
}

/**
 * Changes to a scene document that are tried first and stored together: whatever is wrong with one of them, nothing is
 * changed. Every method throws a `UserError` 'bad-input' for what does not fit the scene.
 */
export class SceneDraft {
  private frame: Frame;
  private region: SceneRegion | undefined;
  private lengths: KnownLength[];
  private deletions: Deletion[];
  private measurements: Measurement[];
  private controls: ControlPoint[];
  private offset: Vector | undefined;
  private readonly titles: string[] = [];
  private readonly masks: Uint8Array[] = [];
  private automatic: boolean;

  constructor(private readonly base: DraftBase) {
    this.frame = base.frame;
    this.region = base.document.region;
    this.lengths = base.document.lengths;
    this.deletions = base.document.deletions;
    this.measurements = base.document.measurements;
    this.controls = base.document.controls;
    this.offset = base.document.offset;
    this.automatic = base.document.frame === undefined;
  }

  levelAutomatically(): this {
    this.setFrame(this.scaled(this.base.automatic));
    this.automatic = this.frame.unit === 'scene' && areSame(this.base.automatic, this.base.undecided);
    return this.did('Level automatically');
  }

  /** The first photo's own tilt. */
  unlevel(): this {
    this.setFrame(this.scaled(unlevelledFrame()));
    return this.did('No levelling');
  }

  /** Three points of a surface that is level. */
  async levelByPoints(points: readonly [ScenePixel, ScenePixel, ScenePixel]): Promise<this> {
    const [a, b, c] = [await this.aligned(points[0]), await this.aligned(points[1]), await this.aligned(points[2])];
    const [ab, ac] = [difference(b, a), difference(c, a)];
    const normal = cross(ab, ac);
    if (!(Math.hypot(...normal) > 1e-3 * Math.hypot(...ab) * Math.hypot(...ac)))
      throw new UserError(
        'bad-input',
        'the three points lie on one line, which says nothing about level; choose others',
      );
    return this.levelWithUp(normal, 'points').did('Level by three points');
  }

  /** Two points of an edge that is vertical. */
  async levelByEdge(a: ScenePixel, b: ScenePixel): Promise<this> {
    const edge = difference(await this.aligned(b), await this.aligned(a));
    if (!(Math.hypot(...edge) > 0))
      throw new UserError('bad-input', 'the two ends of the edge are one point; choose two that are farther apart');
    return this.levelWithUp(edge, 'edge').did('Level by an edge');
  }

  /** @param rotation row-major 3x3, newScene-from-scene */
  turnByHand(rotation: readonly number[]): this {
    const turned: Similarity = {
      scale: 1,
      rotation: Float64Array.from(rotation),
      translation: new Float64Array(3),
    };
    this.setFrame({ ...this.frame, level: 'hand', sceneFromAlignment: compose(turned, this.frame.sceneFromAlignment) });
    return this.did('Level by hand');
  }

  async originAt(pixel: ScenePixel): Promise<this> {
    const { sceneFromAlignment: before } = this.frame;
    const moved = transform(before, await this.aligned(pixel));
    const translation = before.translation.map((value, i) => value - moved[i]!);
    this.setFrame({ ...this.frame, sceneFromAlignment: { ...before, translation } });
    return this.did('Set the origin');
  }

  /** The lengths given replace those before; none at all takes the scale away. */
  async scale(lengths: readonly KnownLength[]): Promise<this> {
    const { points, alignment, component } = this.base;
    this.lengths = await points.measured(lengths, alignment);
    if (lengths.length === 0) {
      this.setFrame({ ...withScale(this.frame, 1), unit: 'scene' });
    } else {
      this.setFrame(withScale(this.frame, scaleOf(this.lengths, alignment, component).metresPerUnit));
    }
    return this.did(lengths.length === 0 ? 'Forget the scale' : 'Set the scale');
  }

  /** A frame that was found outside: from known cameras, markers or places on the earth. */
  useFrame(frame: Frame, title: string): this {
    this.setFrame(frame);
    return this.did(title);
  }

  /**
   * Points with known coordinates instead of those before. The frame follows the control points; with check points alone
   * it stays, and while there are too few to follow: the studio adds one after the other.
   */
  control(points: readonly ControlPoint[], offset: Vector | undefined): this {
    this.controls = [...points];
    this.offset = offset;
    if (controlCount(points) >= LEAST_CONTROLS) this.setFrame(controlFrame(points, this.base.component));
    return this.did(points.length > 0 ? 'Set control points' : 'Forget the control points');
  }

  crop(region: SceneRegion | undefined): this {
    this.region = region;
    if (region) this.checkHolds('the region holds no point of the scene; compare it with the size that `scene` shows');
    return this.did(region ? 'Crop' : 'Remove the crop box');
  }

  /**
   * @param bytes of a mask (contract/mask.ts)
   * @param cell of a cloud of which only one pixel in each cell is shown: what is named by it means the cell
   */
  clean(given: Uint8Array, mode: Deletion['mode'], title: string, cell = 1): this {
    let bytes = given;
    try {
      const masks = decodeMask(given);
      if (cell > 1) bytes = encodeMask(masks.map((mask) => wholeCells(mask, cell)));
    } catch (error) {
      throw new UserError('bad-input', 'this selection is damaged; make it again', { cause: error });
    }
    this.masks.push(bytes);
    this.deletions = [...this.deletions, { mask: maskName(bytes), mode, title }];
    return this.did(title);
  }

  /** Deletes what a selection file names; see selection-file.ts. */
  deleteFile(path: string, photoNamed: (name: string) => string): this {
    return this.clean(readSelection(path, this.base.component, this.frame, photoNamed), 'delete', 'Delete a selection');
  }

  measure(measurements: readonly Measurement[]): this {
    for (const { points } of measurements) points.slice(1).forEach((point, k) => checkApart(points[k]!, point));
    this.measurements = [...measurements];
    return this.did('Measure');
  }

  /** How well the lengths in force fit each other, in the draft's frame. */
  fit(): ScaleFit | undefined {
    return this.lengths.length > 0 ? scaleOf(this.lengths, this.base.alignment, this.base.component) : undefined;
  }

  /** Of the masks that were added, in order. */
  get maskNames(): string[] {
    return this.masks.map(maskName);
  }

  get changed(): boolean {
    return this.titles.length > 0;
  }

  /** What is to be stored. */
  result(): { change: SceneChange; title: string; masks: readonly Uint8Array[] } {
    const { document, alignment, component } = this.base;
    const change: SceneChange = {};
    if (this.frame !== this.base.frame)
      change.frame = this.automatic ? null : stored(this.frame, alignment, component.cameras);
    if (this.lengths !== document.lengths) change.lengths = this.lengths;
    if (this.region !== document.region) {
      change.region = this.region ?? null;
      // A box is meant in the frame that is seen now: from here on the frame is kept through new alignments.
      if (this.region && !document.frame && change.frame === undefined)
        change.frame = stored(this.frame, alignment, component.cameras);
    }
    if (this.deletions !== document.deletions) change.deletions = this.deletions;
    if (this.measurements !== document.measurements) change.measurements = this.measurements;
    if (this.controls !== document.controls) change.controls = this.controls;
    if (this.offset !== document.offset) change.offset = this.offset ?? null;
    return { change, title: this.titles.join(', '), masks: this.masks };
  }

  private did(title: string): this {
    this.titles.push(title);
    return this;
  }

  /** The largest component and its frame as the draft has them. */
  get scene(): { component: Scene; alignment: string; frame: Frame; automatic: Frame } {
    const { component, alignment, automatic } = this.base;
    return { component, alignment, frame: this.frame, automatic };
  }

  private async aligned(pixel: ScenePixel): Promise<Vector> {
    return (await this.base.points.find(pixel)).position;
  }

  private levelWithUp(direction: ArrayLike<number>, level: 'points' | 'edge'): this {
    const R = this.frame.sceneFromAlignment.rotation;
    const up = unit(direction);
    // Which of the two ways is up the frame so far knows.
    const sign = R[6]! * up[0]! + R[7]! * up[1]! + R[8]! * up[2]! < 0 ? -1 : 1;
    const { samples, component } = this.base;
    this.setFrame(
      this.scaled(
        frameWithUp(
          up.map((value) => value * sign),
          level,
          component.cameras,
          samples,
        ),
      ),
    );
    return this;
  }

  private scaled(frame: Frame): Frame {
    return this.frame.unit === 'metre' ? withScale(frame, this.frame.sceneFromAlignment.scale) : frame;
  }

  private setFrame(frame: Frame): void {
    if (this.region)
      this.region = movedRegion(this.region, compose(frame.sceneFromAlignment, invert(this.frame.sceneFromAlignment)));
    this.frame = frame;
    this.automatic = false;
  }

  private checkHolds(complaint: string): void {
    const { cloud, cameras } = this.base.component;
    const region = this.region && movedRegion(this.region, invert(this.frame.sceneFromAlignment));
    if (keptPoints(cloud, cameras, { region, deleted: new Map() }).length === 0)
      throw new UserError('bad-input', complaint);
  }
}

const difference = (a: Vector, b: Vector): Vector => a.map((value, i) => value - b[i]!) as Vector;

const maskName = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
