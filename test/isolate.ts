import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A data folder of the suite's own: what its user has installed or opened changes no result, and no test leaves a trace
 * there.
 */
export default function isolate(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-suite-'));
  process.env.POINTMAP_DATA = folder;
  delete process.env.POINTMAP_MODELS;
  return () => rmSync(folder, { recursive: true, force: true });
}
