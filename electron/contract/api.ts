/**
 * What crosses a process boundary: every request and event, defined once, checked on both sides.
 * Transport-neutral: Electron message ports, WebSocket + HTTP in browser mode. Arrays of points travel as binary
 * (`Binary` results), never as JSON.
 */
import { z } from 'zod';
import { preferences, preferenceState } from './preferences.js';
import { exportProgress, presetSettings } from './presets.js';
import { modelInfo, modelProgress } from './models.js';
import { meshForecast, meshRequest, meshState } from './mesh.js';
import {
  frameInfo,
  measuredLength,
  measuredValue,
  measurement,
  sceneChange,
  sceneDescription,
  sceneDocument,
  sceneOperation,
} from './scene.js';
import { stageNames } from './stages.js';
import { queueState } from './workers.js';
import { videoDone, videoFrames, videoGoOn, videoOrder, videoPicture, videoProgress, videoWanted } from './video.js';

export const photoInfo = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  width: z.number(),
  height: z.number(),
  size: z.number(),
  focal: z.object({ pixels: z.number(), source: z.string() }).optional(),
  camera: z.string().optional(),
  takenAt: z.string().optional(),
  sharpness: z.number(),
  blurred: z.boolean(),
  duplicateOf: z.string().optional(),
  enabled: z.boolean(),
  locked: z.boolean(),
  /** Some of it is hidden by a mask. */
  masked: z.boolean().optional(),
  missing: z.boolean(),
  /** After a run. */
  placed: z.boolean().optional(),
  component: z.number().optional(),
  residual: z.number().optional(),
  /** Median, pixels of the photo. */
  reprojection: z.number().optional(),
  depthRange: z.tuple([z.number(), z.number()]).optional(),
  reason: z.string().optional(),
});
export type PhotoInfo = z.infer<typeof photoInfo>;

export const pairInfo = z.object({
  a: z.string(),
  b: z.string(),
  enabled: z.boolean(),
  state: z.enum(['planned', 'observed', 'rejected']),
  reason: z.string().optional(),
  confidence: z.number().optional(),
  residual: z.number().optional(),
  parallax: z.number().optional(),
});
export type PairInfo = z.infer<typeof pairInfo>;

/** Who finds and matches features: the studio itself, LightGlue on its features, or ALIKED with LightGlue. */
export const matchings = ['built-in', 'learned', 'aliked-n16rot', 'aliked-n32'] as const;
export type Matching = (typeof matchings)[number];

const setting = {
  estimator: z.string(),
  graph: z.string().regex(/^(auto|complete|(cyclic-)?window:\d+|log-window:\d+|reference:\d+)$/),
  quality: z.enum(['draft', 'normal', 'high']),
  /** Who says which features of two photos are the same; the learned one must be installed. */
  matching: z.enum(matchings),
  focal: z.number().positive(),
  sharedFocal: z.boolean(),
  minConfidence: z.number().min(1),
  removeFloating: z.boolean(),
  /** Plain surfaces completed from what was measured around them, and what only a network says. */
  inferred: z.boolean(),
  voxelSize: z.number().nonnegative(),
  // Of networks; the built-in estimator has none of these choices.
  precision: z.enum(['auto', 'float32', 'float16', 'int8']),
  provider: z.enum(['auto', 'cuda', 'webgpu', 'dml', 'coreml', 'cpu']),
  /** Gigabytes that decoded pointmaps may take at a time; a third of the machine's when not set. */
  memory: z.number().positive(),
  /** Each pair in one direction only: half the cost, a little less robust. */
  oneWay: z.boolean(),
  /** Keep encoded photos in the project file: a photo added later is paired without encoding the others again. */
  storeFeatures: z.boolean(),
};
export const runSettings = z.object({
  estimator: setting.estimator.default('geometric'),
  graph: setting.graph.default('auto'),
  quality: setting.quality.default('normal'),
  matching: setting.matching.default('built-in'),
  focal: setting.focal.optional(),
  sharedFocal: setting.sharedFocal.default(false),
  minConfidence: setting.minConfidence.default(2),
  removeFloating: setting.removeFloating.default(true),
  inferred: setting.inferred.default(true),
  voxelSize: setting.voxelSize.optional(),
  precision: setting.precision.default('auto'),
  provider: setting.provider.default('auto'),
  memory: setting.memory.optional(),
  oneWay: setting.oneWay.default(false),
  storeFeatures: setting.storeFeatures.default(false),
});
/** What is to change, and nothing else (a `partial()` of the above would bring back every default). Null clears. */
export const settingsChange = z.object(setting).partial().extend({
  focal: setting.focal.nullable().optional(),
  voxelSize: setting.voxelSize.nullable().optional(),
  memory: setting.memory.nullable().optional(),
});
export type SettingsChange = z.infer<typeof settingsChange>;
export type RunSettings = z.infer<typeof runSettings>;

