import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, openStudio, step, tab, type Studio } from './studio.js';

/** What a screen reader and a keyboard find. The light theme differs in its colours alone, so that only contrast is asked. */
describe.skipIf(!chromiumPath).each(['dark', 'light'] as const)('accessibility, %s', (scheme) => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio({ scheme });
  });
  afterAll(() => studio?.close());

  const serious = async (): Promise<string[]> => {
    // There are no frames: without a page of its own for their results, a second less each time.
    const axe = new AxeBuilder({ page: studio.page }).setLegacyMode();
    const { violations } = await (scheme === 'light' ? axe.withRules('color-contrast') : axe).analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  };

  it('finds nothing serious on the start page', async () => {
    await button(studio.page, /^Courtyard/).waitFor();
    expect(await serious()).toEqual([]);
  });

  it('finds nothing serious in the workspace and its panels', async () => {
    const { page } = studio;
    await button(page, /^Courtyard/).click();
    await page.locator('.photo-row').nth(5).waitFor();
    expect(await serious()).toEqual([]);
    await page.locator('.photo-row').nth(1).click();
    for (const name of ['Photo strip', 'Pose graph', 'Pair matrix', 'Pair', 'Depth', 'Log']) {
      await tab(page, name).click();
      expect(await serious(), name).toEqual([]);
    }
    for (const name of ['Solve', 'Clean', 'Surface', 'Export', 'Photos']) {
      await step(page, name).click();
      expect(await serious(), name).toEqual([]);
    }
  });

  it('finds nothing serious in the dialogs', async () => {
    const { page } = studio;
    for (const [key, name] of [
      ['Control+k', 'Command palette'],
      ['?', 'Keyboard shortcuts'],
      ['Control+o', 'Open project'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('dialog', { name }).waitFor();
      expect(await serious(), name).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name }).waitFor({ state: 'detached' });
    }
    await step(page, 'Solve').click();
    await page.getByRole('button', { name: 'Networks…' }).click();
    const networks = page.getByRole('dialog', { name: 'Networks' });
    await networks.getByRole('button', { name: 'Get…' }).first().click();
    expect(await serious(), 'Networks').toEqual([]);
    await networks.getByRole('button', { name: 'Done' }).click();
    await step(page, 'Photos').click();
  });

  it('is walked through by keyboard alone', async () => {
    const { page } = studio;
    await page.locator('.photo-scroll').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.locator('.photo-row.selected', { hasText: 'courtyard-02' }).waitFor();
    await page.keyboard.press('x');
    await page.locator('.photo-row.off', { hasText: 'courtyard-02' }).waitFor();
    await page.keyboard.press('Control+z');
    await page.locator('.photo-row.off').waitFor({ state: 'detached' });
  });
});
