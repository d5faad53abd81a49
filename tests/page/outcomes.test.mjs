// Ce qu'un geste a donné : dit tant que rien n'a été décidé ou inscrit depuis, et jamais ôté par son propre effet.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agedBy, recordOf } from '../../static/js/person/outcomes.js';

const NOW = 1_790_000_000_000;

const DATA = {
  budget: { total_deposited_eur: 300, total_value_eur: 310 },
  exchange: { not_alone: null, takeover: [], reconciliation: [] },
  orders: [{ id: 3, needs_person: true }, { id: 2, needs_person: false }],
  status: { paused: false, state: 'ACTIVE', selling_all: null, old_target: { said_at: 'a', declined: false }, stop_loss: { pct: null, reached: null }, last_poll: {} },
  withdrawals: { withdrawals: [{ id: 1, status: 'completed' }] },
};

/** @param {Partial<Record<keyof typeof DATA, any>>} [changes] @param {number} [at] quand tout a été lu @param {any} [of] @returns {any} */
const parts = (changes = {}, at = NOW, of = {}) =>
  Object.fromEntries(Object.entries({ ...DATA, ...changes }).map(([name, data]) => [name, { data, at, failure: null, stale: false, ...of[name] }]));

const told = { text: 'done', at: NOW, until: NOW, record: null };
const deposited = { budget: { ...DATA.budget, total_deposited_eur: 350 } };

test('its own effect never removes what a deed gave, and the next thing that is booked does', () => {
  const before = agedBy(told, parts(), NOW);
  assert.equal(before?.record, null, 'nothing was read since');
  // Une part après l'autre : son effet est lu, et le reste est encore d'avant.
  const half = before && agedBy(before, parts(deposited, NOW, { budget: { at: NOW + 40 } }), NOW + 40);
  assert.equal(half?.record, null);
  const read = half && agedBy(half, parts(deposited, NOW + 90), NOW + 90);
  assert.equal(read?.record, recordOf(parts(deposited)));
  const kept = read && agedBy(read, parts({ budget: { total_deposited_eur: 350, total_value_eur: 361 } }, NOW + 9e6), NOW + 9e6);
  assert.deepEqual(kept, read, 'what moves by itself changes nothing');
  assert.equal(read && agedBy(read, parts({ budget: { total_deposited_eur: 450 } }, NOW + 9e6), NOW + 9e6), null);
});

test('whatever is decided or booked elsewhere makes it old', () => {
  const read = { ...told, record: recordOf(parts()) };
  for (const changes of [
    { status: { ...DATA.status, paused: true } },
    { status: { ...DATA.status, selling_all: { since: 'b', done: false } } },
    { status: { ...DATA.status, old_target: null } },
    { status: { ...DATA.status, old_target: { said_at: 'a', declined: true } } },
    { status: { ...DATA.status, stop_loss: { pct: 20, reached: null } } },
    { orders: [] },
    { exchange: { ...DATA.exchange, not_alone: { reason: 'another' } } },
    { withdrawals: { withdrawals: [{ id: 1, status: 'cancelled' }] } },
    { withdrawals: { withdrawals: [{ id: 2, status: 'selling' }, { id: 1, status: 'completed' }] } },
  ]) assert.equal(agedBy(read, parts(changes), NOW), null, JSON.stringify(changes));
  assert.deepEqual(agedBy(read, parts({ exchange: { ...DATA.exchange, reconciliation: [{ asset: 'BTC', missing: 1 }] } }), NOW), read);
});

test('a part that cannot be read keeps nothing from growing old, and what is done at once can still be read', () => {
  const away = { exchange: { at: NOW - 9e6, failure: { kind: 'timeout' } } };
  assert.notEqual(agedBy(told, parts({}, NOW + 90, away), NOW + 90)?.record, null);
  const slow = { ...told, until: NOW + 20_000, record: recordOf(parts()) };
  assert.deepEqual(agedBy(slow, parts(deposited), NOW + 5_000), slow);
  assert.equal(agedBy(slow, parts(deposited), NOW + 20_000), null);
});
