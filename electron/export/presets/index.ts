import { blender } from './blender.js';
import { colmap } from './colmap.js';
import { compositing } from './compositing.js';
import { splatting } from './splatting.js';
import { survey } from './survey.js';
import type { Preset } from './types.js';

/** Every purpose, in the order that people see them. */
export const presets: readonly Preset[] = [blender, splatting, survey, compositing, colmap];
