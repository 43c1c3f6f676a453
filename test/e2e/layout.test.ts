import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

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

describe.skipIf(!chromiumPath).each(['en', 'de', 'ja'])('every control lies inside its window: %s', (language) => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await studio.page.evaluate((chosen) => localStorage.setItem('language', chosen), language);
    await studio.page.reload();
    await button(studio.page, /^Courtyard/).waitFor();
  });
  afterAll(() => studio?.close());

  it('speaks the language, on the start page of every size', async () => {
    const { page } = studio;
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
    for (const size of sizes) {
      await page.setViewportSize(size);
      expect(await outOfReach(page), JSON.stringify(size)).toEqual([]);
    }
  });

  it('in every step and with the drawer open, beside long texts', async () => {
    const { page } = studio;
    await button(page, /^Courtyard/).click();
    await page.locator('.photo-row').nth(2).click();
    // A failure whose text is longer than any window is wide.
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['no photo'], `${'a very long name '.repeat(12)}.jpg`, { type: 'image/jpeg' }));
      const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      document.querySelector('.app')!.dispatchEvent(drop);
    });
    await page.locator('.notice.error').waitFor();
    await page.locator('#drawer-photos').click();
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const step of ['photos', 'solve', 'clean', 'surface', 'export']) {
        await page.locator(`#step-${step}`).click();
        expect(await outOfReach(page), `${size.width} ${step}`).toEqual([]);
      }
    }
  });

  it('keeps the pixels of its panels when the window grows', async () => {
    const { page } = studio;
    const width = async (): Promise<number> => (await page.locator('.steps').boundingBox())!.width;
    await page.setViewportSize(sizes[1]!);
    const before = await width();
    await page.setViewportSize(sizes[4]!);
    expect(await width()).toBe(before);
  });
});
