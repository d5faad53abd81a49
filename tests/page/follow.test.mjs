// Les liens de la page : ce qu'un lien écrit, l'adresse le relit, quel que soit le nom que le leader a choisi.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPlace, signalAt, tradesBy, tradesOf } from '../../static/js/follow.js';

test('every link is read back', () => {
  for (const name of ['sig-0001', 'a b/c?d#e', 'é%20', '-', '"><b>']) {
    assert.deepEqual(readPlace(signalAt(name)), { to: 'signal', name });
    assert.deepEqual(readPlace(tradesBy(name)), { to: 'trades', name });
  }
  assert.deepEqual(readPlace(tradesOf('BTCUSDC')), { to: 'coin', name: 'BTCUSDC' });
});

test('an ordinary anchor is no place', () => {
  for (const hash of ['', '#', '#content', '#order-12', '#signal-', '#signal-%E0%A4%A']) assert.equal(readPlace(hash), null, hash);
});
