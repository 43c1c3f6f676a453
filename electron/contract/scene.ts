/**
 * The scene as a document: what a person decided about a finished reconstruction. Part of the project, edited in
 * undoable steps, and read by the viewer and by every export. Pure.
 *
 * The scene frame is right-handed with z up: x to the right and y away from the first photo, origin on the ground under
 * the middle of the scene. Its unit is the alignment's own until a scale is known, and the metre from then on.
 */
import { z } from 'zod';

const finite = z.number().finite();
const positive = finite.positive();
export const vector = z.tuple([finite, finite, finite]);
export type Vector = z.infer<typeof vector>;

const photoPixel = z.object({ photo: z.string(), x: finite, y: finite });
/**
 * A scene point, given by one pixel of an original photo (upright, centres at integers): its depth is that photo's. With
 * `others`, pixels of other photos that show the same point, it is where their lines of sight meet.
 */
export const scenePixel = photoPixel.extend({ others: z.array(photoPixel).max(100).optional() });
export type ScenePixel = z.infer<typeof scenePixel>;

/** An end of a length that is a camera: where it stood. */
export const cameraEnd = z.object({ camera: z.string() });
export type CameraEnd = z.infer<typeof cameraEnd>;

/**
 * Two scene points, or cameras, whose distance in metres is known. `measured` is their distance in units of the alignment
 * that it names, as it was found when the length was given; `deviation` is one standard deviation of it, from those of its ends.
 */
const lengthEnd = z.union([scenePixel, cameraEnd]);
export type LengthEnd = z.infer<typeof lengthEnd>;
export const knownLength = z.object({
  name: z.string().max(200).optional(),
  metres: positive,
  a: lengthEnd,
  b: lengthEnd,
  measured: z
    .object({ alignment: z.string(), distance: positive, deviation: finite.nonnegative().optional() })
    .optional(),
});
export type KnownLength = z.infer<typeof knownLength>;

/** A camera's place in the scene frame: rotation and position, row-major 4x4. */
export const anchor = z.object({ photo: z.string(), sceneFromCamera: z.array(finite).length(16) });

/** How the rotation of the frame was found. */
export const levelSource = z.enum(['auto', 'none', 'points', 'edge', 'hand', 'cameras', 'gps', 'control']);
export type LevelSource = z.infer<typeof levelSource>;
export const frameUnit = z.enum(['scene', 'metre']);
export type FrameUnit = z.infer<typeof frameUnit>;

/** WGS 84, degrees and metres: what the origin of a frame is on the earth; its x points east, its y north. */
export const earthPlace = z.object({ latitude: finite, longitude: finite, altitude: finite });
export type EarthPlace = z.infer<typeof earthPlace>;

/**
 * A frame that was decided. `matrix` is the similarity sceneFromAlignment (row-major 4x4) for the alignment named
 * `alignment`. A later alignment has another world: there the frame is found again from where its cameras stood.
 */
export const storedFrame = z.object({
  level: levelSource,
  unit: frameUnit,
  matrix: z.array(finite).length(16),
  place: earthPlace.optional(),
  alignment: z.string(),
  anchors: z.array(anchor),
});
export type StoredFrame = z.infer<typeof storedFrame>;

/** An oriented box in the scene frame: what lies outside is left out. `rotation` is sceneFromBox, row-major 3x3. */
export const sceneRegion = z.object({
  centre: vector,
  size: z.tuple([positive, positive, positive]),
  rotation: z.array(finite).length(9),
});
export type SceneRegion = z.infer<typeof sceneRegion>;

/**
 * One step of cleaning: `mask` names stored bits over photos and their depth pixels (contract/mask.ts). 'delete' takes
 * the pixels away, 'restore' brings them back; later steps win.
 */
export const deletion = z.object({ mask: z.string(), mode: z.enum(['delete', 'restore']), title: z.string().max(200) });
export type Deletion = z.infer<typeof deletion>;

export const measurementKind = z.enum(['distance', 'path', 'height', 'area', 'angle', 'point']);
export const measurement = z.object({
  id: z.string().max(100),
  name: z.string().max(200),
  kind: measurementKind,
  points: z.array(scenePixel).min(1).max(1000),
});
export type Measurement = z.infer<typeof measurement>;

/**
 * A point whose coordinates are known, found in photos. The frame is fitted to the control points; check points tell how
 * far off it is where nothing was fitted.
 */
export const controlPoint = z.object({
  name: z.string().min(1).max(200),
  role: z.enum(['control', 'check']),
  /** Coordinates, metres, less `controlOffset`'s of the document. */
  known: vector,
  at: scenePixel,
});
export type ControlPoint = z.infer<typeof controlPoint>;

export const sceneDocument = z.object({
  /** Not set: level and origin are found from the photos, anew for each alignment. */
  frame: storedFrame.optional(),
  lengths: z.array(knownLength).default([]),
  region: sceneRegion.optional(),
  deletions: z.array(deletion).default([]),
  measurements: z.array(measurement).default([]),
  controls: z.array(controlPoint).default([]),
  /** Added to coordinates of the scene where they leave the studio as a survey's. */
  offset: vector.optional(),
});
export type SceneDocument = z.infer<typeof sceneDocument>;

/** What is to change of the document, and nothing else; null clears. */
export const sceneChange = z.object({
  frame: storedFrame.nullable().optional(),
  lengths: z.array(knownLength).optional(),
  region: sceneRegion.nullable().optional(),
  deletions: z.array(deletion).optional(),
  measurements: z.array(measurement).optional(),
  controls: z.array(controlPoint).optional(),
  offset: vector.nullable().optional(),
});
export type SceneChange = z.infer<typeof sceneChange>;

