// La phrase d'état et ce qui la suit : rien d'inconnu ni d'urgent ne se cache derrière un « tout va bien ».

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStale } from '../../static/js/feed.js';
import { createFormat } from '../../static/js/format.js';
import { pickLanguage } from '../../static/js/language.js';
import { decisionsOf } from '../../static/js/person/notices.js';
import { tell } from '../../static/js/person/told-en.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { describe } from '../../static/js/situation.js';
import { en } from '../../static/js/words-en.js';
import { createWords } from '../../static/js/words.js';

const NOW = 1_790_000_000_000;
const context = { words: createWords('en', { ...en, ...personEn }, { say: tell, read: async () => {} }), format: createFormat('en'), now: NOW, localNow: NOW };

const budget = { status: 'ACTIVE', positions_count: 3, total_deposited_eur: 150, paused: false, unknown: [] };
const status = {
  running: true,
  paused: false,
  state: 'ACTIVE',
  last_poll: { status: 'already_processed' },
  leader: { connected: true, last_contact: NOW / 1000 - 40, last_signal_at: null, error: null },
  unknown: [],
  waiting_signals: 0,
};
const exchange = {
  mode: 'dry_run',
  trading_open: null,
  closed_reason: null,
  silence: null,
  clock: null,
  checks: [],
  reconciliation: [],
  foreign_orders: [],
};
const health = { status: 'ok', poller: 'last_poll_12s_ago' };

/**
 * Ce que la page reçoit, à quelques changements près.
 * @param {{budget?: object, status?: object, health?: object, exchange?: object, orders?: any[], positions?: any[], signals?: any[], withdrawals?: any[],
 *   heard?: any, part?: object}} [changes]
 */
function situation({ budget: b = {}, status: s = {}, health: h = {}, exchange: e = {}, orders = [], positions, signals = [], withdrawals = [], heard, part = {} } = {}) {
  const fresh = { at: NOW, failure: null, stale: false, ...part };
  const parts = /** @type {any} */ ({
    budget: { data: { ...budget, ...b }, ...fresh },
    status: { data: { ...status, ...s }, ...fresh },
    health: { data: { ...health, ...h }, ...fresh },
    orders: { data: orders, ...fresh },
    exchange: { data: { ...exchange, ...e }, ...fresh },
    positions: positions && { data: positions, ...fresh },
    signals: { data: signals, ...fresh },
    withdrawals: { data: { withdrawals }, ...fresh },
    heard,
  });
  return describe(parts, context, decisionsOf(parts, context));
}

test('says that all is well only when nothing is unknown or waiting', () => {
  const { tone, headline, notices } = situation();
  assert.deepEqual([tone, headline, notices], ['good', 'All is well: 3 positions, following the leader.', []]);
});

test('nothing is said to be followed with less than what can follow', () => {
  const headline = (/** @type {number | null} */ value) => situation({ budget: { total_value_eur: value } }).headline;
  assert.equal(headline(0.71), 'Less than €5 is left: nothing can be followed without a new deposit.');
  for (const value of [5, 100, null]) assert.match(headline(value), /^All is well/);
});

test('a simulation whose exchange is away says at once that nothing is traded, and that it goes on by itself', () => {
  const { tone, headline, notices } = situation({ exchange: { closed_reason: 'the prices were not read in the last poll: an exchange that is gone fills no order' } });
  assert.deepEqual([tone, headline], ['warn', 'The program sees to it: nothing is asked of you.']);
  assert.deepEqual(notices.map(({ text }) => text), ['Binance cannot be read now: nothing is traded meanwhile, and the program goes on by itself.']);
});

