import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from './room.js';
import { button, chromiumPath, openStudio, shown, step, type Studio } from './studio.js';

/** From a finished cloud to Blender: levelled, scaled, cropped, cleaned and measured, by the hand and by keys. */
describe.skipIf(!chromiumPath)('the scene', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await openRoom(studio);
    await shown(studio.page);
    await step(studio.page, 'Clean').click();
    await fact('Up');
  }, 180_000);
  afterAll(() => studio?.close());

  const fact = (name: string): Promise<string> =>
    studio.page
      .locator('.facts dt', { hasText: new RegExp(`^${name}$`) })
      .locator('xpath=following-sibling::dd[1]')
      .innerText();
  /** A place of the view, by its fractions. */
  const place = async (x: number, y: number): Promise<readonly [number, number]> => {
    const box = (await studio.page.locator('.viewer canvas').first().boundingBox())!;
    return [box.x + x * box.width, box.y + y * box.height];
  };
  const pickTwo = async (): Promise<void> => {
    // A view that still moves to what was levelled has nothing to pick yet.
    await shown(studio.page);
    await studio.page.keyboard.press('p');
    await studio.page.locator('.tool-layer').waitFor();
    for (const [k, x] of [0.42, 0.58].entries()) {
      await studio.page.mouse.click(...(await place(x, 0.5)));
      await studio.page.getByText(`${k + 1} picked`).waitFor();
    }
    await studio.page.keyboard.press('Escape');
  };
  const number = async (label: string): Promise<number> => Number(await studio.page.getByLabel(label).inputValue());
  const kept = async (): Promise<number> => {
    const [, figures, thousands] = /^([\d.]+)( k)?/.exec(await fact('Points kept'))!;
    return Number(figures) * (thousands ? 1000 : 1);
  };

  /** Through the first photo. */
  const beginMarking = async (): Promise<void> => {
    const { page } = studio;
    await step(page, 'Photos').click();
    await page.locator('.photo-row').first().click();
    await page.keyboard.press('v');
    await page.locator('.overlay-photo').waitFor();
    await step(page, 'Clean').click();
    await button(page, 'Mark a point').click();
  };
  /** A place of this photo, and of the next one where the first mark is drawn then. */
  const markTwice = async (x: number, y: number): Promise<void> => {
    const { page } = studio;
    await page.mouse.click(...(await place(x, y)));
    await page.locator('.mark-place').waitFor();
    await button(page, 'Next photo').click();
    await page.waitForTimeout(1000);
    await page.mouse.click(...(await centre(page.locator('.scene-lines .pick').last())));
  };

  it('is levelled by rings, which keys turn too', async () => {
    const { page } = studio;
    const before = await fact('Size');
    await button(page, 'By hand').click();
    const ring = page.getByRole('slider', { name: 'Turn about up' });
    await ring.focus();
    for (let k = 0; k < 30; k++) await page.keyboard.press('ArrowUp');
    await expect.poll(() => fact('Up')).toBe('by hand');
    await expect.poll(() => fact('Size')).not.toBe(before);
    await button(page, 'By hand').click();
    await page.locator('.level-rings').waitFor({ state: 'detached' });
  });

  it('is scaled by two points, and measures them so', async () => {
    const { page } = studio;
    await pickTwo();
    await page.getByLabel('Metres between the two picked points').fill('2.5');
    await button(page, 'Set the scale').click();
    await expect.poll(() => fact('Unit')).toBe('metres');
    await pickTwo();
    await button(page, 'Measure').click();
    const line = page.locator('.scene-lines .measure text');
    await expect.poll(() => line.textContent()).toMatch(/^2\.500 ± /);
    const drawn = (await page.locator('.scene-lines .measure polyline').getAttribute('points'))!
      .split(/[ ,]/)
      .map(Number);
    const [a, b] = [await place(0.42, 0.5), await place(0.58, 0.5)];
    expect(Math.abs(drawn[2]! - drawn[0]! - (b[0] - a[0]))).toBeLessThan(12);
  });

  it('is cropped by a handle that is dragged', async () => {
    const { page } = studio;
    await button(page, 'Add a crop box').click();
    const right = button(page, 'Right face of the crop box');
    await right.waitFor();
    const before = await number('Size x');
    const box = (await right.boundingBox())!;
    const left = (await button(page, 'Left face of the crop box').boundingBox())!;
    await page.mouse.move(box.x + 12, box.y + 12);
    await page.mouse.down();
    await page.mouse.move(box.x + 12 + 0.3 * (left.x - box.x), box.y + 12 + 0.3 * (left.y - box.y), { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => number('Size x')).toBeLessThan(0.9 * before);
    expect(await number('Size x')).toBeGreaterThan(0.4 * before);
    await button(page, 'Handles').click();
  });

  it('loses what a lasso holds, and gets it back by undo', async () => {
    const { page } = studio;
    const before = await kept();
    await shown(page);
    await page.keyboard.press('o');
    await page.locator('.tool-layer').waitFor();
    await page.mouse.move(...(await place(0.45, 0.4)));
    await page.mouse.down();
    for (const [x, y] of [
      [0.55, 0.4],
      [0.55, 0.6],
      [0.45, 0.6],
    ] as const)
      await page.mouse.move(...(await place(x, y)), { steps: 3 });
    await page.mouse.up();
    await page.getByText(/^[1-9]\d* selected/).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Delete');
    await expect.poll(kept).toBeLessThan(before);
    const less = await kept();
    await button(page, 'Undo').click();
    await expect.poll(kept).toBe(before);
    await button(page, 'Redo').click();
    await expect.poll(kept).toBe(less);
  });

  it('marks a point in two photos, with how far off it is', async () => {
    const { page } = studio;
    await beginMarking();
    // Where the first mark says that it is, the second photo is marked: nearly no residual.
    await markTwice(0.5, 0.5);
    await expect.poll(() => page.locator('.mark-place').innerText()).toMatch(/· off by 0\.\d\d px$/);
    await button(page, 'Pick this point').click();
    await page.getByText('1 picked').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.overlay-photo').waitFor({ state: 'detached' });
  });

  it('is the same after a reload, and in what Blender gets', async () => {
    const { page, folder } = studio;
    const found = {
      unit: await fact('Unit'),
      kept: await kept(),
      size: await number('Size x'),
      x: await number('Middle x'),
    };
    await page.reload();
    await shown(page);
    await step(page, 'Clean').click();
    await expect.poll(() => fact('Unit').catch(() => '')).toBe(found.unit);
    await expect.poll(kept).toBe(found.kept);
    expect(await number('Size x')).toBe(found.size);
    await expect.poll(() => page.locator('.scene-lines .measure text').textContent()).toMatch(/^2\.500 ± .* m$/);

    await page.keyboard.press('Control+e');
    const dialog = page.getByRole('dialog', { name: 'Export' });
    await dialog.getByLabel('For', { exact: true }).selectOption('blender');
    const target = join(folder, 'for blender');
    await dialog.getByLabel('Folder', { exact: true }).fill(target);
    await expect.poll(() => dialog.locator('.command').innerText()).toContain(`--for blender --out '${target}'`);
    await dialog.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('dialog', { name: 'Exported' }).waitFor({ timeout: 60_000 });
    expect(existsSync(join(target, 'open_in_blender.py'))).toBe(true);
    const points = plyPositions(readFileSync(join(target, 'points.ply')));
    // Told in three figures.
    expect(Math.abs(points.length / found.kept - 1)).toBeLessThan(0.006);
    const across = points.map(([x]) => x);
    // The box was dragged along x of the scene: nothing is outside it, and it cuts through the wall.
    expect(Math.max(...across)).toBeLessThanOrEqual(found.x + found.size / 2 + 1e-3);
    expect(Math.max(...across)).toBeGreaterThan(found.x + found.size / 2 - 0.1 * found.size);
    expect(Math.min(...across)).toBeGreaterThanOrEqual(found.x - found.size / 2 - 1e-3);
    await button(page, 'Done').click();
  });

  it('is placed by control points, and a check point tells how far off it is', async () => {
    const { page } = studio;
    await beginMarking();
    /** Marks a place in two photos. @returns where it is in the scene */
    const mark = async (x: number, y: number): Promise<readonly number[]> => {
      await markTwice(x, y);
      const told = page.locator('.mark-place');
      await expect.poll(() => told.innerText()).toMatch(/ · off by /);
      const numbers = (await told.innerText()).split(' · ')[0]!.split('; ');
      await button(page, 'Previous photo').click();
      await page.waitForTimeout(1000);
      return numbers.map((text) => Number(text.replace('−', '-').replaceAll(',', '')));
    };
    // A survey whose metre is half a unit of the scene, turned by a quarter, far from its own origin.
    const survey = ([x, y, z]: readonly number[]): number[] => [500_000 - 2 * y!, 4_200_000 + 2 * x!, 120 + 2 * z!];
    const points = [
      ['D', 'check', 0.5, 0.55],
      ['A', 'control', 0.42, 0.45],
      ['B', 'control', 0.58, 0.45],
      ['C', 'control', 0.45, 0.6],
    ] as const;
    for (const [name, role, x, y] of points) {
      const known = survey(await mark(x, y));
      const form = page.locator('details', { hasText: 'Known coordinates' });
      if (!(await form.evaluate((each) => (each as HTMLDetailsElement).open))) await form.locator('summary').click();
      await form.getByLabel('Name').fill(name);
      for (const [k, axis] of ['x', 'y', 'z'].entries())
        await form.getByLabel(axis, { exact: true }).fill(known[k]!.toFixed(4));
      await form.getByLabel('Role').selectOption(role);
      await button(page, 'Add the point').click();
      await page.locator('.scene-list', { hasText: role === 'check' ? `Check ${name}` : `Control ${name}` }).waitFor();
    }
    await expect.poll(() => fact('Unit')).toBe('metres');
    for (const [name] of points) {
      const row = page.locator('.scene-list li', { hasText: new RegExp(`(Check|Control) ${name}`) });
      await expect.poll(() => row.innerText()).toMatch(/off by [0-9]\.\d mm/);
    }
  });

  it('had nothing to complain about', () => {
    expect(studio.complaints).toEqual([]);
  });
});

