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

/** What the depth maps say of each vertex of the finished mesh. */
export function evidenceOf(
  positions: Float32Array,
  views: readonly SurfaceView[],
  options: Partial<EvidenceOptions> = {},
): Evidence {
  const { agrees } = { ...EVIDENCE_DEFAULTS, ...options };
  const count = positions.length / 3;
  const evidence: Evidence = { confidence: new Float32Array(count).fill(1), kind: new Uint8Array(count) };
  for (const view of views) addEvidence(positions, view, agrees, evidence);
  return evidence;
}

function addEvidence(
  positions: Float32Array,
  { width, height, focal, centreX, centreY, cameraFromWorld: M, depth, confidence, inferred }: SurfaceView,
  agrees: number,
  evidence: Evidence,
): void {
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
export function withEvidence(mesh: Mesh, views: readonly SurfaceView[], options: Partial<EvidenceOptions> = {}): Mesh {
  const { confidence, kind } = evidenceOf(mesh.positions, views, options);
  const inferred = Uint8Array.from({ length: mesh.indices.length / 3 }, (_, t) => {
    if (mesh.inferred?.[t] === 1) return 1;
    const kinds = [0, 1, 2].map((c) => kind[mesh.indices[3 * t + c]!]!);
    return !kinds.includes(1) && kinds.includes(2) ? 1 : 0;
  });
  return { ...mesh, confidence, inferred };
}
