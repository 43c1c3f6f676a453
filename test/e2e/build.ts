import { execFileSync } from 'node:child_process';

/** The bundle under test is the one of these sources. */
export default function setup(): void {
  execFileSync(process.execPath, ['build/build.mjs', '--if-needed'], { stdio: 'inherit' });
}
