// The licences of every package that the program is made of: what its sources import, and what that depends on.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');

/** Names of packages that sources import: `import ... from 'x/y'`, `import('x')`, `require('x')`. */
function imported() {
  const names = new Set();
  for (const room of ['electron', 'native-models', 'renderer'])
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|tsx|css)$/.test(entry.name)) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      for (const [, name] of text.matchAll(
        /(?:from|import|import\(|require\(|\)\()\s*'((?:@[\w.-]+\/)?[\w.-]+)(?:\/[^']*)?'/g,
      ))
        names.add(name);
    }
  return names;
}

/** @returns folders by name and version, what they depend on included */
function closure(names) {
  const found = new Map();
  const visit = (name, from) => {
    for (let folder = from; ; folder = dirname(folder)) {
      const at = join(folder, 'node_modules', name);
      if (existsSync(join(at, 'package.json'))) {
        const card = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
        const key = `${card.name} ${card.version}`;
        if (found.has(key)) return;
        found.set(key, { at, card });
        for (const needed of Object.keys({ ...card.dependencies, ...card.optionalDependencies })) visit(needed, at);
        return;
      }
      if (folder === dirname(folder)) return;
    }
  };
  for (const name of names) visit(name, root);
  return found;
}

/** Writes `third-party-licences.txt`. @returns names and versions of what it lists */
export function writeLicences(folder) {
  const packages = closure(imported());
  const parts = [...packages].sort().map(([key, { at, card }]) => {
    const texts = readdirSync(at)
      .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
      .map((name) => readFileSync(join(at, name), 'utf8').trim());
    const licence = typeof card.license === 'string' ? card.license : 'see below';
    return [`${key} (${licence})`, card.homepage ?? '', '', ...texts].join('\n');
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'third-party-licences.txt'), `${parts.join(`\n\n${'='.repeat(80)}\n\n`)}\n`);
  return [...packages.keys()];
}