test('what has expired is no point to look at: since when, what becomes of the positions, and that there is nothing to do', () => {
  const error = 'what the leader shows, s1, expired on 2026-09-21 14:13:20 UTC: it is not followed';
  const { headline, notices: [notice] } = situation({ status: { last_poll: { status: 'expired_signal', error } } });
  assert.equal(headline, 'The program sees to it: nothing is asked of you.');
  assert.match(`${notice.text} ${notice.steps?.join(' ')}`, /has expired.*positions stay as they are.*nothing to do/);
  assert.match(String(notice.detail), /expired on/);
});

test('a capital that can buy nothing of what the leader holds is not said to follow him', () => {
  const allocation = [{ coin: 'BTCUSDC', weight: 0, leader_weight: 0.15 }, { coin: 'ETHUSDC', weight: 0, leader_weight: 0.1 }, { coin: 'USDC', weight: 1, leader_weight: 0.75 }];
  const target = { signal_id: 's', cause: 'signal', since: '2026-09-21 14:00:00', reached_at: '2026-09-21 14:02:00', waiting_for: null };
  const small = { total_value_eur: 10, drift_pct: 25, positions_count: 0, allocation };
  const said = (/** @type {object} */ b, /** @type {object} */ s) => situation({ budget: { ...small, ...b }, status: { target, ...s } }).headline;
  assert.equal(said({}, {}), 'Nothing that the leader holds can be bought with this capital.');
  const [bitcoin, ...rest] = allocation;
  assert.match(said({ allocation: [{ ...bitcoin, weight: 0.15 }, ...rest] }, {}), /^All is well/);
  assert.match(said({ allocation: [{ ...bitcoin, weight: null }, ...rest] }, {}), /^All is well/);
  assert.match(said({}, { target: { ...target, reached_at: null } }), /^All is well/);
  assert.match(said({}, { paused: true, running: false }), /^Paused/);
});

test('every fault comes first, in words, and ends the all is well', () => {
  const leader = { ...status.leader, connected: false, error: 'HTTP 401' };
  const price = { what: 'price BTCUSDC', reason: 'no answer', since: NOW / 1000 - 240 };
  /** @type {[string, Parameters<typeof situation>[0], string, RegExp][]} */
  const cases = [
    ['a leader that refuses', { status: { leader, last_poll: { status: 'leader_refused' } } }, 'leader', /SIGNAL_SECRET/],
    ['a silent leader', { status: { leader, last_poll: { status: 'leader_unreachable' } } }, 'leader', /does not answer: no new signal is followed/],
    ['a leader lost', { status: { leader } }, 'leader', /does not answer/],
    ['a rejected signal', { status: { last_poll: { status: 'rejected', error: 'x' } } }, 'signal', /rejected/],
    ['an unreadable signal', { status: { last_poll: { status: 'invalid_signal' }, leader: { ...status.leader, connected: false } } }, 'signal', /unreadable/],
    ['an old answer', { status: { last_poll: { status: 'old_signal', error: 'x' } } }, 'signal', /earlier signal/],
    ['changed actions', { status: { last_poll: { status: 'changed_signal', error: 'x' } } }, 'signal', /changed a signal/],
    ['too many signals', { status: { last_poll: { status: 'too_many_signals', error: 'x' } } }, 'signal', /more than 200 signals/],
    ['an error', { status: { last_poll: { status: 'error' } } }, 'signal', /failed/],
    ['waiting signals', { status: { waiting_signals: 2 } }, 'waiting', /^2 signals wait/],
    ['a missing price', { budget: { unknown: [price] } }, 'unknown price BTCUSDC', /^BTC price: unknown since .*4 min/],
    ['a rate never known', { status: { unknown: [{ what: 'rate', reason: 'x', since: null }] } }, 'unknown rate', /since the start/],
    ['a full disk', { health: { status: 'degraded', ledger: 'disk is full' } }, 'ledger', /cannot be written/],
    ['a ledger taken away', { health: { status: 'degraded', ledger: 'c.db was removed or renamed while calvalot uses it; …' } }, 'ledger', /file of the ledger.* was changed/],
    ['a clock that is wrong', { status: { unknown: [{ what: 'clock', reason: 'x', since: null }] } }, 'unknown clock', /^Clock of this machine/],
    ['a loop that stopped', { health: { status: 'degraded' } }, 'health', /no longer asks/],
    ['an agent that does not run', { status: { running: false } }, 'running', /not running/],
  ];
  for (const [name, changes, id, text] of cases) {
    const found = situation(changes);
    assert.equal(found.notices[0].id, id, name);
    assert.match(found.notices[0].text, text, name);
    assert.notEqual(found.tone, 'good', name);
    assert.doesNotMatch(found.headline, /well/, name);
  }
});