/** Of a mark that is drawn. */
const centre = (mark: Locator): Promise<readonly [number, number]> =>
  mark.evaluate((group) => {
    const { left, top, width, height } = group.querySelector('circle')!.getBoundingClientRect();
    return [left + width / 2, top + height / 2] as const;
  });

/** Of a binary PLY whose vertices begin with x, y and z as floats. */
function plyPositions(file: Buffer): [number, number, number][] {
  const end = file.indexOf('end_header\n') + 'end_header\n'.length;
  const header = file.subarray(0, end).toString();
  const count = Number(/element vertex (\d+)/.exec(header)![1]);
  const sizes = { float: 4, double: 8, uchar: 1, ushort: 2, int: 4, uint: 4 } as Readonly<Record<string, number>>;
  const vertex = /element vertex \d+\n((?:property .*\n)+)/.exec(header)![1]!;
  const properties = [...vertex.matchAll(/property (\w+) (\w+)/g)];
  expect(properties.slice(0, 3).map(([, type, name]) => `${type} ${name}`)).toEqual(['float x', 'float y', 'float z']);
  const stride = properties.reduce((sum, [, type]) => sum + sizes[type!]!, 0);
  return Array.from(
    { length: count },
    (_, k) => [0, 4, 8].map((at) => file.readFloatLE(end + k * stride + at)) as never,
  );
}
