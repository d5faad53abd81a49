// Ce dont une personne décide : dit en mots, avec les gestes que le programme offre, et pas un de plus.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createFormat } from '../../static/js/format.js';
import { exchangeNotices } from '../../static/js/person/account.js';
import { readByHand, tellByHand } from '../../static/js/person/by-hand.js';
import { deedsOf } from '../../static/js/person/deeds.js';
import { differencesOf } from '../../static/js/person/differences.js';
import { decisionsOf } from '../../static/js/person/notices.js';
import { isUseful } from '../../static/js/person.js';
import { readPart } from '../../static/js/person/part.js';
import { restOf } from '../../static/js/person/reach.js';
import { tellLeft } from '../../static/js/person/sell-all.js';
import { warningOf } from '../../static/js/person/understood.js';
import { tellOpened } from '../../static/js/person/withdraw.js';
import { tell } from '../../static/js/person/told-en.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const NOW = 1_790_000_000_000;
const TEXTS = { fr: { ...fr, ...personFr }, en: { ...en, ...personEn } };

/** @param {'fr' | 'en'} lang */
const speaking = (lang) => ({ words: createWords(lang, TEXTS[lang], lang === 'en' ? { say: tell, read: async () => {} } : undefined), format: createFormat(lang), now: NOW, localNow: NOW });
const context = speaking('en');

const order = /** @type {any} */ ({
  id: 12,
  coin: 'BTCUSDC',
  action: 'BUY',
  spend_usdt: 25,
  quantity: null,
  state: 'stuck',
  reason: 'sent 2 times',
  late: false,
  needs_person: true,
  is_simulated: 0,
  created_at: '2026-09-21 14:13:20',
  age_seconds: 7200,
});
const ways = (/** @type {string[]} */ ...names) => names.map((way) => ({ way, consequence: `${way}: its signal is planned anew` }));

/** @param {{exchange?: object, orders?: any[], status?: object, withdrawals?: any[], signals?: any[], health?: object}} changes */
function decided({ health, exchange = {}, orders = [], status = {}, withdrawals = [], signals = [] }) {
  const parts = { budget: { data: null }, health: { data: health }, exchange: { data: { reconciliation: [], checks: [], ...exchange } }, orders: { data: orders }, status: { data: status }, withdrawals: { data: { withdrawals } }, signals: { data: signals } };
  return decisionsOf(/** @type {any} */ (parts), context);
}

/** Tout ce qu'une question dit. @param {import('../../static/js/person/deeds.js').Deed} deed */
const asked = ({ command: { question } }) => [question.title, ...question.lines, question.yes].join(' ');

test('nothing waits for a person when all is well, and nothing is offered for what needs none', () => {
  assert.deepEqual(decided({}), []);
  assert.deepEqual(deedsOf({ id: 'closed', tone: 'bad', text: '' }, context), []);
});

test('an order that needs a person carries what to do and itself', () => {
  const late = { ...order, id: 13, state: 'filled', late: true };
  const [first, second] = decided({ orders: [order, late, { ...order, needs_person: false }] });
  assert.deepEqual([first.id, first.tone, first.order, first.detail], ['order 12', 'bad', order, 'Sent 2 times.']);
  assert.match(first.text, /must look at an order: Purchase of BTC for 25\.00/);
  assert.match(String(first.steps?.join(' ')), /Spot order history.*decide/);
  assert.deepEqual([second.order, second.tone], [late, 'bad']);
  assert.match(String(second.steps?.join(' ')), /Nothing more is bought/);
});

test('an order that was sent twice is to be looked for at both times', () => {
  const second = { ...order, attempt: 2, signal_id: 's', created_at: '2026-09-21 14:17:20' };
  const first = { ...second, id: 11, attempt: 1, state: 'absent', needs_person: false, created_at: order.created_at };
  const others = [{ ...first, id: 10, coin: 'ETHUSDC' }, { ...first, id: 9, signal_id: 'before' }, { ...first, id: 8, state: 'filled' }];
  const [both] = decided({ orders: [second, first, ...others] });
  assert.match(both.text, /\(\d\d:13, then \d\d:17\)/);
  assert.match(String(both.steps?.[0]), /at both times: it was sent twice/);
  const [once] = decided({ orders: [second, ...others] });
  assert.match(once.text, /\(\d\d:17\)/);
  assert.match(String(once.steps?.[0]), /at that time/);
});

