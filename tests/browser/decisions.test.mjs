// Ce dont une personne décide, fait pour de vrai depuis la page : le programme, la bourse simulée, et les livres après.

import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { openBrowser, visit } from './browser.mjs';
import { createStage } from './stage.mjs';
import { STATES, liveDay, simulatedDay, stuckOrder } from './states.mjs';

/** @typedef {import('./stage.mjs').Stage} Stage */
/** @typedef {import('./states.mjs').Scene} Scene */
/** @typedef {import('./browser.mjs').Visit} Visit */

const stage = createStage();
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => (browser = await openBrowser(stage)));
after(() => stage.close());

/**
 * Une histoire, au téléphone et au bureau : un monde, la page devant lui, et des livres vrais à la fin.
 * @param {string} name @param {(stage: Stage) => Promise<Scene>} set @param {(scene: Scene & Visit) => Promise<void>} story
 */
function tells(name, set, story) {
  for (const size of /** @type {const} */ (['phone', 'desk'])) test(`${name}: ${size}`, async () => {
    const own = createStage();
    try {
      const scene = await set(own);
      const visited = await visit(browser, scene.follower.url(), { size, lang: 'en' });
      await visited.settled();
      await story({ ...scene, ...visited });
      // Le navigateur note lui-même tout statut d'erreur.
      assert.deepEqual(visited.complaints.filter((text) => !/status of (409|503) /.test(text)), []);
      await visited.close();
      assert.match(await scene.follower.verify(), /the books agree/);
    } finally {
      await own.close();
    }
  });
}

/** @param {import('playwright-core').Page} page @param {import('playwright-core').Locator} button @param {string} outcome */
async function decide(page, button, outcome) {
  await button.click();
  await page.locator('#confirm').waitFor();
  await page.locator('#confirm-yes').click();
  await page.locator(`${outcome}.good`).waitFor();
}

/** @param {import('playwright-core').Page} page @param {string} amount */
async function ask(page, amount) {
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw-amount').fill(amount);
  await decide(page, page.locator('#withdraw form button').first(), '#withdraw-outcome');
}

tells('money taken out in a simulation is sold for, said, and booked', simulatedDay, async ({ follower, page }) => {
  const before = (await follower.api('api/budget')).total_deposited_eur;
  await ask(page, '500');
  assert.match(await page.locator('#withdraw-outcome').innerText(), /To sell.*: .*BTC.*About €\d+/s);
  await page.locator('#withdrawals .chip', { hasText: 'Done' }).waitFor();
  const { total_deposited_eur: now } = await follower.see('api/budget', (answer) => answer.total_deposited_eur !== before);
  // Vendre a coûté un peu.
  assert.ok(Math.abs(before - now - 500) < 2.5, `${before} ${now}`);
  await page.locator('#withdraw-amount').waitFor();
});

tells('all is taken out only after the warning of the program was read', simulatedDay, async ({ follower, page }) => {
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw form button').nth(1).click();
  await page.locator('#confirm-yes').click();
  await page.locator('#confirm', { hasText: 'nothing to follow with' }).waitFor();
  await page.locator('#confirm-yes').click();
  await page.locator('#withdraw-outcome.good').waitFor();
  await page.locator('#withdrawals .chip', { hasText: 'Done' }).waitFor();
  assert.ok((await follower.api('api/budget')).total_value_eur < 5);
});

tells('real money is set aside, said to take out, and booked when the account shows it gone', liveDay, async ({ world, follower, page }) => {
  await ask(page, '200');
  await page.locator('#notices', { hasText: /Take [\d.]+\sUSDC out of Binance now/ }).waitFor();
  await page.locator('[data-value="aside"]', { hasText: 'set aside' }).waitFor();
  const { set_aside_usdc: aside } = await follower.api('api/budget');
  const { free } = (await world.tell('balances')).USDC;
  await world.tell(`balance USDC ${(Number(free) - aside).toFixed(8)}`);
  await page.locator('#withdrawals .chip', { hasText: 'Done' }).waitFor();
  await page.locator('[data-value="aside"]').waitFor({ state: 'hidden' });
});