export const emptyScene = (): SceneDocument => ({ lengths: [], deletions: [], measurements: [], controls: [] });

/** The frame of the cloud that is shown: part of the scene's description. */
export const frameInfo = z.object({
  level: levelSource,
  unit: frameUnit,
  /** Similarity sceneFromAlignment, row-major 4x4. */
  matrix: z.array(finite).length(16),
  /** Scene units per unit of the alignment. */
  scale: finite,
  place: earthPlace.optional(),
});
export type FrameInfo = z.infer<typeof frameInfo>;

export const markerFamilies = [
  'apriltag-16h5',
  'apriltag-25h9',
  'apriltag-36h11',
  'aruco-original',
  'aruco-4x4',
  'aruco-5x5',
  'aruco-6x6',
  'aruco-7x7',
  'aruco-mip-36h12',
] as const;
export type MarkerFamily = (typeof markerFamilies)[number];

/** Steps of editing the scene. Those of one request are tried together and stored as one undoable step. */
export const sceneOperation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('level'), by: z.enum(['auto', 'none']) }),
  /** Three points of a level surface. */
  z.object({ kind: z.literal('level-points'), points: z.tuple([scenePixel, scenePixel, scenePixel]) }),
  /** Two points of a vertical edge. */
  z.object({ kind: z.literal('level-edge'), points: z.tuple([scenePixel, scenePixel]) }),
  /** newScene-from-scene, row-major 3x3. */
  z.object({ kind: z.literal('turn'), rotation: z.array(finite).length(9) }),
  z.object({ kind: z.literal('origin'), point: scenePixel }),
  /** These replace the lengths before; none at all takes the scale away. */
  z.object({ kind: z.literal('scale'), lengths: z.array(knownLength).max(1000) }),
  /** From the places that the photos' EXIF tells. */
  z.object({ kind: z.literal('gps') }),
  /** From printed markers of a size, found in the photos. `metres`: side of the black square. */
  z.object({ kind: z.literal('markers'), family: z.enum(markerFamilies), metres: positive }),
  /** These replace the points before. With three or more control points the frame is theirs. */
  z.object({ kind: z.literal('controls'), points: z.array(controlPoint).max(1000), offset: vector.optional() }),
  z.object({ kind: z.literal('region'), region: sceneRegion.nullable() }),
  /** `mask` is base64 of contract/mask.ts. */
  z.object({
    kind: z.literal('clean'),
    mask: z.string(),
    mode: z.enum(['delete', 'restore']),
    title: z.string().max(200),
  }),
  /** Deletes points that lie much farther from their neighbours than most do. */
  z.object({ kind: z.literal('outliers'), deviations: positive.max(1000).default(6) }),
  z.object({ kind: z.literal('measurements'), measurements: z.array(measurement).max(10_000) }),
]);
export type SceneOperation = z.infer<typeof sceneOperation>;

export const measuredLength = z.object({
  name: z.string().optional(),
  metres: finite,
  measured: finite,
  residual: finite,
});
export type MeasuredLength = z.infer<typeof measuredLength>;

export const measuredValue = z.object({
  /** Where the points are, scene frame. */
  positions: z.array(vector),
  /** Units of the scene; square units for an area, degrees for an angle. */
  value: finite,
  /** One standard deviation, of the points' places and, with a scale, of what gave it: lengths, places or control points. */
  deviation: finite,
  /** Of points that are seen in several photos: mean distance of the pixels from the point's projections. */
  residualPixels: finite.optional(),
});
export type MeasuredValue = z.infer<typeof measuredValue>;

/** How a control or check point comes out, in metres of the scene: found less known. */
export const controlResidual = z.object({
  name: z.string(),
  role: z.enum(['control', 'check']),
  known: vector,
  off: vector,
  residualPixels: finite.optional(),
});
export type ControlResidual = z.infer<typeof controlResidual>;

/** How far a photo's place in the frame is from what its EXIF told, metres: horizontally and up. */
export const placeResidual = z.object({ photo: z.string(), name: z.string(), across: finite, up: finite });
export type PlaceResidual = z.infer<typeof placeResidual>;

/** What `scene` shows. Positions and sizes are of the scene frame. */
export const sceneDescription = z.object({
  frame: frameInfo,
  /** Of the middle 98 % of the points that are kept, along each axis. */
  bounds: z.object({ least: vector, greatest: vector, size: vector }),
  cameras: z.number(),
  points: z.number(),
  kept: z.number(),
  region: sceneRegion.nullable(),
  deletions: z.number(),
  /** Known lengths as the scene has them. They give its scale unless places or control points, given later, do. */
  lengths: z.array(measuredLength),
  measurements: z.array(measurement),
  controls: z.array(controlResidual),
  /** Of a frame from GPS. */
  places: z.array(placeResidual),
});
export type SceneDescription = z.infer<typeof sceneDescription>;

/** Metres: coordinates beyond are told less a whole number of kilometres, to keep their millimetres in single precision. */
const FAR = 10_000;
const KILOMETRE = 1000;

/** Control points that fix a scene in their coordinates; fewer leave a turn open. */
export const LEAST_CONTROLS = 3;

export const controlCount = (points: readonly Pick<ControlPoint, 'role'>[]): number =>
  points.filter(({ role }) => role === 'control').length;

/**
 * What is taken off the coordinates of a survey, from those of its first point: by axis, whole kilometres where they are
 * large. The same for points from a table and points that are typed.
 */
export const surveyOffset = (known: Vector): Vector =>
  known.map((value) => (Math.abs(value) > FAR ? Math.floor(value / KILOMETRE) * KILOMETRE : 0)) as Vector;