export const estimatorInfo = z.object({
  id: z.string(),
  title: z.string(),
  licence: z.string(),
  licenceText: z.string().optional(),
  nonCommercial: z.boolean(),
  installed: z.boolean(),
  description: z.string(),
});
export type EstimatorInfo = z.infer<typeof estimatorInfo>;

export const preflight = z.object({
  photos: z.number(),
  pairs: z.number(),
  seconds: z.number(),
  /** Least and most seconds that it will probably take, from what this machine has taken before. */
  range: z.tuple([z.number(), z.number()]),
  memory: z.number(),
  warnings: z.array(z.string()),
});
export type Preflight = z.infer<typeof preflight>;

export const stageName = z.enum(stageNames);
export const jobState = z.object({
  state: z.enum(['idle', 'running', 'paused', 'cancelling', 'cancelled', 'failed', 'finished']),
  stage: stageName.optional(),
  detail: z.string().optional(),
  done: z.number().optional(),
  total: z.number().optional(),
  /** Of the whole run that is done, 0 to 1; never less than it was. */
  share: z.number().optional(),
  secondsLeft: z.number().optional(),
  secondsElapsed: z.number().optional(),
  error: z.string().optional(),
});
export type JobState = z.infer<typeof jobState>;

export const cameraInfo = z.object({
  photo: z.string(),
  name: z.string(),
  component: z.number(),
  width: z.number(),
  height: z.number(),
  fx: z.number(),
  fy: z.number(),
  cx: z.number(),
  cy: z.number(),
  k1: z.number(),
  /** Second radial term, where one was found. */
  k2: z.number().optional(),
  focalSource: z.string(),
  worldFromCamera: z.array(z.number()).length(16),
});
export type CameraInfo = z.infer<typeof cameraInfo>;

export const sceneInfo = z.object({
  /** Grows with every new cloud; part of the URL of its binary. */
  revision: z.number(),
  partial: z.boolean(),
  points: z.number(),
  cameras: z.array(cameraInfo),
  /** The scene frame of each component. Cloud and cameras here are in the alignment's world; exports in the scene's. */
  frames: z.array(frameInfo),
  /** Centre and radius that hold most of the cloud. */
  centre: z.tuple([z.number(), z.number(), z.number()]),
  radius: z.number(),
  /** Confidence at each per cent of all depths (contract/confidence.ts); none before there are depths. */
  confidence: z.array(z.number()).optional(),
});
export type SceneInfo = z.infer<typeof sceneInfo>;

export const projectState = z.object({
  path: z.string(),
  name: z.string(),
  saved: z.boolean(),
  photos: z.array(photoInfo),
  pairs: z.array(pairInfo),
  settings: runSettings,
  job: jobState,
  scene: sceneInfo.optional(),
  document: sceneDocument,
  canUndo: z.string().optional(),
  canRedo: z.string().optional(),
  /** True when edits since the last alignment have not been applied yet. */
  stale: z.boolean(),
});
export type ProjectState = z.infer<typeof projectState>;

