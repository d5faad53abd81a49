// Ce dont une personne décide, au téléphone et au bureau : ce que la page en montre, ce qu'elle demande avant, ce qu'elle
// envoie, et une seule fois. Le programme est le vrai ; ce qu'il faudrait des jours pour mettre en place est changé sur le fil.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults } from './axe.mjs';
import { visit } from './browser.mjs';
import { LIVE, TERMS, dead, different, displaced, doubted, fake, faulty, notAlone, poor, selling, stuck, takenOver, unpublished, withdrawing } from './faked.mjs';
import { play } from './play.mjs';
import { until } from './until.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Parameters<typeof fake>[2]} Faked */

const here = play('normal-day');

/** @type {Required<import('./browser.mjs').Look>[]} */
const LOOKS = [
  { size: 'phone', lang: 'fr', theme: 'light' },
  { size: 'desk', lang: 'en', theme: 'dark' },
];

/** @param {Faked} of @param {import('./browser.mjs').Look} [look] */
async function open(of, look = LOOKS[0]) {
  const visited = await visit(here.browser, 'about:blank', look);
  const program = await fake(visited.page, here.scene.follower.url(), { ...of, reads: { ...of.reads } });
  await visited.settled();
  return { ...visited, ...program };
}

/** Lisible par tous, et rien ne dépasse. @param {Page} page @param {string} where */
async function examine(page, where) {
  assert.deepEqual(await faults(page), [], where);
  const { wide, width } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, width: document.documentElement.clientWidth }));
  assert.ok(wide <= width, `${where}: ${wide} pixels wide on a screen of ${width}`);
}

/** La question est posée, entière à portée, et rien d'autre. @param {Page} page */
async function asked(page) {
  const dialog = page.locator('#confirm');
  await dialog.waitFor();
  assert.equal(await dialog.evaluate((node) => node.matches(':modal') && node.contains(document.activeElement)), true);
  const yes = page.locator('#confirm-yes');
  await yes.scrollIntoViewIfNeeded();
  const place = await yes.boundingBox();
  const size = page.viewportSize();
  assert.ok(place && size && place.y + place.height <= size.height && place.x + place.width <= size.width, JSON.stringify(place));
  await examine(page, await dialog.innerText());
  return dialog;
}

/** Dit non d'abord : rien ne part ; puis oui. @param {Page} page @param {import('playwright-core').Locator} button @param {unknown[]} written */
async function decide(page, button, written) {
  const before = written.length;
  await button.click();
  const dialog = await asked(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(written.length, before, 'a no was sent');
  assert.equal(await button.evaluate((node) => node === document.activeElement), true, 'the focus went astray');
  await button.click();
  const text = await (await asked(page)).innerText();
  await page.locator('#confirm-yes').click();
  return text;
}

/** @type {[string, Record<string, (answer: any) => any>, string, number][]} nom, réponses, ton, gestes offerts en haut */
const STATES = [
  ['not alone, orders of ours', notAlone(['adopt', 'disown'], 7), 'bad', 2],
  ['not alone, another machine', notAlone(['move_here'], 0), 'bad', 1],
  ['a ledger that was displaced', displaced, 'bad', 0],
  ['a dead agent', dead, 'bad', 0],
  ['orders that need a person', stuck, 'bad', 7],
  ['differences', different, 'bad', 0],
  ['a difference that an order in doubt explains', doubted, 'bad', 0],
  ['a ledger of the Python version', takenOver, 'bad', 1],
  ['a withdrawal that sells', withdrawing('selling'), 'good', 1],
  ['a withdrawal that waits', withdrawing('selling', { waiting_for: 'key rights: it may not trade' }), 'warn', 1],
  ['everything is taken out', withdrawing('selling', { wanted_usdc: null }), 'warn', 1],
  ['a withdrawal to take out', withdrawing('set_aside'), 'warn', 2],
  ['no money to begin with yet', poor, 'bad', 0],
  ['faults that close nothing', faulty, 'warn', 0],
  ['everything is being sold', selling(false), 'warn', 0],
  ['everything is sold', selling(true), 'warn', 0],
];
for (const [name, reads, tone, deeds] of STATES) {
  test(`${name}: is said first, with its ways, readable by everyone`, async () => {
    for (const look of LOOKS) {
      const where = `${name}, ${look.size} ${look.lang}`;
      const { page, complaints, close } = await open({ reads }, look);
      await page.locator(`#state[data-tone="${tone}"]`).waitFor();
      await until(`${where}: ${deeds} ways`, async () => (await page.locator('#notices button:visible').count()) === deeds);
      await examine(page, where);
      assert.deepEqual(complaints, [], where);
      await close();
    }
  });
}

test('what a person decides never stands there without its words, not even for a moment', async () => {
  const visited = await visit(here.browser, 'about:blank', LOOKS[0]);
  const { page, settled, close } = visited;
  await page.addInitScript(() => {
    /** @type {any} */ (window).wordless = [];
    const look = () => {
      for (const button of document.querySelectorAll('#notices button, #withdraw button, #sell-all button')) {
        if (button.checkVisibility() && !button.textContent) /** @type {any} */ (window).wordless.push(button.outerHTML);
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
  });
  await fake(page, here.scene.follower.url(), { reads: { ...withdrawing('selling') } });
  await settled();
  await page.locator('#withdraw button:visible').first().waitFor();
  await page.locator('#notices button:visible').first().waitFor();
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).wordless), []);
  await close();
});

