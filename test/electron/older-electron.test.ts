/**
 * Main process and preload in an older Electron: 25 has Node 18, and loads CommonJS only. What would not run there is
 * found in a bundle made for it; test/electron/real-electron.test.ts starts the real one, where it is.
 */
import { ESLint } from 'eslint';
import node from 'eslint-plugin-n';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../../build/electron.mjs';

/** Of Electron 25. */
const NODE = '18.15.0';
/** Methods of the language that came after it; a bundler does not write them in other words. */
const LATER = /^(toSorted|toReversed|toSpliced|groupBy|withResolvers|fromAsync|isWellFormed|toWellFormed)$/;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'older-electron-'));
  await bundle(folder, { main: 'electron/main.ts' }, 'cjs', 'cjs', 'node18');
  await bundle(folder, { preload: 'electron/preload.ts' }, 'cjs', 'cjs', 'node18');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What Node 18 does not have in a text. */
async function unknownIn(code: string): Promise<string[]> {
  const eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [
      {
        plugins: { n: node as unknown as ESLint.Plugin },
        languageOptions: { sourceType: 'commonjs', ecmaVersion: 2024 },
        linterOptions: { noInlineConfig: true },
        rules: {
          'n/no-unsupported-features/node-builtins': [
            'error',
            // These are there, still called experiments, or are asked for by whether they are there (pino).
            {
              version: `>=${NODE}`,
              ignores: [
                'Response',
                'util.getCallSite',
                'util.getCallSites',
                ...['', '.tracingChannel'].map((part) => `diagnostics_channel${part}`),
              ],
            },
          ],
          'no-restricted-syntax': [
            'error',
            { selector: `MemberExpression[property.name=${String(LATER)}]`, message: 'is not in Node 18' },
            { selector: 'MetaProperty', message: 'is not in CommonJS' },
          ],
        },
      },
    ],
  });
  const [result] = await eslint.lintText(code);
  return result!.messages.map(({ line, message }) => `${line}: ${message}`);
}

test.each(['main', 'preload'])('%s uses nothing that Node 18 does not have', async (name) => {
  expect(await unknownIn(readFileSync(join(folder, `${name}.cjs`), 'utf8'))).toEqual([]);
});

test('what Node 18 does not have is found', async () => {
  const found = await unknownIn(
    `const { styleText } = require('node:util'); [2, 1].toSorted(); require('node:path').matchesGlob('a', 'b');`,
  );
  expect(found).toHaveLength(3);
});

test('the main process is read as CommonJS, and asks Electron for its place first', () => {
  const asked: string[] = [];
  const app = new Proxy(
    {},
    {
      get: (_, name) => () => {
        asked.push(String(name));
        return false;
      },
    },
  );
  const load = createRequire(join(folder, 'main.cjs'));
  const real = (Module as unknown as { _load: (...words: unknown[]) => unknown })._load;
  (Module as unknown as { _load: typeof real })._load = (request, ...rest) =>
    request === 'electron' ? { app } : real(request, ...rest);
  try {
    load('./main.cjs');
  } finally {
    (Module as unknown as { _load: typeof real })._load = real;
  }
  // Another studio runs already, says the stand-in.
  expect(asked.slice(-2)).toEqual(['requestSingleInstanceLock', 'quit']);
});
