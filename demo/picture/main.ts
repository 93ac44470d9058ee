import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { getuid } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Page, chromium } from 'playwright-core';

/**
 * Makes the picture of the readme, light and dark: the demo in Chromium, with a slow
 * request during a restart. `npm run picture`; the variable `CHROMIUM` is the path of the
 * browser, default `/usr/bin/chromium`.
 */
const DEMO = fileURLToPath(new URL('../main.js', import.meta.url));
/** Compiled, this file is dist/demo/picture/main.js. */
const FOLDER = fileURLToPath(new URL('../../../demo/picture/', import.meta.url));
const WINDOW = { width: 900, height: 760 };
const MARGIN = 16;
const QUALITY = 85;

async function main(): Promise<void> {
  const demo = spawn(process.execPath, [DEMO, '--a0', '127.0.0.1:0', '--a1', '127.0.0.1:0', '--a2', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const link = await linkOf(demo.stdout);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    const page = await browser.newPage({ viewport: WINDOW });
    await page.goto(link);
    await perform(page);
    for (const colorScheme of ['light', 'dark'] as const) await take(page, colorScheme);
  } finally {
    await browser.close();
    demo.kill('SIGTERM');
    await once(demo, 'exit');
  }
}

async function linkOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const link = /^Open (\S+)/.exec(line)?.[1];
    if (link !== undefined) return link;
  }
  throw new Error('the demo did not start');
}

/** What is to be seen: a slow request that lasts over two restarts, and a release that is broken. */
async function perform(page: Page): Promise<void> {
  await page.waitForTimeout(6_000);
  await page.getByRole('button', { name: 'Send a slow request' }).click();
  await page.waitForTimeout(1_500);
  await restart(page, 'Restart R', 2);
  await page.waitForTimeout(3_000);
  await page.getByRole('button', { name: 'Restart into a broken release' }).click();
  await page.getByText('could not start').waitFor();
  await page.waitForTimeout(2_000);
  await restart(page, 'Restart R', 3);
  await page.waitForTimeout(2_500);
}

async function restart(page: Page, button: string, generation: number): Promise<void> {
  await page.getByRole('button', { name: button }).click();
  await page.locator('#generation', { hasText: String(generation) }).waitFor();
}

/** From the title to the end of the timeline. */
async function take(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  const [top, bottom] = await Promise.all([page.locator('h1').boundingBox(), page.locator('figure').boundingBox()]);
  const y = top!.y - MARGIN;
  const clip = { x: bottom!.x - MARGIN, y, width: bottom!.width + 2 * MARGIN, height: bottom!.y + bottom!.height + MARGIN - y };
  // Chromium makes WebP, a third of the size of PNG; Playwright's own function does not.
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY, clip: { ...clip, scale: 1 } });
  writeFileSync(`${FOLDER}${colorScheme}.webp`, Buffer.from(data, 'base64'));
  console.log(`${FOLDER}${colorScheme}.webp`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
