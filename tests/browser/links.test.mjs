// D'une position à ses trades, d'un trade à son signal : le chemin du pourquoi.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { play } from './play.mjs';

const here = play('normal-day');

/** Le premier trade de la page, et le signal auquel il mène. @param {import('playwright-core').Page} page */
async function firstTrade(page) {
  const link = page.locator('#trades a[href^="#signal-"]').first();
  const name = /** @type {string} */ (await link.getAttribute('href')).slice('#signal-'.length);
  return { link, selector: `#signals [data-signal="${decodeURIComponent(name)}"]` };
}

test('a trade leads to its signal, which opens its reasons and takes the focus', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  const { link, selector } = await firstTrade(page);
  await link.focus();
  await page.keyboard.press('Enter');
  await page.locator(`${selector} details[open] .reasoning`).waitFor();
  await page.waitForFunction((wanted) => {
    const signal = document.querySelector(wanted);
    const place = signal?.getBoundingClientRect();
    return signal?.contains(document.activeElement) && place && place.top >= 0 && place.top < innerHeight;
  }, selector);
  await close();
});

test('an address that names a signal opens it, even one that is no longer among the first', async () => {
  const signals = await here.scene.follower.api('api/signals?limit=100');
  const name = signals[signals.length - 1].signal_id;
  assert.ok(signals.length > 10, 'all signals are among the first');
  const { page, close } = await visit(here.browser, `${here.scene.follower.url()}#signal-${name}`);
  await page.locator(`#signals [data-signal="${name}"] details[open] .reasoning`).waitFor();
  await close();
});

test('a position opens its trades, and only its own; going back, or the button, shows all of them', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  const link = page.locator('#positions a[href^="#trades"]').first();
  const coin = (await link.innerText()).match(/BNB|BTC|ETH|SOL|XRP/)?.[0];
  assert.ok(coin, 'the link does not name its coin');
  await link.click();
  await page.waitForFunction((wanted) => {
    const rows = [...document.querySelectorAll('#trades tbody tr')].filter((row) => row.checkVisibility());
    return rows.length > 0 && rows.every((row) => row.textContent?.includes(wanted));
  }, coin);
  await page.waitForFunction(() => (document.querySelector('#trades')?.getBoundingClientRect().top ?? Infinity) < innerHeight);
  const leave = [() => page.goBack(), () => page.locator('#trades .choice button').click()];
  for (const back of leave) {
    await back();
    await page.waitForFunction((wanted) =>
      [...document.querySelectorAll('#trades tbody tr')].some((row) => !row.textContent?.includes(wanted)), coin);
    assert.equal(await page.locator('#trades .choice').isVisible(), false);
    await link.click();
    await page.locator('#trades .choice').waitFor();
  }
  await close();
});