test('a page where nothing waits for a person reads nothing of what she could decide', async () => {
  const { page, asked: addresses, close } = await open({ reads: LIVE });
  assert.deepEqual(addresses.filter((address) => address.includes('/person/')), []);
  for (const door of ['#withdraw', '#sell-all']) assert.equal(await page.locator(`${door} > button`).isVisible(), true, door);
  await close();
});

test('a program that knows neither withdrawal nor sale offers none', async () => {
  const old = {
    'api/budget': (/** @type {any} */ { set_aside_usdc, ...budget }) => budget,
    'api/agent/status': (/** @type {any} */ { selling_all, ...status }) => status,
  };
  const { page, close } = await open({ reads: old });
  for (const door of ['#withdraw', '#sell-all']) assert.equal(await page.locator(door).isVisible(), false, door);
  await close();
});

test('each way out of not being alone asks first, says that the other must be off, and is sent once', async () => {
  const bodies = { adopt: { other_is_off: true }, disown: { other_is_off: true }, machine: { first_is_off: true } };
  for (const [ways, button, path] of /** @type {const} */ ([[['adopt', 'disown'], 0, 'adopt'], [['adopt', 'disown'], 1, 'disown'], [['move_here'], 0, 'machine']])) {
    const { page, written, close } = await open({ reads: notAlone([...ways], 2) }, LOOKS[1]);
    await decide(page, page.locator('#notices button').nth(button), written);
    await page.locator('#deed-outcome.good').waitFor();
    assert.deepEqual(written.map(({ path: sent, body }) => [sent, body]), [[`api/exchange/${path}`, bodies[path]]]);
    await close();
  }
});

test('an order is booked by hand with the figures that were typed, read back before, and once', async () => {
  for (const look of LOOKS) {
    let refuse = true;
    const { page, written, close } = await open({
      reads: stuck,
      reply: () => (refuse ? { status: 409, body: { error: 'this order was to spend 24.5 USDC, and 24.6 is more: check usdc' } } : { body: { ok: true, outcome: 'booked', state: 'filled' } }),
    }, look);
    const fields = page.locator('#confirm .fields input');
    const button = page.locator('#notices li').first().locator('button').nth(1);
    await button.click();
    await asked(page);
    await page.locator('#confirm-yes').click();
    await page.locator('#confirm .fields .bad').waitFor();
    assert.equal(await fields.first().getAttribute('aria-invalid'), 'true');
    assert.equal(await fields.first().evaluate((node) => node === document.activeElement), true);
    await fields.nth(0).fill('0,00036');
    await fields.nth(1).fill('9999');
    await fields.nth(2).fill('0');
    await page.locator('#confirm-yes').click();
    await page.locator('#confirm .fields .bad', { hasText: /24[.,]5/ }).waitFor();
    assert.equal(await fields.nth(1).evaluate((node) => node === document.activeElement), true, 'more than the order asked for');
    await fields.nth(1).fill('24.50');
    assert.equal(await fields.nth(3).inputValue(), 'BTC');
    await page.keyboard.press('Enter');
    await page.locator('#confirm .fields').waitFor({ state: 'detached' });
    assert.match(await (await asked(page)).innerText(), /68\D?055/, 'the price is not read back');
    assert.equal(written.length, 0);
    await page.locator('#confirm-yes').click();
    await page.locator('#deed-outcome.bad', { hasText: look.lang === 'fr' ? 'devait dépenser 24,50' : 'was to spend 24.5' }).waitFor();
    refuse = false;
    await button.click();
    assert.equal(await fields.nth(0).inputValue(), '0,00036', 'a refusal forgets what was typed');
    await page.locator('#confirm-yes').click();
    await page.locator('#confirm .fields').waitFor({ state: 'detached' });
    await page.locator('#confirm-yes').click();
    await page.locator('#deed-outcome.good').waitFor();
    const body = { quantity: '0.00036', usdc: '24.50', fee: '0', fee_asset: 'BTC' };
    assert.deepEqual(written.map(({ path, body: sent }) => [path, sent]), Array(2).fill(['api/orders/12/book', body]));
    assert.notEqual(written[0].key, written[1].key, 'what was refused is another request');
    await close();
  }
});