test('USDC that a person reads about are in cents, and asked for to the last digit', () => {
  const line = { asset: 'USDC', held: 376.32069862, free: 376.32069862, locked: 0, booked: 100, difference: 276.32069862, missing: 0, missing_locked: 0, beyond: 276.32069862, in_doubt: false, compared_at: '' };
  const [more] = differencesOf(/** @type {any} */ ({ reconciliation: [line, { ...line, asset: 'XRP' }] }), 'followed', context);
  assert.equal(more.text.replace('\u00a0', ' '), '276.32 USDC more than the books.');
  assert.deepEqual(more.deed?.command.body, { quantity: '276.32069862' });
  const short = { ...line, free: 100, held: 100, beyond: 0, booked: 376.32069862, difference: -276.32069862, missing: 276.32069862 };
  assert.match(decided({ exchange: { reconciliation: [short] } })[0].text, /276\.32\u00a0USDC is missing/);
});

test('an order is ended only in the ways that the program offers, each with its age and what will follow', () => {
  const stuck = { ...order, ways: ways('release', 'book', 'settle', 'a_new_way') };
  const notice = (/** @type {any} */ about) => deedsOf({ id: '', tone: 'bad', text: '', order: about }, context);
  const [release, book, settle, ...rest] = notice(stuck);
  assert.deepEqual([release, book, settle].map(({ id, command }) => [id, command.path]), [
    ['release', 'api/orders/12/release'],
    ['book', 'api/orders/12/book'],
    ['settle', 'api/orders/12/settle'],
  ]);
  assert.deepEqual(rest, []);
  for (const deed of [release, book, settle]) assert.match(asked(deed), /2 hours old/);
  assert.match(asked(release), /planned anew at the prices of now/);
  assert.match(asked(settle), /nothing goes into the books/);
  assert.deepEqual(notice({ ...order, late: true, ways: ways('acknowledge') }).map(({ id }) => id), ['acknowledge']);
  assert.deepEqual(notice(order).map(({ id }) => id), ['release'], 'a program that names no way');
});

test('what follows a release is said in the words of the reader, or in those of the program', () => {
  /** @type {[string, RegExp, boolean][]} */
  const cases = [
    ['… it is not sent again: its signal is closed, and the next one decides.', /son signal est clos/, false],
    ['… it is given up, not sent again: its signal is 16 minutes old.', /trop vieux/, false],
    ['… its coin is left until the next signal (this was the last attempt), or planned anew …', /attend le prochain signal/, false],
    ['… it is sent again at the price of now.', /renvoyé, au prix de maintenant/, false],
    ['… its signal is planned anew at the prices of now, which may send it again.', /prévu à nouveau/, false],
    ['something else', /Libérer/, true],
  ];
  for (const [consequence, expected, detailed] of cases) {
    const about = { ...order, ways: [{ way: 'release', consequence }] };
    const [release] = deedsOf({ id: '', tone: 'bad', text: '', order: about }, speaking('fr'));
    assert.match(asked(release), expected);
    assert.equal(Boolean(release.command.question.detail), detailed, consequence);
  }
});

test('a ledger that may not be alone says why, and offers what decides it', () => {
  const foreign = { coin: 'BTCUSDC', order_id: 5, client_id: 'cal-1-1', action: 'SELL', quantity: 0.5, created_at: '2026-09-21 14:00:00' };
  /** @type {[string[], RegExp, [string, object][]][]} */
  const cases = [
    [['adopt', 'disown'], /older than its account/, [['api/exchange/adopt', { other_is_off: true }], ['api/exchange/disown', { other_is_off: true }]]],
    [['disown'], /Another ledger/, [['api/exchange/disown', { other_is_off: true }]]],
    [['move_here'], /another machine/, [['api/exchange/machine', { first_is_off: true }]]],
    [[], /already trades on this machine/, []],
  ];
  for (const [names, text, commands] of cases) {
    const [notice] = decided({ exchange: { not_alone: { reason: 'r', orders: Array(5).fill(foreign), ways: ways(...names) } } });
    assert.match(notice.text, text);
    assert.deepEqual([notice.tone, notice.detail], ['bad', 'R.']);
    const deeds = deedsOf(notice, context);
    assert.deepEqual(deeds.map(({ command }) => [command.path, command.body]), commands);
    if (names.includes('disown')) assert.match(asked(deeds[0]), /sale of 0\.5 BTC.*and 2 more/);
  }
});

