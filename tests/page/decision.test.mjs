// Pourquoi une monnaie a été laissée : les nombres du programme dans la langue du lecteur, et rien de perdu sinon.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isReached, isTriedAgain, standingDecisions, tellDecision, tellReasons, tellWaiting } from '../../static/js/decision.js';
import { createFormat } from '../../static/js/format.js';
import { signalName } from '../../static/js/names.js';
import { tell as tellEnglish } from '../../static/js/person/told-en.js';
import { tell } from '../../static/js/person/told-fr.js';
import { statusOf } from '../../static/js/signals.js';
import { soldText } from '../../static/js/withdrawals.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const context = { words: createWords('fr', fr, { say: tell, read: async () => {} }), format: createFormat('fr') };
const plain = (/** @type {string | null} */ text) => String(text).replace(/[\u00a0\u202f]/g, ' ');
const detail = (/** @type {string} */ code, /** @type {string} */ reason) =>
  plain(tellDecision({ coin: 'BTCUSDC', decision: 'left', code, reason }, context).detail);

test('the figures of a reason are told in the reader’s language', () => {
  const cases = [
    ['traded', '0.00612 for 416.28 USDC at 68019.71444444', '0,00612 pour 416,28 USDC, au prix de 68 019,71'],
    ['within_threshold', '0.3 % from the target, threshold 0.5 %', 'à 0,3 %, seuil 0,5 %'],
    ['below_minimum', "3.20 USDC is below the exchange's minimum of 5.00", '3,20 USDC, le minimum est de 5,00 USDC'],
    ['superseded', 'superseded by the newer target of sig-0005', 'sig-0005'],
  ];
  for (const [code, reason, expected] of cases) assert.equal(detail(code, reason), expected);
});

test('a reason of another shape is shown as the program gives it', () => {
  assert.equal(detail('within_threshold', 'far away'), 'far away');
  assert.equal(detail('refused', 'refused: Filter failure: NOTIONAL'), 'Filter failure: NOTIONAL', 'its code has said so');
  assert.equal(detail('traded', 'a bit for some'), 'a bit for some');
  assert.deepEqual(tellDecision({ coin: 'X', decision: 'eaten', code: 'moon', reason: null }, context), { done: 'eaten', why: '', detail: '' });
});

test('what a signal waits for is told once for each reason, by coin', () => {
  const waiting = (/** @type {string} */ coin, /** @type {string} */ code) => ({ coin, decision: 'waiting', code, reason: 'x' });
  const signal = /** @type {import('../../static/js/api.js').Signal} */ (/** @type {unknown} */ ({ waiting_for: 'price ETHUSDC', decisions: [waiting('BTCUSDC', 'in_doubt'), waiting('ETHUSDC', 'in_doubt'), waiting('SOLUSDC', 'later')] }));
  assert.equal(plain(tellWaiting(signal, context)), 'Attend : BTC, ETH (un ordre est en doute), SOL (sera tenté plus tard)');
  assert.equal(plain(tellWaiting({ ...signal, decisions: [] }, context)), 'Attend : price ETHUSDC');
  const missing = 'unknown price ETHUSDC, price BTCUSDC: the exchange cannot be reached: no route; unknown cash: not read';
  assert.equal(plain(tellWaiting({ waiting_for: missing, decisions: [] }, context)), 'Attend : Prix de ETH, BTC · Cash');
  assert.equal(tellWaiting({ ...signal, waiting_for: null }, context), null);
});

test('what became of a signal is told once for each reason, without a raw pair', () => {
  const left = (/** @type {string} */ coin, /** @type {string} */ code, /** @type {string} */ reason) => ({ coin, decision: 'left', code, reason });
  const superseded = 'superseded by the newer target of sig-0002';
  const decisions = [left('BNBUSDC', 'superseded', superseded), left('BTCUSDC', 'superseded', superseded), left('ETHUSDC', 'halted', 'BREAK')];
  const text = decisions.map(({ coin, reason }) => `${coin}: ${reason}`).join('; ');
  assert.equal(plain(tellReasons(text, decisions, context)),
    'BNB, BTC : remplacé par un signal plus récent (sig-0002). ETH : la bourse ne négocie pas cette monnaie en ce moment (BREAK).');
  assert.equal(tellReasons('called off by a person', decisions, context), 'Annulé par quelqu’un.');
  assert.equal(tellReasons(null, undefined, context), null);
});

const NEVER = 'refused: sent 2 times, and it never reached the exchange';

test('what the exchange never saw is not said to be refused by it', () => {
  const { why, detail: rest } = tellDecision({ coin: 'SOLUSDC', decision: 'left', code: 'refused', reason: NEVER }, context);
  assert.deepEqual([why, rest], ['jamais arrivé à la bourse', '']);
  assert.match(tellDecision({ coin: 'SOLUSDC', decision: 'left', code: 'refused', reason: 'refused: no' }, context).why, /refusé par la bourse/);
});

test('an amount in a reason is rounded as the trade it tells of, not cut', () => {
  assert.equal(detail('traded', '1.5 for 162.21 USDC at 108.1439'), '1,5 pour 162,22 USDC, au prix de 108,1439');
});

test('no sentence ends in two full stops, or in one inside brackets', () => {
  const left = [
    { coin: 'BTCUSDC', decision: 'left', code: 'too_old', reason: 'given up: its signal is 3 hours old' },
    { coin: 'ETHUSDC', decision: 'left', code: 'halted', reason: 'the exchange does not trade this pair now (HALT)' },
  ];
  assert.equal(plain(tellReasons(left.map(({ coin, reason }) => `${coin}: ${reason}`).join('; '), left, context)),
    'BTC : Abandonné : son signal a 3 heures. ETH : la bourse ne négocie pas cette monnaie en ce moment (HALT).');
});

