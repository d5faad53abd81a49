// L'allocation visée : une vieille est offerte avec ce qui s'ensuit, une autre dit ce qu'elle attend, sans alarme.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createFormat } from '../../static/js/format.js';
import { deedsOf } from '../../static/js/person/deeds.js';
import { decisionsOf } from '../../static/js/person/notices.js';
import { tell } from '../../static/js/person/told-fr.js';
import { tell as tellEnglish } from '../../static/js/person/told-en.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { describe } from '../../static/js/situation.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const NOW = 1_790_000_000_000;
const TEXTS = { fr: { ...fr, ...personFr }, en: { ...en, ...personEn } };
const TOLD = { fr: { say: tell, read: async () => {} }, en: { say: tellEnglish, read: async () => {} } };
/** @param {'fr' | 'en'} lang */
const speaking = (lang) => ({ words: createWords(lang, TEXTS[lang], TOLD[lang]), format: createFormat(lang), now: NOW, localNow: NOW });

const HALTED = 'the exchange does not trade this pair now (BREAK)';
const allocation = [{ coin: 'BTCUSDC', weight: 0, leader_weight: 0.4 }, { coin: 'XRPUSDC', weight: 0.1, leader_weight: 0 }, { coin: 'USDC', weight: 0.9, leader_weight: 0.6 }];
const old_target = { said_at: '2026-08-31 14:13:20', age_seconds: 21 * 86400, declined: false };
const target = { signal_id: 's', cause: 'signal', since: '2026-09-21 14:00:00', reached_at: null, waiting_for: `XRPUSDC: ${HALTED}` };

/** @param {object} changes @param {'fr' | 'en'} [lang] */
function situation(changes, lang = 'en') {
  const fresh = { at: NOW, failure: null, stale: false };
  const leader = { connected: true, last_contact: NOW / 1000, last_signal_at: null, error: null };
  const status = { running: true, paused: false, mode: 'dry_run', last_poll: { status: 'already_processed' }, leader, unknown: [], waiting_signals: 0, ...changes };
  const parts = /** @type {any} */ ({
    budget: { data: { positions_count: 1, unknown: [], allocation }, ...fresh },
    status: { data: status, ...fresh },
    health: { data: { status: 'ok' }, ...fresh },
    orders: { data: [], ...fresh },
    exchange: { data: { mode: 'dry_run', checks: [], reconciliation: [], foreign_orders: [] }, ...fresh },
  });
  const context = speaking(lang);
  const found = describe(parts, context, decisionsOf(parts, context));
  return { ...found, deeds: found.notices.flatMap((notice) => deedsOf(notice, context)) };
}
/** @param {import('../../static/js/person/deeds.js').Deed} deed */
const asked = ({ command: { question } }) => [question.title, ...question.lines, question.yes].join(' ');

test('an old allocation asks for a person, says what each answer does, and is not also told to lack a price', () => {
  const { tone, headline, notices, deeds } = situation({ old_target, waiting_signals: 2, last_poll: { status: 'waiting' } });
  assert.deepEqual([tone, headline, notices.map(({ id }) => id)], ['warn', '1 thing to look at.', ['old']]);
  assert.match(notices[0].text, /^The leader’s allocation is 21 days old \(31 Aug, .+\): take it over, or wait for the next one\?/);
  assert.equal(notices[0].steps?.length, 2);
  assert.deepEqual(deeds.map(({ command }) => [command.path, command.body]), [['api/agent/old-target', { follow: true }], ['api/agent/old-target', { follow: false }]]);
  assert.match(asked(deeds[0]), /21 days ago.*BTC 40\.0%, USDC 60\.0%.*prices of now/);
  assert.doesNotMatch(asked(deeds[0]), /XRP|real orders/);
  assert.match(asked(deeds[1]), /nothing is bought.*still be taken over/);
});

test('real money is named before an old allocation is taken over', () => {
  const [take, wait] = situation({ old_target, mode: 'live' }).deeds;
  assert.match(asked(take), /real orders, with your money/);
  assert.deepEqual([take.command.question.danger, wait.command.question.danger], [true, false]);
});

test('once it is declined the next one is awaited quietly, and it can still be taken over', () => {
  const { tone, headline, notices, deeds } = situation({ old_target: { ...old_target, declined: true }, waiting_signals: 1 });
  assert.deepEqual([tone, headline], ['info', 'Waiting for the leader’s next allocation.']);
  assert.deepEqual(notices.map(({ id, tone: own }) => [id, own]), [['old', 'info']]);
  assert.match(notices[0].text, /next allocation is awaited.*can still be taken over/);
  assert.deepEqual(deeds.map(({ command }) => command.body), [{ follow: true }]);
});

