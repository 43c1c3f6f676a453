import { WorkerPool } from '../compute/pool.js';
import { invertRigid } from '../numerics/linear.js';
import { Crew } from './crew.js';
import {
  AT_THE_FACE,
  noVotes,
  ROUND_THE_FACE,
  type Erasure,
  type MarkedView,
  type Reach,
  type Votes,
} from './erase.js';
import { shared } from './shared.js';
import type { TexturedMesh } from './textured.js';
import type { ViewCamera } from './types.js';
import { surfaceWorker } from './worker-address.js';

/**
 * The mesh without what was taken away since it was built (see erase.ts), on a thread of its own. Depth maps are read one
 * by one: first those in which something was deleted, then those that see the faces which this touches.
 */
export async function eraseFrom(mesh: TexturedMesh, erasure: Erasure): Promise<TexturedMesh> {
  const pool = new WorkerPool(surfaceWorker, 1);
  try {
    return await erased(mesh, erasure, new Crew(pool, {}));
  } finally {
    await pool.close();
  }
}

async function erased(
  mesh: TexturedMesh,
  { cameras, maps, deleted, region }: Erasure,
  crew: Crew,
): Promise<TexturedMesh> {
  const { positions, indices } = mesh;
  const places = await crew.ask('places', { mesh: { positions, indices }, region });
  const views = maps.map(({ width, height, focal, centreX, centreY }, k): ViewCamera => {
    const cameraFromWorld = invertRigid(cameras[k]!.worldFromCamera);
    return { width, height, focal, centreX, centreY, cameraFromWorld };
  });
  const marked = (k: number): MarkedView => ({ ...views[k]!, depth: maps[k]!.depth, bits: deleted[k] });
  const touched = shared(new Uint8Array(indices.length / 3));
  for (const k of maps.keys()) if (deleted[k]) await crew.ask('touch', { places, view: marked(k), touched });
  const vote = async (faces: Uint32Array, reach: Reach): Promise<Votes> => {
    const votes = noVotes(faces.length);
    const ballot = { faces: shared(faces), reach, votes };
    for (const k of await crew.ask('viewsOf', { places, ballot, cameras: views }))
      await crew.ask('vote', { places, ballot, view: marked(k) });
    return votes;
  };
  const asked = Uint32Array.from(touched.keys()).filter((t) => touched[t] === 1);
  const own = await vote(asked, AT_THE_FACE);
  const unspoken = asked.filter((_, n) => own.spoken[n] === 0);
  const around = await vote(unspoken, ROUND_THE_FACE);
  const lost = [...asked.filter((_, n) => own.sum[n]! < 0), ...unspoken.filter((_, n) => around.sum[n]! < 0)];
  return crew.ask('erase', { mesh, places, deleted: Uint32Array.from(lost) });
}