test('the orders of another copy are as many as the program counts, not as many as it lists', () => {
  const foreign = { coin: 'BTCUSDC', order_id: 5, client_id: 'cal-1-1', action: 'SELL', quantity: 0.5, created_at: '2026-09-21 14:00:00' };
  const evidence = readFileSync(new URL('../../src/account/evidence.rs', import.meta.url), 'utf8');
  assert.ok(evidence.includes('"{count} order{s}, the first {side} {coin} {} of {since} UTC"'), 'the count is read there');
  const reason = 'the account has orders under this ledger\'s name that it does not know (36 orders, the first BUY BTCUSDC cal-1f-12-1 of 2026-01-02 03:04:05 UTC): this ledger is older than the account';
  const more = (/** @type {string} */ said, /** @type {number} */ listed) => {
    const [notice] = decided({ exchange: { not_alone: { reason: said, orders: Array(listed).fill(foreign), ways: ways('adopt', 'disown') } } });
    return deedsOf(notice, context).map((deed) => /and \d+ more/.exec(asked(deed))?.[0]);
  };
  assert.deepEqual(more(reason, 20), ['and 33 more', 'and 33 more']);
  assert.deepEqual(more('another ledger trades', 20), ['and 17 more', 'and 17 more'], 'at least those that are listed');
  assert.deepEqual(more(reason.replace('36 orders', '3 orders'), 3), [undefined, undefined]);
});

test('an open withdrawal says where it is, and can be called off; one that ended says nothing', () => {
  const withdrawal = { id: 7, status: 'selling', wanted_usdc: 62.5, set_aside_usdc: 0, can_cancel: true };
  const [raising] = decided({ withdrawals: [withdrawal] });
  assert.deepEqual([raising.tone, raising.steps], ['info', undefined]);
  assert.match(raising.text, /62\.50/);
  assert.match(decided({ withdrawals: [{ ...withdrawal, wanted_usdc: null }] })[0].text, /everything/);
  const [ready] = decided({ withdrawals: [{ ...withdrawal, status: 'set_aside', set_aside_usdc: 60 }] });
  assert.match(ready.text, /Take 60\.00\sUSDC out of Binance now/);
  const [taken, cancel] = deedsOf(ready, context);
  assert.match(asked(taken), /60\.00\sUSDC leave the books/);
  assert.deepEqual([taken.command.path, taken.command.body], ['api/budget/withdrawals/7/taken', { taken_out: true }]);
  assert.equal(taken.most, 60);
  assert.match(asked(cancel), /already taken the money out/);
  assert.equal(deedsOf(raising, context)[0].command.path, 'api/budget/withdrawals/7/cancel');
  assert.deepEqual(decided({ withdrawals: [{ ...withdrawal, status: 'completed', can_cancel: false }] }), []);
});

test('a withdrawal that cannot go on says why, and is not told as selling', () => {
  const withdrawal = { id: 7, status: 'selling', wanted_usdc: 62.5, set_aside_usdc: 0, can_cancel: true, waiting_for: 'key rights: it may not trade' };
  const signals = [{ signal_id: 'withdrawal-7', waiting_for: 'BTCUSDC: x', decisions: [{ coin: 'BTCUSDC', decision: 'waiting', code: 'halted', reason: 'x' }] }];
  /** @type {[object, string, string][]} */
  const cases = [
    [{}, 'Withdrawal: 62.50\u00a0USDC are to be set aside.', 'Waits: key rights: it may not trade'],
    [{ wanted_usdc: null }, 'Withdrawal: everything is to be sold, to be taken out.', 'Waits: key rights: it may not trade'],
    [{ waiting_for: 'BTCUSDC: x' }, 'Withdrawal: 62.50\u00a0USDC are to be set aside.', 'Waits: BTC (the exchange does not trade this coin now)'],
  ];
  for (const [changes, text, detail] of cases) {
    const [notice] = decided({ withdrawals: [{ ...withdrawal, ...changes }], signals });
    assert.deepEqual([notice.text, notice.detail, notice.calm], [text, detail, true]);
    assert.equal(deedsOf(notice, context)[0].id, 'cancel');
  }
  assert.equal(decided({ withdrawals: [{ ...withdrawal, waiting_for: null }] })[0].detail, null);
});

