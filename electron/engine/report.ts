import { pointCount } from '../geometry/cloud.js';
import type { StoredAlignment } from '../project/alignments.js';
import type { ProjectPhoto } from '../project/project.js';
import type { Workspace } from './workspace.js';

/** What `report.json` says, and `--json` prints. */
export interface Report {
  photos: number;
  registered: number;
  registeredNames: string[];
  pairs: number;
  /** What was aligned. A network sees a pair in both directions: two observations. */
  observations: number;
  /** Pairs the estimator was called for in this run; 0 when all came from the project. */
  computed: number;
  points: number;
  objective: number;
  /** Wall clock, per stage. */
  seconds: Record<string, number>;
  /** Processor seconds of all threads, per stage of this run. */
  cpuSeconds: Record<string, number>;
  /** Most memory that the process has held so far. */
  peakMemoryBytes: number;
  estimator: string;
  provider: string;
  /** By name, largest first; the first is what was exported. */
  components: string[][];
  unplaced: { name: string; reason: string }[];
  /** Of the command that made the run: files that were given and are no photos that can be used, with the reason. */
  leftOut?: { path: string; reason: string }[];
  focals: { name: string; pixels: number; source: string }[];
  warnings: string[];
}

/** What a run cost; nothing where the result was there before. */
export interface RunCost {
  computed: number;
  cpuSeconds: Record<string, number>;
}

export async function report(
  workspace: Workspace,
  alignment: StoredAlignment,
  { computed, cpuSeconds }: RunCost,
): Promise<Report> {
  const photos = workspace.project.photos().filter(({ enabled }) => enabled);
  const nameOf = new Map(photos.map(({ id, name }) => [id, name]));
  const [first] = alignment.components;
  const registered = pictureNames(first?.cameras ?? [], photos);
  return {
    photos: new Set(photos.map(({ id, face }) => face?.pictureId ?? id)).size,
    registered: registered.length,
    registeredNames: registered,
    pairs: alignment.pairs,
    observations:
      alignment.observations ?? workspace.project.pairs().filter(({ state }) => state === 'observed').length,
    computed,
    points: workspace.scenes && !workspace.scenes.partial ? await pointCount(workspace.exported()) : 0,
    objective: alignment.objective,
    seconds: alignment.seconds,
    cpuSeconds,
    // Kilobytes, on every system.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    estimator: alignment.estimator,
    provider: alignment.provider,
    components: alignment.components.map(({ cameras }) => cameras.map(({ name }) => name)),
    unplaced: alignment.unplaced.map(({ photo, reason }) => ({ name: nameOf.get(photo) ?? photo, reason })),
    focals: (first?.cameras ?? []).map(({ name, fx, focalSource }) => ({ name, pixels: fx, source: focalSource })),
    warnings: [...alignment.warnings, ...missing(alignment, nameOf)],
  };
}

/** Names of the photos that cameras belong to; a wide picture counts once, however many views it was split into. */
function pictureNames(cameras: readonly { photo: string; name: string }[], photos: readonly ProjectPhoto[]): string[] {
  const faceOf = new Map(photos.map(({ id, face }) => [id, face]));
  const named = cameras.map(({ photo, name }) => {
    const face = faceOf.get(photo);
    return face ? ([face.pictureId, face.picture] as const) : ([photo, name] as const);
  });
  return [...new Map(named).values()];
}

/** Every photo that is not in what was exported is named, with the reason, where no warning names it yet. */
function missing({ components, unplaced, warnings }: StoredAlignment, nameOf: ReadonlyMap<string, string>): string[] {
  const lines: [names: string[], line: string][] = unplaced.map(({ photo, reason }) => {
    const name = nameOf.get(photo) ?? photo;
    return [[name], `not placed: ${name}: ${reason}`];
  });
  for (const { cameras } of components.slice(1)) {
    const names = cameras.map(({ name }) => name);
    lines.push([names, `a separate piece that shares too little with the largest, not exported: ${names.join(', ')}`]);
  }
  return lines
    .filter(([names]) => !names.every((name) => warnings.some((warning) => warning.includes(name))))
    .map(([, line]) => line);
}