test('an order is released, settled or acknowledged after a question that says its age and what follows', async () => {
  const { page, written, close } = await open({ reads: stuck, reply: () => ({ body: { ok: true, outcome: 'x', state: 'absent' } }) });
  for (const [notice, button, path] of /** @type {const} */ ([[0, 0, 'api/orders/12/release'], [0, 2, 'api/orders/12/settle'], [2, 0, 'api/orders/10/release']])) {
    const text = await decide(page, page.locator('#notices > li').nth(notice).locator('button').nth(button), written);
    assert.match(text, /3\sheures/);
    await page.locator('#deed-outcome.good').waitFor();
    const { path: sent, body } = written[written.length - 1];
    assert.deepEqual([sent, body], [path, { looked: true }]);
  }
  await close();
});

test('a difference is written off or counted with its own figure; what an order locks is only told', async () => {
  for (const look of LOOKS) {
    const { page, written, close } = await open({ reads: different, reply: () => ({ body: { ok: true, total_deposited_eur: 965.5 } }) }, look);
    const lines = page.locator('#differences li');
    await lines.first().waitFor();
    assert.deepEqual(await lines.evaluateAll((nodes) => nodes.map((node) => node.querySelectorAll('button:not([hidden])').length)), [1, 0, 1, 1]);
    /** @type {[number, string, string][]} */
    const cases = [[0, 'BTC/write-off', '0.0005'], [2, 'USDC/count', '125'], [3, 'SOL/count', '0.5']];
    for (const [row, path, quantity] of cases) {
      await decide(page, lines.nth(row).locator('button'), written);
      await page.locator('#differences .outcome.good', { hasText: '965' }).waitFor();
      const { path: sent, body } = written[written.length - 1];
      assert.deepEqual([sent, body], [`api/exchange/differences/${path}`, { quantity }]);
    }
    assert.equal(written.length, 3);
    await close();
  }
});

test('a displaced ledger is told in the language of the page, its stop first, and no sale before it', async () => {
  const { page, close } = await open({ reads: displaced });
  const notice = page.locator('#notices > li.bad');
  await notice.locator('.steps li', { hasText: 'D’abord, arrêtez le programme' }).waitFor();
  await notice.locator('.detail', { hasText: 'mais en copie dans data/backups/calvalot-20261122-101500.db' }).waitFor();
  assert.equal(await notice.count(), 1, 'it is said twice');
  assert.match(await page.locator('#headline').innerText(), /grand livre/);
  assert.doesNotMatch(await page.locator('body').innerText(), /calvalot uses it|réessaie de lui-même|carte SD/);
  await close();
});

test('what a newcomer or a fault waits for is told in French, with what to do, and not as what passes by itself', async () => {
  for (const [reads, ...told] of /** @type {const} */ ([
    [poor, /il manque des USDC pour commencer/, /dans le portefeuille Spot de Binance/, /au moins 12,45\sUSDC \(10,00\s€\)/, /Le capital s’inscrit/],
    [faulty, /SOL ne se négocie pas/, /BTC en aurait 3,30\sUSDC/, /pas le droit de négocier XRP/, /il faut 20,00\sUSDC\. Apportez-y/],
  ])) {
    const { page, close } = await open({ reads });
    const notices = page.locator('#notices');
    for (const shape of told) await until(`${shape} is told`, async () => shape.test(await notices.innerText()));
    assert.doesNotMatch(await notices.innerText(), /USDC free|the account|the exchange|réessaie de lui-même|\.\./);
    await close();
  }
});