test('the part of a withdrawal that was taken is read to the cent, and all of it needs no figure', () => {
  assert.deepEqual(readPart('60', 124.77), { ok: true, part: 60 });
  assert.deepEqual(readPart('60,25', 124.77), { ok: true, part: 60.25 });
  // Ce qui est montré au centime est le tout, à moins d'un demi près.
  for (const most of [99.768766, 99.77, 99.7749]) assert.deepEqual(readPart('99.77', most), { ok: true, part: null }, `${most}`);
  for (const [text, why] of [['124.78', 'part.more'], ['0', 'number.zero'], ['', 'amount.empty'], ['1.234', 'amount.too_precise'], ['-5', 'amount.unreadable']])
    assert.deepEqual(readPart(text, 124.77), { ok: false, why }, text);
});

test('what a withdrawal will do is said as the program answers it', () => {
  const opened = { amount_usdc: 62.5, sales: [{ coin: 'BTCUSDC', quantity: 0.0005 }], left_eur: 50.1 };
  assert.match(tellOpened(opened, 'followed', context), /62\.50\sUSDC.*0\.0005 BTC.*€50\.10/);
  assert.match(tellOpened({ ...opened, sales: [] }, 'followed', context), /nothing is sold/);
  assert.doesNotMatch(tellOpened({ amount_usdc: 62.5, sales: null, left_eur: null }, 'followed', context), /sold|left/);
});

test('what is left after a withdrawal is said to follow the leader only where it will', () => {
  const opened = { amount_usdc: 62.5, sales: [], left_eur: 50.1 };
  const FOLLOWS = /leader’s allocation/;
  assert.match(tellOpened(opened, 'followed', context), FOLLOWS);
  assert.match(tellOpened(opened, 'paused', context), /only once you resume/);
  assert.doesNotMatch(tellOpened(opened, 'kept', context), FOLLOWS);
  for (const left_eur of [4.99, 0]) assert.doesNotMatch(tellOpened({ ...opened, left_eur }, 'followed', context), FOLLOWS, 'too little to follow with');
  assert.doesNotMatch(tellOpened(opened, 'followed', context, true), FOLLOWS, 'all is taken out');
  assert.match(tellOpened(opened, 'followed', context, true), /cannot be sold/);
  assert.doesNotMatch(tellOpened({ ...opened, left_eur: 0.001 }, 'followed', context, true), /cannot be sold/, 'all of it is cash');
});

test('what becomes of money depends on whether the leader is followed: dead, paused, or waiting for a person', () => {
  const rest = (/** @type {object} */ status, /** @type {object} */ budget = {}) => restOf(/** @type {any} */ ({ status: { data: status }, budget: { data: budget } }));
  assert.deepEqual([rest({}), rest({ paused: true }), rest({ paused: true, state: 'DEAD' }), rest({ old_target: {} })], ['followed', 'paused', 'kept', 'kept']);
  assert.equal(rest({}, { status: 'DEAD' }), 'kept');
});

test('cash that a withdrawal frees is put to work only where the leader is followed', () => {
  const withdrawal = { id: 7, status: 'set_aside', set_aside_usdc: 60, can_cancel: true };
  /** @type {[object, RegExp][]} */
  const cases = [[{}, /put to work at the next poll/], [{ paused: true }, /put to work when you resume/], [{ state: 'DEAD' }, /cash again, which is not put to work\./]];
  for (const [status, expected] of cases) {
    const notice = decided({ status, withdrawals: [withdrawal] }).find(({ id }) => id === 'withdrawal');
    const deeds = notice ? deedsOf(notice, context) : [];
    assert.deepEqual(deeds.map(({ id }) => id), ['taken', 'cancel']);
    for (const deed of deeds) assert.match(asked(deed), expected, deed.id);
  }
});

