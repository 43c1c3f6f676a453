import type { PhotoMask } from '../../electron/contract/mask.js';
import type { ScenePixel } from '../../electron/contract/scene.js';
import type { ViewPlace } from '../store/viewer-settings.js';
import type { ScreenShape, SelectionMode } from './cloud-state.js';

/**
 * Where the standard views look from, in the upright room of the screen: x right, y up, z towards the viewer. Never
 * quite along up.
 */
export const viewDirections = {
  front: [0, 0, 1],
  back: [0, 0, -1],
  side: [1, 0, 0],
  left: [-1, 0, 0],
  top: [0, 1, 1e-3],
  bottom: [0, -1, 1e-3],
} as const satisfies Record<string, readonly [number, number, number]>;

/** What commands may ask of the 3D view that is mounted, if one is. */
export interface ViewerHandle {
  fit(): void;
  view(from: keyof typeof viewDirections): void;
  /** PNG of the view as it is, every point of the budget drawn. @param scale times as large as on the screen */
  screenshot(scale?: number): Promise<Blob>;
  place(): ViewPlace;
  stand(place: ViewPlace): void;
  /** Turns by a share of a whole turn about up, and draws a whole frame. @returns the canvas that holds it this turn */
  turntable(share: number): HTMLCanvasElement;
  /** Selecting and picking; undefined for a cloud whose points can't be told apart. */
  editing: Editing | undefined;
}

export interface Editing {
  /** Selects what is seen inside a shape; asked for at the size of the view, CSS pixels. */
  select(shape: (width: number, height: number) => ScreenShape, mode: SelectionMode): void;
  selectLessSure(confidence: number): void;
  /** Selects points whose colour (sRGB) is at most `reach` of 255 from one. */
  selectColour(colour: readonly [number, number, number], reach: number): void;
  hideSelected(): void;
  showHidden(): void;
  invert(): void;
  clear(): void;
  count(): number;
  mask(): PhotoMask[];
  /** The point at a place of the view, CSS pixels, as a pixel of the photo that gave it. */
  pick(x: number, y: number): ScenePixel | undefined;
  /** The same, but while looking through a photo the pixel of that photo itself, whatever the cloud has there. */
  mark(x: number, y: number): ScenePixel | undefined;
}

let mounted: ViewerHandle | undefined;

export const currentViewer = (): ViewerHandle | undefined => mounted;

/** The ref of the one viewer that commands speak to. */
export function mountViewer(handle: ViewerHandle | null): void {
  mounted = handle ?? undefined;
}
