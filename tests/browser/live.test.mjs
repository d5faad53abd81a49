// La page ouverte pendant que le monde bouge : elle suit sans qu'on la recharge, dit quand le programme se tait, reprend
// quand il revient, et ce que l'on y lit ou tape n'est pas dérangé.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { play } from './play.mjs';
import { signal } from './states.mjs';
import { until } from './until.mjs';

const here = play('normal-day');

test('a new signal, its trades and the new value appear by themselves', async () => {
  const { page, settled, asked, complaints, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  const value = page.locator('[data-value="total-eur"]');
  const before = await value.innerText();
  await here.scene.world.tell(`signal ${JSON.stringify(signal('live-1', { XRPUSDC: 0.5 }, 'All into one.'))}`);
  await page.locator('#signals [data-signal="live-1"]').waitFor();
  await page.locator('#trades a[href="#signal-live-1"]').first().waitFor();
  await page.locator('#positions', { hasText: 'XRP' }).waitFor();
  await until('the value moves with the prices', async () => (await value.innerText()) !== before);
  assert.equal(asked.filter((address) => address === here.scene.follower.url()).length, 1, 'the page was loaded again');
  assert.deepEqual(complaints, []);
  await close();
});

test('an update disturbs neither what is typed nor what is open', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  const details = page.locator('#signals details').first();
  await details.locator('summary').click();
  const amount = page.locator('#deposit-amount');
  await amount.fill('12,5');
  await amount.evaluate((/** @type {HTMLInputElement} */ input) => input.setSelectionRange(2, 4));
  await here.scene.world.tell(`signal ${JSON.stringify(signal('live-2', { XRPUSDC: 0.5, SOLUSDC: 0.3 }, 'Some into another.'))}`);
  await page.locator('#trades a[href="#signal-live-2"]').first().waitFor();
  assert.equal(await page.locator('#signals details[open]').count(), 1);
  assert.deepEqual(
    await amount.evaluate((/** @type {HTMLInputElement} */ input) =>
      [document.activeElement === input, input.value, input.selectionStart, input.selectionEnd]),
    [true, '12,5', 2, 4],
  );
  await close();
});

test('a program that is gone is said, and its return is seen', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  await page.locator('#state[data-tone="good"]').waitFor();
  await here.scene.follower.kill();
  await page.locator('#state[data-tone="bad"]').waitFor();
  const told = await page.locator('#state').innerText();
  assert.equal(told.split('does not answer').length, 2, told);
  await here.scene.follower.start();
  await page.locator('#state[data-tone="good"]').waitFor();
  await close();
});

test('the state of the live connection is said: events, lost with the program, events again', async () => {
  const { page, settled, close } = await visit(here.browser, here.scene.follower.url());
  await settled();
  await page.locator('#live[data-live="events"]').waitFor({ state: 'attached' });
  await here.scene.follower.kill();
  await page.locator('#live[data-live="lost"]').waitFor({ state: 'attached' });
  await here.scene.follower.start();
  await page.locator('#live[data-live="events"]').waitFor({ state: 'attached' });
  await close();
});

test('without events the page asks by itself, and says so', async () => {
  const { page, complaints, close } = await visit(here.browser, 'about:blank');
  await page.route('**/api/events', (route) => route.fulfill({ status: 404, body: '{}' }));
  await page.goto(here.scene.follower.url());
  await page.locator('#live[data-live="polling"]').waitFor({ state: 'attached' });
  const value = page.locator('[data-value="total-eur"]');
  const before = await value.innerText();
  await until('the value moves all the same', async () => (await value.innerText()) !== before);
  assert.deepEqual(complaints.filter((text) => !text.includes('api/events')), []);
  await close();
});
