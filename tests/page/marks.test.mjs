// Les marques du graphique : dans l'ordre, dites en mots, ensemble quand elles sont sous le même doigt.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat } from '../../static/js/format.js';
import { marksNear, marksText, readMarks } from '../../static/js/marks.js';
import { en } from '../../static/js/words-en.js';
import { createWords } from '../../static/js/words.js';

const context = { words: createWords('en', en), format: createFormat('en') };
const none = { amount_eur: null, buys: 0, sells: 0, signal: null };
const marks = readMarks([
  { ...none, kind: 'trades', at: '2026-11-22 10:02:00', buys: 2, sells: 1 },
  { ...none, kind: 'deposit', at: '2026-11-22 10:00:00', amount_eur: 50 },
  { ...none, kind: 'withdrawal', at: 'soon', amount_eur: 1 },
  { ...none, kind: 'trades', at: '2026-11-22 10:01:00', buys: 1 },
  { ...none, kind: 'correction', at: '2026-11-22 12:00:00', amount_eur: -20 },
]);

test('marks are in order, and one without a time is left out', () => {
  assert.deepEqual(marks.map(({ kind }) => kind), ['deposit', 'trades', 'trades', 'correction']);
});

test('what is near is told together, trades as one', () => {
  const near = marksNear(marks, marks[0].time, 3 * 60_000);
  assert.equal(marksText(near, context), 'deposit of €50.00 · 3 purchases, 1 sale');
  assert.equal(marksText(marksNear(marks, marks[3].time, 60_000), context), 'total deposited corrected by -€20.00');
  assert.equal(marksText([], context), '');
});

test('an amount that is not known is not a zero', () => {
  assert.equal(marksText([{ ...none, kind: 'deposit', at: '' }], context), 'deposit of —');
});
