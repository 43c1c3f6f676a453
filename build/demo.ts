/**
 * `npm run demo`: the bundled sample photos through the built-in estimator to a textured mesh, into out/demo. Nothing is downloaded.
 * Starts afresh each time, so that what it shows is what a new set of photos takes.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../electron/contract/errors.js';
import { fail } from '../electron/cli/output.js';
import { reconstruct } from '../electron/cli/reconstruct.js';
import { sampleSets } from '../electron/engine/environment.js';

const out = join('out', 'demo');
try {
  const [sample] = sampleSets();
  if (!sample)
    throw new UserError('not-found', 'the sample photos are missing; restore resources/samples from the repository');
  rmSync(out, { recursive: true, force: true });
  console.log(`Reconstructing ${sample.photos} sample photos of ${sample.folder}`);
  await reconstruct([sample.folder], { out, formats: 'ply,glb,cameras', mesh: true });
  console.log(`Look at ${join(out, 'preview.png')}, or open ${join(out, 'mesh.glb')} in any 3D viewer.`);
} catch (error) {
  process.exitCode = fail(error);
}