tells('a withdrawal is called off, and its money follows the leader again', liveDay, async ({ follower, page }) => {
  await ask(page, '200');
  const deed = page.locator('#notices button', { hasText: 'Call this withdrawal off' });
  await page.locator('#notices', { hasText: 'out of Binance now' }).waitFor();
  await decide(page, deed, '#deed-outcome');
  await page.locator('#withdrawals .chip', { hasText: 'Called off' }).waitFor();
  assert.equal((await follower.api('api/budget')).set_aside_usdc, 0);
});

tells('everything is sold once, then the program is paused and says what is left', liveDay, async ({ follower, page }) => {
  await page.locator('#sell-all > button').click();
  await page.locator('#sell-all button.danger').click();
  await page.locator('#confirm-yes').click();
  const status = await follower.see('api/agent/status', (answer) => answer.selling_all?.done);
  assert.equal(status.paused, true);
  await page.locator('#headline', { hasText: /^Paused/ }).waitFor();
  await page.locator('#notices', { hasText: 'All that could be sold is sold' }).waitFor();
  const left = await follower.api('api/positions');
  assert.ok(left.every((/** @type {any} */ one) => one.value_usdt < 6), JSON.stringify(left));
});

tells('a coin that was sold by hand is written off, and is followed again', liveDay, async ({ world, follower, page }) => {
  const { free } = (await world.tell('balances')).ETH;
  await world.tell(`balance ETH ${(Number(free) / 2).toFixed(8)}`);
  await page.locator('#differences li', { hasText: /ETH less/ }).waitFor();
  await decide(page, page.locator('#differences li', { hasText: /ETH less/ }).locator('button'), '#differences .outcome');
  const { reconciliation } = await follower.see('api/exchange', (exchange) =>
    exchange.reconciliation.every((/** @type {any} */ line) => line.missing === 0));
  assert.ok(reconciliation.length > 0);
  await page.locator('#differences li', { hasText: /ETH less/ }).waitFor({ state: 'detached' });
});

tells('what the account has beyond the books is counted, coins and USDC', liveDay, async ({ world, follower, page }) => {
  // Ce que le leader ne vise pas serait vendu aussitôt compté.
  await follower.write('api/agent/toggle', { paused: true });
  await world.tell('balance SOL 1.5');
  for (const asset of ['SOL', 'USDC']) {
    const line = page.locator('#differences li', { hasText: new RegExp(`${asset} more`) });
    await line.waitFor();
    const before = (await follower.api('api/budget')).total_deposited_eur;
    await decide(page, line.locator('button'), '#differences .outcome');
    await follower.see('api/budget', (budget) => budget.total_deposited_eur > before);
    await line.waitFor({ state: 'detached' });
  }
  assert.ok((await follower.api('api/positions')).some((/** @type {any} */ one) => one.coin === 'SOLUSDC'));
});

tells('an order that Binance never tells is booked by hand as its page shows it', stuckOrder, async ({ world, follower, page }) => {
  const [stuck] = await follower.see('api/orders', (orders) => orders[0].needs_person);
  const journal = await world.tell('journal');
  const order = journal.find((/** @type {any} */ one) => one.client_id === stuck.client_id);
  await page.locator('#notices button', { hasText: 'Book it by hand' }).first().click();
  const fields = page.locator('#confirm .fields input');
  await fields.nth(0).fill(order.executed);
  await fields.nth(1).fill(order.quote);
  await fields.nth(2).fill('0');
  await page.locator('#confirm-yes').click();
  await page.locator('#confirm .fields').waitFor({ state: 'detached' });
  await page.locator('#confirm-yes').click();
  await page.locator('#deed-outcome.good').waitFor();
  const orders = await follower.see('api/orders', (answer) => answer.every((/** @type {any} */ one) => one.id !== stuck.id || !one.needs_person));
  assert.equal(orders.find((/** @type {any} */ one) => one.id === stuck.id).state, 'filled');
  await page.locator('#notices button', { hasText: 'Book it by hand' }).waitFor({ state: 'detached' });
});

