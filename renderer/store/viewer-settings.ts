export type ViewerTool = 'turn' | 'lasso' | 'rectangle' | 'brush' | 'pick' | 'mark';

/** What a person sets in the 3D view; none of it is part of the project. */
export interface ViewerSettings {
  colour: 'photo' | 'confidence' | 'depth' | 'normal' | 'source';
  /** What is drawn: the points, the mesh, or both. */
  layer: 'cloud' | 'mesh' | 'both';
  meshLook: 'texture' | 'shape' | 'wireframe' | 'confidence' | 'photo';
  /** Points are darker beside what stands before them, so that they read as surfaces. */
  shading: boolean;
  /** What is behind everything. */
  background: 'theme' | 'black' | 'grey' | 'white';
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
  /** How a photo is compared with the points when looking through its camera: laid over them, or up to a line. */
  overlay: 'blend' | 'wipe';
  /** Of the photo laid over the cloud, 0 to 1. */
  overlayOpacity: number;
  /** Where the line stands, as a share of the photo's width. */
  wipe: number;
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
  shading: true,
  background: 'theme',
  pointSize: 2,
  minConfidence: 1,
  inferred: true,
  cameras: true,
  images: true,
  frustumSize: 0.08,
  grid: false,
  axes: false,
  navigation: 'orbit',
  overlay: 'blend',
  overlayOpacity: 0.5,
  wipe: 0.5,
  tool: 'turn',
  gizmo: 'none',
  pointBudget: 12_000_000,
};

export interface CloudStatistics {
  displayed: number;
  total: number;
}

/** Where the eye is and what it turns about, in the upright room of the screen. */
export interface ViewPlace {
  eye: [number, number, number];
  target: [number, number, number];
}
