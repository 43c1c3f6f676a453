import { useEffect, useMemo, useRef } from 'react';
import { Matrix4, type Camera } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { CloudData } from './cloud-data.js';
import {
  colourTest,
  countSelected,
  hideSelected,
  invertSelection,
  maskOfSelection,
  originalPixel,
  pickIndex,
  prepareMasks,
  selectInside,
  selectWhere,
  setDeleted,
  showHidden,
  SELECTED,
  type EditablePoints,
} from './cloud-state.js';
import { photoPixelAt } from './frames.js';
import type { Editing } from './handle.js';

interface EditingInput {
  cloud: CloudData;
  cameras: readonly CameraInfo[];
  /** Bits of what is deleted, by photo; see deletedBits. */
  deleted: ReadonlyMap<string, Uint8Array> | undefined;
  minConfidence: number;
  /** The camera that is looked through. */
  through: CameraInfo | undefined;
  /** The camera that the view is seen by now, and the turn of the cloud. */
  view: () => { camera: Camera; world: Matrix4; width: number; height: number };
  /** The states of points have changed. */
  onChange: () => void;
}

/** Selections and deletions of a cloud: what is deleted is hidden, what is selected is marked. */
export function useEditing({
  cloud,
  cameras,
  deleted,
  minConfidence,
  through,
  view,
  onChange,
}: EditingInput): Editing | undefined {
  const points = useMemo(
    (): EditablePoints | undefined => cloud.points && { ...cloud.points, photos: cameras.map(({ photo }) => photo) },
    [cloud, cameras],
  );
  /** Counted by the loop that selects, where there is one; otherwise when it is asked for. */
  const selection = useRef<number>(undefined);
  useEffect(() => {
    if (!points || !deleted) return;
    setDeleted(points, deleted);
    selection.current = undefined;
    cloud.touch();
    onChange();
  }, [points, deleted, cloud, onChange]);
  useEffect(() => {
    if (!points) return;
    const idle = requestIdleCallback(() => prepareMasks(points));
    return () => cancelIdleCallback(idle);
  }, [points]);
  return useMemo(() => {
    if (!points) return undefined;
    const changed = (count?: number): void => {
      selection.current = count;
      cloud.touch();
      onChange();
    };
    const clipFromWorld = (): { elements: ArrayLike<number>; width: number; height: number } => {
      const { camera, world, width, height } = view();
      camera.updateMatrixWorld();
      const { elements } = new Matrix4()
        .multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse)
        .multiply(world);
      return { elements, width, height };
    };
    const pick: Editing['pick'] = (x, y) => {
      const { elements, width, height } = clipFromWorld();
      const found = pickIndex(points, elements, { x, y, width, height }, minConfidence);
      return found < 0 ? undefined : originalPixel(points, found);
    };
    return {
      select: (shape, mode) => {
        const { elements, width, height } = clipFromWorld();
        changed(selectInside(points, elements, shape(Math.round(width), Math.round(height)), minConfidence, mode));
      },
      selectLessSure: (confidence) => {
        selectWhere(points, (n) => points.confidence[n]! < confidence);
        changed();
      },
      selectColour: (colour, reach) => {
        const near = colourTest(points, colour, reach);
        selectWhere(points, (n) => points.confidence[n]! >= minConfidence && near(n));
        changed();
      },
      hideSelected: () => {
        hideSelected(points);
        changed();
      },
      showHidden: () => {
        showHidden(points);
        changed();
      },
      invert: () => {
        invertSelection(points, minConfidence);
        changed();
      },
      clear: () => {
        for (let n = 0; n < points.state.length; n++) points.state[n]! &= ~SELECTED;
        changed();
      },
      count: () => (selection.current ??= countSelected(points)),
      mask: () => maskOfSelection(points),
      pick,
      mark: (x, y) => {
        if (!through) return pick(x, y);
        const pixel = photoPixelAt(through, view(), x, y);
        return pixel && { photo: through.photo, ...pixel };
      },
    };
  }, [points, cloud, minConfidence, through, view, onChange]);
}
