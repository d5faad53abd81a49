// Chaque commande de la page, devant le vrai programme : ce qu'elle demande avant, ce qu'elle fait, ce qu'elle en dit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults } from './axe.mjs';
import { visit } from './browser.mjs';
import { play } from './play.mjs';
import { createStage } from './stage.mjs';
import { stuckOrder } from './states.mjs';
import { until } from './until.mjs';

/** @typedef {import('playwright-core').Page} Page */

const here = play('normal-day');

async function open() {
  const visited = await visit(here.browser, here.scene.follower.url(), { size: 'phone', lang: 'fr' });
  await visited.settled();
  return visited;
}

/** La question est posée, et rien d'autre n'est à portée. @param {Page} page */
async function asked(page) {
  const dialog = page.locator('#confirm');
  await dialog.waitFor();
  assert.equal(await dialog.evaluate((node) => node.matches(':modal') && node.contains(document.activeElement)), true);
  assert.deepEqual(await faults(page), []);
  return dialog;
}

/** @param {Page} page @param {string} form @param {string} amount */
async function submit(page, form, amount) {
  await page.locator(`${form} input`).fill(amount);
  await page.locator(`${form} button`).click();
}

const deposited = async () => (await here.scene.follower.api('api/budget')).total_deposited_eur;
const isPaused = async () => (await here.scene.follower.api('api/agent/status')).paused;