test('nothing is well while what the leader says now is not followed, and why is said', () => {
  const poll = { status: 'already_processed', signal_id: 'sig-9' };
  const left = (/** @type {string} */ code, /** @type {string} */ reason) => ({ coin: 'BTCUSDC', decision: 'left', code, reason });
  /** @type {[string, any, RegExp][]} */
  const cases = [
    ['rejected', { status: 'rejected', error_message: 'portfolio_state.positions[0].coin: unknown coin "DOGEUSDC"' }, /now is not followed: signal rejected/],
    ['expired', { status: 'skipped', error_message: 'x', decisions: [left('expired', 'its signal expired 3 hours ago')] }, /not followed: signal expired/],
    ['too old', { status: 'skipped', error_message: 'x', decisions: [left('too_old', 'given up: its signal is 3 hours old')] }, /not followed: signal too old/],
  ];
  for (const [name, signal, expected] of cases) {
    const heard = { signal_id: 'sig-9', ...signal };
    const found = situation({ status: { last_poll: poll }, signals: [heard] });
    assert.match(found.headline, expected, name);
    assert.equal(found.tone, 'warn');
    assert.deepEqual(found.notices.map(({ id, detail }) => [id, detail]), [['signal', `${signal.error_message === 'x' ? 'X' : signal.error_message}.`]]);
    assert.match(situation({ status: { last_poll: poll }, heard }).headline, expected, 'nor once the list shows other signals');
    assert.equal(situation({ status: { last_poll: { ...poll, signal_id: 'sig-10' } }, signals: [heard] }).tone, 'good', 'only while it lasts');
  }
  const reached = { signal_id: 'sig-9', status: 'skipped', reached_at: '2026-09-21 14:00:00', decisions: [left('too_old', 'x')] };
  const halted = { signal_id: 'sig-9', status: 'skipped', decisions: [left('halted', 'x')] };
  for (const signal of [reached, halted]) assert.equal(situation({ status: { last_poll: poll }, signals: [signal] }).tone, 'good');
});

test('nothing is well while the stop loss counts: how far it is, and what comes at the end', () => {
  const stop_loss = { pct: 20, set_by: 'page', env_pct: null, below_highest_pct: 21.3, low_readings: 3, reached: null };
  const found = situation({ status: { stop_loss } });
  assert.deepEqual([found.tone, found.headline], ['warn', 'Stop loss: 3 low readings of 5. At the fifth, everything is sold.']);
  assert.match(found.notices[0].text, /21\.3% below its highest, and the limit is 20\.0%/);
  assert.match(situation({ status: { stop_loss: { ...stop_loss, low_readings: 1 } } }).headline, /1 low reading of 5/);
  assert.equal(situation({ status: { stop_loss: { ...stop_loss, low_readings: 0 } } }).tone, 'good');
  assert.match(situation({ status: { stop_loss, paused: true } }).headline, /^Paused/, 'a pause judges nothing');
});

test('a leader that shows no signal any more is not said never to have shown one', () => {
  const last_poll = { status: 'no_signal' };
  const before = situation({ status: { last_poll, leader: { ...status.leader, last_signal_at: '2026-09-21 14:00:00' } } });
  assert.deepEqual([before.tone, /shows no signal now.*not followed meanwhile/.test(before.headline)], ['warn', true]);
  assert.match(situation({ status: { last_poll } }).headline, /has not published a signal yet/);
});