test('what is written off or counted says what the program does of it only where it will', () => {
  const asks = (/** @type {'followed' | 'paused' | 'kept'} */ rest) =>
    differencesOf(/** @type {any} */ ({ reconciliation: [line('BTC', { difference: -1, missing: 1 }), line('USDC', { beyond: 9 }), line('SOL', { beyond: 9 })] }), rest, context)
      .map(({ deed }) => (deed ? asked(deed) : ''));
  const [gone, usdc, coin] = asks('followed');
  assert.match(gone, /follows the leader again.*may buy it/);
  assert.match(usdc, /will be invested/);
  assert.match(coin, /may sell it/);
  for (const text of asks('paused')) assert.match(text, /(?:Once|before) you resume/);
  for (const text of asks('kept')) assert.doesNotMatch(text, /resume|follows the leader|will be invested|may sell|may buy/);
});

test('a pause that nobody pressed says why, and selling everything says what it waits for', () => {
  assert.deepEqual(decided({ status: { paused: true, paused_reason: 'called it DEAD' } }).map(({ id, detail }) => [id, detail]), [['paused', 'Called it DEAD.']]);
  assert.deepEqual(decided({ status: { paused: false, paused_reason: 'called it DEAD' } }), []);
  const selling = { since: '', done: false, waiting_for: 'BTCUSDC is in status BREAK', left: [] };
  const status = { paused: true, paused_reason: 'sell all', selling_all: selling };
  const [notice] = decided({ status });
  assert.deepEqual([notice.id, notice.detail], ['selling', `Waits: ${selling.waiting_for}`]);
  const signal = { waiting_for: selling.waiting_for, decisions: [{ coin: 'BTCUSDC', decision: 'waiting', code: 'halted', reason: 'x' }] };
  assert.match(String(decided({ status, signals: [signal] })[0].detail), /^Waits: BTC \(the exchange does not trade/);
  const left = { coin: 'ETHUSDC', quantity: 0.00004, value_usdt: 0.12, code: 'dust', reason: 'x' };
  assert.match(tellLeft(left, context), /0\.00004 ETH.*dust/);
  assert.match(tellLeft({ ...left, code: 'halted', reason: 'BREAK' }, context), /does not trade this coin/);
  assert.match(tellLeft({ ...left, value_usdt: null, code: null, reason: null }, context), /ETH \(—\)$/);
});

/** @param {string} asset @param {Partial<import('../../static/js/api.js').Balance>} figures */
const line = (asset, figures) => ({ asset, held: 1, free: 1, locked: 0, booked: 1, difference: 0, missing: 0, missing_locked: 0, beyond: 0, compared_at: '', ...figures });
/** @param {any[]} reconciliation @param {any[]} [takeover] */
const differing = (reconciliation, takeover = []) => differencesOf(/** @type {any} */ ({ reconciliation, takeover }), 'followed', context);

test('what is gone can be written off, what is beyond counted, what is locked neither', () => {
  const found = differing([
    line('USDC', { beyond: 125, difference: 125 }),
    line('BTC', { difference: -0.0005, missing: 0.0005 }),
    line('ETH', { missing: 0.01, missing_locked: 0.01, locked: 0.01 }),
    line('SOL', {}),
  ]);
  assert.deepEqual(found.map(({ id, deed }) => [id, deed?.command.path, deed?.command.body]), [
    ['less BTC', 'api/exchange/differences/BTC/write-off', { quantity: '0.0005' }],
    ['locked ETH', undefined, undefined],
    ['more USDC', 'api/exchange/differences/USDC/count', { quantity: '125' }],
  ]);
  assert.match(found[1].text, /open order of yours/);
});

test('a difference is not offered to settle while the account is not compared with the books', () => {
  const reconciliation = [line('USDC', { beyond: 125, difference: 125 }), line('BTC', { difference: -0.0005, missing: 0.0005 })];
  const seen = differencesOf(/** @type {any} */ ({ reconciliation, takeover: [], uncompared: 'the account is not read yet' }), 'followed', context);
  assert.deepEqual(seen.map(({ id, deed }) => [id, deed]), [['less BTC', null], ['more USDC', null]]);
  assert.ok(seen.every(({ note }) => note === context.words.say('difference.uncompared')));
});

test('what an order in doubt may explain has the figure of the top of the page, and is not to be settled yet', () => {
  const doubted = line('BNB', { difference: -0.0798, missing: 0.0148 });
  const [found, ...rest] = differing([doubted]);
  assert.match(found.text, /^0\.0148 BNB less/);
  assert.match(String(found.note), /order in doubt/);
  assert.deepEqual([found.deed, rest], [null, []]);
  const [notice] = exchangeNotices(/** @type {any} */ ({ reconciliation: [doubted], checks: [] }), context);
  assert.match(notice.text, /0\.0148 BNB/);
  assert.match(String(notice.steps?.join(' ')), /order in doubt/);
  assert.doesNotMatch(String(notice.steps?.join(' ')), /gone for good/);
  assert.deepEqual(differing([line('USDC', { difference: -60, missing: 0 })]), [], 'all of it is explained');
  const locked = line('ETH', { difference: -0.01, missing: 0.03, missing_locked: 0.02, locked: 0.02 });
  assert.deepEqual(differing([locked]).map(({ id, deed }) => [id, Boolean(deed)]), [['less ETH', true], ['locked ETH', false]]);
});

test('a program that holds the only copy of its ledger is not to be stopped first', () => {
  const lost = 'c.db was removed or renamed while calvalot uses it; what is written now is in no file any more';
  const steps = (/** @type {string} */ ledger) => decided({ health: { ledger } })[0].steps?.length;
  assert.equal(steps(`${lost}; a copy of it is b.db: stop calvalot`), 1);
  assert.equal(steps(`${lost}, and no copy of it could be made (full): before you stop calvalot, make room in data`), 0);
});

test('what was already taken out of a withdrawal is not taken off what is still to be', () => {
  const withdrawal = { id: 7, status: 'set_aside', wanted_usdc: 373.92, set_aside_usdc: 173.92, taken_usdc: 200, can_cancel: true };
  const [notice] = decided({ withdrawals: [withdrawal] });
  assert.match(notice.text, /173\.92/);
  const [taken] = deedsOf(notice, context);
  assert.equal(taken.most, 173.92);
  assert.match(asked(taken), /173\.92\sUSDC leave the books/);
});

test('what an open order of the person holds of a withdrawal is said before it is taken out', () => {
  const withdrawal = { id: 7, status: 'set_aside', wanted_usdc: 742.86, set_aside_usdc: 742.86, taken_usdc: 0, can_cancel: true };
  const steps = (/** @type {number} */ free, /** @type {number} */ locked) =>
    decided({ withdrawals: [withdrawal], exchange: { reconciliation: [line('USDC', { free, locked })] } })[0].steps;
  assert.match(String(steps(500, 300)?.[0]), /holds 242\.86\sUSDC of it: cancel it there first/);
  assert.match(String(steps(600, 100)?.[0]), /holds 100\.00\sUSDC of it/);
  for (const [free, locked] of [[800, 300], [500, 0]]) assert.doesNotMatch(String(steps(free, locked)), /cancel it there/);
});

test('USDC that an order locks stop every purchase, and are not said to stop only some', () => {
  const told = (/** @type {string} */ asset) => decided({ exchange: { reconciliation: [line(asset, { missing: 188.2, missing_locked: 188.2, locked: 250 })] } })[0].steps?.join(' ');
  assert.match(String(told('USDC')), /wait until it is done\. Until then, nothing is bought\.$/);
  assert.match(String(told('ETH')), /Until then, none of it is bought\.$/);
});

test('counting what is beyond never hands over all of it without saying so', () => {
  for (const [asset, part] of /** @type {const} */ ([['USDC', /add a deposit/], ['SOL', /all of it/]])) {
    const [{ deed }] = differing([line(asset, { beyond: 3252.65, difference: 3252.65 })]);
    assert.equal(deed?.command.question.danger, true);
    assert.match(deed ? asked(deed) : '', /Count all of it: .*All of it goes to the program/);
    assert.match(deed ? asked(deed) : '', part);
  }
});

test('a coin sold by hand is not written off while the USDC of its sale are told to be left alone', () => {
  const usdc = line('USDC', { beyond: 60, difference: 60 });
  const [, both] = differing([usdc, line('ETH', { difference: -0.02, missing: 0.02 })]);
  assert.match(String(both.note), /belong together: write off the coin that was sold, and count these USDC if they are no more than the sale brought/);
  assert.match(String(both.note), /If there are more, do not: add a deposit of that part/);
  assert.match(String(differing([usdc])[0].note), /do nothing/);
  assert.doesNotMatch(String(differing([usdc])[0].note), /sold/);
});

test('the dead are offered neither a stop loss, nor a sale of what the exchange does not sell', () => {
  const parts = (/** @type {string} */ state, /** @type {number} */ value) => /** @type {any} */ ({ budget: {}, status: { data: { state, selling_all: null } }, positions: { data: [{ value_usdt: value }] } });
  const doors = /** @type {const} */ (['withdraw', 'sell-all', 'stop-loss']);
  const offered = (/** @type {any} */ known) => doors.filter((name) => isUseful(name, known));
  assert.deepEqual(offered(parts('DEAD', 1)), ['withdraw']);
  assert.deepEqual(offered(parts('DEAD', 7)), ['withdraw', 'sell-all']);
  assert.deepEqual(offered(parts('ACTIVE', 1)), [...doors]);
});

test('an order that never arrived is not said to be perhaps executed', () => {
  const told = (/** @type {string} */ reason) => decided({ orders: [{ ...order, reason }] })[0].text;
  assert.match(told('sent 2 times, and it never reached the exchange'), /never received it/);
  assert.doesNotMatch(told('sent 2 times, and it never reached the exchange'), /could not be found out/);
  assert.match(told('the balances of the account changed meanwhile'), /could not be found out/);
});

test('a coin that a person settled is named while it is far from the leader', () => {
  const target = { signal_id: 'sig-1', cause: 'signal', since: '2026-09-21 14:00:00', reached_at: '2026-09-21 14:10:00', waiting_for: null };
  const settled = { ...order, needs_person: false, state: 'absent', by_hand: 'settled', signal_id: 'sig-1', coin: 'SOLUSDC' };
  const told = (/** @type {number} */ weight, /** @type {object} */ changes = {}) => {
    const budget = { data: { allocation: [{ coin: 'SOLUSDC', weight, leader_weight: 0.2 }] } };
    const status = { data: { target, leader: { connected: true } } };
    const parts = { budget, status, health: {}, exchange: { data: null }, orders: { data: [{ ...settled, ...changes }] }, withdrawals: {}, signals: {} };
    return decisionsOf(/** @type {any} */ (parts), context).map(({ id, text }) => [id, text]);
  };
  const [[id, text], ...rest] = told(0);
  assert.deepEqual([id, rest], ['by hand', []]);
  assert.match(text, /far from the leader.*SOL \(0\.0% · leader 20\.0%\)/);
  assert.deepEqual([told(0.195), told(0, { signal_id: 'sig-0' }), told(0, { by_hand: null })], [[], [], []]);
});

test('cancelling a withdrawal does not say that its cash waits for the next signal, nor that nothing follows it', () => {
  for (const texts of Object.values(TEXTS)) {
    assert.match(texts['freed.followed'], /next poll|prochaine lecture/);
    assert.match(texts['withdraw.then'], /leader’s allocation|répartition du leader/);
  }
});

test('USDC that are gone are not said to be bought again', () => {
  const lines = [line('USDC', { difference: -5, missing: 5 }), line('BTC', { difference: -1, missing: 1 })];
  for (const rest of /** @type {const} */ (['followed', 'paused'])) {
    const [usdc, btc] = differencesOf(/** @type {any} */ ({ reconciliation: lines }), rest, context).map(({ deed }) => deed?.command.question.lines.join(' ') ?? '');
    assert.doesNotMatch(usdc, /buy/);
    assert.match(usdc, /follows the leader.* with what is left/);
    assert.match(btc, /may buy it/);
  }
});

test('a quantity is sent in full, without an exponent', () => {
  for (const [gone, expected] of /** @type {const} */ ([[1e-7, '0.0000001'], [120, '120'], [0.1 + 0.2, '0.3'], [0.12345678, '0.12345678']])) {
    assert.deepEqual(differing([line('BTC', { difference: -gone, missing: gone })])[0].deed?.command.body, { quantity: expected });
  }
});

test('a program that does not tell what is free offers nothing', () => {
  const old = { asset: 'BTC', held: 1, booked: 2, difference: -1, missing: 1, compared_at: '' };
  assert.deepEqual(differing([old]), []);
  assert.deepEqual(differencesOf(null, 'followed', context), []);
});

test('what the Python version counted too much is one list and one confirmation', () => {
  const takeover = [{ coin: 'BTCUSDC', booked: 0.5, held: 0.4995, quantity: 0.0005 }, { coin: 'ETHUSDC', booked: 2, held: 1.998, quantity: 0.002 }];
  const [notice] = decided({ exchange: { takeover } });
  assert.deepEqual([notice.tone, notice.steps?.length], ['bad', 2]);
  const [deed, ...rest] = deedsOf(notice, context);
  assert.deepEqual([deed.command.path, deed.command.body, rest], ['api/exchange/takeover', { understood: true }, []]);
  assert.match(asked(deed), /0\.0005 BTC, 0\.002 ETH/);
  assert.deepEqual(differing([line('BTC', { difference: -0.0005, missing: 0.0005 })], takeover), [], 'it is settled with the others');
});

test('figures typed by hand are taken digit by digit, or refused beside their field', () => {
  const typed = { quantity: '0,00036', usdc: ' 24.50 ', fee: '0', fee_asset: 'bnb' };
  assert.deepEqual(readByHand(typed, order), { ok: true, body: { quantity: '0.00036', usdc: '24.50', fee: '0', fee_asset: 'BNB' } });
  /** @type {[object, string, string][]} */
  const cases = [
    [{ quantity: '' }, 'quantity', 'number.empty'],
    [{ quantity: '0,000' }, 'quantity', 'number.zero'],
    [{ quantity: '1 000' }, 'quantity', 'number.unreadable'],
    [{ usdc: '1,234.5' }, 'usdc', 'number.unreadable'],
    [{ usdc: '1e3' }, 'usdc', 'number.unreadable'],
    [{ usdc: '-1' }, 'usdc', 'number.unreadable'],
    [{ fee: '' }, 'fee', 'number.empty'],
    [{ fee: '0.123456789' }, 'fee', 'number.unreadable'],
    [{ fee: '0.1', fee_asset: '' }, 'fee_asset', 'asset.unreadable'],
    [{ fee_asset: 'B-1' }, 'fee_asset', 'asset.unreadable'],
    [{ usdc: '25.01' }, 'usdc', 'number.more'],
  ];
  assert.deepEqual(readByHand({ ...typed, fee: '0,0', fee_asset: ' ' }, order), { ok: true, body: { quantity: '0.00036', usdc: '24.50', fee: '0.0', fee_asset: 'USDC' } }, 'no fee is in no coin');
  for (const [change, field, why] of cases) assert.deepEqual(readByHand({ ...typed, ...change }, order), { ok: false, field, why }, JSON.stringify(change));
});

test('no more is booked than the order asked for, and all of it may be', () => {
  const typed = { quantity: '0.065', usdc: '25', fee: '0', fee_asset: 'USDC' };
  const sale = { ...order, coin: 'BNBUSDC', action: 'SELL', quantity: 0.065, spend_usdt: null };
  assert.deepEqual(readByHand({ ...typed, quantity: '9999' }, sale), { ok: false, field: 'quantity', why: 'number.more' });
  for (const [about, change] of [[sale, {}], [sale, { usdc: '9999' }], [order, {}], [order, { quantity: '9999' }]]) {
    assert.equal(readByHand({ ...typed, ...change }, about).ok, true, JSON.stringify(change));
  }
});

test('what will be booked is read back with the price it makes', () => {
  const body = { quantity: '0.00036', usdc: '24.50', fee: '0.001', fee_asset: 'BNB' };
  assert.match(tellByHand(order, body, context).join(' '), /Bought: 0\.00036 BTC for 24\.50\sUSDC, that is 68,055\.56\sUSDC each\. Fee: 0\.001 BNB/);
  assert.match(tellByHand({ ...order, action: 'SELL' }, body, context)[0], /^Sold/);
});

test('a refusal is a warning only when the program would do it for someone who has read it', () => {
  /** @param {number} status @param {string} message */
  const refused = (status, message) => /** @type {const} */ ({ ok: false, failure: { kind: 'refused', status, message } });
  const way = 'send "understood": true if that is what you want; nothing was changed';
  assert.equal(warningOf(refused(409, `about 2.00 EUR would be left: ${way}`)), 'about 2.00 EUR would be left.');
  assert.equal(warningOf(refused(409, 'this leaves 2.00 EUR; say "understood": true to do it, nothing was changed')), 'this leaves 2.00 EUR.');
  assert.equal(warningOf(refused(409, 'the cash does not cover it')), null);
  assert.equal(warningOf(refused(400, `x: ${way}`)), null);
  assert.equal(warningOf({ ok: true, data: {} }), null);
});
