// Ce que le capital permet de suivre, en une phrase ; rien quand tout est suivi, ou que l'on n'en sait rien.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat } from '../../static/js/format.js';
import { isScant } from '../../static/js/person.js';
import { isFollowing, tellReach } from '../../static/js/person/reach.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

/** @typedef {import('../../static/js/person/reach.js').Outlook} Outlook */
const TEXTS = { fr: { ...fr, ...personFr }, en: { ...en, ...personEn } };

/** @param {'fr' | 'en'} lang @param {Outlook | null} outlook @param {number | null} [drift] */
const told = (lang, outlook, drift = 9.1) => tellReach(outlook, drift, { words: createWords(lang, TEXTS[lang]), format: createFormat(lang) })?.replace(/[\u00a0\u202f]/g, ' ') ?? null;

/** @param {Partial<Outlook>} [changed] @returns {Outlook} */
const small = (changed) => ({ capital_eur: 60.2, followed_pct: 91.04, nearly_all_pct: 99, nearly_all_eur: 140, reason: null, ...changed });

test('a small capital is told how much it follows, and what almost all takes', () => {
  assert.equal(told('en', small()), 'With €60 you follow 91% of the leader; 99% takes €140.');
  assert.equal(told('fr', small()), 'Avec 60 €, vous suivez 91 % du leader ; 99 % en demande 140 €.');
});

test('the cash of the leader is nothing followed when nothing of his can be bought', () => {
  const bare = (/** @type {'fr' | 'en'} */ lang, /** @type {number | null} */ cash, /** @type {Partial<Outlook>} */ changed = {}) =>
    tellReach(small({ capital_eur: 10, followed_pct: 65, ...changed }), 35, { words: createWords(lang, TEXTS[lang]), format: createFormat(lang) }, cash)?.replace(/[\u00a0\u202f]/g, ' ');
  assert.equal(bare('fr', 0.65), 'Avec 10 €, rien de ce que tient le leader ne peut être acheté ; 99 % en demande 140 €.');
  assert.equal(bare('en', 0.65, { nearly_all_eur: null }), 'With €10 nothing that the leader holds can be bought.');
  for (const cash of [null, 0.5]) assert.equal(bare('en', cash), 'With €10 you follow 65% of the leader; 99% takes €140.');
});

test('a capital under the least order is told nothing of: there is nothing to follow with', () => {
  for (const [capital_eur, said] of /** @type {[number, boolean][]} */ ([[0, false], [4.99, false], [5, true]]))
    assert.equal(told('en', small({ capital_eur, followed_pct: 51 }), 40) !== null, said, String(capital_eur));
  assert.equal(told('en', small({ capital_eur: 0, followed_pct: null, nearly_all_eur: null, reason: 'nothing to follow with' })), null);
});

test('a little less than almost all is never rounded up to it', () => {
  assert.equal(told('en', small({ followed_pct: 98.99 }), 1.1), 'With €60 you follow 98% of the leader; 99% takes €140.');
});

test('where it is not the capital that is missing, none is asked for', () => {
  for (const changed of [{ nearly_all_eur: null }, { nearly_all_eur: 50 }]) assert.equal(told('en', small(changed)), 'With €60 you follow 91% of the leader.');
});

test('nothing is told when almost all is followed, nor when it is not known', () => {
  const unknown = { capital_eur: null, followed_pct: null, nearly_all_eur: null, reason: 'unknown price SOLUSDC: not read yet' };
  for (const outlook of [null, small({ followed_pct: 99 }), small(unknown), small({ followed_pct: null }), small({ capital_eur: null })]) assert.equal(told('en', outlook), null);
});

test('it is never told as followed what is not yet: halted, waiting, expired', () => {
  for (const drift of [11.1, 60, 100, null]) assert.equal(told('en', small(), drift), null, String(drift));
  for (const drift of [10.9, 9, 1.2]) assert.match(told('en', small(), drift) ?? '', /you follow 91%/, String(drift));
});

test('it is asked for only where the minima of the exchange can matter, and never of what is not known', () => {
  /** @type {[object | null, boolean][]} */
  const cases = [
    [{ drift_pct: 9, total_value_eur: 60.2 }, true],
    [{ drift_pct: 1, total_value_eur: 60.2 }, false],
    [{ drift_pct: 9, total_value_eur: 500 }, false],
    [{ drift_pct: null, total_value_eur: 60.2 }, false],
    [{ drift_pct: 9, total_value_eur: null }, false],
    [{}, false],
    [null, false],
  ];
  for (const [data, expected] of cases) assert.equal(isScant(/** @type {any} */ ({ budget: { data } })), expected, JSON.stringify(data));
});

test('nothing is told while nobody is followed, or while the account lacks what the books count', () => {
  const line = { asset: 'USDC', held: 20, booked: 60, difference: -40, missing: 40 };
  /** @type {[object | null, object | null, boolean][]} */
  const cases = [
    [{ paused: false }, null, true],
    [{ paused: false }, { reconciliation: [{ ...line, missing: 0 }] }, true],
    [{ paused: false }, { reconciliation: [line] }, false],
    [{ paused: true }, null, false],
    [{ paused: false, selling_all: {} }, null, false],
    [{ paused: false, old_target: {} }, null, false],
    [{ paused: false, state: 'DEAD' }, null, false],
    [null, null, false],
  ];
  for (const [status, exchange, expected] of cases) {
    const parts = /** @type {any} */ ({ status: { data: status }, exchange: { data: exchange }, budget: { data: null } });
    assert.equal(isFollowing(parts), expected, JSON.stringify([status, exchange]));
  }
});
