import type { StoredAlignment } from '../project/alignments.js';
import type { Workspace } from './workspace.js';

/** What `report.json` says, and `--json` prints. */
export interface Report {
  photos: number;
  registered: number;
  pairs: number;
  /** What was aligned. A network sees a pair in both directions: two observations. */
  observations: number;
  /** Pairs the estimator was called for in this run; 0 when all came from the project. */
  computed: number;
  points: number;
  objective: number;
  /** Wall clock, per stage. */
  seconds: Record<string, number>;
  estimator: string;
  provider: string;
  /** By name, largest first; the first is what was exported. */
  components: string[][];
  unplaced: { name: string; reason: string }[];
  focals: { name: string; pixels: number; source: string }[];
  warnings: string[];
}

export function report(workspace: Workspace, alignment: StoredAlignment, computed: number): Report {
  const photos = workspace.project.photos().filter(({ enabled }) => enabled);
  const nameOf = new Map(photos.map(({ id, name }) => [id, name]));
  const [first] = alignment.components;
  return {
    photos: photos.length,
    registered: first?.cameras.length ?? 0,
    pairs: alignment.pairs,
    observations:
      alignment.observations ?? workspace.project.pairs().filter(({ state }) => state === 'observed').length,
    computed,
    points: workspace.scenes && !workspace.scenes.partial ? workspace.exported().cloud.confidence.length : 0,
    objective: alignment.objective,
    seconds: alignment.seconds,
    estimator: alignment.estimator,
    provider: alignment.provider,
    components: alignment.components.map(({ cameras }) => cameras.map(({ name }) => name)),
    unplaced: alignment.unplaced.map(({ photo, reason }) => ({ name: nameOf.get(photo) ?? photo, reason })),
    focals: (first?.cameras ?? []).map(({ name, fx, focalSource }) => ({ name, pixels: fx, source: focalSource })),
    warnings: alignment.warnings,
  };
}
