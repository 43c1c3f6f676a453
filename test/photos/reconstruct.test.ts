import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparePoses, quantile } from '../bench/poses.js';

const photos = '../shared/photos';
const present = existsSync(photos);
if (!present) console.log(`skipped: there are no real photos in ${photos}`);

let out: string;
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'pointmap-real-'));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

async function pointmap(
  ...words: string[]
): Promise<{ code: number; json: Record<string, unknown>; progress: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'electron/cli.ts', ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let progress = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    progress += chunk;
  });
  const code = await new Promise<number>((resolve) => child.on('close', resolve));
  return {
    code,
    progress,
    json: output ? (JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, unknown>) : {},
  };
}

describe.skipIf(!present)('real photos', () => {
  test.each([
    { set: 'sceaux', rotation: 0.8, rotation90: 2.5, translation: 2, focal: 0.05, points: 300_000 },
    { set: 'fox', rotation: 0.8, rotation90: 3, translation: 3, focal: 0.05, points: 200_000 },
  ])('$set: every photo placed, close to the reference cameras', async ({ set, ...target }) => {
    const folder = join(out, set);
    const { code, json, progress } = await pointmap('reconstruct', join(photos, set), '--out', folder);
    expect(code, progress).toBe(0);
    const errors = comparePoses(join(folder, 'cameras.json'), join(photos, set, 'cameras.json'));
    expect(errors.registered).toBe(errors.photos);
    expect(quantile(errors.rotation, 0.5)).toBeLessThan(target.rotation);
    expect(quantile(errors.rotation, 0.9)).toBeLessThan(target.rotation90);
    expect(quantile(errors.translation, 0.5)).toBeLessThan(target.translation);
    expect(Math.max(...errors.focal)).toBeLessThan(target.focal);
    expect(json.points).toBeGreaterThan(target.points);
  });

  test('another threshold calls no estimator and gives fewer points', async () => {
    const before = JSON.parse(readFileSync(join(out, 'sceaux', 'report.json'), 'utf8')) as { points: number };
    const { code, json } = await pointmap(
      'reconstruct',
      join(photos, 'sceaux'),
      '--out',
      join(out, 'sceaux'),
      '--min-confidence',
      '6',
    );
    expect(code).toBe(0);
    expect(json.computed).toBe(0);
    expect(json.points).toBeLessThan(before.points);
  });

  test('two unrelated places give two components, the larger exported, the other named', async () => {
    const mixed = join(out, 'mixed');
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-mixed-'));
    for (const name of readdirSync(join(photos, 'sceaux'))
      .filter((each) => each.endsWith('.JPG'))
      .slice(2, 7))
      copyFileSync(join(photos, 'sceaux', name), join(folder, name));
    for (const name of ['0001.jpg', '0003.jpg', '0007.jpg'])
      copyFileSync(join(photos, 'fox', name), join(folder, name));
    const { code, json, progress } = await pointmap('reconstruct', folder, '--out', mixed, '--quality', 'draft');
    rmSync(folder, { recursive: true, force: true });
    expect(code, progress).toBe(0);
    const components = json.components as string[][];
    expect(components[0]!.every((name) => name.startsWith('100_'))).toBe(true);
    expect(json.registered).toBe(5);
    const others = [
      ...components.slice(1).flat(),
      ...(json.unplaced as { name: string }[]).map(({ name }) => name),
    ].sort();
    expect(others).toEqual(['0001.jpg', '0003.jpg', '0007.jpg']);
  });
});
