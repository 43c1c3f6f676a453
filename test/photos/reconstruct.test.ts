import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparePoses, quantile } from '../bench/poses.js';
import { pointmap, realSet, reconstructed } from '../fixtures/real-photos.js';

const [sceaux, fox] = [realSet('sceaux')!, realSet('fox')!];
const present = sceaux !== undefined && fox !== undefined;
if (!present) console.log('skipped: there are no real photos beside the checkout');

let out: string;
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'pointmap-real-'));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe.skipIf(!present)('real photos', () => {
  test.each([
    { set: 'sceaux', photos: sceaux, rotation: 0.8, rotation90: 2.5, translation: 2, focal: 0.05, points: 300_000 },
    { set: 'fox', photos: fox, rotation: 0.8, rotation90: 3, translation: 3, focal: 0.05, points: 200_000 },
  ])('$set: every photo placed, close to the reference cameras', async ({ photos, ...target }) => {
    const { code, json, progress, out } = await reconstructed(photos);
    expect(code, progress).toBe(0);
    const errors = comparePoses(join(out, 'cameras.json'), join(photos, 'cameras.json'));
    expect(errors.registered).toBe(errors.photos);
    expect(quantile(errors.rotation, 0.5)).toBeLessThan(target.rotation);
    expect(quantile(errors.rotation, 0.9)).toBeLessThan(target.rotation90);
    expect(quantile(errors.translation, 0.5)).toBeLessThan(target.translation);
    expect(Math.max(...errors.focal)).toBeLessThan(target.focal);
    expect(json.points).toBeGreaterThan(target.points);
  });

  test('another threshold calls no estimator and gives fewer points', async () => {
    const first = await reconstructed(sceaux);
    const copy = join(out, 'sceaux');
    cpSync(first.out, copy, { recursive: true });
    const words = ['--out', copy, '--min-confidence', '6'];
    const { code, json } = await pointmap('reconstruct', sceaux, ...words);
    expect(code).toBe(0);
    expect(json.computed).toBe(0);
    expect(json.points).toBeLessThan(first.json.points as number);
  });

  test('two unrelated places give two components, the larger exported, the other named', async () => {
    const mixed = join(out, 'mixed');
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-mixed-'));
    // Half as large as they are: the rest of the time tells nothing more.
    const small = (set: string, name: string): Promise<unknown> =>
      sharp(join(set, name)).keepMetadata().resize(960, 960, { fit: 'inside' }).toFile(join(folder, name));
    const facade = readdirSync(sceaux).filter((name) => name.endsWith('.JPG'));
    for (const name of facade.slice(2, 7)) await small(sceaux, name);
    for (const name of ['0001.jpg', '0003.jpg', '0007.jpg']) await small(fox, name);
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
