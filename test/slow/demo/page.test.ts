import { getuid } from 'node:process';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { servingPid, startOnLoopback, stopDemo } from '../../support/demo/start-demo.js';
import { findInPath, skipUnlessFound } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';

const skip = skipUnlessFound('chromium');
/** Other tests may keep the processors busy. */
t.setTimeout(170_000);

const DESKTOP = { width: 1_100, height: 900 };
const PHONE = { width: 360, height: 740 };

/** The demo's page in a browser. */
class Watched {
  readonly problems: string[] = [];
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
  }

  static async open(t: Test, browser: Browser, link: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const page = await browser.newPage({ viewport: DESKTOP, ...options });
    t.teardown(() => page.close());
    const watched = new Watched(page);
    await page.goto(link);
    await watched.until('answers', async () => (await watched.number('answers')) > 5);
    return watched;
  }

  async text(id: string): Promise<string> {
    return (await this.page.locator(`#${id}`).textContent()) ?? '';
  }

  async number(id: string): Promise<number> {
    return Number((await this.text(id)).replaceAll(',', ''));
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name }).click();
  }

  async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    let body = '';
    await waitUntil(
      what,
      async () => {
        body = await this.page.locator('main').innerText();
        return condition();
      },
      () => body,
    );
  }

  /** Waits until the status line says this. */
  says(words: RegExp): Promise<void> {
    return this.until(String(words), async () => words.test(await this.text('status')));
  }

  generation(number: number): Promise<void> {
    return this.until(`generation ${number}`, async () => (await this.number('generation')) === number);
  }
}

async function launch(t: Test): Promise<Browser> {
  const root = getuid?.() === 0;
  const browser = await chromium.launch({ executablePath: findInPath('chromium')!, args: root ? ['--no-sandbox'] : [] });
  t.teardown(() => browser.close());
  return browser;
}

t.test('the page shows restarts without a reload, and nothing is lost', { skip }, async (t) => {
  const demo = await startOnLoopback(t);
  const watched = await Watched.open(t, await launch(t), demo.link);
  const { page } = watched;
  await page.evaluate('window.loaded = "once"');
  const first = servingPid(demo);
  await watched.says(new RegExp(`^Process ${first} serves\\.$`));

  await watched.press('Send a slow request');
  await watched.press('Open 100 WebSockets');
  await watched.until('100 WebSockets', async () => (await watched.number('crowd-open')) === 100);
  await watched.press('Restart R');
  await watched.generation(2);
  const second = servingPid(demo);
  await watched.says(new RegExp(`^Process ${second} serves`));
  await watched.until('all WebSockets in the new process', async () => (await dotColours(page)).size === 1);
  t.equal(await watched.number('crowd-open'), 100);
  t.match(await watched.text('log'), `restarted: process ${second} serves`);
  await watched.until('the end of the old process', async () => (await watched.text('status')) === `Process ${second} serves.`);

  const before = await watched.number('answers');
  await watched.press('Restart into a broken release');
  await watched.says(new RegExp(`^The new release could not start, so process ${second} serves on\\.$`));
  t.match(await watched.text('log'), /The new release said: This release is broken/);
  t.equal(await watched.number('generation'), 2);

  await page.keyboard.press('r');
  await watched.generation(3);
  await watched.until('answers of the third process', async () => (await watched.number('answers')) > before + 20);
  process.kill(servingPid(demo), 'SIGUSR2');
  await watched.generation(4);
  t.equal(await watched.text('pid'), String(servingPid(demo)), 'the command to restart it from a terminal');

  t.equal(await watched.number('lost'), 0);
  t.equal(await watched.number('reconnects'), 0);
  t.equal(await watched.number('crowd-open'), 100);
  t.equal(await page.evaluate('window.loaded'), 'once', 'the page was not loaded again');
  t.strictSame(watched.problems, []);
  await watched.press('Close the 100 WebSockets');
  await watched.until('no WebSockets', async () => !(await page.locator('#crowd-section').isVisible()));
  await stopDemo(demo);
});

t.test('the page tells what becomes of a release that dies, and goes on when the server is there again', { skip }, async (t) => {
  const demo = await startOnLoopback(t);
  const watched = await Watched.open(t, await launch(t), demo.link);
  await watched.press('Restart into one that dies after ready');
  await watched.says(new RegExp(`^The new release died, so process ${demo.process.pid} serves again\\.$`));
  t.match(await watched.text('log'), /restart taken back, this process serves again/);
  t.ok((await watched.number('reconnects')) > 0, 'what was inside it is lost');
  t.equal(await watched.number('generation'), 1);
  await stopDemo(demo);
  await watched.says(/^No process answers/);
  await watched.until('lost requests', async () => (await watched.number('lost')) > 0);
  const again = await startOnLoopback(t, demo.port);
  await watched.says(new RegExp(`^Process ${again.process.pid} serves\\.$`));
  const answers = await watched.number('answers');
  await watched.until('answers', async () => (await watched.number('answers')) > answers + 5);
  t.strictSame(watched.problems, []);
  await stopDemo(again);
});

t.test('light and dark, on a phone, by keyboard', { skip }, async (t) => {
  const demo = await startOnLoopback(t);
  const browser = await launch(t);
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [DESKTOP, PHONE]) {
      const watched = await Watched.open(t, browser, demo.link, { colorScheme, viewport });
      const name = `${colorScheme}, ${viewport.width} pixels`;
      t.ok(await watched.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name}: no need to scroll sideways`);
      for (const { text, ratio } of await contrasts(watched.page)) t.ok(ratio >= LEAST_CONTRAST, `${name}: ${text} ${ratio.toFixed(1)}`);
      t.ok(await isDrawn(watched.page), `${name}: the timeline has the colour of a process`);
      await watched.page.close();
    }
  }
  const { page } = await Watched.open(t, browser, demo.link);
  const reached: string[] = [];
  for (let nth = 0; nth < 5; nth += 1) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate('document.activeElement.innerText.split("\\n")[0].trim()'));
  }
  t.match(reached, [/^Restart/, /^Restart into a broken/, /^Restart into one/, /^Send a slow/, /^Open 100/]);
  t.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid', 'the focus is visible');
  await stopDemo(demo);
});

/** WCAG 2, level AA, for text. */
const LEAST_CONTRAST = 4.5;

/** Of texts on what is behind them. */
function contrasts(page: Page): Promise<{ readonly text: string; readonly ratio: number }[]> {
  return page.evaluate(`(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
      const [r, g, b] = numbers(colour).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      const colour = getComputedStyle(element).backgroundColor;
      return numbers(colour)[3] === 0 ? behind(element.parentElement) : colour;
    };
    return ['h1', 'header p', 'dt', 'dd', 'button.primary', 'button:not(.primary)', '#status', '.log time', '.log b', 'footer p', 'code'].flatMap((text) => {
      const element = document.querySelector(text);
      if (element === null) return [];
      const [light, dark] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => b - a);
      return [{ text, ratio: (light + 0.05) / (dark + 0.05) }];
    });
  })()`);
}

/** Whether the first colour of processes is on the canvas. */
async function isDrawn(page: Page): Promise<boolean> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector('canvas');
    const colour = getComputedStyle(document.documentElement).getPropertyValue('--c0').trim();
    const expected = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) if (expected.every((value, index) => data[at + index] === value)) found += 1;
    return found > 100;
  })()`);
}

async function dotColours(page: Page): Promise<Set<string>> {
  return new Set(await page.evaluate<string[]>(`[...document.querySelectorAll('#crowd-dots i')].map(({ style }) => style.background)`));
}
