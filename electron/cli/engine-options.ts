import type { EngineOptions } from '../engine/engine.js';

/** What the environment of the command line says about the engine. */
export function engineOptions(): EngineOptions {
  return process.env.POINTMAP_DATA ? { dataFolder: process.env.POINTMAP_DATA } : {};
}
