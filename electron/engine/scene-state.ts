import type { PhotoMask } from '../contract/mask.js';
import { UserError } from '../contract/errors.js';
import type { KnownLength, SceneDocument, StoredFrame } from '../contract/scene.js';
import { invert } from '../geometry/similarity.js';
import type { PhotoId, Scene } from '../geometry/types.js';
import type { Project } from '../project/project.js';
import { cleaned, deletionsInForce, type Cleaning } from '../scene/cleaning.js';
import { frameSamples, frameSamplesInTurns, type FrameSamples } from '../scene/frame-samples.js';
import {
  automaticFrame,
  keptFrame,
  restored,
  sceneInFrame,
  similarityOf,
  stored,
  withScale,
  type Frame,
} from '../scene/frame.js';
import { knownFrame } from '../scene/known-frame.js';
import { upOfGimbal } from '../scene/level.js';
import { movedRegion } from '../scene/region.js';
import { areSameScale, fitScale } from '../scene/scale.js';
import { scaleOf } from './scene-points.js';

/** A document applied to a component; the later parts when they are first asked for. */
interface Applied {
  key: string;
  component: Scene;
  document: SceneDocument;
  frame: Frame;
  cleaning?: Cleaning;
  exported?: Scene;
}

/**
 * The scene document applied to the clouds at hand: the frame, what was taken away, and the scene as it leaves the
 * studio. The document's frame, region and deletions are those of the largest component; the others are levelled on
 * their own. Results are kept until the clouds or the document change.
 */
export class SceneState {
  private readonly automatic = new WeakMap<object, Frame>();
  private readonly samples = new WeakMap<object, FrameSamples>();
  private kept: Applied | undefined;

  constructor(private readonly project: Project) {}

  /** Of the largest component; `alignment` is its key. */
  frame(alignment: string, component: Scene): Frame {
    return this.current(alignment, component).frame;
  }

  /** Looks at the depth maps beforehand, with turns of the event loop between them: asking later reads none. */
  async prepare({ cameras, depthMaps }: Scene, breathe: () => Promise<void>): Promise<void> {
    if (!this.samples.has(cameras)) this.samples.set(cameras, await frameSamplesInTurns(cameras, depthMaps, breathe));
  }

  samplesOf({ cameras, depthMaps }: Scene): FrameSamples {
    const known = this.samples.get(cameras) ?? frameSamples(cameras, depthMaps);
    this.samples.set(cameras, known);
    return known;
  }

  /** What a component's own photos say. */
  automaticFrame(component: Scene): Frame {
    const known = this.automatic.get(component.cameras);
    if (known) return known;
    const gimbals = new Map(
      this.project
        .photos()
        .flatMap(({ id, orientation }) => (orientation ? [[id, upOfGimbal(orientation)] as const] : [])),
    );
    const frame = this.frameOfKnown(component) ?? automaticFrame(component.cameras, this.samplesOf(component), gimbals);
    this.automatic.set(component.cameras, frame);
    return frame;
  }

  /**
   * Of the largest component while nobody decides on a frame: the first that its photos gave, found again from its
   * cameras after another alignment, so that photos which are added later do not move the scene.
   */
  undecidedFrame(alignment: string, component: Scene): Frame {
    const before = this.project.undecidedFrame();
    const kept = before && !this.frameOfKnown(component) && keptFrame(before, alignment, component.cameras);
    return kept || this.automaticFrame(component);
  }

  /** To be called when a run has ended, with what is shown from now on. */
  keepUndecidedFrame(alignment: string, component: Scene): void {
    const frame = this.undecidedFrame(alignment, component);
    this.project.keepUndecidedFrame(stored(frame, alignment, component.cameras));
  }

  private frameOfKnown({ cameras }: Scene): Frame | undefined {
    return knownFrame(
      cameras,
      new Map(this.project.photos().flatMap(({ id, known }) => (known ? [[id, known] as const] : []))),
    );
  }

  /**
   * What is taken away, in the alignment's world: `pixelKept` and `insideRegion` (scene/cleaning, scene/region) answer
   * for a photo's pixel and for a point.
   */
  cleaning(alignment: string, component: Scene): Cleaning {
    const current = this.current(alignment, component);
    current.cleaning ??= cleaningOf(this.project, current.document, current.frame, component);
    return current.cleaning;
  }

  /** In the scene frame, without what was deleted or lies outside the region. */
  exported(alignment: string, component: Scene): Scene {
    const current = this.current(alignment, component);
    current.exported ??= sceneInFrame(cleaned(component, this.cleaning(alignment, component)), current.frame);
    return current.exported;
  }

  private current(alignment: string, component: Scene): Applied {
    const document = this.project.scene();
    const { frame, lengths, region, deletions } = document;
    const key = JSON.stringify([alignment, frame, lengths, region, deletions]);
    if (this.kept?.key !== key || this.kept.component !== component)
      this.kept = { key, component, document, frame: this.frameOf(document, alignment, component) };
    return this.kept;
  }

  private frameOf({ frame, lengths }: SceneDocument, alignment: string, component: Scene): Frame {
    const carried = frame && restored(frame, alignment, component.cameras);
    if (!frame || !carried) return this.undecidedFrame(alignment, component);
    if (frame.alignment === alignment || lengths.length === 0 || isScaledOtherwise(frame, lengths)) return carried;
    // A new alignment measures the known lengths anew.
    try {
      return withScale(carried, scaleOf(lengths, alignment, component).metresPerUnit);
    } catch (error) {
      if (error instanceof UserError) return carried;
      throw error;
    }
  }
}

/** Whether places or control points gave the scale after the lengths, as far as the alignment before can tell. */
function isScaledOtherwise({ alignment, matrix }: StoredFrame, lengths: readonly KnownLength[]): boolean {
  const distances = lengths.flatMap(({ measured }) => (measured?.alignment === alignment ? measured.distance : []));
  if (distances.length < lengths.length) return false;
  return !areSameScale(fitScale(lengths, distances).metresPerUnit, similarityOf(matrix).scale);
}

function cleaningOf(project: Project, document: SceneDocument, frame: Frame, { depthMaps }: Scene): Cleaning {
  const sizes = new Map<PhotoId, { width: number; height: number }>(
    depthMaps.map(({ photo, width, height }) => [photo, { width, height }]),
  );
  const deleted: Map<PhotoId, PhotoMask> = deletionsInForce(document.deletions, (id) => project.mask(id), sizes);
  return {
    region: document.region && movedRegion(document.region, invert(frame.sceneFromAlignment)),
    deleted,
  };
}
