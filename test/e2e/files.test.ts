import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

/** The file dialog on a slow disk or a far machine: answers come late, or in another order than they were asked for. */
describe.skipIf(!chromiumPath)('the file dialog, answered late', () => {
  let studio: Studio;
  /** Lets each question about a folder through, in the order that they were asked. */
  const held: { path?: string; pass: () => void }[] = [];
  const asked = async (count: number): Promise<void> => {
    await expect.poll(() => held.length, { timeout: 30_000 }).toBe(count);
  };

  beforeAll(async () => {
    studio = await openStudio();
    const { page, folder } = studio;
    for (const name of ['first', 'second']) mkdirSync(join(folder, name));
    await page.routeWebSocket(/\/api$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const { name, params } = JSON.parse(String(message)) as { name?: string; params?: { path?: string } };
        if (name === 'files.list') held.push({ path: params?.path, pass: () => server.send(message) });
        else server.send(message);
      });
    });
    await page.reload();
    await button(page, /^Courtyard/).click();
    await page.locator('.photo-row').nth(9).waitFor();
  });
  afterAll(() => studio?.close());

  it('saves in the folder that was typed, though the first list comes after it and nobody pressed Go', async () => {
    const { page, folder } = studio;
    await page.keyboard.press('Control+Shift+S');
    const dialog = page.getByRole('dialog', { name: 'Save project as' });
    const save = dialog.getByRole('button', { name: 'Save' });
    await asked(1);
    await dialog.getByLabel('Folder', { exact: true }).fill(join(folder, 'first'));
    await dialog.getByLabel('Name').fill('late');
    expect(await save.isDisabled()).toBe(true);
    held[0]!.pass();
    await save.click();
    await asked(2);
    expect(held[1]!.path).toBe(join(folder, 'first'));
    held[1]!.pass();
    await page.getByRole('heading', { name: 'late.pointmap' }).waitFor();
    expect(existsSync(join(folder, 'first', 'late.pointmap'))).toBe(true);
  });

  it('shows the folder that was asked for last, whichever answer comes last', async () => {
    const { page, folder } = studio;
    await page.keyboard.press('Control+Shift+S');
    const dialog = page.getByRole('dialog', { name: 'Save project as' });
    const field = dialog.getByLabel('Folder', { exact: true });
    await asked(3);
    held[2]!.pass();
    await dialog.getByText('late.pointmap').waitFor();
    for (const name of ['first', 'second']) {
      await field.fill(join(folder, name));
      await button(page, 'Go').click();
    }
    await asked(5);
    held[4]!.pass();
    await dialog.getByText('No projects here.').waitFor();
    held[3]!.pass();
    await page.waitForTimeout(500);
    await dialog.getByLabel('Name').fill('second');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'second.pointmap' }).waitFor();
    expect(existsSync(join(folder, 'second', 'second.pointmap'))).toBe(true);
  });
});

describe.skipIf(!chromiumPath)('the file dialog by keyboard', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await button(studio.page, /^Courtyard/).click();
    await studio.page.locator('.photo-row').nth(9).waitFor();
  });
  afterAll(() => studio?.close());

  it('saves with Enter behind the name', async () => {
    const { page, folder } = studio;
    await page.keyboard.press('Control+Shift+S');
    const dialog = page.getByRole('dialog', { name: 'Save project as' });
    await dialog.getByLabel('Folder', { exact: true }).fill(folder);
    await button(page, 'Go').click();
    await dialog.getByLabel('Name').fill('by hand');
    await dialog.getByLabel('Name').press('Enter');
    await page.getByRole('heading', { name: 'by hand.pointmap' }).waitFor();
  });

  it('opens with Enter the file whose whole path was typed', async () => {
    const { page, folder } = studio;
    await page.keyboard.press('Control+Shift+S');
    await page.getByLabel('Name').fill('another');
    await page.getByLabel('Name').press('Enter');
    await page.getByRole('heading', { name: 'another.pointmap' }).waitFor();
    await page.keyboard.press('Control+o');
    const dialog = page.getByRole('dialog', { name: 'Open project' });
    const field = dialog.getByLabel('Folder', { exact: true });
    await field.fill(join(folder, 'by hand.pointmap'));
    await field.press('Enter');
    const row = dialog.getByRole('button', { name: /^by hand/, pressed: true });
    await row.press('Enter');
    await page.getByRole('heading', { name: 'by hand.pointmap' }).waitFor();
  });
});
