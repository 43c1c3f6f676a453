import type { Camera, Scene } from '../../geometry/types.js';
import type { PhotoSource, PictureOptions } from '../pictures.js';
import { runHere, type RunTask } from '../tasks.js';
import type { TrackSource } from '../tracks.js';
import type { ExportFile } from '../types.js';

/** What a preset makes its files of. */
export interface PresetInput {
  scene: Scene & { sparse?: TrackSource | undefined };
  /** Of the scene's coordinates. */
  unit: 'metre' | 'scene unit';
  photos: PhotoSource;
  /** This thread by default. */
  work?: ExportWork | undefined;
  /** The mesh layer as `mesh.glb`, where the project has one. */
  mesh?: ExportFile | undefined;
  /** Facts for the report of a survey. */
  facts: ReportFacts;
}

/** Where what computes for long is done. */
export interface ExportWork {
  run: RunTask;
  /** How many files are begun at a time. */
  ahead: number;
}
export const workHere: ExportWork = { run: runHere, ahead: 1 };

export interface ReportFacts {
  title: string;
  /** Of the program. */
  version: string;
  /** Of the moment of export. */
  date: Date;
  settings: Record<string, string | number | boolean>;
  /** `residual`: median distance between a photo's depths and those of its pairs, as a share of the depth. */
  photos: { name: string; placed: boolean; residual?: number | undefined; reason?: string | undefined }[];
  /** PNG of the cloud from the front and from above. */
  preview?: Uint8Array | undefined;
  /** How the scale was found: lengths or coordinates that were given, and what the scene says. */
  lengths: readonly { name: string; given: number; measured: number }[];
  measurements: { name: string; kind: string; value: string; uncertainty?: string | undefined; residual?: string }[];
  /** Points with known coordinates: found less known, metres. */
  controls: {
    name: string;
    role: string;
    off: readonly [number, number, number];
    residualPixels?: number | undefined;
  }[];
  /** Of a frame from GPS: how far photos are from where their EXIF says, metres. */
  places: { name: string; across: number; up: number }[];
  /** How level was found, for people. */
  level: string;
  /** Of the coordinates, as OGC WKT and as a name for people; undefined where the scene is nowhere. */
  coordinateSystem?: { name: string; wkt: string } | undefined;
  /** Added to the scene's coordinates, so that the files hold small numbers. */
  offset: [number, number, number];
}

export interface PresetOptions extends PictureOptions {
  /** Most points of clouds for trainers; a larger cloud is subsampled evenly. */
  mostPoints: number;
}

export interface Preset {
  id: string;
  title: string;
  /** For whom, and what it holds: one line. */
  description: string;
  /** Whether the photos themselves are read. */
  needsPhotos: boolean;
  /** Bytes, roughly. @param photoBytes of the photos of all cameras together */
  estimateBytes(scene: Scene, photoBytes: number): number;
  write(input: PresetInput, options: PresetOptions): Promise<ExportFile[]>;
}

/** The scene as its undistorted pictures show it. */
export const withCameras = <S extends Scene>(scene: S, cameras: readonly Camera[]): S => ({
  ...scene,
  cameras: [...cameras],
});