test('pause asks first; Escape and no change nothing, yes pauses, and resume undoes it', async () => {
  const { page, complaints, asked: addresses, close } = await open();
  const button = page.locator('#pause');
  const wording = await button.innerText();
  for (const refuse of [() => page.keyboard.press('Escape'), () => page.locator('#confirm-no').click()]) {
    await button.click();
    const dialog = await asked(page);
    await refuse();
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await isPaused(), false);
    assert.equal(await button.evaluate((node) => node === document.activeElement), true, 'the focus went astray');
  }
  assert.ok(!addresses.some((address) => address.endsWith('api/agent/toggle')), 'a no was sent');
  await button.click();
  await asked(page);
  await page.locator('#confirm-yes').click();
  await here.scene.follower.see('api/agent/status', (status) => status.paused);
  await page.locator('#pause', { hasNotText: wording }).waitFor();
  await button.click();
  await asked(page);
  await page.locator('#confirm-yes').click();
  await here.scene.follower.see('api/agent/status', (status) => !status.paused);
  await page.locator('#pause', { hasText: wording }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test('pause can be asked for, refused and made with the keyboard alone', async () => {
  const { page, close } = await open();
  const focused = (/** @type {string} */ id) => page.evaluate((wanted) => document.activeElement?.id === wanted, id);
  const reach = async (/** @type {string} */ id) => {
    for (let presses = 0; !(await focused(id)); presses += 1) {
      assert.ok(presses < 500, `the Tab key never reaches #${id}`);
      await page.keyboard.press('Tab');
    }
  };
  for (const [answer, paused] of /** @type {const} */ ([['confirm-no', false], ['confirm-yes', true], ['confirm-yes', false]])) {
    await reach('pause');
    await page.keyboard.press('Enter');
    await page.locator('#confirm').waitFor();
    await reach(answer);
    await page.keyboard.press('Enter');
    await page.locator('#confirm').waitFor({ state: 'hidden' });
    await here.scene.follower.see('api/agent/status', (status) => status.paused === paused);
    await page.locator('#pause:enabled').waitFor();
  }
  await close();
});

test('a deposit is confirmed, booked once, said, and its field is empty again', async () => {
  const { page, complaints, close } = await open();
  const before = await deposited();
  await submit(page, '#deposit', '12,50');
  await asked(page);
  await page.locator('#confirm-no').click();
  assert.equal(await page.locator('#deposit input').inputValue(), '12,50', 'a refusal forgets what was typed');
  await page.locator('#deposit button').click();
  const dialog = await asked(page);
  assert.match(await dialog.innerText(), /12,50/);
  // Un double clic, dont le second coup ne doit pas tomber ailleurs.
  await page.locator('#confirm-yes').evaluate((/** @type {HTMLButtonElement} */ yes) => [yes.click(), yes.click()]);
  await page.locator('#deposit .outcome.good').waitFor();
  assert.equal(await deposited(), before + 12.5);
  assert.equal(await page.locator('#deposit input').inputValue(), '');
  assert.deepEqual(complaints, []);
  await close();
});

test('what a deposit gave stays while it is true, and goes with the next one, made elsewhere', async () => {
  const { page, complaints, close } = await open();
  const outcome = page.locator('#deposit .outcome');
  await submit(page, '#deposit', '50');
  await asked(page);
  await page.locator('#confirm-yes').click();
  await page.locator('#deposit .outcome.good', { hasText: /^\d\d:\d\d · Enregistré/ }).waitFor();
  const shown = page.locator('[data-fact="deposited"]');
  const reread = async () => {
    const cents = String(Math.round((await deposited()) * 100));
    await until('the total is shown', async () => (await shown.textContent())?.replace(/\D/g, '') === cents);
  };
  await reread();
  assert.equal(await outcome.isVisible(), true, 'its own deposit took it away');
  // Celui qui vient avant que la page ait tout relu passe pour le sien : le suivant ne le peut plus.
  for (let more = 100; await outcome.isVisible(); more += 1) {
    assert.ok(more < 110, await outcome.innerText());
    await here.scene.follower.write('api/budget/deposit', { amount_eur: more });
    await reread();
  }
  assert.deepEqual(complaints, []);
  await close();
});

test('a correction of the total is confirmed and booked', async () => {
  const { page, complaints, close } = await open();
  const total = (await deposited()) + 30;
  await submit(page, '#correction', String(total));
  await asked(page);
  await page.locator('#confirm-yes').click();
  await page.locator('#correction .outcome.good').waitFor();
  assert.equal(await deposited(), total);
  assert.deepEqual(complaints, []);
  await close();
});

test('an amount that is none is refused at once, beside its field, and nothing is asked or sent', async () => {
  const { page, asked: addresses, close } = await open();
  const before = await deposited();
  for (const form of ['#deposit', '#correction']) {
    // Un total peut être sous zéro : de l'argent gagné est sorti.
    const below = form === '#deposit' ? '-5' : '-99999999';
    for (const amount of ['', 'abc', below, '1.234', '1e9', '99999999']) {
      await submit(page, form, amount);
      await page.locator(`${form} .outcome.bad`).waitFor();
      const field = page.locator(`${form} input`);
      assert.equal(await field.getAttribute('aria-invalid'), 'true', amount);
      assert.equal(await field.evaluate((node) => node === document.activeElement), true, amount);
      assert.equal(await page.locator('#confirm').isVisible(), false, amount);
    }
  }
  assert.deepEqual(await faults(page), []);
  assert.equal(await deposited(), before);
  assert.ok(!addresses.some((address) => address.endsWith('api/budget/deposit')));
  await close();
});

test('a correction to the total that already is is refused at once, and sends nothing', async () => {
  const { page, asked: addresses, close } = await open();
  const total = await deposited();
  await submit(page, '#correction', String(total).replace('.', ','));
  await page.locator('#correction .outcome.bad', { hasText: 'est déjà de' }).waitFor();
  assert.equal(await page.locator('#confirm').isVisible(), false);
  assert.ok(!addresses.some((address) => address.endsWith('api/budget/deposit')));
  await close();
});

test('what the program refuses is said with its reason', async () => {
  const { page, complaints, close } = await open();
  const before = await deposited();
  await submit(page, '#correction', '0');
  await asked(page);
  await page.locator('#confirm-yes').click();
  const outcome = page.locator('#correction .outcome.bad');
  await outcome.waitFor();
  assert.match(await outcome.innerText(), /^Refusé, rien n’a changé\. Le cash, .+, ne couvre pas .+\.$/);
  assert.equal(await deposited(), before);
  // Le navigateur note lui-même tout statut d'erreur.
  assert.deepEqual(complaints.filter((text) => !/\b409\b.*api\/budget\/deposit/.test(text)), []);
  await close();
});

test('an answer that never comes is not taken for a yes nor for a no', async () => {
  const { page, close } = await open();
  const before = await deposited();
  await submit(page, '#deposit', '7');
  await asked(page);
  await page.route('**/api/budget/deposit', async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
  });
  await page.locator('#confirm-yes').click();
  await page.locator('#deposit .outcome.bad').waitFor();
  assert.equal(await page.locator('#deposit input').inputValue(), '7');
  assert.equal(await deposited(), before + 7, 'it was sent twice, or never');
  await close();
});

test('an order that waits for a person is released after a question, and what became of it is said', async () => {
  const own = createStage();
  try {
    const { world, follower } = await stuckOrder(own);
    const { page, settled, complaints, close } = await visit(here.browser, follower.url(), { lang: 'fr' });
    await settled();
    await world.tell('clear-faults');
    const [stuck] = await follower.see('api/orders', (orders) => orders[0].needs_person);
    await page.locator('#notices button').first().click();
    const dialog = page.locator('#confirm');
    await dialog.waitFor();
    assert.deepEqual(await faults(page), []);
    await page.locator('#confirm-yes').click();
    await page.locator('#deed-outcome.good').waitFor();
    const orders = await follower.see('api/orders', (answer) => !answer.some((/** @type {any} */ order) => order.needs_person));
    assert.equal(orders.find((/** @type {any} */ order) => order.id === stuck.id).state, 'filled');
    assert.deepEqual(complaints, []);
    await close();
    assert.match(await follower.verify(), /the books agree/);
  } finally {
    await own.close();
  }
});

test('the language is changed at once and remembered', async () => {
  const { page, settled, close } = await open();
  for (const lang of ['en', 'fr', 'en']) {
    await page.locator(`button[data-lang="${lang}"]`).click();
    await page.locator(`html[lang="${lang}"]`).waitFor({ state: 'attached' });
    assert.equal(await page.locator(`button[data-lang="${lang}"]`).getAttribute('aria-pressed'), 'true');
  }
  const heading = await page.locator('#positions-title').innerText();
  await page.reload();
  await settled();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.equal(await page.locator('#positions-title').innerText(), heading);
  await close();
});

test('the language chosen last is the one that stays, even when it is read first', async () => {
  const { page, close } = await open();
  /** @type {() => void} */
  let release = () => {};
  const held = new Promise((resolve) => (release = () => resolve(null)));
  await page.route('**/js/words-en.js', async (route) => {
    await held;
    await route.continue();
  });
  const heading = await page.locator('#trades-title').innerText();
  await page.locator('button[data-lang="en"]').click();
  await page.locator('button[data-lang="fr"]').click();
  release();
  // Lu, et ceux qui l'attendaient l'ont.
  await page.evaluate(() => import(/** @type {any} */ ('./js/words-en.js')));
  assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
  assert.equal(await page.locator('#trades-title').innerText(), heading);
  await close();
});

test('the theme is changed at once and remembered, and the system decides when it is not chosen', async () => {
  const { page, settled, close } = await open();
  const root = page.locator('html');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const press = (/** @type {string} */ choice) => page.locator(`#theme [data-theme-choice="${choice}"]`).click();
  const light = await ground();
  await press('dark');
  assert.equal(await root.getAttribute('data-theme'), 'dark');
  const dark = await ground();
  assert.notEqual(dark, light);
  assert.deepEqual(await faults(page), []);
  await page.reload();
  await settled();
  assert.equal(await root.getAttribute('data-theme'), 'dark');
  assert.equal(await ground(), dark);
  assert.equal(await page.locator('#theme [data-theme-choice="dark"]').getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate(() => localStorage.getItem('calvalot.theme')), 'dark');
  await page.emulateMedia({ colorScheme: 'dark' });
  await press('light');
  assert.equal(await ground(), light);
  assert.deepEqual(await faults(page), []);
  await press('system');
  assert.equal(await root.getAttribute('data-theme'), null);
  assert.equal(await ground(), dark);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await ground(), light);
  await close();
});