/** Undoable changes to a project. */
export const edit = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('photos-enabled'), photos: z.array(z.string()), enabled: z.boolean() }),
  /** Out of the project; the files stay where they are. */
  z.object({ kind: z.literal('photos-removed'), photos: z.array(z.string()), removed: z.boolean() }),
  z.object({ kind: z.literal('photos-locked'), photos: z.array(z.string()), locked: z.boolean() }),
  z.object({
    kind: z.literal('pairs-enabled'),
    pairs: z.array(z.tuple([z.string(), z.string()])),
    enabled: z.boolean(),
  }),
  z.object({ kind: z.literal('focal'), photos: z.array(z.string()), pixels: z.number().positive().nullable() }),
  z.object({ kind: z.literal('settings'), settings: settingsChange }),
  /** `title` names the step in the menu. */
  z.object({ kind: z.literal('scene'), change: sceneChange, title: z.string().max(200) }),
]);
export type Edit = z.infer<typeof edit>;

export const exportFormats = [
  'ply',
  'glb',
  'cameras',
  'depth-png',
  'depth-pfm',
  'colmap-text',
  'colmap-bin',
  'nerfstudio',
] as const;

const none = z.object({});
const path = z.object({ path: z.string() });
/** Every request: parameters and result. */
export const requests = {
  'app.info': {
    params: none,
    result: z.object({ version: z.string(), threads: z.number(), desktop: z.boolean() }),
  },
  'app.recent': {
    params: none,
    result: z.array(
      z.object({
        path: z.string(),
        name: z.string(),
        openedAt: z.string(),
        photos: z.number(),
        /** JPEG in base64. */
        picture: z.string().optional(),
      }),
    ),
  },
  'app.samples': {
    params: none,
    result: z.array(
      z.object({ id: z.string(), title: z.string(), photos: z.number(), picture: z.string().optional() }),
    ),
  },
  'app.preferences': { params: none, result: preferenceState },
  /** What is given replaces all of it. */
  'app.setPreferences': { params: preferences, result: preferenceState },
  'app.estimators': { params: none, result: z.array(estimatorInfo) },
  /** Who computes for the queue that the studio was started with; null without one. */
  'app.workers': { params: none, result: queueState.nullable() },
  'models.list': { params: none, result: z.object({ folder: z.string(), models: z.array(modelInfo) }) },
  /** Fetches a network from its publisher; asked for once its licence was accepted. Tells of itself by `models.progress`. */
  'models.get': { params: z.object({ id: z.string(), licenceAccepted: z.literal(true) }), result: z.null() },
  /** From a file or folder on this machine. */
  'models.import': { params: path, result: z.null() },
  /** Ends what is fetched or built; what has come is kept for the next time. */
  'models.cancel': { params: none, result: z.null() },
  'models.remove': { params: z.object({ id: z.string() }), result: z.null() },
  'project.create': { params: z.object({ path: z.string().optional() }), result: projectState },
  'project.open': { params: path, result: projectState },
  'project.openSample': { params: z.object({ id: z.string() }), result: projectState },
  'project.state': { params: none, result: projectState.nullable() },
  'project.saveAs': { params: path, result: projectState },
  'project.close': { params: none, result: z.null() },
  /** Files and folders. One bad photo never stops the others: it comes back in `refused`. */
  'photos.add': {
    params: z.object({
      paths: z.array(z.string()),
      /** Of each video: how many frames, or how many a second. */
      frames: z.number().int().positive().optional(),
      framesPerSecond: z.number().positive().optional(),
    }),
    result: z.object({ added: z.number(), refused: z.array(z.object({ path: z.string(), reason: z.string() })) }),
  },
  /** Photos and videos that are being read; those that were read stay. */
  'photos.cancel': { params: none, result: z.null() },
  // Windows that decode a video for the engine: video.ts tells how.
  'video.claim': { params: videoWanted, result: videoOrder },
  'video.frames': { params: videoFrames, result: videoGoOn },
  'video.picture': { params: videoPicture, result: videoGoOn },
  'video.done': { params: videoDone, result: z.null() },
  'photos.relocate': {
    params: z.object({ folder: z.string() }),
    result: z.object({ found: z.number(), missing: z.number() }),
  },
  /** Masks of the photos from a folder, by name; null takes them off again. */
  'photos.masks': {
    params: z.object({ folder: z.string().nullable(), inverted: z.boolean().default(false) }),
    result: z.object({ found: z.number(), without: z.array(z.string()) }),
  },
  /** Masks found from what the photos show: what moves on a turntable, what stands before a plain background, no sky. */
  'photos.findMasks': { params: none, result: z.object({ found: z.number(), without: z.array(z.string()) }) },
  /** A mask that was painted, for photos of one shape: lengths of runs of hidden and used pixels by turns, row by row. */
  'photos.paintMask': {
    params: z.object({
      photos: z.array(z.string()).min(1),
      width: z.number().int().positive().max(10_000),
      height: z.number().int().positive().max(10_000),
      runs: z.array(z.number().int().nonnegative()),
    }),
    result: z.null(),
  },
  /**
   * What a click or a box in a photo means, by an installed network: pixels of the photo reduced to `width` and `height`.
   * Told as runs beside and on the object by turns, row by row.
   */
  'photos.segment': {
    params: z.object({
      photo: z.string(),
      width: z.number().int().positive().max(4096),
      height: z.number().int().positive().max(4096),
      points: z.array(z.object({ x: z.number(), y: z.number(), isObject: z.boolean() })).max(100),
      box: z.object({ x0: z.number(), y0: z.number(), x1: z.number(), y1: z.number() }).optional(),
    }),
    result: z.object({ runs: z.array(z.number().int().nonnegative()) }),
  },
  /** Cameras that a file knows, by the photos' names; null forgets them. `weight`: of priors, see KnownPhotoCamera. */
  'photos.knownCameras': {
    params: z.object({
      path: z.string().nullable(),
      use: z.enum(['fixed', 'prior', 'intrinsics']).default('prior'),
      weight: z.number().min(0).max(1e6).default(1),
    }),
    result: z.object({ found: z.number() }),
  },
  'edit.apply': { params: z.object({ edit }), result: z.null() },
  'edit.undo': { params: none, result: z.null() },
  'edit.redo': { params: none, result: z.null() },
  'scene.describe': { params: none, result: sceneDescription },
  'scene.measure': { params: measurement.pick({ kind: true, points: true }), result: measuredValue },
  /** All measurements of the project with their values, as a file. */
  'scene.measurements': {
    params: z.object({ format: z.enum(['csv', 'json']) }),
    result: z.object({ text: z.string() }),
  },
  'scene.edit': {
    params: z.object({ operations: z.array(sceneOperation).min(1).max(100) }),
    result: z.object({ lengths: z.array(measuredLength), masks: z.array(z.string()), notes: z.array(z.string()) }),
  },
  'run.preflight': { params: z.object({ settings: settingsChange.optional() }), result: preflight },
  'run.start': { params: none, result: z.null() },
  'run.realign': { params: none, result: z.null() },
  'run.pause': { params: none, result: z.null() },
  'run.resume': { params: none, result: z.null() },
  'run.cancel': { params: none, result: z.null() },
  'mesh.state': { params: none, result: meshState },
  'mesh.forecast': { params: meshRequest, result: meshForecast },
  /** Answers at once; how it goes on is told by `mesh.changed`. The mesh before stays until the new one is whole. */
  'mesh.build': { params: meshRequest, result: z.null() },
  'mesh.cancel': { params: none, result: z.null() },
  'export.estimate': {
    /** `folder`: for the command line that is told; none is needed for the size. */
    params: z.object({ formats: z.array(z.enum(exportFormats)), folder: z.string().optional() }),
    result: z.object({ bytes: z.number(), command: z.string() }),
  },
  'export.write': {
    params: z.object({ folder: z.string(), formats: z.array(z.enum(exportFormats)) }),
    result: z.object({ files: z.array(z.object({ path: z.string(), bytes: z.number() })) }),
  },
  /** For one purpose, all or nothing. Tells of itself by `export.progress`; `export.cancel` ends it. */
  'export.preset': {
    params: z.object({ folder: z.string(), settings: presetSettings }),
    result: z.object({ files: z.array(z.object({ path: z.string(), bytes: z.number() })) }),
  },
  'export.presetEstimate': {
    params: z.object({ settings: presetSettings, folder: z.string().optional() }),
    result: z.object({ bytes: z.number(), command: z.string() }),
  },
  'export.cancel': { params: none, result: z.null() },
  /**
   * A folder's photos, projects and folders, for shells without a file dialog of their own; the home folder by default, which
   * `~` stands for too.
   */
  'files.list': {
    /** `all` lists every other file too. */
    params: z.object({ path: z.string().optional(), all: z.boolean().optional() }),
    result: z.object({
      path: z.string(),
      /** Where a file was asked for: it, in the folder that is listed. */
      file: z.string().optional(),
      parent: z.string().optional(),
      /** Folders that are wanted often. */
      places: z.array(z.object({ name: z.string(), path: z.string() })),
      entries: z.array(
        z.object({
          name: z.string(),
          path: z.string(),
          kind: z.enum(['folder', 'photo', 'project', 'file']),
          bytes: z.number(),
        }),
      ),
    }),
  },
  'files.makeFolder': { params: z.object({ parent: z.string(), name: z.string() }), result: path },
  'log.read': { params: none, result: z.array(z.object({ time: z.string(), level: z.string(), message: z.string() })) },
} as const;
export type RequestName = keyof typeof requests;
export type Params<N extends RequestName> = z.input<(typeof requests)[N]['params']>;
export type Result<N extends RequestName> = z.output<(typeof requests)[N]['result']>;

