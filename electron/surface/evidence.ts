import { shared } from './shared.js';
import type { Mesh, SurfaceView } from './types.js';

export interface EvidenceOptions {
  /** A depth speaks of a vertex that lies within this share of it. */
  agrees: number;
}

export const EVIDENCE_DEFAULTS: EvidenceOptions = { agrees: 0.02 };

export interface Evidence {
  /** [vertices] the largest confidence of a depth that agrees with the vertex; 1 where none does. */
  confidence: Float32Array;
  /** [vertices] 1: some depth there was measured; 2: all were completed from around, or said by a network; 0: none. */
  kind: Uint8Array;
}

/** In memory that all threads see. */
export function noEvidence(vertices: number): Evidence {
  return { confidence: shared(new Float32Array(vertices).fill(1)), kind: shared(new Uint8Array(vertices)) };
}

/** Adds what one view says of each vertex of the finished mesh. In whatever order views come, the sum is the same. */
export function addEvidence(
  positions: Float32Array,
  { width, height, focal, centreX, centreY, cameraFromWorld: M, depth, confidence, inferred }: SurfaceView,
  evidence: Evidence,
  options: Partial<EvidenceOptions> = {},
): void {
  const { agrees } = { ...EVIDENCE_DEFAULTS, ...options };
  for (let v = 0; v < evidence.kind.length; v++) {
    const x = positions[3 * v]!;
    const y = positions[3 * v + 1]!;
    const z = positions[3 * v + 2]!;
    const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
    if (away <= 0) continue;
    const px = Math.round((focal * (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!)) / away + centreX);
    const py = Math.round((focal * (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!)) / away + centreY);
    if (!(px >= 0 && py >= 0 && px < width && py < height)) continue;
    const k = py * width + px;
    if (!(Math.abs(depth[k]! - away) < agrees * away)) continue;
    evidence.confidence[v] = Math.max(evidence.confidence[v]!, confidence[k]!);
    if (inferred?.[k] !== 1) evidence.kind[v] = 1;
    else if (evidence.kind[v] === 0) evidence.kind[v] = 2;
  }
}

/**
 * The mesh with its vertices' confidence; faces that rest on nothing but completed depth are marked as inferred beside
 * those that close holes.
 */
export function withEvidence(mesh: Mesh, { confidence, kind }: Evidence): Mesh {
  const inferred = shared(
    Uint8Array.from({ length: mesh.indices.length / 3 }, (_, t) => {
      if (mesh.inferred?.[t] === 1) return 1;
      const kinds = [0, 1, 2].map((c) => kind[mesh.indices[3 * t + c]!]!);
      return !kinds.includes(1) && kinds.includes(2) ? 1 : 0;
    }),
  );
  return { ...mesh, confidence, inferred };
}
