// Ce qu'un compte réel demande à une personne : dit en mots, avec quoi faire, dans les deux langues.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat } from '../../static/js/format.js';
import { stateOf, wantedText } from '../../static/js/order.js';
import { exchangeNotices } from '../../static/js/person/account.js';
import { tell as tellEnglish } from '../../static/js/person/told-en.js';
import { tell } from '../../static/js/person/told-fr.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const NOW = 1_790_000_000_000;
const TEXTS = { fr: { ...fr, ...personFr }, en: { ...en, ...personEn } };

/** @param {'fr' | 'en'} lang */
const speaking = (lang) => ({ words: createWords(lang, TEXTS[lang], lang === 'en' ? { say: tellEnglish, read: async () => {} } : undefined), format: createFormat(lang), now: NOW, localNow: NOW });
const context = speaking('en');

/** @type {import('../../static/js/api.js').Order} */
const order = {
  id: 12,
  signal_id: 's',
  coin: 'BTCUSDC',
  action: 'BUY',
  spend_usdt: 25,
  quantity: null,
  attempt: 1,
  attempts: 2,
  state: 'filled',
  reason: null,
  client_id: 'cal-1',
  order_id: 7,
  doubted: false,
  late: false,
  needs_person: false,
  is_simulated: 0,
  created_at: '2026-09-21 14:13:20',
  ended_at: null,
};
/** @type {import('../../static/js/api.js').Exchange} */
const exchange = {
  mode: 'live',
  trading_open: true,
  closed_reason: null,
  silence: null,
  clock: { lead_seconds: 0.2, margin_seconds: 0.01, measured_at: '', warning: null },
  checks: [{ test: 'clock', verdict: 'fine', found: 'right', advice: null, stops_trading: false }],
  reconciliation: [{ asset: 'BTC', held: 2, booked: 1, difference: 1, missing: 0, compared_at: '' }],
  foreign_orders: [],
};

/** @param {object} changes */
const noticed = (changes) => exchangeNotices({ ...exchange, ...changes }, context);

test('an account that is well asks for nothing', () => {
  assert.deepEqual(noticed({}), []);
  assert.deepEqual(exchangeNotices(null, context), []);
});

test('closed trading says what to mend, once for each fault', () => {
  const fault = (/** @type {string} */ name) => ({ test: name, verdict: 'fault', found: 'x', advice: 'y', stops_trading: true });
  // Ce qui n'a pas pu être essayé n'accuse personne : sans réseau, la clé n'est pas mauvaise.
  const untested = ['clock', 'key', 'account'].map((name) => ({ ...fault(name), verdict: 'not_tested' }));
  const [calm] = noticed({ trading_open: false, closed_reason: 'clock: not tested', checks: untested });
  assert.deepEqual([calm.id, calm.calm, calm.steps], ['closed', true, []]);
  const closed = { trading_open: false, closed_reason: 'key: refused' };
  const [{ tone, steps, detail }] = noticed({ ...closed, checks: [fault('key'), fault('account')] });
  assert.deepEqual([tone, steps?.length, detail], ['bad', 2, 'Key: refused.']);
  assert.match(String(steps?.[0]), /BINANCE_API_KEY/);
  const [waiting] = noticed({ trading_open: false, closed_reason: 'the account could not be read' });
  assert.deepEqual([waiting.tone, waiting.steps], ['warn', []]);
  const silence = { ...fault('exchange'), advice: 'wait until then; other programs behind …' };
  assert.deepEqual(noticed({ ...closed, checks: [silence] })[0].steps, [], 'a silence asks for nothing');
  const [other] = noticed({ trading_open: false, closed_reason: 'the key opens another account than …' });
  assert.deepEqual([other.tone, other.steps?.length], ['bad', 1]);
  assert.deepEqual(noticed({ mode: 'dry_run', trading_open: null }), [], 'a simulation is neither open nor closed');
});

test('a check that could not be made is not told as a fault, and breaks no good key', () => {
  const untested = (/** @type {string} */ name) => ({ test: name, verdict: 'not_tested', found: 'x', advice: null, stops_trading: true });
  const closed = { trading_open: false, closed_reason: 'clock: x' };
  const [waiting] = noticed({ ...closed, checks: ['clock', 'key', 'account'].map(untested) });
  assert.deepEqual([waiting.tone, waiting.calm, waiting.steps], ['warn', true, []]);
  assert.match(waiting.text, /not all checks could be made yet.*again by itself/);
  const down = { verdict: 'fault', found: 'x', advice: 'check the network of this machine, then try again in some minutes', stops_trading: true };
  const [offline] = noticed({ ...closed, checks: [{ test: 'exchange', ...down }, { test: 'key', ...down }, untested('account')] });
  assert.deepEqual([offline.tone, offline.steps?.length], ['bad', 1]);
  assert.match(String(offline.steps), /Internet/);
  assert.doesNotMatch(String(offline.steps), /API_KEY|let this account|clock/);
});

