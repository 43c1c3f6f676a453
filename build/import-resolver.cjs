// For the linter's layer rules: resolves relative imports of TypeScript files, which name their `.js` (eslint-plugin-import's resolver interface, 2).
const { existsSync } = require('node:fs');
const { dirname, resolve } = require('node:path');

exports.interfaceVersion = 2;
exports.resolve = (source, file) => {
  if (!source.startsWith('.')) return { found: false };
  const path = resolve(dirname(file), source);
  const found = [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx'), path].find((candidate) =>
    existsSync(candidate),
  );
  return found ? { found: true, path: found } : { found: false };
};
