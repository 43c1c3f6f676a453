import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, test } from 'vitest';
import { commandIds, commands } from '../../../electron/contract/commands.js';
import { editTitles } from '../../../electron/contract/edit-titles.js';
import { stages } from '../../../electron/contract/stages.js';
import { engineStages } from '../../../electron/engine/stages.js';
import { german } from '../../../renderer/words/de.js';
import { spanish } from '../../../renderer/words/es.js';
import { french } from '../../../renderer/words/fr.js';
import { plural, setWords, t } from '../../../renderer/words/index.js';
import { stepText } from '../../../renderer/words/step-text.js';
import { japanese } from '../../../renderer/words/ja.js';
import { chinese } from '../../../renderer/words/zh.js';

const catalogues = { german, french, spanish, japanese, chinese };
const folder = join(import.meta.dirname, '../../../renderer');
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('words'))
  .map((name) => ({
    name,
    file: ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.Latest, true),
  }));

/** Attributes, properties and calls whose texts a person reads. */
const READ_ATTRIBUTES = ['aria-label', 'title', 'label', 'placeholder', 'alt', 'word', 'heading'];
const READ_PROPERTIES = ['title', 'use'];
/** Names of things are the same in every language. */
const NAMES =
  /^(Pointmap Studio|COLMAP|Blender|PLY|GLB|PNG|cameras\.json|transforms\.json|W A S D, E, Q|px|EXIF|mm?|[xyz])$/;
const isWords = (text: string): boolean => /\p{L}{2}/u.test(text) && !NAMES.test(text.replace(/[,.:;]+$/, '').trim());

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** Texts given to `t` and `plural`. */
function used(): Set<string> {
  const texts = new Set<string>();
  const take = (node: ts.Expression | undefined): void => {
    if (node && ts.isStringLiteralLike(node)) texts.add(node.text);
  };
  for (const { file } of sources)
    visit(file, (node) => {
      if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
      if (node.expression.text === 't') take(node.arguments[0]);
      if (node.expression.text === 'plural') node.arguments.slice(1, 3).forEach(take);
    });
  return texts;
}

/** Texts of tables outside the renderer that it shows. */
const shown = [
  ...commandIds.flatMap((id) => [commands[id].title, commands[id].menu]),
  ...stages.map(({ title }) => title),
  ...Object.values(engineStages).flatMap(({ begins, steps }) => [begins, ...Object.keys(steps)]),
  'comparing photos',
  ...editTitles,
  ...['Home', 'Pictures', 'Documents', 'Desktop', 'Downloads'],
];

/** Words that a person would read in English whatever the language. */
function hardCoded(file: ts.SourceFile): string[] {
  const found: string[] = [];
  const read = (node: ts.Node | undefined): void => {
    if (!node) return;
    if (ts.isJsxExpression(node)) read(node.expression);
    else if (ts.isParenthesizedExpression(node)) read(node.expression);
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(read);
    else if (ts.isBinaryExpression(node)) read(node.right);
    else if (ts.isStringLiteralLike(node) && isWords(node.text)) found.push(node.text);
    else if (ts.isTemplateExpression(node)) {
      const text = node.head.text + node.templateSpans.map(({ literal }) => literal.text).join(' ');
      if (text.split(/\s+/).some((word) => isWords(word))) found.push(node.getText());
    }
  };
  visit(file, (node) => {
    if (ts.isJsxText(node) && isWords(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && READ_ATTRIBUTES.includes(node.name.getText())) read(node.initializer);
    if (ts.isJsxExpression(node) && (ts.isJsxElement(node.parent) || ts.isJsxFragment(node.parent))) read(node);
    if (ts.isPropertyAssignment(node) && READ_PROPERTIES.includes(node.name.getText())) read(node.initializer);
    if (ts.isCallExpression(node) && node.expression.getText() === 'notify') read(node.arguments[1]);
  });
  return found;
}

describe('the words of the interface', () => {
  afterEach(() => setWords('en', {}));

  test('every text that is shown is in the catalogue, and nothing else is', () => {
    const wanted = [...new Set([...used(), ...shown])].sort();
    expect(wanted.length).toBeGreaterThan(400);
    expect(Object.keys(german).sort()).toEqual(wanted);
  });

  test.each(Object.entries(catalogues))('%s has every text, with the same values in it', (_, words) => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(german).sort());
    const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
    for (const [english, text] of Object.entries(words)) {
      expect(text.trim(), english).not.toBe('');
      expect(values(text), english).toEqual(values(english));
    }
    const same = Object.entries(words).filter(([english, text]) => english === text && /\s/.test(english));
    expect(same.length).toBeLessThan(12);
  });

  test.each(sources.map(({ name, file }) => [name, file] as const))('no word is hard-coded in %s', (_, file) => {
    expect(hardCoded(file)).toEqual([]);
  });

  test('numbers and plurals follow the language', () => {
    expect(plural(1, '{n} photo', '{n} photos')).toBe('1 photo');
    expect(plural(1200, '{n} photo', '{n} photos')).toBe('1,200 photos');
    setWords('de', german);
    expect(plural(1, '{n} photo', '{n} photos')).toBe('1 Foto');
    expect(plural(1200, '{n} photo', '{n} photos')).toBe('1.200 Fotos');
    expect(t('{a} and {b}', { a: 'x', b: 'y' })).toBe('x und y');
    setWords('fr', french);
    expect(plural(0, '{n} photo', '{n} photos')).toBe('0 photo');
    setWords('ja', japanese);
    expect(plural(1, '{n} photo', '{n} photos')).toBe('写真 1 枚');
    // What no catalogue knows stays as it is.
    expect(t('something new')).toBe('something new');
  });

  test('steps of undo are named in the language, those that a person has named as they are', () => {
    setWords('de', german);
    expect(stepText('Disable 1200 photos, Crop')).toBe('1.200 Fotos ausschalten, Zuschneiden');
    expect(stepText('Rubble 3')).toBe('Rubble 3');
    expect(stepText(undefined)).toBeUndefined();
  });

  test('every name that the engine gives to an edit of the scene is known', () => {
    const draft = readFileSync(join(folder, '../electron/engine/scene-draft.ts'), 'utf8');
    const given = [...draft.matchAll(/did\(([^;]*)\);/g)].flatMap(([, texts]) => [...texts!.matchAll(/'([^']+)'/g)]);
    expect(given.length).toBeGreaterThan(10);
    for (const [, text] of given) expect(editTitles).toContain(text);
  });
});
