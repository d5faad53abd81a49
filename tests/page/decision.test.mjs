// Pourquoi une monnaie a été laissée : les nombres du programme dans la langue du lecteur, et rien de perdu sinon.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tellDecision, tellReasons, tellWaiting } from '../../static/js/decision.js';
import { createFormat } from '../../static/js/format.js';
import { signalName } from '../../static/js/names.js';
import { tell } from '../../static/js/person/told-fr.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const context = { words: createWords('fr', fr, { say: tell, read: async () => {} }), format: createFormat('fr') };
const plain = (/** @type {string | null} */ text) => String(text).replace(/[\u00a0\u202f]/g, ' ');
const detail = (/** @type {string} */ code, /** @type {string} */ reason) =>
  plain(tellDecision({ coin: 'BTCUSDC', decision: 'left', code, reason }, context).detail);

test('the figures of a reason are told in the reader’s language', () => {
  const cases = [
    ['traded', '0.00612 for 416.28 USDC at 68019.71444444', '0,00612 pour 416,28 USDC, au prix de 68 019,71'],
    ['within_threshold', '0.3 % from the target, threshold 0.5 %', 'à 0,3 % de l’objectif, seuil 0,5 %'],
    ['below_minimum', "3.20 USDC is below the exchange's minimum of 5.00", '3,20 USDC, le minimum est de 5,00 USDC'],
    ['superseded', 'superseded by the newer target of sig-0005', 'l’objectif de sig-0005'],
  ];
  for (const [code, reason, expected] of cases) assert.equal(detail(code, reason), expected);
});

test('a reason of another shape is shown as the program gives it', () => {
  assert.equal(detail('within_threshold', 'far away'), 'far away');
  assert.equal(detail('refused', 'refused: Filter failure: NOTIONAL'), 'Filter failure: NOTIONAL', 'its code has said so');
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
    'BNB, BTC : remplacé par un signal plus récent (l’objectif de sig-0002). ETH : la bourse ne négocie pas cette monnaie en ce moment (BREAK).');
  assert.equal(tellReasons('called off by a person', decisions, context), 'Annulé par quelqu’un.');
  assert.equal(tellReasons(null, undefined, context), null);
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
