import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from './room.js';
import { button, chromiumPath, openStudio, shown, type Studio } from './studio.js';

const sizes = [
  { width: 1024, height: 700 },
  { width: 1280, height: 800 },
  { width: 1440, height: 900 },
  { width: 1920, height: 1080 },
  { width: 2560, height: 1440 },
];

/** Controls that are seen but lie, wholly or partly, where no scrolling reaches them. */
function outOfReach(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolls = (element: Element): boolean =>
      [getComputedStyle(element).overflowX, getComputedStyle(element).overflowY].some((flow) =>
        /auto|scroll/.test(flow),
      );
    const inside = ({ left, top, right, bottom }: DOMRect): boolean =>
      left >= -1 && top >= -1 && right <= innerWidth + 1 && bottom <= innerHeight + 1;
    /** What must lie in the window: the control, or the nearest thing around it that scrolls. */
    const anchor = (element: Element): Element => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
        if (scrolls(at)) return at;
      return element;
    };
    const controls = [
      ...document.querySelectorAll('button, select, input, summary, a[href], [role=tab], [tabindex="0"]'),
    ];
    return controls
      .filter((control) => control.checkVisibility() && control.getBoundingClientRect().width > 0)
      .filter((control) => !inside(anchor(control).getBoundingClientRect()))
      .map((control) => control.getAttribute('aria-label') ?? control.textContent ?? control.tagName)
      .concat(document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the window'] : []);
  });
}

const languages = ['en', 'de', 'ja'];

/** One visit: the languages follow each other by reloads, as a person changes them. */
describe.skipIf(!chromiumPath)('every control lies inside its window', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
  });
  afterAll(() => studio?.close());

  const speak = async (language: string): Promise<void> => {
    await studio.page.evaluate((chosen) => localStorage.setItem('language', chosen), language);
    await studio.page.reload();
    await expect.poll(() => studio.page.evaluate(() => document.documentElement.lang)).toBe(language);
  };

  it.each(languages)('on the start page of every size: %s', async (language) => {
    const { page } = studio;
    await speak(language);
    await button(page, /^Courtyard/).waitFor();
    for (const size of sizes) {
      await page.setViewportSize(size);
      expect(await outOfReach(page), JSON.stringify(size)).toEqual([]);
    }
  });

  it('also once there is a cloud', async () => {
    await speak('en');
    await openRoom(studio);
    await shown(studio.page);
  });

  it.each(languages)('in every step and tab of the drawer, beside long texts: %s', async (language) => {
    const { page } = studio;
    await speak(language);
    await page.locator('#step-photos').click();
    await page.locator('.photo-row').nth(2).click();
    await shown(page);
    // A failure whose text is longer than any window is wide.
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['no photo'], `${'a very long name '.repeat(12)}.jpg`, { type: 'image/jpeg' }));
      const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      document.querySelector('.app')!.dispatchEvent(drop);
    });
    await page.locator('.notice.error').waitFor();
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const step of ['photos', 'solve', 'clean', 'surface', 'export']) {
        await page.locator(`#step-${step}`).click();
        expect(await outOfReach(page), `${size.width} ${step}`).toEqual([]);
      }
      for (const tab of ['photos', 'graph', 'matrix', 'pair', 'depth', 'log']) {
        const opener = page.locator(`#drawer-${tab}`);
        if ((await opener.getAttribute('aria-selected')) !== 'true') await opener.click();
        expect(await outOfReach(page), `${size.width} ${tab}`).toEqual([]);
      }
      const rows = await page
        .locator('.viewer-bar button')
        .evaluateAll((all) => new Set(all.map((each) => each.getBoundingClientRect().top)).size);
      expect(rows, `rows of the view's buttons at ${size.width}`).toBe(1);
    }
  });

  it('a note lies before an open dialog, where it is seen and closed', async () => {
    const { page } = studio;
    await speak('en');
    await page.keyboard.press('Control+Comma');
    await page.getByRole('dialog').waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['no photo'], 'broken.jpg', { type: 'image/jpeg' }));
      const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      document.querySelector('.app')!.dispatchEvent(drop);
    });
    await page.locator('.notice.error').waitFor();
    await button(page, 'Dismiss').click({ timeout: 5000 });
    await page.locator('.notice').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
  });

  it('keeps the pixels of its panels when the window grows', async () => {
    const { page } = studio;
    const width = async (): Promise<number> => (await page.locator('.steps').boundingBox())!.width;
    await page.setViewportSize(sizes[1]!);
    const before = await width();
    await page.setViewportSize(sizes[4]!);
    expect(await width()).toBe(before);
  });

  it('had nothing to complain about', () => {
    expect(studio.complaints).toEqual([]);
  });
});