tells('an order settled outside is ended, and nothing is booked for it', stuckOrder, async ({ follower, page }) => {
  const [stuck] = await follower.see('api/orders', (orders) => orders[0].needs_person);
  await decide(page, page.locator('#notices button', { hasText: 'Settled outside' }).first(), '#deed-outcome');
  await follower.see('api/orders', (answer) => answer.every((/** @type {any} */ one) => one.id !== stuck.id || !one.needs_person));
  assert.ok((await follower.api('api/trades?limit=100')).every((/** @type {any} */ trade) => trade.order !== stuck.id));
});

/** Un grand livre plus vieux que son compte. @param {Stage} stage @returns {Promise<Scene>} */
async function older(stage) {
  const { world, follower } = await liveDay(stage);
  await follower.stop();
  await copyFile(follower.base, `${follower.base}.old`);
  await follower.start();
  await world.tell('target BTCUSDC 0.1 SOLUSDC 0.4');
  await follower.see('api/positions', (positions) => positions.some((/** @type {any} */ one) => one.coin === 'SOLUSDC'));
  await follower.stop();
  for (const beside of ['', '-wal', '-shm']) await rm(follower.base + beside, { force: true });
  await copyFile(`${follower.base}.old`, follower.base);
  await follower.start();
  await follower.see('api/exchange', (exchange) => exchange.not_alone);
  return { world, follower };
}

tells('a ledger that is older than its account says so first, and adopts what it does not know', older, async ({ follower, page }) => {
  await page.locator('#headline', { hasText: 'may not be alone' }).waitFor();
  await decide(page, page.locator('#notices button', { hasText: 'adopt these orders' }), '#deed-outcome');
  await follower.see('api/exchange', (exchange) => exchange.not_alone === null);
  await page.locator('#headline', { hasNotText: 'may not be alone' }).waitFor();
  await page.locator('#positions', { hasText: 'SOL' }).waitFor();
});

tells('an old allocation is followed by nobody before it is taken over, not even once it was declined', STATES['old-allocation'], async ({ follower, page }) => {
  const old = page.locator('#notices li', { hasText: '21 days old' });
  await decide(page, old.locator('button', { hasText: 'Wait for the next' }), '#deed-outcome');
  await page.locator('#headline', { hasText: 'Waiting for the leader’s next allocation' }).waitFor();
  await old.filter({ hasText: 'can still be taken over' }).waitFor();
  await follower.see('api/agent/status', (status) => status.old_target?.declined && status.waiting_signals === 1);
  assert.deepEqual(await follower.api('api/trades'), []);
  await old.locator('button').click();
  assert.match(await page.locator('#confirm-lines').innerText(), /said it 21 days ago.*BTC 40\.0%, ETH 25\.0%, USDC 35\.0%/s);
  await page.locator('#confirm-yes').click();
  await page.locator('#deed-outcome.good').waitFor();
  await follower.see('api/positions', (positions) => positions.length === 2);
  await old.waitFor({ state: 'detached' });
  await page.locator('[data-fact="last-signal"]', { hasText: /^said .*21 days ago/ }).waitFor();
});

tells('what the leader’s allocation waits for is said, and no longer once it is reached', STATES['target-awaited'], async ({ world, page }) => {
  const waits = page.locator('#notices li.warn', { hasText: 'not reached yet' });
  await waits.filter({ hasText: 'XRP (the exchange does not trade this coin now)' }).waitFor();
  await page.locator('#headline', { hasText: 'followed only in part' }).waitFor();
  await world.tell('status XRPUSDC TRADING');
  await waits.waitFor({ state: 'detached' });
  await page.locator('#headline', { hasText: 'All is well' }).waitFor();
  await page.locator('#positions', { hasText: 'XRP' }).waitFor();
});