test('the period of the chart is changed at once and remembered', async () => {
  const { page, settled, asked: addresses, close } = await open();
  for (const period of ['1d', '1w', '1m', '1y']) {
    await page.locator(`[data-period="${period}"]`).click();
    await page.waitForFunction(
      (wanted) => document.querySelector(`[data-period="${wanted}"]`)?.getAttribute('aria-pressed') === 'true',
      period,
    );
    await until(`${period} is asked for`, () => addresses.some((address) => address.includes(`period=${period}`)));
    await settled();
  }
  assert.equal(await page.locator('[data-period][aria-pressed="true"]').count(), 1);
  await page.reload();
  await settled();
  assert.equal(await page.locator('[data-period="1y"]').getAttribute('aria-pressed'), 'true');
  await close();
});

test('more rows come when they are asked for', async () => {
  const { page, close } = await open();
  for (const [section, row] of [['#trades', 'tbody tr'], ['#signals', '.signals > li']]) {
    const rows = page.locator(`${section} ${row}`);
    const few = await rows.count();
    await page.locator(`${section} .more`).click();
    await page.waitForFunction(
      ({ selector, count }) => document.querySelectorAll(selector).length > count,
      { selector: `${section} ${row}`, count: few },
    );
    assert.equal(await page.locator(`${section} .more`).isVisible(), false);
  }
  await close();
});

test('the link to skip what comes first leads to the content', async () => {
  const { page, close } = await open();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content');
  await close();
});

test('everything that was done leaves true books', async () => {
  assert.equal(await isPaused(), false);
  assert.match(await here.scene.follower.verify(), /the books agree/);
});
