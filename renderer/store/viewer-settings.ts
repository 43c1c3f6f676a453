export type ViewerTool = 'turn' | 'lasso' | 'rectangle' | 'brush' | 'pick' | 'mark';

/** What a person sets in the 3D view; none of it is part of the project. */
export interface ViewerSettings {
  colour: 'photo' | 'confidence' | 'depth' | 'normal' | 'source';
  /** What is drawn: the points, the mesh, or both. */
  layer: 'cloud' | 'mesh' | 'both';
  meshLook: 'texture' | 'shape' | 'wireframe' | 'confidence' | 'photo';
  /** Pixels of the screen. */
  pointSize: number;
  /** Points below are hidden at once; the project's own threshold decides what is exported. */
  minConfidence: number;
  /** Points that were completed, not measured. */
  inferred: boolean;
  cameras: boolean;
  /** Photos inside the frusta. */
  images: boolean;
  /** Of a frustum, in fractions of the scene's radius. */
  frustumSize: number;
  grid: boolean;
  axes: boolean;
  navigation: 'orbit' | 'fly';
  /** Seen through the camera of this photo. */
  lookThrough?: string | undefined;
  /** Of the photo laid over the cloud when looking through its camera, 0 to 1. */
  overlayOpacity: number;
  /** What the pointer does in the view: turns it, selects points, or picks them. */
  tool: ViewerTool;
  /** What can be dragged over the picture: the crop box, or rings that turn the scene. */
  gizmo: 'none' | 'region' | 'level';
  /** Most points drawn at rest. */
  pointBudget: number;
}

export const defaultViewerSettings: ViewerSettings = {
  colour: 'photo',
  layer: 'cloud',
  meshLook: 'texture',
  pointSize: 2,
  minConfidence: 1,
  inferred: true,
  cameras: true,
  images: true,
  frustumSize: 0.08,
  grid: false,
  axes: false,
  navigation: 'orbit',
  overlayOpacity: 0.5,
  tool: 'turn',
  gizmo: 'none',
  pointBudget: 12_000_000,
};

export interface CloudStatistics {
  displayed: number;
  total: number;
}
