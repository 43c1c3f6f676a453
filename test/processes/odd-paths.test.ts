import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureProgram } from '../fixtures/program.js';

/** What each reader of test/fixtures/odd-paths.ts wants its file to be called. */
const ENDINGS = [
  '.pointmap',
  '.jpg',
  '.mp4',
  '.safetensors',
  '.json',
  '/cameras.bin',
  '/images.bin',
  '.sel',
  '.csv',
  '.pth',
  '.onnx',
];

describe.skipIf(process.platform === 'win32')('a path that stands for no file', () => {
  let folder: string;
  const servers: Server[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'odd-'));
    for (const kind of ['pipe', 'zero', 'socket', 'loop', 'folder']) mkdirSync(join(folder, kind));
    for (const ending of ENDINGS) {
      execFileSync('mkfifo', [join(folder, `pipe${ending}`)]);
      symlinkSync('/dev/zero', join(folder, `zero${ending}`));
      symlinkSync(join(folder, `loop${ending}`), join(folder, `loop${ending}`));
      if (!ending.startsWith('/')) mkdirSync(join(folder, `folder${ending}`));
      const server = createServer();
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(join(folder, `socket${ending}`), resolve));
    }
  });
  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is refused by every reader in one line that ends with it, and nothing waits for it', () => {
    const stems = ['pipe', 'zero', 'socket', 'loop', 'folder', 'absent'].map((stem) => join(folder, stem));
    // A minute and more is what only a wait without an end reaches.
    const { stdout, signal, stderr } = spawnSync(process.execPath, [fixtureProgram('odd-paths'), ...stems], {
      encoding: 'utf8',
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
    const said = JSON.parse(stdout) as Record<string, { name: string; message: string }>;
    // A new project may take the place of nothing.
    delete said['new project: absent'];
    expect(Object.keys(said).length).toBeGreaterThan(80);
    for (const [what, { name, message }] of Object.entries(said)) {
      expect(name, `${what}: ${message}`).toBe('UserError');
      expect(message, what).not.toMatch(/\n|undefined|\[object/);
      // A photo is named by whoever asked for it.
      if (!what.startsWith('photo')) expect(message, what).toContain(folder);
    }
  });
});