test('a leader who does not speak as he should comes with whom to tell', () => {
  for (const poll of ['leader_unreachable', 'invalid_signal', 'old_signal', 'changed_signal', 'too_many_signals']) {
    const [{ steps }] = situation({ status: { last_poll: { status: poll, error: 'leader answered 500' } } }).notices;
    assert.match(steps?.join(' ') ?? '', /ell the leader’s owner/, poll);
  }
});

test('a price that is not believed is not said to be unknown since the start', () => {
  const reason = 'BTCUSDC shows 10 times its average price: not believed yet, a second reading must say the same';
  const { headline, notices: [{ text, detail }] } = situation({ budget: { unknown: [{ what: 'price BTCUSDC', reason, since: null }] } });
  assert.deepEqual([text, detail], ['BTC price: not believed for now.', `${reason}.`]);
  assert.match(headline, /nothing is asked of you/i, 'a second reading comes by itself');
});

test('what is missing is said once, with its reason', () => {
  const unknown = [{ what: 'cash', reason: 'Binance is down', since: null }];
  const { notices } = situation({ budget: { unknown }, status: { unknown } });
  assert.deepEqual(notices.map(({ detail }) => detail), ['Binance is down.']);
});

test('the positions are as many as the program counts, and dust among them is said', () => {
  const positions = [{ value_usdt: 40 }, { value_usdt: 0.11 }, { value_usdt: null }];
  assert.match(situation({ positions }).headline, /3 positions \(1 of them dust\)/);
  assert.match(situation().headline, /3 positions/);
  const dust = positions.slice(1, 2);
  assert.match(situation({ positions: [...dust, ...dust] }).headline, /2 positions \(all of them dust\)/);
  assert.match(situation({ positions: dust }).headline, /1 position \(dust\)/);
  assert.match(situation({ positions: [] }).headline, /0 positions,/);
});

test('nothing is well while something keeps the leader’s allocation from being reached: he is followed in part', () => {
  const TURNOVER = 'ETHUSDC, BTCUSDC: what may be traded in a day (MAX_TURNOVER_PCT_PER_DAY) leaves 0.00 USDC: the rest waits';
  const target = { signal_id: 's', cause: 'money', since: '2026-09-21 14:00:00', reached_at: null, waiting_for: TURNOVER };
  const said = (/** @type {object} */ t, /** @type {object} */ changes = {}, /** @type {object} */ s = {}) => situation({ status: { target: { ...target, ...t }, ...s }, ...changes });
  const found = said({}, { positions: [{ value_usdt: 40 }, { value_usdt: 0.11 }] });
  assert.deepEqual([found.tone, found.headline], ['warn', 'The leader is followed only in part: 2 positions (1 of them dust).']);
  assert.match(String(found.notices[0].steps), /within 24 hours.*MAX_TURNOVER_PCT_PER_DAY in \.env/);
  const bare = said({}, { positions: [{ value_usdt: 0.11 }] });
  assert.deepEqual([bare.tone, bare.headline], ['warn', 'The leader is not followed yet: all is in cash.']);
  for (const waiting_for of ['XRPUSDC: the exchange does not trade this pair now (BREAK)', 'XRPUSDC: refused: no', 'the book is too wide now: coming nearer would cost more than it is worth']) {
    const other = said({ waiting_for });
    assert.match(other.headline, /only in part/, waiting_for);
    assert.deepEqual(other.notices[0].steps, [], 'only the bound of a day has something to do');
  }
  assert.match(said({}, { orders: [{ id: 1, coin: 'X', action: 'BUY', state: 'unknown', is_simulated: 0 }] }).headline, /only in part/, 'nor behind what is calm');
  const stuck = { id: 2, coin: 'BTCUSDC', action: 'BUY', state: 'stuck', needs_person: true, is_simulated: 0 };
  assert.equal(said({}, { orders: [stuck] }).headline, '1 thing to look at.', 'what asks for somebody comes first');
  assert.equal(said({}, {}, { last_poll: { status: 'no_signal' } }).tone, 'info', 'a leader who shows nothing is not followed in part');
  assert.match(said({}, { budget: { total_value_eur: 4 } }).headline, /nothing can be followed/);
});

