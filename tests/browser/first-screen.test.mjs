// Le premier regard : ce qui est déjà là, à chaque taille, langue et thème, sans rien toucher.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOKS, SIZES, visit } from './browser.mjs';
import { play } from './play.mjs';

/** Ce que l'on doit voir d'un téléphone sans le faire défiler, quand tout va bien. */
const FIRST = [
  '#headline',
  '[data-value="total-eur"]',
  '[data-value="today"]',
  '[data-value="since-start"]',
  '[data-value="return"]',
  '#mode',
  '#pause',
];

/** Où en est la clarté du fond, de 0 à 255. @param {string} color */
const clarity = (color) => Math.max(...(color.match(/\d+/g) ?? []).slice(0, 3).map(Number));

const here = play('normal-day');

for (const look of LOOKS) {
  const name = `${look.size}, ${look.lang}, ${look.theme}`;
  test(`the first load shows the value in the language and the theme of the visitor: ${name}`, async () => {
    const { page, told, settled, complaints, strangers, close } = await visit(here.browser, here.scene.follower.url(), look);
    await settled();
    assert.match(await told('[data-value="total-eur"]'), look.lang === 'fr' ? /^\d+(\s\d+)*,\d\d\s€$/ : /^€[\d,]+\.\d\d$/);
    assert.equal(await page.locator('html').getAttribute('lang'), look.lang);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(clarity(ground) > 128, look.theme === 'light', ground);
    const silent = await page.locator('[data-t]:visible').evaluateAll((nodes) => nodes.filter((node) => !node.textContent?.trim()).length);
    assert.equal(silent, 0, 'a text is missing');
    const unnamed = await page.locator('button:visible').evaluateAll((nodes) =>
      nodes.filter((node) => !node.textContent?.trim() && !node.getAttribute('aria-label')).length);
    assert.equal(unnamed, 0, 'a button has no name');
    assert.deepEqual(strangers(), []);
    assert.deepEqual(complaints, []);
    await close();
  });
}

for (const lang of /** @type {const} */ (['fr', 'en'])) {
  test(`on a phone what matters stands on the first screen, without a scroll: ${lang}`, async () => {
    const { page, settled, close } = await visit(here.browser, here.scene.follower.url(), { size: 'phone', lang });
    await settled();
    const { width, height } = SIZES.phone;
    for (const selector of FIRST) {
      const place = await page.locator(selector).boundingBox();
      assert.ok(place, `${selector} is not shown`);
      const { x, y } = place;
      assert.ok(x >= 0 && y >= 0 && x + place.width <= width && y + place.height <= height, `${selector} at ${JSON.stringify(place)}`);
    }
    assert.equal(await page.evaluate(() => scrollY), 0);
    await close();
  });
}

test('how far one is from the leader is a number, and each coin has both weights', async () => {
  const { page, told, settled, close } = await visit(here.browser, here.scene.follower.url(), { lang: 'en' });
  await settled();
  assert.match(await told('#drift'), /\d/);
  for (const coin of ['BTC', 'ETH', 'SOL']) {
    const row = page.locator(`#allocation [data-coin="${coin}"], #allocation [data-coin="${coin}USDC"]`).first();
    const shares = (await row.innerText()).match(/\d+(\.\d+)?\s?%/g) ?? [];
    assert.ok(shares.length >= 2, `${coin}: ${await row.innerText()}`);
  }
  await close();
});

test('the narrowest phone scrolls in one direction only', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url(), { size: 'phone', lang: 'fr' });
  await page.setViewportSize({ width: 320, height: 568 });
  await settled();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 320);
  await close();
});

test('every part of the page comes with a policy that lets nothing else in', async () => {
  const response = await fetch(here.scene.follower.url());
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self'; style-src 'self';/);
});