test('money that is missing to begin is asked for, in figures and once', () => {
  const closed_reason = 'the account holds 0.00 USDC free: bring at least 12.45 USDC (10 EUR) to its Spot wallet to begin, or 124.43 USDC for the whole budget';
  const checks = [{ test: 'balance', verdict: 'fault', found: '0.00 USDC free in the Spot wallet, 124.95 needed to begin', advice: 'bring USDC', stops_trading: false }];
  const [poor, ...rest] = noticed({ trading_open: false, closed_reason, checks });
  assert.deepEqual([poor.id, poor.tone, poor.calm, poor.detail, rest], ['closed', 'bad', false, `T${closed_reason.slice(1)}.`, []]);
  assert.doesNotMatch(poor.text, /again by itself/);
  assert.match(String(poor.steps), /Spot wallet/);
  assert.deepEqual(noticed({ checks }).map(({ id }) => id), ['check balance'], 'the books that the account does not cover are told');
  assert.deepEqual(noticed({ checks, not_alone: { reason: 'an older ledger', orders: [], ways: [] } }), [], 'older books do not say what the account lacks');
});

test('another account is not said to be one that Binance blocks', () => {
  const found = 'the key opens another account than the one this ledger began with';
  const checks = [{ test: 'account', verdict: 'fault', found, advice: 'set the key', stops_trading: true }];
  const [{ steps }] = noticed({ trading_open: false, closed_reason: `account: ${found}`, checks });
  assert.equal(steps?.length, 1);
  assert.match(String(steps), /first key/);
});

test('what only a person can mend is never left to the program, even before the checks are made again', () => {
  /** @type {[string, RegExp][]} */
  const cases = [
    ['the account may not trade', /log in to Binance/],
    ['the account could not be read: the exchange answered 401: -2015 Invalid API-key, IP, or permissions for action.', /BINANCE_API_KEY/],
    ['the account could not be read: the exchange answered 451, starting with "<html>"', /does not serve the place/],
    ['the key opens another account than the one this ledger began with', /put the first key back/],
  ];
  for (const [reason, remedy] of cases) {
    const [{ tone, calm, steps, text }] = noticed({ trading_open: false, closed_reason: reason });
    assert.deepEqual([tone, calm], ['bad', false], reason);
    assert.match(String(steps), remedy);
    assert.match(text, /something needs mending/);
  }
  const [{ calm }] = noticed({ trading_open: false, closed_reason: 'the account could not be read: the exchange cannot be reached: [7] no' });
  assert.equal(calm, true);
  const decisive = ['disk', 'clock', 'exchange', 'key', 'key rights', 'account'];
  for (const test of decisive) {
    const checks = [{ test, verdict: 'fault', found: 'x', advice: 'mend it', stops_trading: true }];
    const [notice] = noticed({ trading_open: false, closed_reason: `${test}: x`, checks });
    assert.deepEqual([notice.calm, notice.steps?.length, notice.steps?.[0] === test], [false, 1, false], test);
  }
});

test('a place that Binance does not serve is not taken for a network to look at', () => {
  const advice = 'Binance does not serve the place this machine is in: it cannot trade from here, do not try to get round it';
  const checks = [{ test: 'exchange', verdict: 'fault', found: 'the exchange answered 451', advice, stops_trading: true }];
  const [{ steps }] = noticed({ trading_open: false, closed_reason: 'exchange: the exchange answered 451', checks });
  assert.match(String(steps), /^Binance does not serve/);
});

test('an order that a person ended is not said to be proved absent', () => {
  const state = (/** @type {object} */ changes, /** @type {'fr' | 'en'} */ lang = 'en') => stateOf(/** @type {any} */ ({ ...order, state: 'absent', ...changes }), speaking(lang))[0];
  assert.equal(state({ by_hand: 'settled', reason: 'a person settled it: nothing was booked' }), 'Settled by a person');
  assert.equal(state({ by_hand: null, reason: 'a person looked: it was never executed' }, 'fr'), 'Libéré par une personne');
  assert.equal(state({ by_hand: null, reason: 'proved: it never reached the exchange' }), 'Never arrived, proved');
});

test('a clock off by more than a minute is told once, with what to type', () => {
  const checks = [{ test: 'clock', verdict: 'fault', found: 'x', advice: 'y', stops_trading: true }];
  const clock = { ...exchange.clock, lead_seconds: -7300, warning: 'set it' };
  const found = noticed({ trading_open: false, closed_reason: 'clock: x', checks, clock });
  assert.deepEqual(found.map(({ id, steps }) => [id, steps?.length]), [['closed', 0], ['clock', 2]]);
  assert.match(found[1].text, /2 hours behind/);
  assert.match(String(found[1].steps?.[0]), /timedatectl/);
  assert.match(noticed({ clock: { ...clock, lead_seconds: 125 } })[0].text, /2 minutes ahead/);
});

