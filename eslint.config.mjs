import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

// The two tables of ARCHITECTURE.md. An element may import itself and what stands beside it here; nothing else.
const rooms = [
  'photos',
  'video',
  'features',
  'retrieval',
  'pairs',
  'sparse',
  'pointmaps',
  'alignment',
  'scene',
  'surface',
  'export',
];
/** Rooms that may run networks. */
const networkRooms = ['features', 'sparse', 'pointmaps'];
/** Of the renderer, each above those before it; panels and the shell are what is left over. */
const rendererLayers = ['words', 'transport', 'store', 'design', 'viewer', 'commands', 'panels', 'renderer'];
const rendererPanels = [
  'photos',
  'run',
  'graph',
  'depth',
  'export',
  'files',
  'cloud',
  'scene',
  'preferences',
  'videos',
];
const element = (type) => ({ element: { type } });
const rule = (from, allow) => ({ from: element(from), allow: [from, ...allow].map((type) => ({ to: element(type) })) });
const layers = [
  rule('contract', []),
  rule('numerics', []),
  rule('geometry', ['contract', 'numerics', 'compute']),
  rule('compute', []),
  rule('native-models', ['contract', 'compute', 'geometry', 'numerics']),
  // A middle room may import an earlier one's types, and no later one.
  ...rooms.map((room, k) =>
    rule(room, [
      'numerics',
      'geometry',
      'contract',
      'compute',
      ...rooms.slice(0, k),
      ...(networkRooms.includes(room) ? ['native-models'] : []),
    ]),
  ),
  rule('execution', ['numerics', 'geometry', 'contract', 'compute', ...rooms]),
  rule('project', ['geometry', 'contract', 'numerics', 'compute']),
  rule('engine', [...rooms, 'project', 'numerics', 'geometry', 'contract', 'compute', 'native-models']),
  rule('shell', ['engine', 'execution', 'contract', 'compute', 'numerics', 'geometry', 'native-models']),
  // Inside the renderer: a layer may import those before it.
  ...rendererLayers.map((layer, k) => rule(layer, ['contract', ...rendererLayers.slice(0, k)])),
];

export default ts.config(
  { ignores: ['**/*.cjs', 'dist', 'out', 'node_modules', '**/assembly/**', '.cache'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ['**/*.{ts,tsx,mjs}'],
    languageOptions: { globals: { ...globals.node } },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-constant-condition': ['error', { checkLoops: false }],
    },
  },
  {
    files: ['electron/**/*.ts', 'native-models/**/*.ts', 'renderer/**/*.{ts,tsx}'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { './build/import-resolver.cjs': {} },
      'boundaries/elements': [
        ...[...rooms, 'numerics', 'contract', 'geometry', 'compute', 'project', 'engine', 'execution'].map((room) => ({
          type: room,
          pattern: `electron/${room}/**`,
          partialMatch: false,
        })),
        { type: 'shell', pattern: 'electron/**', partialMatch: false },
        { type: 'native-models', pattern: 'native-models/**', partialMatch: false },
        ...['words', 'transport', 'store', 'design', 'viewer', 'commands'].map((layer) => ({
          type: layer,
          pattern: `renderer/${layer}/**`,
          partialMatch: false,
        })),
        ...rendererPanels.map((panel) => ({ type: 'panels', pattern: `renderer/${panel}/**`, partialMatch: false })),
        { type: 'renderer', pattern: 'renderer/**', partialMatch: false },
      ],
    },
    rules: {
      'boundaries/dependencies': ['error', { default: 'disallow', policies: layers }],
      'boundaries/no-unknown-files': 'error',
    },
  },
  {
    files: ['renderer/**/*.{ts,tsx}'],
    languageOptions: { globals: { ...globals.browser } },
    plugins: { 'react-hooks': reactHooks },
    rules: { ...reactHooks.configs.recommended.rules },
  },
  {
    // three.js's cameras, materials and controls are objects that one changes: the rules of a compiler that expects
    // values don't fit.
    files: ['renderer/viewer/**/*.{ts,tsx}'],
    rules: Object.fromEntries(
      ['immutability', 'refs', 'purity', 'set-state-in-effect', 'preserve-manual-memoization', 'use-memo'].map(
        (rule) => [`react-hooks/${rule}`, 'off'],
      ),
    ),
  },
);
