// La perte que l'on se fixe, sur la page, devant le vrai programme : lue avant d'être mise, refusée si elle n'en est pas une,
// changée, enlevée ; et ce qui est dit quand elle a été atteinte.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults } from './axe.mjs';
import { visit } from './browser.mjs';
import { fake, selling } from './faked.mjs';
import { play } from './play.mjs';

const here = play('normal-day');

/** @type {import('./browser.mjs').Look[]} */
const LOOKS = [
  { size: 'phone', lang: 'fr', theme: 'light' },
  { size: 'desk', lang: 'en', theme: 'dark' },
];

const kept = async () => (await here.scene.follower.api('api/agent/status')).stop_loss;

for (const look of LOOKS) {
  test(`a stop loss is set, changed and turned off, each asked first: ${look.lang}`, async () => {
    const { page, complaints, settled, close } = await visit(here.browser, here.scene.follower.url(), look);
    await settled();
    const door = page.locator('#stop-loss > button');
    await door.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#stop-loss h3') === document.activeElement);
    assert.equal(await door.isVisible(), false);
    // De quoi elle ne protège pas se lit là où elle se met.
    assert.ok((await page.locator('#stop-loss li:visible').count()) >= 7);
    await page.locator('#stop-loss li', { hasText: /average prices|prix moyens/ }).waitFor();
    await page.locator('#stop-loss li', { hasText: /sudden fall: five readings take about \d|chute soudaine\s: cinq lectures prennent \d/ }).waitFor();
    assert.deepEqual(await faults(page), []);
    const input = page.locator('#stop-loss-pct');
    const set = page.locator('#stop-loss form button').first();
    const output = page.locator('#stop-loss-outcome');
    for (const nonsense of ['', 'x', '0', '0.5', '91', '12.345', '-5']) {
      await input.fill(nonsense);
      await set.click();
      await page.locator('#stop-loss-outcome.bad').waitFor();
      assert.equal(await input.getAttribute('aria-invalid'), 'true', nonsense);
    }
    assert.equal((await kept()).pct, null);
    await input.fill('20');
    await set.click();
    await page.locator('#confirm').waitFor();
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press('Escape');
    assert.equal((await kept()).pct, null, 'a no was sent');
    for (const [typed, pct] of /** @type {const} */ ([['20', 20], ['35,5 %', 35.5]])) {
      await input.fill(typed);
      await set.click();
      await page.locator('#confirm-yes').click();
      await here.scene.follower.see('api/agent/status', ({ stop_loss: stop }) => stop.pct === pct && stop.set_by === 'page');
      await page.locator('#stop-loss-outcome.good').waitFor();
      assert.equal(await input.inputValue(), '');
      assert.match(await output.innerText(), new RegExp(String(Math.trunc(pct))));
    }
    // Mise, elle se montre sans que rien ne soit demandé.
    await page.reload();
    await page.locator('#stop-loss p', { hasText: /35[.,]5/ }).waitFor();
    await page.locator('#stop-loss form button').nth(1).click();
    await page.locator('#confirm-yes').click();
    await here.scene.follower.see('api/agent/status', ({ stop_loss: stop }) => stop.pct === null);
    assert.deepEqual(complaints, []);
    await close();
  });

  test(`a stop loss that was reached is said with what resuming does: ${look.lang}`, async () => {
    const { page, settled, close } = await visit(here.browser, 'about:blank', look);
    const reads = selling(true);
    const status = reads['api/agent/status'];
    const reached = { at: '2026-11-22 10:00:00', below_highest_pct: 21.5 };
    const stop = { pct: 20, set_by: 'env', env_pct: 20, below_highest_pct: 22, low_readings: 0, reached };
    await fake(page, here.scene.follower.url(), { reads: { ...reads, 'api/agent/status': (/** @type {any} */ known) => ({ ...status(known), stop_loss: stop }) } });
    await settled();
    const notice = page.locator('#notices li', { hasText: /stop loss was reached|perte maximale a été atteinte/ });
    await notice.first().waitFor();
    assert.match(await notice.first().innerText(), /21[.,]5/);
    assert.match(await notice.first().innerText(), /new highest|nouveau plus haut/);
    await page.locator('#stop-loss p', { hasText: /STOP_LOSS_PCT/ }).first().waitFor();
    assert.deepEqual(await faults(page), []);
    await close();
  });
}