test('an allocation that is just being traded is no hindrance, and does not flicker', () => {
  const target = { signal_id: 's', cause: 'signal', since: new Date(NOW - 120_000).toISOString(), reached_at: null, waiting_for: null };
  const said = (/** @type {object} */ t) => situation({ status: { target: { ...target, ...t } } });
  const coming = ['BTCUSDC: tried again later: the rest is sold at the next poll; ETHUSDC: waits for the cash of a sale or of an order in doubt', 'BTCUSDC: an order of this coin is in doubt: its answer is not known yet'];
  for (const waiting_for of [null, ...coming]) assert.deepEqual([said({ waiting_for }).tone, /^All is well/.test(said({ waiting_for }).headline)], ['good', true], String(waiting_for));
  const since = '2026-09-21 13:00:00';
  for (const waiting_for of coming) assert.match(said({ since, waiting_for }).headline, /only in part/, 'what lasts is one');
  assert.equal(said({ since }).tone, 'good');
  assert.equal(said({ reached_at: '2026-09-21 14:00:00', since }).tone, 'good');
});

test('one fault that hides many numbers is told once', () => {
  const down = { reason: 'the exchange cannot be reached', since: null };
  const whats = ['price BNBUSDC', 'price BTCUSDC', 'EUR rate', 'rules BNBUSDC', 'rules BTCUSDC'];
  const { notices } = situation({ budget: { unknown: whats.map((what) => ({ what, ...down })) } });
  assert.equal(notices.length, 1);
  assert.match(notices[0].text, /^BNB, BTC price · EUR\/USDC rate · Binance rules for BNB, BTC: unknown/);
  assert.equal(notices[0].detail, 'The exchange cannot be reached.');
});

test('an unknown that has no words yet is shown as the program names it', () => {
  const unknown = [{ what: 'moon phase', reason: 'cloudy', since: null }];
  assert.match(situation({ budget: { unknown } }).notices[0].text, /^moon phase: unknown/);
});

test('pausing is not a fault, death is', () => {
  const paused = situation({ status: { paused: true, running: false, last_poll: { status: 'paused' } } });
  assert.deepEqual([paused.tone, paused.notices], ['warn', []]);
  const dead = situation({ status: { state: 'DEAD', running: false } });
  assert.equal(dead.tone, 'bad');
  assert.deepEqual(dead.notices.map(({ id }) => id), ['dead']);
});

test('a page that is no longer fed says so before anything else', () => {
  const failure = { kind: 'network', status: null, message: null };
  const found = situation({ part: { at: NOW - 180_000, stale: true, failure }, status: { waiting_signals: 1 } });
  assert.equal(found.notices[0].id, 'page');
  assert.match(found.notices[0].text, /3 min/);
  assert.match(found.headline, /no longer up to date/);
});

/** @param {object} fresh */
const known = (fresh) => ({
  budget: { data: budget, ...fresh },
  status: { data: status, ...fresh },
  health: { data: health, ...fresh },
  orders: { data: [], ...fresh },
  exchange: { data: exchange, ...fresh },
});

test('what needs a person stands before what only takes time', () => {
  const unknown = { id: 1, coin: 'BTCUSDC', action: 'BUY', state: 'unknown', needs_person: false, is_simulated: 0 };
  const closed = { mode: 'live', trading_open: false, closed_reason: 'the key opens another account' };
  const { notices, tone } = situation({ orders: [unknown], exchange: closed, status: { waiting_signals: 1 } });
  assert.deepEqual([tone, notices.map(({ id }) => id)], ['bad', ['closed', 'doubt', 'waiting']]);
});