/** Announced by the engine; they carry state and steer nothing. */
export const events = {
  'project.changed': projectState,
  'job.changed': jobState,
  'mesh.changed': meshState,
  'log.line': z.object({ time: z.string(), level: z.string(), message: z.string() }),
  'export.progress': exportProgress,
  'models.progress': modelProgress,
  'video.progress': videoProgress,
  'video.wanted': videoWanted,
  'engine.stopped': z.object({ reason: z.string() }),
} as const;
export type EventName = keyof typeof events;
export type EventPayload<N extends EventName> = z.output<(typeof events)[N]>;

/**
 * Binary resources, by name; answered as ArrayBuffer (`GET /binary/<name>` in browser mode, a custom protocol in
 * Electron).
 * - `thumbnail/<photo>` JPEG; `photo/<photo>` JPEG at most 2048 px; `photo-mask/<photo>` PNG, white where it is used
 * - `file-picture/<path>` small JPEG of a photo in the file dialog
 * - `cloud/<revision>/<component>`: see cloud.ts; `mask/<id>`: see mask.ts
 * - `mesh/<revision>` GLB in the alignment's axes, y up; `mesh-photos/<revision>` int16 per face, in its order
 * - `video/<order>/<from>/<to>`: a piece of a video that a window decodes, see video.ts
 * - `maps/<photo>`, `pair/<a>/<b>/maps/<0|1>`: depth, confidence and normals, see photo-maps.ts
 */
export type BinaryName = string;

/** The one interface a renderer talks to; made from a transport, so nothing is restated. */
export interface Api {
  request<N extends RequestName>(name: N, params: Params<N>): Promise<Result<N>>;
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
  /** URL that fetches a binary resource. */
  binaryUrl(name: BinaryName): string;
}
