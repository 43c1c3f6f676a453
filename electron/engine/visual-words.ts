import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../contract/errors.js';
import { installFolder } from './environment.js';

let kept: Uint8Array | undefined;

/**
 * The vocabulary of retrieval, in memory that threads share.
 *
 * @throws UserError 'not-found' where the installation lacks it
 */
export function visualWords(): Uint8Array {
  if (kept) return kept;
  const path = join(installFolder, 'resources', 'vocabulary', 'words.bin');
  try {
    const bytes = readFileSync(path);
    kept = new Uint8Array(new SharedArrayBuffer(bytes.length));
    kept.set(bytes);
    return kept;
  } catch {
    throw new UserError(
      'not-found',
      `the vocabulary that finds photos of one place is missing; install again: ${path}`,
    );
  }
}