test('a withdrawal that cannot go on says that it waits and why, in its notice and its line', async () => {
  const { page, become, close } = await open({ reads: withdrawing('selling', { waiting_for: 'key rights: it may not trade' }) });
  await page.locator('#notices .detail', { hasText: /Attend\s: Droits de la clé\s: pas le droit de négocier/ }).waitFor();
  const row = page.locator('#withdrawals tbody tr');
  await row.locator('.chip', { hasText: 'Attend' }).waitFor();
  assert.match(await row.innerText(), /pas le droit de négocier/);
  assert.doesNotMatch(await page.locator('#notices, #withdrawals').allInnerTexts().then(String), /en vendant|Vente en cours|se vend/);
  become(withdrawing('selling'));
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await row.locator('.chip', { hasText: 'Vente en cours' }).waitFor();
  await close();
});

test('the dead are offered no deposit and no open trading, only what still works', async () => {
  const { page, close } = await open({ reads: dead });
  await page.locator('#notices .bad', { hasText: 'Tout vendre et arrêter…' }).waitFor();
  for (const gone of ['#deposit', '[data-fact="trading"]']) assert.equal(await page.locator(gone).isVisible(), false, gone);
  for (const works of ['#correction', '#withdraw > button', '#sell-all > button']) assert.equal(await page.locator(works).isVisible(), true, works);
  await close();
});

test('a correction downwards does not ask for USDC to be brought', async () => {
  const { page, close } = await open({ reads: { ...LIVE, 'api/budget': (/** @type {any} */ budget) => ({ ...LIVE['api/budget'](budget), total_deposited_eur: 500 }) } });
  for (const [total, brings] of /** @type {const} */ ([['400', false], ['600', true]])) {
    await page.locator('#correction-amount').fill(total);
    await page.locator('#correction button').click();
    assert.equal(/portefeuille Spot/.test(await (await asked(page)).innerText()), brings, total);
    await page.locator('#confirm-no').click();
  }
  await close();
});

test('the coins of a Python ledger are one list and one confirmation', async () => {
  const { page, written, close } = await open({ reads: takenOver, reply: () => ({ body: { ok: true, total_deposited_eur: 399.9 } }) });
  assert.equal(await page.locator('#differences').isVisible(), false, 'they are offered twice');
  const text = await decide(page, page.locator('#notices button'), written);
  assert.match(text, /0,0005 BTC, 0,002 ETH/);
  await page.locator('#deed-outcome.good').waitFor();
  assert.deepEqual(written.map(({ path, body }) => [path, body]), [['api/exchange/takeover', { understood: true }]]);
  await close();
});

test('what the program says of an order and of a signal is in the language of the page, and no pair is raw', async () => {
  for (const look of LOOKS) {
    const { page, close } = await open({ reads: { ...stuck, 'api/signals': unpublished['api/signals'] } }, look);
    const french = look.lang === 'fr';
    const notice = page.locator('#notices > li').first();
    await notice.locator('.detail', { hasText: french ? 'Ce que tient le compte Binance a changé' : 'the balances of the account' }).waitFor();
    await page.locator('#order-12 .sub', { hasText: french ? 'Ce que tient le compte Binance a changé' : 'the balances of the account' }).waitFor();
    if (french) assert.doesNotMatch(await page.locator('body').innerText(), /the exchange|look at this order|superseded/);
    const rows = page.locator('#signals .signals > li');
    const problem = await rows.first().locator('.problem:visible').innerText();
    assert.match(problem, /BNB, BTC, ETH, SOL, XRP.*sig-0002/);
    assert.equal(problem.split('sig-0002').length, 2, problem);
    for (const [row, name] of [[1, french ? /retrait n°\s4/ : /withdrawal 4/], [2, french ? /copie de départ/ : /initial copy/]]) {
      const line = await rows.nth(Number(row)).locator('.line').innerText();
      assert.match(line, /** @type {RegExp} */ (name));
      assert.doesNotMatch(line, /—|confiance|confidence/);
    }
    await close();
  }
});

