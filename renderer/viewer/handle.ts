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
  /** PNG of the view as it is, every point of the budget drawn. */
  screenshot(): Promise<Blob>;
}

let mounted: ViewerHandle | undefined;

export const currentViewer = (): ViewerHandle | undefined => mounted;

/** The ref of the one viewer that commands speak to. */
export function mountViewer(handle: ViewerHandle | null): void {
  mounted = handle ?? undefined;
}
