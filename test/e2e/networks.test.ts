import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, openStudio, step, type Studio } from './studio.js';

/** Networks from the studio: what they are, whose, under which licence; and who computes, where a queue is named. */
describe.skipIf(!chromiumPath)('the networks', () => {
  let studio: Studio;
  beforeAll(async () => {
    // Nobody answers there, and a network's publisher is not asked.
    studio = await openStudio({ environment: { POINTMAP_QUEUE: 'redis://127.0.0.1:1', POINTMAP_STORE: '/nowhere' } });
    await button(studio.page, /^Courtyard/).click();
    await studio.page.locator('.photo-row').nth(9).waitFor();
    await step(studio.page, 'Solve').click();
  });
  afterAll(() => studio?.close());

  it('are listed with publisher, licence and use, and fetched only once the licence is accepted', async () => {
    const { page } = studio;
    await button(page, 'Networks…').click();
    const dialog = page.getByRole('dialog', { name: 'Networks' });
    const base = dialog.locator('.network', { hasText: 'Depth Anything 3 Base' });
    await expect.poll(() => base.innerText()).toMatch(/not installed[\s\S]*depth-anything · Apache-2\.0 · 480 MB/);
    await dialog.locator('.network', { hasText: 'Not for paid work' }).first().waitFor();
    await base.getByRole('button', { name: 'Get…' }).click();
    await base.getByText('https://www.apache.org/licenses/LICENSE-2.0').waitFor();
    await base.getByRole('button', { name: 'Accept the licence and get it' }).waitFor();
    await base.getByRole('button', { name: 'Cancel' }).click();
  });

  it('are installed from a file; one that is none is refused in one line', async () => {
    const { page, folder } = studio;
    const path = join(folder, 'no network.onnx');
    writeFileSync(path, 'no network at all');
    await button(page, 'Install from a file…').click();
    const files = page.getByRole('dialog', { name: 'Checkpoint or graph of a network' });
    await files.getByLabel('Folder', { exact: true }).fill(folder);
    await files.getByRole('button', { name: 'Go' }).click();
    await files.getByText('no network.onnx').click();
    await files.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.notice.error', { hasText: 'no network.onnx' }).waitFor();
    await button(page, 'Done').click();
  });

  it('say who computes for the queue, or why nobody is known', async () => {
    const { page } = studio;
    await page.getByText('Workers on other machines').click();
    await page.locator('details', { hasText: 'Workers on other machines' }).locator('.bad').waitFor();
  });
});
