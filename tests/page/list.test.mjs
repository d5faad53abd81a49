// Une longue liste : les premières lignes changent, les plus anciennes restent, et jamais un trou entre les deux.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeRows } from '../../static/js/list.js';

/** @param {number[]} ids */
const rows = (...ids) => ids.map((id) => ({ id }));

test('older rows stay under the newest ones', () => {
  assert.deepEqual(mergeRows(rows(9, 8, 7, 6), rows(9, 8)), rows(9, 8, 7, 6));
  assert.deepEqual(mergeRows(rows(9, 8, 7, 6), rows(10, 9)), rows(10, 9, 8, 7, 6));
  assert.deepEqual(mergeRows([], rows(2, 1)), rows(2, 1));
  assert.deepEqual(mergeRows(rows(2, 1), []), []);
});

test('the newest answer wins over what was held', () => {
  const held = [{ id: 2, status: 'received' }, { id: 1, status: 'executed' }];
  assert.deepEqual(mergeRows(held, [{ id: 2, status: 'executed' }])[0].status, 'executed');
});

test('rows that came while a page was read leave no hole', () => {
  assert.deepEqual(mergeRows(rows(20, 19, 18, 17, 16), rows(21, 20, 19)), rows(21, 20, 19, 18, 17, 16));
});

test('rows that were missed make the older ones forgotten, not hidden', () => {
  assert.deepEqual(mergeRows(rows(9, 8, 7, 6), rows(30, 29)), rows(30, 29));
});
