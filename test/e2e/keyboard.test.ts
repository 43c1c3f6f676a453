import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, finished, openStudio, shown, status, type Studio } from './studio.js';

/** The first hour once more: in the smallest window, on four photos, and without a mouse. */
describe.skipIf(!chromiumPath)('the first hour by keyboard, at 1024 x 700', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio({ size: { width: 1024, height: 700 } });
  });
  afterAll(() => studio?.close());

  const press = (keys: string): Promise<void> => studio.page.keyboard.press(keys);

  const photos = (): Locator => studio.page.getByRole('listbox', { name: 'Photos' });

  /** Tabs until this has the focus, as somebody does who can't point; what has it must be seen. */
  async function tabTo(target: Locator, key = 'Tab'): Promise<void> {
    await target.waitFor();
    const passed: string[] = [];
    for (let presses = 0; presses < 120; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) {
        const box = (await target.boundingBox())!;
        expect(box.y).toBeGreaterThanOrEqual(-1);
        expect(box.y + box.height).toBeLessThanOrEqual(701);
        return;
      }
      await press(key);
      passed.push(
        await studio.page.evaluate(
          () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '?',
        ),
      );
    }
    throw new Error(`not reached by ${key}: passed ${passed.slice(0, 40).join(' | ')}`);
  }

  it('opens the sample', async () => {
    const { page } = studio;
    await tabTo(page.getByRole('button', { name: /^Courtyard/ }));
    await press('Enter');
    await page.locator('.photo-row').nth(9).waitFor();
  });

  it('takes six photos out of the list', async () => {
    const { page } = studio;
    await tabTo(photos());
    for (let k = 0; k < 5; k++) await press('ArrowDown');
    for (let k = 0; k < 5; k++) await press('Shift+ArrowDown');
    expect(await page.locator('.photo-row.selected').count()).toBe(6);
    await press('Shift+F10');
    await page.getByRole('menuitem', { name: /^Remove selected photos/ }).waitFor();
    await press('Escape');
    await press('Delete');
    await expect.poll(() => page.locator('.photo-head').innerText()).toContain('4 photos');
  });

  it('runs a draft', async () => {
    const { page } = studio;
    await tabTo(page.locator('#step-photos'));
    await press('ArrowRight');
    await press('Enter');
    const quality = page.getByLabel('Quality');
    await tabTo(quality);
    await press('Home');
    await expect.poll(() => quality.inputValue()).toBe('draft');
    await press('Control+Enter');
    await status(page).filter({ hasNotText: 'Ready' }).waitFor();
    await finished(page);
    expect(await shown(page)).toBeGreaterThan(50_000);
  });

  it('looks through a camera and on to the next', async () => {
    const { page } = studio;
    await tabTo(page.locator('#step-solve'), 'Shift+Tab');
    await press('ArrowLeft');
    await press('Enter');
    await tabTo(photos());
    await press('ArrowDown');
    await press('v');
    await page.locator('.overlay-photo').waitFor();
    await press('Escape');
    await page.locator('.overlay-photo').waitFor({ state: 'detached' });
  });

  it('goes through the tabs of the drawer and switches a pair off and on', async () => {
    const { page } = studio;
    // With the cloud the pose graph is open.
    await tabTo(page.locator('#drawer-graph'));
    await press('ArrowLeft');
    await press('Enter');
    await page.getByRole('listbox', { name: 'Photo strip' }).waitFor();
    await press('ArrowRight');
    await press('Enter');
    const line = page.locator('.target[tabindex="0"]');
    await tabTo(line);
    await press('Enter');
    await page.locator('.pair-grid').waitFor();
    const off = page.getByRole('button', { name: 'Switch this pair off', exact: true });
    await tabTo(off);
    await press('Enter');
    await page.getByText('Edits not yet in the cloud').waitFor();
    await press('Control+z');
    await off.waitFor();
  });

  it('sets the confidence and takes it back', async () => {
    const { page } = studio;
    const before = await shown(page);
    await tabTo(page.locator('#step-photos'));
    await press('ArrowRight');
    await press('ArrowRight');
    await press('Enter');
    const slider = page.getByRole('slider', { name: 'Confidence from' });
    await tabTo(slider);
    for (let k = 0; k < 20; k++) await press('ArrowRight');
    await expect
      .poll(async () => Number(await page.locator('.viewer-foot').getAttribute('data-total')), { timeout: 120_000 })
      .toBeLessThan(before);
    await press('Control+z');
  });

  it('exports', async () => {
    const { page, folder } = studio;
    await press('Control+e');
    const dialog = page.getByRole('dialog', { name: 'Export' });
    await tabTo(dialog.getByLabel('Folder'));
    await press('Control+a');
    await page.keyboard.type(join(folder, 'out'));
    await tabTo(dialog.getByRole('button', { name: 'Export', exact: true }));
    await press('Enter');
    await page.getByRole('dialog', { name: 'Exported' }).waitFor({ timeout: 120_000 });
    expect(existsSync(join(folder, 'out', 'cameras.json'))).toBe(true);
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('saves', async () => {
    const { page } = studio;
    await press('Control+s');
    const dialog = page.getByRole('dialog', { name: 'Save project as' });
    await tabTo(dialog.getByLabel('Name'));
    await press('Control+a');
    await page.keyboard.type('by keyboard');
    await tabTo(dialog.getByRole('button', { name: 'Save', exact: true }));
    await press('Enter');
    await page.getByRole('heading', { name: 'by keyboard.pointmap' }).waitFor();
  });

  it('had nothing to complain about', () => {
    expect(studio.complaints).toEqual([]);
  });
});
