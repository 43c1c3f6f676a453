import { UserError } from '../contract/errors.js';
import {
  controlCount,
  LEAST_CONTROLS,
  type SceneDescription,
  type SceneOperation,
  type Vector,
} from '../contract/scene.js';
import { cleaned, keptPoints } from '../scene/cleaning.js';
import type { GeoPosition, PhotoId } from '../geometry/types.js';
import type { Project } from '../project/project.js';
import { controlNotes, controlResiduals } from '../scene/control.js';
import { infoOf } from '../scene/frame.js';
import { gpsFrame, placeResiduals } from '../scene/gps-frame.js';
import { markerLengths } from '../scene/marker-lengths.js';
import { lengthNotes, lengthsAt } from '../scene/scale.js';
import { findMarkers } from './markers.js';
import { pointCount } from '../geometry/cloud.js';
import { outlierMask } from './outliers.js';
import { ScenePoints, scaleOf } from './scene-points.js';
export { boxRegion } from '../scene/region.js';
import { SceneDraft } from './scene-draft.js';
import type { Workspace } from './workspace.js';

/** A draft of changes to the scene of an open project. @throws UserError 'nothing-to-do' before there is a result */
export async function draftOf(workspace: Workspace): Promise<SceneDraft> {
  const { alignment, component } = await sceneOf(workspace);
  const document = workspace.project.scene();
  const frame = workspace.scene.frame(alignment, component);
  return new SceneDraft({
    document,
    alignment,
    component,
    frame,
    points: new ScenePoints(workspace.project, component),
    samples: workspace.scene.samplesOf(component),
    automatic: workspace.scene.automaticFrame(component),
    undecided: workspace.scene.undecidedFrame(alignment, component),
  });
}

/**
 * Adds the steps of a request to a draft.
 *
 * @returns remarks on what was found, a line each
 * @throws UserError for the first that does not fit
 */
export async function addOperations(
  workspace: Workspace,
  draft: SceneDraft,
  operations: readonly SceneOperation[],
): Promise<string[]> {
  const { project } = workspace;
  const notes: string[] = [];
  for (const operation of operations) {
    switch (operation.kind) {
      case 'level':
        if (operation.by === 'auto') draft.levelAutomatically();
        else draft.unlevel();
        break;
      case 'level-points':
        await draft.levelByPoints(operation.points);
        break;
      case 'level-edge':
        await draft.levelByEdge(...operation.points);
        break;
      case 'turn':
        draft.turnByHand(operation.rotation);
        break;
      case 'origin':
        await draft.originAt(operation.point);
        break;
      case 'scale':
        await draft.scale(operation.lengths);
        notes.push(...lengthNotes(draft.fit() ?? { metresPerUnit: 1, lengths: [] }));
        break;
      case 'gps': {
        const { component, automatic } = draft.scene;
        const found = gpsFrame(component.cameras, positionsOf(project), automatic);
        draft.useFrame(found.frame, 'Place by GPS');
        notes.push(...found.notes);
        break;
      }
      case 'markers': {
        const { cameras } = draft.scene.component;
        const found = await findMarkers(project, draft.scene.component, operation.family);
        const lengths = markerLengths(found, cameras, operation);
        await draft.scale(lengths);
        notes.push(`${lengths.length / 4} markers of the family ${operation.family}`);
        break;
      }
      case 'controls':
        draft.control(operation.points, operation.offset);
        notes.push(...controlNotes(operation.points, draft.scene.component));
        break;
      case 'region':
        draft.crop(operation.region ?? undefined);
        break;
      case 'clean': {
        const { whole } = draft.scene.component;
        const mask = new Uint8Array(Buffer.from(operation.mask, 'base64'));
        draft.clean(mask, operation.mode, operation.title, whole?.cell);
        break;
      }
      case 'outliers': {
        const { component, alignment } = draft.scene;
        const cleaning = workspace.scene.cleaning(alignment, component);
        const { bytes, count } = await outlierMask(component, cleaning, operation);
        draft.clean(bytes, 'delete', `Delete ${count} outliers`, component.whole?.cell);
        notes.push(`${count} outliers`);
        break;
      }
      case 'measurements':
        draft.measure(operation.measurements);
    }
  }
  return notes;
}

export const positionsOf = (project: Project): Map<PhotoId, GeoPosition> =>
  new Map(project.photos().flatMap(({ id, position }) => (position ? [[id, position] as const] : [])));

/** Stores a draft as one undoable step. */
export function applyDraft(workspace: Workspace, draft: SceneDraft): void {
  if (!draft.changed) return;
  const { change, title, masks } = draft.result();
  for (const bytes of masks) workspace.project.putMask(bytes);
  workspace.project.apply({ kind: 'scene', change, title });
}

export async function describeScene(workspace: Workspace): Promise<SceneDescription> {
  const { alignment, component } = await sceneOf(workspace);
  const { cameras, cloud } = component;
  const frame = workspace.scene.frame(alignment, component);
  const document = workspace.project.scene();
  const cleaning = workspace.scene.cleaning(alignment, component);
  const kept = keptPoints(cloud, cameras, cleaning);
  const lengths =
    document.lengths.length > 0
      ? lengthsAt(scaleOf(document.lengths, alignment, component), frame.sceneFromAlignment.scale)
      : [];
  const control = controlCount(document.controls);
  // Too few control points for the frame to follow them: nothing is off by anything yet.
  const isOpen = control > 0 && control < LEAST_CONTROLS && frame.level !== 'control';
  return {
    frame: infoOf(frame),
    bounds: boundsOf(cloud.positions, kept, infoOf(frame).matrix),
    cameras: cameras.length,
    points: await pointCount(component),
    kept: component.whole ? await pointCount(cleaned(component, cleaning)) : kept.length,
    region: document.region ?? null,
    deletions: document.deletions.length,
    lengths,
    measurements: document.measurements,
    controls: isOpen ? [] : controlResiduals(document.controls, component, frame),
    places: frame.level === 'gps' ? placeResiduals(cameras, positionsOf(workspace.project), frame) : [],
  };
}

export async function sceneOf(workspace: Workspace) {
  if (!workspace.isShown) await workspace.buildScenes();
  const component = workspace.scenes?.components[0]?.scene;
  const alignment = workspace.alignment?.key;
  if (!component || alignment === undefined)
    throw new UserError('nothing-to-do', `this project has no result yet; reconstruct first: ${workspace.path}`);
  return { alignment, component };
}

/** Enough points for a percentile. */
const LOOKED_AT = 200_000;

function boundsOf(positions: Float32Array, kept: Uint32Array, M: readonly number[]): SceneDescription['bounds'] {
  const step = Math.max(1, Math.floor(kept.length / LOOKED_AT));
  const count = Math.ceil(kept.length / step);
  const ranges = [0, 1, 2].map((i) => {
    const values = new Float64Array(count);
    for (let k = 0; k < count; k++) {
      const at = 3 * kept[k * step]!;
      values[k] =
        M[4 * i]! * positions[at]! +
        M[4 * i + 1]! * positions[at + 1]! +
        M[4 * i + 2]! * positions[at + 2]! +
        M[4 * i + 3]!;
    }
    values.sort();
    const share = (s: number): number => values[Math.min(count - 1, Math.floor(s * count))] ?? 0;
    return [share(0.01), share(0.99)] as const;
  });
  return {
    least: ranges.map(([low]) => low) as Vector,
    greatest: ranges.map(([, high]) => high) as Vector,
    size: ranges.map(([low, high]) => high - low) as Vector,
  };
}
