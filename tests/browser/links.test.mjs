// D'une position à ses trades, d'un trade à son signal : le chemin du pourquoi.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, visit } from './browser.mjs';
import { createStage } from './stage.mjs';
import { STATES } from './states.mjs';

const stage = createStage();
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('./states.mjs').Scene} */
let scene;
before(async () => {
  browser = await openBrowser(stage);
  scene = await STATES['normal-day'](stage);
});
after(() => stage.close());

test('a trade names its signal, and the link leads to it', async () => {
  const { page, settled, close } = await visit(browser, scene.follower.url());
  await settled();
  const link = page.locator('#trades a[href^="#signal-"]').first();
  const target = /** @type {string} */ (await link.getAttribute('href'));
  await link.click();
  await page.locator(`${target}:target`).waitFor();
  await page.waitForFunction((id) => {
    const place = document.querySelector(id)?.getBoundingClientRect();
    return place && place.top >= 0 && place.top < innerHeight;
  }, target);
  await close();
});

test('the link to a signal opens its reasons and takes the focus there', async () => {
  const { page, settled, close } = await visit(browser, scene.follower.url());
  await settled();
  const link = page.locator('#trades a[href^="#signal-"]').first();
  const target = /** @type {string} */ (await link.getAttribute('href'));
  await link.focus();
  await page.keyboard.press('Enter');
  await page.locator(`${target} details[open]`).waitFor();
  await page.waitForFunction((id) => document.querySelector(id)?.contains(document.activeElement), target);
  await close();
});

test('a position opens its trades, and only its own', async () => {
  const { page, settled, close } = await visit(browser, scene.follower.url());
  await settled();
  const link = page.locator('#positions a[href^="#trades"]').first();
  const coin = (await page.locator('#positions tr', { has: link }).first().innerText()).match(/\b(BNB|BTC|ETH|SOL|XRP)\b/)?.[1];
  assert.ok(coin, 'the row of the position names its coin');
  await link.click();
  await page.waitForFunction((wanted) => {
    const rows = [...document.querySelectorAll('#trades tbody tr')].filter((row) => row.checkVisibility());
    return rows.length > 0 && rows.every((row) => row.textContent?.includes(wanted));
  }, coin);
  await page.waitForFunction(() => (document.querySelector('#trades')?.getBoundingClientRect().top ?? Infinity) < innerHeight);
  await close();
});
