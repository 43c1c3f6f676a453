import ts from 'typescript';
import { readFileSync, writeFileSync } from 'node:fs';
const ATTR = new Set(['aria-label','title','label','placeholder','alt','word','heading']);
const PROP = new Set(['title','use']);
const q = (s: string) => "'" + s.replace(/\\/g,'\\\\').replace(/'/g, "\\'") + "'";
for (const file of process.argv.slice(2)) {
  let src = readFileSync(file,'utf8');
  const sf = ts.createSourceFile(file, src, ts.ScriptTarget.Latest, true, file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const edits: [number, number, string][] = [];
  const words = (s: string) => /[A-Za-z]{2}/.test(s);
  const lit = (n: ts.Node, jsx: boolean) => {
    if (ts.isStringLiteral(n) && words(n.text)) edits.push([n.getStart(), n.end, jsx ? `{t(${q(n.text)})}` : `t(${q(n.text)})`]);
    else if (ts.isTemplateExpression(n)) {
      let text = n.head.text; const vals: string[] = [];
      n.templateSpans.forEach((s, k) => { const nm = ts.isIdentifier(s.expression) ? s.expression.text : `v${k}`; text += `{${nm}}` + s.literal.text; vals.push(nm === s.expression.getText() ? nm : `${nm}: ${s.expression.getText()}`); });
      if (words(text.replace(/\{\w+\}/g,''))) edits.push([n.getStart(), n.end, `t(${q(text)}, { ${vals.join(', ')} })`]);
    } else if (ts.isConditionalExpression(n)) { lit(n.whenTrue, false); lit(n.whenFalse, false); }
    else if (ts.isParenthesizedExpression(n)) lit(n.expression, false);
  };
  const visit = (n: ts.Node): void => {
    if (ts.isJsxText(n) && words(n.text)) {
      const t0 = n.text.match(/^\s*/)![0], t1 = n.text.match(/\s*$/)![0];
      const mid = n.text.trim().replace(/\s+/g,' ');
      edits.push([n.pos, n.end, `${t0.includes('\n') ? '\n' : t0 ? "{' '}" : ''}{t(${q(mid)})}${t1.includes('\n') ? '\n' : t1 ? "{' '}" : ''}`]);
      return;
    }
    if (ts.isJsxAttribute(n) && ATTR.has(n.name.getText()) && n.initializer) {
      if (ts.isStringLiteral(n.initializer)) { lit(n.initializer, true); return; }
      if (ts.isJsxExpression(n.initializer) && n.initializer.expression) lit(n.initializer.expression, false);
    }
    if (ts.isJsxExpression(n) && n.expression && (ts.isJsxElement(n.parent) || ts.isJsxFragment(n.parent))) lit(n.expression, false);
    if (ts.isPropertyAssignment(n) && PROP.has(n.name.getText()) && !ts.isCallExpression(n.initializer)) lit(n.initializer, false);
    if (ts.isCallExpression(n) && n.expression.getText() === 'notify' && n.arguments[1]) lit(n.arguments[1]!, false);
    // Facts rows: ['Name', ...]
    if (ts.isArrayLiteralExpression(n) && n.elements.length === 2 && ts.isStringLiteral(n.elements[0]!) && /^[A-Z]/.test(n.elements[0].text) ) lit(n.elements[0]!, false);
    ts.forEachChild(n, visit);
  };
  visit(sf);
  const uniq = [...new Map(edits.map(e => [e[0], e])).values()].sort((a, b) => b[0] - a[0]);
  if (!uniq.length) continue;
  for (const [a, b, s] of uniq) src = src.slice(0, a) + s + src.slice(b);
  if (!/from '\.\.\/words\/index\.js'/.test(src)) { const i = src.lastIndexOf("\nimport "); const e = src.indexOf('\n', i + 1); const im = src.indexOf(";\n", i) ; src = src.slice(0, im + 2) + "import { t } from '../words/index.js';\n" + src.slice(im + 2); }
  writeFileSync(file, src);
  console.log(file, uniq.length);
}