test('what an order in doubt may explain is told twice with one figure, and offers nothing', async () => {
  const { page, close } = await open({ reads: doubted });
  const figure = await page.locator('#notices .bad p').first().innerText();
  assert.match(figure, /0,0148 BNB/);
  const line = page.locator('#differences li');
  await line.waitFor();
  assert.match(await line.innerText(), /0,0148 BNB[^]*ordre en doute/);
  assert.equal(await line.locator('button:visible').count(), 0);
  await close();
});

test('what a deed gave is no longer there once another was sent', async () => {
  const { page, close } = await open({ reads: LIVE, reply: () => ({ body: { ok: true, total_deposited_eur: 1050.5 } }) });
  for (const [form, other] of [['#deposit', '#correction'], ['#correction', '#deposit']]) {
    await page.locator(`${form} input`).fill('12');
    await page.locator(`${form} button`).click();
    await asked(page);
    await page.locator('#confirm-yes').click();
    await page.locator(`${form} .outcome.good`).waitFor();
    assert.equal(await page.locator(`${other} .outcome`).isVisible(), false, other);
  }
  await close();
});

const OPENED = { ...TERMS, id: 3, status: 'selling', eurusdc_rate: 0.8 };

test('money is asked out, what will happen is said, it is taken out, or called off', async () => {
  for (const look of LOOKS) {
    /** @type {Awaited<ReturnType<typeof open>>} */
    const opened = await open({
      reads: LIVE,
      reply: ({ path }) => {
        if (path.endsWith('cancel') || path.endsWith('taken')) return { body: { ok: true } };
        opened.become(withdrawing('selling'));
        return { body: OPENED };
      },
    }, look);
    const { page, written, become, complaints, close } = opened;
    await page.locator('#withdraw > button').click();
    const input = page.locator('#withdraw-amount');
    await input.waitFor();
    await page.waitForFunction(() => document.activeElement?.id === 'withdraw-amount');
    for (const amount of ['', 'abc', '0', '-5', '1.234']) {
      await input.fill(amount);
      await page.keyboard.press('Enter');
      await page.locator('#withdraw-outcome.bad').waitFor();
      assert.equal(await input.getAttribute('aria-invalid'), 'true', amount);
    }
    await input.fill('50');
    const question = await decide(page, page.locator('#withdraw form button').first(), written);
    assert.match(question, /62[.,]50.*0[.,]0003 BTC.*950[.,]12/s, 'what it will do is said only after the yes');
    const outcome = page.locator('#withdraw-outcome.good');
    await outcome.waitFor();
    assert.match(await outcome.innerText(), /62[.,]50.*0[.,]0003 BTC.*950[.,]12/s);
    assert.deepEqual(written.map(({ path, body }) => [path, body]), [['api/budget/withdrawals', { amount_eur: 50 }]]);
    // Ouvert, il est seul ; puis il est à sortir, et le total le dit.
    await page.locator('#withdraw form').waitFor({ state: 'hidden' });
    become(withdrawing('set_aside'));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.locator('#notices .warn', { hasText: /62[.,]50/ }).waitFor();
    await page.locator('[data-value="aside"]', { hasText: /62[.,]50/ }).waitFor();
    await examine(page, `${look.size}: set aside`);
    // Une part trop grande n'est pas partie ; le tout est écrit d'avance.
    await page.locator('#notices .warn button').first().click();
    await page.locator('#taken-part').fill('62.51');
    await page.keyboard.press('Enter');
    await page.locator('#taken-problem', { hasText: /62[.,]50/ }).waitFor();
    await page.locator('#taken-part').fill('40,25');
    await page.locator('#confirm-yes').click();
    await page.locator('#deed-outcome.good').waitFor();
    await decide(page, page.locator('#notices .warn button').first(), written);
    await page.locator('#deed-outcome.good').waitFor();
    await decide(page, page.locator('#withdraw button:visible'), written);
    await page.locator('#withdraw-outcome.good').waitFor();
    const part = ['api/budget/withdrawals/3/taken', { taken_out: true, usdc: 40.25 }];
    const ends = [part, ['api/budget/withdrawals/3/taken', { taken_out: true }], ['api/budget/withdrawals/3/cancel', {}]];
    assert.deepEqual(written.slice(1).map(({ path, body }) => [path, body]), ends);
    assert.deepEqual(complaints, []);
    await close();
  }
});

