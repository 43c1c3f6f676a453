/** What commands may ask of the 3D view that is mounted, if one is. */
export interface ViewerHandle {
  fit(): void;
  view(from: 'front' | 'side' | 'top'): void;
  screenshot(): Promise<Blob>;
}

let mounted: ViewerHandle | undefined;

export const currentViewer = (): ViewerHandle | undefined => mounted;

/** @returns takes it away again */
export function mountViewer(handle: ViewerHandle): () => void {
  mounted = handle;
  return () => {
    if (mounted === handle) mounted = undefined;
  };
}