test('while what waits for a person cannot be told yet, nothing says that all is well', () => {
  const parts = /** @type {any} */ (known({ at: NOW, failure: null, stale: false }));
  assert.equal(describe(parts, context).tone, 'good');
  const { tone, headline } = describe(parts, context, null);
  assert.deepEqual([tone, headline], ['quiet', 'Reading…']);
  const doubt = { ...parts, orders: { ...parts.orders, data: [{ id: 1, state: 'unknown', is_simulated: 0 }] } };
  assert.equal(describe(doubt, context, null).headline, 'Reading…', 'nor that nothing is asked');
});

test('a ledger that may not be alone is the first sentence, and no fault of the poller', () => {
  const not_alone = { reason: 'older', orders: [], ways: [{ way: 'move_here', consequence: '' }] };
  const alone = { mode: 'live', trading_open: false, closed_reason: 'older', not_alone };
  const found = situation({ exchange: alone, health: { status: 'degraded', account: 'older' }, status: { paused: true } });
  assert.match(found.headline, /may not be alone/);
  assert.deepEqual([found.tone, found.notices.map(({ id }) => id)], ['bad', ['alone']]);
});

test('a ledger that was displaced is not told as a full disk, and no sale hides it', () => {
  const reason = 'data/c.db was removed or renamed while calvalot uses it; stop calvalot';
  const health = { status: 'degraded', ledger: reason };
  const exchange = { mode: 'live', trading_open: false, closed_reason: reason };
  const selling_all = { since: '', done: false, waiting_for: null, left: [] };
  const { tone, headline, notices } = situation({ health, exchange, status: { paused: true, selling_all, waiting_signals: 1, last_poll: { status: 'waiting', error: reason } } });
  assert.deepEqual([tone, headline], ['bad', 'Nothing is traded: the ledger cannot be kept.']);
  assert.deepEqual(notices.map(({ id }) => id), ['ledger', 'waiting', 'selling'], 'nothing is said to be tried again by itself');
  const [{ text, steps, detail }, waiting] = notices;
  assert.doesNotMatch(`${text} ${steps}`, /room|SD card/);
  assert.match(String(steps?.[0]), /^First, stop the program/);
  assert.deepEqual([detail, waiting.detail], [`${reason}.`, undefined], 'it is said once');
});

test('a leader that answers something unreadable is not said to be silent', () => {
  const leader = { ...status.leader, connected: false, error: 'the leader sent no valid signal: x' };
  const { notices } = situation({ status: { leader, last_poll: { status: 'invalid_signal', error: leader.error } } });
  assert.deepEqual(notices.map(({ id, detail }) => [id, detail]), [['signal', 'The leader sent no valid signal: x.']]);
  assert.match(notices[0].text, /unreadable/);
});

test('the dead are not told that nothing can be done with what is left', () => {
  const [{ steps }] = situation({ status: { state: 'DEAD', running: false } }).notices;
  const text = String(steps);
  for (const way of ['sell_all.open', 'withdraw.open']) assert.ok(text.includes(context.words.say(/** @type {any} */ (way))), way);
  // Ce que la bourse ne vend pas, et comment recommencer.
  assert.match(text, /5 USDC.*DB_PATH/);
});

test('the dead are offered nothing that cannot be done', () => {
  const dead = (/** @type {object} */ changes) => String(situation({ status: { state: 'DEAD', running: false }, ...changes }).notices.map(({ steps }) => steps));
  const dust = [{ value_usdt: 1.2 }, { value_usdt: 0.3 }];
  assert.match(dead({ positions: [{ value_usdt: 6 }] }), /sells it/);
  assert.doesNotMatch(dead({ positions: dust }), /Sell everything/);
  assert.match(dead({ positions: dust, budget: { cash_usdt: 2 } }), /“Take money out…” sets it aside/);
  assert.doesNotMatch(dead({ positions: dust, budget: { cash_usdt: 0 } }), /Take money out/);
  const reached = { at: '2026-09-21 14:00:00', below_highest_pct: 90 };
  assert.doesNotMatch(dead({ positions: dust, status: { state: 'DEAD', running: false, paused: true, paused_reason: 'x', stop_loss: { pct: 20, low_readings: 5, reached } } }), /Resume/);
});