test('an account that holds less than the books says how much of what', () => {
  const line = (/** @type {string} */ asset, /** @type {number} */ missing) => ({ asset, held: 1, booked: 1 + missing, difference: -missing, missing, compared_at: '' });
  const [coins] = noticed({ reconciliation: [line('BTC', 0.0005), line('ETH', 0.1), line('SOL', 0)] });
  assert.match(coins.text, /0\.0005 BTC, 0\.1 ETH/);
  assert.doesNotMatch(coins.text, /SOL/);
  const [cash] = noticed({ reconciliation: [line('USDC', 10)] });
  assert.match(String(cash.steps?.[1]), /nothing is bought/);
});

test('what an open order of the person locks is not missing, and what is gone can be written off', () => {
  const line = { asset: 'BTC', held: 1, free: 0.4, locked: 0.6, booked: 1, difference: 0, missing: 0.6, missing_locked: 0.6, beyond: 0, compared_at: '' };
  assert.deepEqual(noticed({ reconciliation: [line] }), []);
  const [gone] = noticed({ reconciliation: [{ ...line, booked: 1.5, difference: -0.5, missing: 1.1 }] });
  assert.match(gone.text, /0\.5 BTC is missing/);
  assert.match(String(gone.steps?.at(-1)), /Differences/);
});

test('what a person decides closes trading without a second sentence', () => {
  const closed = { trading_open: false, closed_reason: 'an older ledger' };
  assert.deepEqual(noticed({ ...closed, not_alone: { reason: 'an older ledger', orders: [], ways: [] } }), []);
  assert.deepEqual(noticed({ ...closed, not_alone: { reason: 'another', orders: [], ways: [] } }).map(({ id }) => id), ['closed']);
  const python = { trading_open: false, closed_reason: 'the Python version counted coins without the fees' };
  assert.deepEqual(noticed({ ...python, takeover: [{ coin: 'BTCUSDC', booked: 1, held: 0.999, quantity: 0.001 }] }), []);
  assert.deepEqual(noticed({ ...python, takeover: [] }).map(({ id }) => id), ['closed']);
});

test('a silence is told until it ends, and a small fault closes nothing', () => {
  assert.deepEqual(noticed({ silence: { status: 429, from: 0, until: NOW / 1000 + 60 } }).map(({ id }) => id), ['silence']);
  assert.deepEqual(noticed({ silence: { status: 429, from: 0, until: NOW / 1000 - 1 } }), []);
  const fault = (/** @type {string} */ name) => ({ test: name, verdict: 'fault', found: 'no room', advice: 'make room', stops_trading: false });
  const [disk, ...rest] = noticed({ checks: [fault('minima'), fault('leader')] });
  assert.deepEqual([disk.tone, disk.text, disk.detail, rest], ['warn', 'To look at: the capital is too small to follow.', 'No room. Make room.', []]);
});

test('what a check found and advises is told in the language of the page', () => {
  const found = '4.00 USDC free in the Spot wallet, 20.00 needed';
  const advice = 'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn); if you took or sold them, write them off on the page';
  const checks = [{ test: 'balance', verdict: 'fault', found, advice, stops_trading: false }];
  const french = { ...speaking('fr'), words: createWords('fr', TEXTS.fr, { say: tell, read: async () => {} }) };
  const [{ detail }] = exchangeNotices({ ...exchange, checks }, french);
  assert.match(String(detail), /^4,00\sUSDC libres dans le portefeuille Spot, il faut 20,00\sUSDC\. Apportez-y des USDC/);
  assert.equal(noticed({ checks })[0].detail, `${found}. B${advice.slice(1)}.`);
});

test('an order says what it wanted and where it is, in both languages', () => {
  /** @type {[Partial<typeof order>, string, string][]} */
  const cases = [
    [{}, 'Exécuté', 'Achat de BTC pour 25,00\u00a0USDC'],
    [{ doubted: true, reason: 'the answer was lost' }, 'Exécuté, après un doute', 'Achat de BTC pour 25,00\u00a0USDC'],
    [{ late: true }, 'Exécuté tard\u00a0: à voir', 'Achat de BTC pour 25,00\u00a0USDC'],
    [{ state: 'absent', action: 'SELL', spend_usdt: null, quantity: 0.5 }, 'Jamais arrivé, prouvé', 'Vente de 0,5 BTC'],
    [{ state: 'new_state', spend_usdt: null }, 'new_state', 'Achat de BTC pour —'],
  ];
  for (const [changes, state, wanted] of cases) {
    const changed = { ...order, ...changes };
    assert.deepEqual([stateOf(changed, speaking('fr'))[0], wantedText(changed, speaking('fr'))], [state, wanted]);
    assert.ok(stateOf(changed, context)[0]);
  }
});