test('what the program warns of is shown in its words, done only for who has read it, and never on a no', async () => {
  const warning = 'everything will be sold, and the agent then has nothing to follow with';
  for (const look of LOOKS) {
    const { page, written, close } = await open({
      reads: LIVE,
      reply: ({ body }) => (body.understood ? { body: OPENED } : { status: 409, body: { error: `${warning}: send "understood": true if that is what you want; nothing was changed` } }),
    }, look);
    await page.locator('#withdraw > button').click();
    const all = page.locator('#withdraw form button').nth(1);
    for (const answer of ['no', 'yes']) {
      await all.click();
      await asked(page);
      await page.locator('#confirm-yes').click();
      const dialog = page.locator('#confirm', { hasText: look.lang === 'fr' ? 'Tout sera vendu' : warning });
      await dialog.waitFor();
      await asked(page);
      await page.locator(`#confirm-${answer}`).click();
      await page.locator(`#withdraw-outcome.${answer === 'no' ? 'quiet' : 'good'}`).waitFor();
    }
    assert.deepEqual(written.map(({ body }) => body), [{ all: true }, { all: true }, { all: true, understood: true }]);
    await close();
  }
});

test('a withdrawal that will be refused is refused at once, in the words of the page, and nothing is asked', async () => {
  const error = '999999.00 EUR is more than the value of 1004.00 EUR: nothing was changed';
  for (const look of LOOKS) {
    let lost = false;
    const { page, written, close } = await open({ reads: LIVE, preview: () => (lost ? 'lost' : { status: 409, body: { error } }) }, look);
    await page.locator('#withdraw > button').click();
    await page.locator('#withdraw-amount').fill('999999');
    await page.locator('#withdraw form button').first().click();
    const outcome = page.locator('#withdraw-outcome.bad');
    await outcome.waitFor();
    const said = (await outcome.innerText()).replace(/\s/g, ' ');
    if (look.lang === 'fr') assert.equal(said, 'Refusé, rien n’a changé. 999 999,00 €, c’est plus que la valeur, 1 004,00 €.');
    else assert.equal(said, 'Refused, nothing changed. 999999.00 EUR is more than the value of 1004.00 EUR.');
    lost = true;
    await page.locator('#withdraw form button').nth(1).click();
    await page.locator('#withdraw-outcome.bad', { hasText: /rien n’a été demandé|nothing was asked for/ }).waitFor();
    assert.equal(await page.locator('#confirm').isVisible(), false);
    assert.deepEqual(written, []);
    await examine(page, `${look.size}: refused`);
    await close();
  }
});

test('a question that comes while another one is asked is not asked, and a yes is not for it', async () => {
  /** @type {() => void} */
  let release = () => {};
  const held = new Promise((resolve) => (release = () => resolve(null)));
  const { page, written, close } = await open({ reads: LIVE, preview: async () => (await held, { body: TERMS }) });
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw-amount').fill('50');
  await page.locator('#withdraw form button').first().click();
  await page.locator('#withdraw-outcome.quiet').waitFor();
  await page.locator('#pause').click();
  const question = await (await asked(page)).innerText();
  release();
  await page.locator('#withdraw-outcome').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#confirm').innerText(), question);
  await page.locator('#confirm-yes').click();
  await until('the pause is sent', async () => written.length > 0);
  assert.deepEqual(written.map(({ path }) => path), ['api/agent/toggle']);
  await close();
});

test('a correction that would leave too little can be confirmed too', async () => {
  const error = 'this leaves 2.00 EUR: under 5 EUR no signal can be followed, and whether it survives is not judged until a deposit leaves 10 EUR or more; say "understood": true to do it, nothing was changed';
  const { page, written, close } = await open({
    reads: LIVE,
    reply: ({ body }) => (body.understood ? { body: { ok: true, total_deposited_eur: 2 } } : { status: 409, body: { error } }),
  });
  await page.locator('#correction input').fill('2');
  await page.locator('#correction button').click();
  await asked(page);
  await page.locator('#confirm-yes').click();
  await page.locator('#confirm', { hasText: /Il restera 2,00/ }).waitFor();
  await page.locator('#confirm-yes').click();
  await page.locator('#correction .outcome.good').waitFor();
  assert.deepEqual(written.map(({ body }) => body), [{ total_eur: 2 }, { total_eur: 2, understood: true }]);
  await close();
});