test('selling everything is the first sentence until it is done, then the pause is', () => {
  const selling = (/** @type {boolean} */ done) => ({ since: '', done, waiting_for: null, left: [] });
  const paused = { paused: true, running: false, paused_reason: 'sell all' };
  assert.match(situation({ status: { ...paused, selling_all: selling(false) } }).headline, /to be sold/);
  assert.match(situation({ status: { ...paused, selling_all: selling(true) } }).headline, /^Paused/);
});

test('taking everything out is the first sentence while it sells, taking a part is not', () => {
  const withdrawal = { id: 7, status: 'selling', wanted_usdc: null, set_aside_usdc: 0, can_cancel: true };
  const headline = (/** @type {object} */ changes) => situation({ withdrawals: [{ ...withdrawal, ...changes }] }).headline;
  assert.equal(headline({}), 'Everything is to be sold, to be taken out.');
  assert.match(headline({ wanted_usdc: 62.5 }), /^All is well/);
  assert.match(headline({ status: 'set_aside', set_aside_usdc: 60 }), /to look at/);
});

test('a signal held back by an order says so, and blames no price', () => {
  const last_poll = { status: 'waiting', signal_id: 's', error: 'BTCUSDC: an order of this coin is in doubt' };
  const decisions = [{ coin: 'BTCUSDC', decision: 'waiting', code: 'in_doubt', reason: 'x' }];
  const held = { status: { waiting_signals: 1, last_poll }, signals: [{ signal_id: 's', waiting_for: last_poll.error, decisions }] };
  const { notices } = situation({ ...held, exchange: { mode: 'live', trading_open: true } });
  assert.deepEqual([notices[0].text, notices[0].detail], ['1 signal waits to be carried out.', 'Waits: BTC (an order is in doubt)']);
  const closed = { mode: 'live', trading_open: false, closed_reason: last_poll.error };
  const told = situation({ ...held, exchange: closed }).notices.map(({ id, detail }) => [id, detail]);
  assert.deepEqual(told, [['closed', `${last_poll.error}.`], ['waiting', undefined]], 'the reason is told once');
  assert.match(situation(held).notices[0].text, /a price, the cash/);
});

test('what asks nothing of anybody has a headline of its own, and is not counted with what does', () => {
  const unknown = { id: 1, coin: 'BTCUSDC', action: 'BUY', state: 'unknown', needs_person: false, is_simulated: 0 };
  const last_poll = { status: 'waiting', error: 'BTCUSDC: an order of this coin is in doubt: x' };
  const doubt = { orders: [unknown], exchange: { mode: 'live', trading_open: true }, status: { waiting_signals: 1, last_poll } };
  const calm = situation(doubt);
  assert.deepEqual([calm.tone, calm.notices.map(({ id }) => id)], ['warn', ['doubt', 'waiting']]);
  assert.match(calm.headline, /nothing is asked of you/);
  const silence = { ...doubt.exchange, silence: { status: 429, from: 0, until: NOW / 1000 + 60 } };
  assert.match(situation({ ...doubt, exchange: silence }).headline, /nothing is asked of you/);
  const stuck = { ...unknown, id: 2, state: 'stuck', needs_person: true };
  assert.equal(situation({ ...doubt, orders: [unknown, stuck] }).headline, '1 thing to look at.');
});

