/** A studio of its own for a test file: `pointmap serve` as a user starts it, an empty data folder, and a browser. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import sharp from 'sharp';
import { program } from '../fixtures/program.js';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));
if (!chromiumPath) console.warn('skipped: no Chromium is installed; name one in CHROMIUM');

export interface Studio {
  page: Page;
  browser: Browser;
  context: BrowserContext;
  address: string;
  /** Kept apart from the user's own. */
  folder: string;
  /** What went wrong in the page without anybody seeing it. */
  complaints: string[];
  /** Ends the engine process as a crash would. */
  killEngine(): void;
  close(): Promise<void>;
}

export interface StudioOptions {
  size?: { width: number; height: number };
  scheme?: 'dark' | 'light';
  /** Arguments of `pointmap serve`. */
  words?: readonly string[];
  environment?: Readonly<Record<string, string>>;
}

export async function openStudio({
  size = { width: 1280, height: 800 },
  scheme = 'dark',
  words = [],
  environment = {},
}: StudioOptions = {}): Promise<Studio> {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-e2e-'));
  const server = spawn(process.execPath, [program, 'serve', '--json', ...words], {
    env: { ...process.env, POINTMAP_DATA: folder, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A test or bench that fails leaves no studio behind.
  const end = () => server.kill('SIGTERM');
  process.once('exit', end);
  const address = await printedAddress(server);
  // The software renderer that Chromium carries: the same pictures on every machine, with or without a GPU. Pages are
  // painted without it, as a browser does where there is no GPU: three times faster.
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--no-sandbox',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
      '--disable-gpu-rasterization',
    ],
  });
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, acceptDownloads: true });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Of their own pace, the software renderer and the canvas tell when a test reads a picture back.
    if (message.type() === 'warning' && /GL Driver Message|Multiple readback operations/.test(message.text())) return;
    // A failed request does not say in its text which it was.
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(address);
  return {
    page,
    browser,
    context,
    address,
    folder,
    complaints,
    killEngine: () => execFileSync('pkill', ['-KILL', '-P', String(server.pid), '-f', 'engine-process']),
    close: async () => {
      await browser.close();
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await gone;
      process.removeListener('exit', end);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function printedAddress(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdout!.on('data', (part: Buffer) => {
      text += String(part);
      const line = text.split('\n').find((each) => each.startsWith('{'));
      if (line && text.includes('\n')) resolve((JSON.parse(line) as { address: string }).address);
    });
    server.once('exit', (code) =>
      reject(new Error(`pointmap serve ended with code ${code} before it printed an address`)),
    );
  });
}

export const button = (page: Page, name: string | RegExp): Locator =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });
/** A tab of the drawer. */
export const tab = (page: Page, name: string): Locator =>
  page.locator('.drawer-tabs').getByRole('tab', { name, exact: true });
/** A step of the right panel, by the word on its tab. */
export const step = (page: Page, name: string): Locator => page.locator('.step-tabs > button', { hasText: name });
export const status = (page: Page): Locator => page.locator('.status-bar [role=status]');

/** Waits for the end of a run, and says how it ended if not well. */
export async function finished(page: Page, timeout = 500_000): Promise<void> {
  await page.waitForFunction(
    () => /^(Finished|Failed|Cancelled)/.test(document.querySelector('.status-bar [role=status]')?.textContent ?? ''),
    undefined,
    { timeout },
  );
  const text = await status(page).innerText();
  if (!text.startsWith('Finished')) throw new Error(text);
}

/** Waits until the view shows all points of the whole cloud. */
export async function shown(page: Page, timeout = 120_000): Promise<number> {
  await page.waitForFunction(
    () => {
      const { displayed, total, current } =
        (document.querySelector('.viewer-foot') as HTMLElement | null)?.dataset ?? {};
      return (
        Number(total) > 0 &&
        displayed === total &&
        current === 'true' &&
        (document.querySelector('.viewer-foot') as HTMLElement | null)?.dataset.growing === 'false'
      );
    },
    undefined,
    { timeout },
  );
  return Number(await page.locator('.viewer-foot').getAttribute('data-total'));
}

/** How much of an element's picture is not its ground, and how many clearly different colours it has. */
export async function pictureOf(element: Locator): Promise<{ covered: number; colours: number }> {
  const { data, info } = await sharp(await element.screenshot())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const ground = [data[0]!, data[1]!, data[2]!];
  const seen = new Set<number>();
  let covered = 0;
  for (let k = 0; k < data.length; k += info.channels) {
    if (
      Math.abs(data[k]! - ground[0]!) + Math.abs(data[k + 1]! - ground[1]!) + Math.abs(data[k + 2]! - ground[2]!) <
      24
    )
      continue;
    covered++;
    seen.add(((data[k]! >> 4) << 8) | ((data[k + 1]! >> 4) << 4) | (data[k + 2]! >> 4));
  }
  return { covered: covered / (info.width * info.height), colours: seen.size };
}