test('a request that got no answer is asked again under the same name, another one is not', async () => {
  let lost = true;
  const { page, written, close } = await open({ reads: LIVE, reply: () => (lost ? 'lost' : { body: OPENED }) });
  await page.locator('#withdraw > button').click();
  const button = page.locator('#withdraw form button').first();
  for (const [amount, outcome] of [['50', 'bad'], ['60', 'bad'], ['50', 'good'], ['50', 'good']]) {
    if (outcome === 'good') lost = false;
    await page.locator('#withdraw-amount').fill(amount);
    await button.click();
    await asked(page);
    await page.locator('#confirm-yes').click();
    await page.locator(`#withdraw-outcome.${outcome}`).waitFor();
  }
  const [first, other, again, next] = written.map(({ key }) => key);
  assert.ok(first && first.length <= 64, String(first));
  assert.equal(again, first);
  assert.ok(other !== first && next !== first);
  await close();
});

test('everything is sold only after what it does and does not do was read, and asked; then the page says where it is', async () => {
  for (const look of LOOKS) {
    /** @type {Awaited<ReturnType<typeof open>>} */
    const opened = await open({
      reads: LIVE,
      reply: () => {
        opened.become(selling(false));
        return { body: { ok: true } };
      },
    }, look);
    const { page, written, become, close } = opened;
    const door = page.locator('#sell-all > button');
    await door.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#sell-all h3') === document.activeElement);
    assert.equal(await door.isVisible(), false);
    assert.ok((await page.locator('#sell-all li:visible').count()) >= 5);
    await examine(page, `${look.size}: before`);
    assert.equal(written.length, 0);
    await decide(page, page.locator('#sell-all button.danger'), written);
    await page.locator('#sell-all .outcome.good').waitFor();
    assert.deepEqual(written.map(({ path, body }) => [path, body]), [['api/agent/sell-all', { understood: true }]]);
    await page.locator('#sell-all li', { hasText: /BTC/ }).waitFor();
    assert.equal(await page.locator('#sell-all button.danger').isVisible(), false, 'it can be asked twice');
    become(selling(true));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.locator('#sell-all li', { hasText: /BTC/ }).waitFor({ state: 'detached' });
    await page.locator('#sell-all li', { hasText: /ETH.*(dust|poussière)/s }).waitFor();
    assert.equal(await page.locator('#sell-all .outcome').last().isVisible(), false, 'it says that the sale begins, and it is done');
    await examine(page, `${look.size}: sold`);
    await close();
  }
});

test('what a person decides changes its language with the rest, and what she is typing stays', async () => {
  const { page, close } = await open({ reads: LIVE });
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw-amount').fill('12,5');
  await page.locator('button[data-lang="en"]').click();
  await page.locator('#withdraw label', { hasText: 'How much' }).waitFor();
  assert.equal(await page.locator('#withdraw-amount').inputValue(), '12,5');
  await close();
});

test('a small capital is told how much of the leader it follows, and what almost all takes', async () => {
  const outlook = { capital_eur: 60.2, followed_pct: 91, nearly_all_pct: 99, nearly_all_eur: 140, reason: null };
  const small = (/** @type {number} */ drift) => (/** @type {any} */ budget) => ({ ...LIVE['api/budget'](budget), drift_pct: drift, total_value_eur: 60.2 });
  const reads = { ...LIVE, 'api/budget': small(9), 'api/allocation/outlook': () => outlook };
  for (const look of LOOKS) {
    const { page, close } = await open({ reads }, look);
    await page.locator('#reach').waitFor();
    assert.match((await page.locator('#reach').innerText()).replace(/\s/g, ' '), /60.*91.*99.*140/);
    await examine(page, `reach ${look.size}`);
    await close();
  }
});

test('what could not be read is said to who asked for it, and is asked again', async () => {
  const { page, close } = await open({ reads: LIVE });
  await page.route('**/js/person/**', (route) => route.abort('connectionreset'));
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw > .outcome.bad').first().waitFor();
  await page.locator('#deposit input').fill('5');
  await page.locator('#deposit button').click();
  await page.locator('#deposit .outcome.bad').waitFor();
  await page.unroute('**/js/person/**');
  await page.locator('#deposit button').click();
  await page.locator('#confirm').waitFor();
  await page.locator('#confirm-no').click();
  await page.locator('#withdraw > button').click();
  await page.locator('#withdraw-amount').waitFor();
  await close();
});