test('a signal that failed says why once for all its coins, and names no raw pair', () => {
  const reason = 'superseded by the newer target of sig-0002';
  const decisions = ['BNBUSDC', 'BTCUSDC'].map((coin) => ({ coin, decision: 'left', code: 'superseded', reason }));
  const error = decisions.map(({ coin }) => `${coin}: ${reason}`).join('; ');
  const { notices } = situation({ status: { last_poll: { status: 'error', signal_id: 's', error } }, signals: [{ signal_id: 's', decisions }] });
  assert.equal(notices[0].detail, 'BNB, BTC: replaced by a newer signal (sig-0002).');
});

test('a program that never answered is said once not to answer', () => {
  const failure = { kind: 'network', status: null, message: null };
  const none = { data: null, at: null, failure, stale: true };
  const parts = /** @type {any} */ ({ budget: none, status: none, health: none, orders: none, exchange: none });
  assert.deepEqual(describe(parts, context).notices.map(({ detail }) => detail), [null]);
  const stale = { ...none, at: NOW - 180_000 };
  const [notice] = describe(/** @type {any} */ ({ budget: stale, status: stale, health: stale, orders: stale, exchange: stale }), context).notices;
  assert.equal(notice.detail, 'The program does not answer.');
});

test('one answer missing is enough not to say that all is well', () => {
  const fresh = { at: NOW, failure: null, stale: false };
  const failure = { kind: 'refused', status: 500, message: 'disk full' };
  for (const data of [null, status]) {
    const lost = { data, at: data && NOW - 90_000, failure, stale: true };
    const parts = /** @type {any} */ ({ ...known(fresh), status: lost });
    const found = describe(parts, context);
    assert.deepEqual(found.notices.map(({ id, detail }) => [id, detail]), [['page', 'Disk full.']]);
    assert.equal(found.headline, '1 thing to look at.');
  }
  const awaited = { data: null, at: null, failure: null, stale: true };
  for (const name of ['status', 'orders', 'exchange']) {
    const parts = /** @type {any} */ ({ ...known(fresh), [name]: awaited });
    assert.equal(describe(parts, context).headline, 'Reading…', name);
  }
});

test('before the first answer nothing is claimed', () => {
  const nothing = { data: null, at: null, failure: null, stale: true };
  const all = { budget: nothing, status: nothing, health: nothing, orders: nothing, exchange: nothing };
  const found = describe(all, context);
  assert.deepEqual([found.tone, found.headline, found.notices], ['quiet', 'Reading…', []]);
});

test('a first start asks for the deposit and blames no leader', () => {
  const leader = { connected: false, last_contact: null, last_signal_at: null, error: null };
  const found = situation({ budget: { total_deposited_eur: 0 }, status: { last_poll: null, leader } });
  assert.deepEqual(found.notices.map(({ id }) => id), ['deposit']);
  assert.match(found.headline, /Starting/);
});

test('an answer grows stale after two failures in a row or a long silence', () => {
  /** @type {[number | null, boolean, number, boolean][]} */
  const cases = [
    [null, false, 0, true],
    [0, true, 12_000, false],
    [0, true, 16_000, true],
    [0, false, 29_000, false],
    [0, false, 31_000, true],
  ];
  for (const [at, failing, now, stale] of cases) assert.equal(isStale(at, failing, { now: 10_000, then: 10_000 }, now), stale);
});

test('an answer of the live connection is fresh for longer, until a question fails', () => {
  const every = { now: 10_000, then: 60_000 };
  assert.equal(isStale(0, false, every, 70_000), false);
  assert.equal(isStale(0, false, every, 81_000), true);
  assert.equal(isStale(0, true, every, 16_000), true);
});

test('the language is the chosen one, or the browser’s, or French', () => {
  /** @type {[string | null, string[], string][]} */
  const cases = [['en', ['fr-FR'], 'en'], [null, ['en-US', 'fr'], 'en'], [null, ['de-DE', 'fr-CA'], 'fr'], ['xx', [], 'fr']];
  for (const [chosen, preferred, lang] of cases) assert.equal(pickLanguage(chosen, preferred), lang);
});