/** @type {any} */
const pursued = { signal_id: 'sig-1', version: 2, status: 'skipped', trades: 5, reached_at: null, decisions: [
  { coin: 'SOLUSDC', decision: 'left', code: 'halted', reason: 'the exchange does not trade this pair now (HALT)' },
  { coin: 'BTCUSDC', decision: 'bought', code: 'traded', reason: '1 for 2.00 USDC at 2' },
] };

test('a signal whose allocation was reached later is not shown as without an order, nor with its old refusals', () => {
  assert.deepEqual(statusOf(pursued), ['signal.pursued', 'info']);
  assert.deepEqual(statusOf({ ...pursued, trades: 0 }), ['signal.skipped', 'warn']);
  // Révoqué, il l'est pour la liste des retraits et pour sa carte.
  for (const error_message of ['called off by a person', 'called off: a person resumed following']) {
    assert.deepEqual(statusOf({ ...pursued, signal_id: 'withdrawal-1', error_message }), ['withdrawal.cancelled', 'quiet']);
  }
  const reached = { ...pursued, reached_at: '2026-09-21 14:00:00' };
  assert.deepEqual([statusOf(reached), statusOf({ ...reached, status: 'error' })], [['signal.reached', 'good'], ['signal.reached', 'good']]);
  assert.deepEqual(standingDecisions(reached).map(({ coin }) => coin), ['BTCUSDC']);
  assert.equal(standingDecisions(pursued).length, 2);
  const actions = { ...reached, version: 1 };
  assert.deepEqual([isReached(actions), statusOf(actions)], [false, ['signal.pursued', 'info']], 'of version 1 the actions are what is asked');
});

test('what an allocation tries again is said to be, and what waits for the next signal is not', () => {
  const [halted, bought] = pursued.decisions;
  assert.equal(isTriedAgain(pursued, halted), true);
  assert.equal(isTriedAgain(pursued, bought), false);
  assert.equal(isTriedAgain(pursued, { ...halted, code: 'refused', reason: NEVER }), false);
  assert.equal(isTriedAgain({ ...pursued, version: 1 }, halted), false);
});

test('no reason that the program writes for a coin is told in English', () => {
  const order = readFileSync(new URL('../../src/domain/order.rs', import.meta.url), 'utf8').replace(/\\\n\s*/g, '');
  const codes = new Map([...order.matchAll(/Left::(\w+)[^=\n]*=> "(\w+)"/g)].map(([, name, code]) => [name, code]));
  const said = [...order.matchAll(/Left::(\w+)[^=\n]*=> \{?(?:\s*let [^;]+;)?\s*write!\(\s*f,\s*"([^"]+)"/g)];
  assert.ok(said.length > 18 && codes.size >= new Set(said.map(([, name]) => name)).size, `${said.length} ${codes.size}`);
  const value = (/** @type {string} */ name) => ({ status: 'HALT', by: 'sig-1', reason: 'its answer is not known yet', asset: 'ETH', of_it: '' })[name] ?? '12.5';
  for (const [, name, sentence] of said) {
    const aged = ['TooOld', 'Expired'].includes(name) ? sentence.replace('{}', '3 hours') : sentence;
    const whole = aged.replace(/\{(\w*)[^}]*\}/g, (_, hole) => value(hole));
    const { why, detail: rest } = tellDecision({ coin: 'BTCUSDC', decision: 'left', code: codes.get(name) ?? '', reason: whole }, context);
    assert.doesNotMatch(`${why} ${rest}`, /\b(the|its|is|of|at|than|for|now|order|nothing)\b/, name);
    assert.ok(why || rest, name);
  }
});

test('an hour in a sentence of the program is the reader’s, in both languages', () => {
  const told = 'the exchange asked for silence until 2026-11-29 21:43:00 UTC (429)';
  const local = (/** @type {'fr' | 'en'} */ lang) => createFormat(lang).moment(Date.UTC(2026, 10, 29, 21, 43), NaN);
  assert.equal(createWords('en', en, { say: tellEnglish, read: async () => {} }).told(told), `The exchange asked for silence until ${local('en')} (429).`);
  assert.equal(plain(context.words.told(told)), plain(`Binance demande le silence jusqu’au ${local('fr')}.`));
  assert.match(local('fr'), /2026/);
});

test('a coin that a withdrawal sold more than once is named once', () => {
  assert.equal(soldText(['ETHUSDC', 'XRPUSDC', 'ETHUSDC'].map((coin) => ({ coin }))), 'ETH, XRP');
  assert.equal(soldText(['ETHUSDC', null, 'ETHUSDC']), 'ETH');
  assert.deepEqual([soldText([]), soldText(null)], [null, null]);
});

test('what is no signal of the leader has a name', () => {
  const { words } = context;
  assert.deepEqual(['initial_sync', 'withdrawal-3', 'sell-all-1', 'sig-0002', 'withdrawal-x'].map((id) => plain(signalName(id, words))),
    ['copie de départ', 'retrait n° 3', '« Tout vendre »', 'sig-0002', 'withdrawal-x']);
});

test('the shapes read here are those the program writes', () => {
  const written = readFileSync(new URL('../../src/domain/order.rs', import.meta.url), 'utf8');
  const phrases = ['% from the target, threshold', 'nearer to the target than one step of', 'USDC is below the exchange\'s minimum of',
    'is less than one step of', 'USDC left for a minimum of', 'superseded by the newer target of'];
  for (const phrase of phrases) assert.ok(written.includes(phrase), phrase);
});
