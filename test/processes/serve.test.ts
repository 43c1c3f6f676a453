import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { program } from '../fixtures/program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Serving {
  line: Promise<string>;
  ended: Promise<{ code: number | null; errors: string }>;
  stop(): void;
  pid: number;
}
/** From another folder than the checkout, as a user's shell is. */
function pointmap(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Serving {
  const child = spawn(process.execPath, [program, 'serve', ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POINTMAP_DATA: join(folder, 'data'), ...environment },
  });
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString();
  });
  return {
    pid: child.pid!,
    line: new Promise((resolve) => child.stdout.once('data', (part: Buffer) => resolve(part.toString()))),
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, errors }))),
    stop: () => child.kill('SIGTERM'),
  };
}

const childrenOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((each) => each !== '');
const isAlive = (pid: string): boolean => {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
};

test.runIf(process.platform === 'linux')(
  'serves from any folder, ends when told to, and leaves no engine behind',
  { timeout: 60_000 },
  async () => {
    const serving = pointmap(['--json']);
    const { address, port } = JSON.parse(await serving.line) as { address: string; port: number };
    expect(address).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?token=[\\w-]{32}$`));
    const children = childrenOf(serving.pid);
    expect(children.length).toBeGreaterThan(0);
    const taken = pointmap(['--port', String(port)]);
    expect(await taken.ended).toEqual({
      code: 1,
      errors: `pointmap: port ${port} is taken; choose another with --port, or leave it out\n`,
    });
    serving.stop();
    expect(await serving.ended).toEqual({ code: 0, errors: '' });
    await expect.poll(() => children.filter(isAlive)).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  "the browser is started with an address that opens the studio once: words of a command line are everybody's to read",
  { timeout: 60_000 },
  async () => {
    const [bin, told] = [join(folder, 'bin'), join(folder, 'told')];
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'xdg-open'),
      `#!/bin/sh\nprintf %s "$1" > "${told}.part" && mv "${told}.part" "${told}"\n`,
      {
        mode: 0o755,
      },
    );
    const serving = pointmap(['--json', '--open'], { PATH: `${bin}:${process.env.PATH}` });
    const { address } = JSON.parse(await serving.line) as { address: string };
    await expect.poll(() => existsSync(told), { timeout: 30_000 }).toBe(true);
    const once = readFileSync(told, 'utf8');
    expect(once.split('=')[0]).toBe(address.split('=')[0]);
    expect(once).not.toBe(address);
    const open = async (): Promise<number> => (await fetch(once, { redirect: 'manual' })).status;
    const [first, second] = [await open(), await open()];
    expect(first).toBeLessThan(400);
    expect(second).toBe(403);
    serving.stop();
    expect(await serving.ended).toEqual({ code: 0, errors: '' });
  },
);

test("a project that can't be opened and a port that is none are told in one line", { timeout: 60_000 }, async () => {
  const [missing, port] = await Promise.all([pointmap(['none.pointmap']).ended, pointmap(['--port', '99999']).ended]);
  expect(missing).toEqual({
    code: 1,
    errors: `pointmap: there is no such project; check the path: ${join(folder, 'none.pointmap')}\n`,
  });
  expect(port.code).toBe(2);
  expect(port.errors).toContain('a port is a whole number from 0 to 65535');
});
