import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('npm start', () => {
  /** Starts it and waits for the address of the browser mode. */
  function start(
    environment: Record<string, string>,
    ...words: string[]
  ): { child: ChildProcess; said: Promise<string> } {
    const child = spawn(process.execPath, [join(root, 'build', 'start.mjs'), ...words], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, POINTMAP_DATA: join(folder, 'data'), DISPLAY: '', WAYLAND_DISPLAY: '', ...environment },
    });
    let output = '';
    const said = new Promise<string>((resolve, reject) => {
      const add = (part: Buffer): void => {
        output += part.toString();
        if (/Open http:.*\n/.test(output)) resolve(output);
      };
      child.stdout.on('data', add);
      child.stderr.on('data', add);
      child.on('exit', () => reject(new Error(output)));
    });
    return { child, said };
  }
  const stop = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => {
      child.on('exit', resolve);
      child.kill('SIGTERM');
    });

  test('without a screen says so, and serves the studio to a browser', async () => {
    const { child, said } = start({});
    const output = await said;
    expect(output).toContain("The desktop window can't be opened: there is no screen here");
    const response = await fetch(/http:\S+/.exec(output)![0], { redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(await stop(child)).toBe(0);
  });

  test('with --browser goes there at once', async () => {
    const { child, said } = start({}, '--browser');
    expect(await said).not.toContain("can't be opened");
    expect(await stop(child)).toBe(0);
  });
});
