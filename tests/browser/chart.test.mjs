// La courbe d'une année : assez peu de points pour un Pi, assez pour l'œil, et lisible sans la voir ni la toucher.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { play } from './play.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** La promesse : une année ne pèse jamais plus que cela. */
const MOST_POINTS = 1000;

const here = play('thousand-trades');

/** La page, l'année choisie ; et les relevés qu'elle a reçus. */
async function openYear() {
  const visited = await visit(here.browser, here.scene.follower.url());
  const { page } = visited;
  await visited.settled();
  const answer = page.waitForResponse((response) => response.url().includes('period=1y'));
  await page.locator('[data-period="1y"]').click();
  const snapshots = await (await answer).json();
  await visited.settled();
  await page.locator('#chart svg .lines path').first().waitFor({ state: 'attached' });
  return { ...visited, snapshots };
}

test('a year of snapshots comes thinned over its whole length', async () => {
  const { page, snapshots, complaints, close } = await openYear();
  assert.ok(snapshots.length > 300 && snapshots.length <= MOST_POINTS, `${snapshots.length} points`);
  const whole = await here.scene.follower.api('api/budget/history?period=1y&limit=5000');
  assert.ok(whole.length > MOST_POINTS, 'the ledger has no more than that anyway');
  const days = (/** @type {any[]} */ rows) => (Date.parse(rows[0].created_at) - Date.parse(rows[rows.length - 1].created_at)) / 86_400_000;
  assert.ok(days(snapshots) > 360, `${days(snapshots)} days`);
  const drawn = await page.locator('#chart svg .lines path').evaluateAll((paths) =>
    Math.max(...paths.map((path) => path.getAttribute('d')?.match(/[ML]/g)?.length ?? 0)));
  assert.ok(drawn > 300 && drawn <= MOST_POINTS, `${drawn} points drawn`);
  assert.deepEqual(complaints, []);
  await close();
});

test('the finger reads a value anywhere on the curve', async () => {
  const { page, close } = await openYear();
  const reading = page.locator('#chart .reading');
  const last = await reading.innerText();
  const svg = page.locator('#chart svg').first();
  await svg.scrollIntoViewIfNeeded();
  await svg.hover({ position: { x: 300, y: 100 } });
  await page.waitForFunction((text) => /** @type {HTMLElement | null} */ (document.querySelector('#chart .reading'))?.innerText !== text, last);
  assert.match(await reading.innerText(), /€[\d,]+\.\d\d/);
  await close();
});

test('the figures behind the curve are a table', async () => {
  const { page, close } = await openYear();
  await page.locator('#chart summary').click();
  await page.locator('#chart tbody tr').first().waitFor();
  const rows = await page.locator('#chart tbody tr').count();
  assert.ok(rows > 10 && rows <= MOST_POINTS, `${rows} rows`);
  assert.match(await page.locator('#chart tbody tr').first().innerText(), /€[\d,]+\.\d\d/);
  await close();
});

test('the arrow keys read the curve', async () => {
  const { page, close } = await openYear();
  const svg = page.locator('#chart svg[tabindex="0"]');
  assert.ok(await svg.getAttribute('role'), 'no role');
  assert.ok(await svg.getAttribute('aria-label') ?? await svg.getAttribute('aria-labelledby'), 'no name');
  await svg.focus();
  const reading = () => page.locator('#chart .reading').innerText();
  const seen = [await reading()];
  for (const key of ['ArrowLeft', 'ArrowLeft', 'Home']) {
    await page.keyboard.press(key);
    await page.waitForFunction((text) => /** @type {HTMLElement | null} */ (document.querySelector('#chart .reading'))?.innerText !== text, seen[seen.length - 1]);
    seen.push(await reading());
  }
  assert.equal(new Set(seen).size, seen.length, seen.join('\n'));
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((text) => /** @type {HTMLElement | null} */ (document.querySelector('#chart .reading'))?.innerText !== text, seen[seen.length - 1]);
  await close();
});

test('what happened is marked on the curve', async () => {
  await here.scene.follower.write('api/budget/deposit', { amount_eur: 25 });
  const { page, close } = await openYear();
  await page.locator('#chart .marks [data-kind]').first().waitFor({ state: 'attached' });
  await close();
});