test('what the allocation waits for is said by coin, and asks for nobody', () => {
  const waiting_for = `XRPUSDC: ${HALTED}; ETHUSDC: tried again later: the rest is sold at the next poll; BTCUSDC: refused: a; b`;
  const { tone, headline, notices, deeds } = situation({ target: { ...target, waiting_for } });
  assert.deepEqual([tone, deeds], ['warn', []]);
  assert.equal(headline, 'The leader is followed only in part: 1 position.');
  assert.match(notices[0].text, /^The leader’s allocation is not reached yet/);
  assert.deepEqual([notices[0].tone, notices[0].calm, notices[0].detail], ['warn', true, 'Waits: XRP (the exchange does not trade this coin now), ETH (will be tried later), BTC (refused by the exchange)']);
  assert.match(situation({ target: { ...target, cause: 'money' } }).notices[0].text, /^Money came or went/);
  assert.match(situation({ target: { ...target, cause: 'drift' } }).notices[0].text, /^Prices moved away/);
});

test('coins that wait for one reason are named together, and what never arrived is not said to be refused', () => {
  const waiting_for = `BTCUSDC, SOLUSDC: an order of this coin is in doubt: its answer is not known yet; ETHUSDC: refused: sent 2 times, and it never reached the exchange`;
  const [{ detail }] = situation({ target: { ...target, waiting_for } }).notices;
  assert.equal(detail, 'Waits: BTC, SOL (an order is in doubt), ETH (never reached the exchange)');
});

test('what the allocation waits for is told in French, whatever it is', () => {
  /** @type {[string, string][]} */
  const cases = [
    [`XRPUSDC: ${HALTED}`, 'Attend : XRP (la bourse ne négocie pas cette monnaie en ce moment)'],
    ['BTCUSDC: what may be traded in a day (MAX_TURNOVER_PCT_PER_DAY) leaves 12.00 USDC: the rest waits',
      'Attend : BTC (ce qui peut s’échanger en un jour, MAX_TURNOVER_PCT_PER_DAY, laisse 12,00 USDC)'],
    ['the book is too wide now: coming nearer would cost more than it is worth', 'Attend : un carnet moins large : s’approcher coûterait plus que cela ne vaut'],
  ];
  for (const [waiting_for, expected] of cases) {
    const [{ detail }] = situation({ target: { ...target, waiting_for } }, 'fr').notices;
    assert.equal(String(detail).replace(/[\u00a0\u202f]/g, ' '), expected);
  }
});

test('an allocation that is reached, or that all else holds back, says nothing more', () => {
  const leader = { connected: false, last_contact: null, last_signal_at: null, error: null };
  const ids = (/** @type {object} */ changes) => situation({ target, ...changes }).notices.map(({ id }) => id);
  assert.deepEqual(ids({ target: { ...target, reached_at: '2026-09-21 14:00:00', waiting_for: null } }), []);
  assert.deepEqual(ids({ target: { ...target, waiting_for: null } }), []);
  assert.deepEqual(ids({ target: null }), []);
  for (const held of [{ paused: true }, { waiting_signals: 1 }, { leader }, { state: 'DEAD' }]) assert.ok(!ids(held).includes('target'), JSON.stringify(held));
});

test('every obstacle that passes has its sentence, in the words the program writes', () => {
  const order = readFileSync(new URL('../../src/domain/order.rs', import.meta.url), 'utf8');
  const [, passing] = /pub fn passes\(code[^{]+\{([\s\S]+?)\n\}/.exec(order) ?? [];
  const codes = [...String(passing).matchAll(/"(\w+)"/g)].map(([, code]) => code);
  const names = [...order.matchAll(/Left::(\w+)[^=\n]*=> "(\w+)"/g)].filter(([, , code]) => codes.includes(code)).map(([, name]) => name);
  assert.equal(names.length, codes.length);
  assert.ok(names.length > 6);
  for (const name of names) {
    const [, sentence] = new RegExp(`Left::${name}\\b[^=\n]*=> \\{?(?:\\s*let [^;]+;)?\\s*write!\\(\\s*f,\\s*"([^"]+)"`).exec(order) ?? [];
    assert.ok(sentence, name);
    const said = sentence.replace('{spare:.2}', '12.00').replace('{missing}', '0.5').replace('{asset}', 'ETH').replace(/\{[^}]*\}/g, 'BREAK');
    const [{ detail }] = situation({ target: { ...target, waiting_for: `XRPUSDC: ${said}` } }, 'fr').notices;
    assert.match(String(detail), /^Attend\u00a0: XRP \(/, name);
    assert.ok(!String(detail).includes(said), `${name}: ${detail}`);
  }
});
