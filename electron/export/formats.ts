import { camerasJson } from './cameras.js';
import { colmapBinary } from './colmap-bin.js';
import { colmapText } from './colmap-text.js';
import { depthPfm, depthPng } from './depth.js';
import { glb } from './glb.js';
import { nerfstudio } from './nerfstudio.js';
import { ply } from './ply.js';
import type { ExportFormat } from './types.js';

/** Every format, in the order that people see them. */
export const formats: readonly ExportFormat[] = [
  ply,
  glb,
  camerasJson,
  depthPng,
  depthPfm,
  colmapText,
  colmapBinary,
  nerfstudio,
];

export function formatById(id: string): ExportFormat | undefined {
  return formats.find((format) => format.id === id);
}
