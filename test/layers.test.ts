import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

const eslint = new ESLint();

/** The layer rule's complaints about a file at `path` that imports `imported`. */
async function complaints(path: string, imported: string): Promise<number> {
  const [result] = await eslint.lintText(`import { x } from '${imported}';\nexport const y = x;\n`, { filePath: path });
  return result!.messages.filter((message) => message.ruleId === 'boundaries/dependencies').length;
}

describe('the layers of ARCHITECTURE.md', () => {
  test.each([
    ['electron/alignment/example.ts', '../engine/engine.js'],
    ['electron/pairs/example.ts', '../project/project.js'],
    ['electron/geometry/example.ts', '../alignment/types.js'],
    ['electron/pointmaps/example.ts', '../alignment/types.js'],
    ['renderer/example.ts', '../electron/geometry/types.js'],
    ['renderer/store/example.ts', '../commands/actions.js'],
    ['renderer/design/example.ts', '../commands/actions.js'],
    ['renderer/viewer/example.ts', '../photos/PhotoList.js'],
    ['renderer/commands/example.ts', '../shell/App.js'],
    ['renderer/photos/example.ts', '../shell/App.js'],
    ['native-models/example.ts', '../electron/engine/engine.js'],
    ['electron/contract/example.ts', '../geometry/types.js'],
  ])('%s may not import %s', async (path, imported) => {
    expect(await complaints(path, imported)).toBe(1);
  });

  test.each([
    ['electron/alignment/example.ts', '../geometry/types.js'],
    ['electron/scene/example.ts', '../alignment/types.js'],
    ['electron/engine/example.ts', '../alignment/types.js'],
    ['renderer/example.ts', '../electron/contract/api.js'],
    ['renderer/commands/example.ts', '../viewer/handle.js'],
    ['renderer/graph/example.ts', '../photos/PhotoList.js'],
  ])('%s may import %s', async (path, imported) => {
    expect(await complaints(path, imported)).toBe(0);
  });
}, 60_000);
