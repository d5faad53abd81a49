// Ce que l'on lit : montants, dates, âges, et ce que l'on tape.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

process.env.TZ = 'Europe/Paris';
const { coinName, createFormat, fromSeconds, parseUtc } = await import('../../static/js/format.js');
const { readEuros } = await import('../../static/js/person/euros.js');

const fr = createFormat('fr');
const en = createFormat('en');
/** Les espaces insécables d'Intl varient d'un moteur à l'autre. @param {string} text */
const plain = (text) => text.replace(/[\u00a0\u202f]/g, ' ');

test('an unknown number is written as a dash, never as zero', () => {
  const writers = /** @type {const} */ (['eur', 'eurSigned', 'usdc', 'usdcSigned', 'percentSigned', 'share', 'price', 'quantity', 'rate', 'count']);
  for (const writer of writers) {
    for (const unknown of [null, undefined, NaN, Infinity, '12']) assert.equal(fr[writer](/** @type {any} */ (unknown)), '—', writer);
    assert.match(fr[writer](0), /0/, `${writer}: zero is a number`);
  }
  assert.equal(fr.moment(null, 0), '—');
  assert.equal(fr.ago(null, 0), '—');
});

test('amounts are written as each language writes them', () => {
  const cases = [
    [fr.eur(1234.5), '1 234,50 €'],
    [en.eur(1234.5), '€1,234.50'],
    // Une moitié s'éloigne de zéro, comme dans les phrases du programme (`domain/money`).
    [en.eur(390.0055), '€390.01'],
    [en.eur(297.785), '€297.79'],
    [en.eur(1.005), '€1.01'],
    [en.eurSigned(-1.005), '-€1.01'],
    [fr.eurSigned(8.4), '+8,40 €'],
    [fr.eurSigned(-8.4), '-8,40 €'],
    [fr.usdc(25.1), '25,10 USDC'],
    [fr.percentSigned(8.4), '+8,4 %'],
    [fr.share(0.4), '40,0 %'],
    [fr.rate(0.921659), '0,9217 €'],
    [fr.price(68012.34), '68 012,34'],
    [fr.price(2.41234), '2,4123'],
    [fr.price(0.0000123456), '0,0000123456'],
    [fr.quantity(0.00000036), '0,00000036'],
    [en.eurTick(150, 5), '€150'],
    [en.eurTick(0.5, 0.5), '€0.50'],
  ];
  for (const [written, expected] of cases) assert.equal(plain(written), expected);
});

test('an hour in a sentence has its preposition, today or another day', () => {
  const [then, later] = [Date.UTC(2026, 10, 29, 21, 43), Date.UTC(2026, 10, 30, 21, 43)];
  assert.deepEqual([fr.at(then, then), en.at(then, then)], ['à 22:43', 'at 22:43']);
  assert.equal(fr.at(then, later), `le ${fr.moment(then, later)}`);
  assert.equal(en.at(then, later), `on ${en.moment(then, later)}`);
  assert.equal(fr.at(null, 0), '—');
});

test('a tiny amount is neither zero nor minus zero', () => {
  assert.equal(plain(fr.usdc(0.0004)), '< 0,01 USDC');
  assert.equal(plain(fr.eur(-0.001)), '0,00 €');
  assert.equal(plain(fr.eurSigned(-0.001)), '0,00 €');
});

test('the times of the API are read as UTC', () => {
  assert.equal(parseUtc('2026-11-22 10:00:00'), Date.UTC(2026, 10, 22, 10));
  assert.equal(plain(fr.moment(parseUtc('2026-11-22 10:00:00'), Date.UTC(2026, 10, 22, 12))), '11:00');
  assert.equal(plain(fr.moment(parseUtc('2026-07-22 10:00:00'), Date.UTC(2026, 10, 22))), '22 juil., 12:00');
  assert.match(plain(fr.moment(parseUtc('2025-07-22 10:00:00'), Date.UTC(2026, 10, 22))), /22 juil\. 2025/);
});

test('what is not a time of the API is unknown', () => {
  for (const text of [null, undefined, '', 'yesterday', '2026-13-45 99:99:99', 1790000000]) assert.equal(parseUtc(text), null);
  assert.equal(fromSeconds(null), null);
  assert.equal(fromSeconds(1.5), 1500);
});

test('an age is told in the unit one would say it in', () => {
  const cases = [[40, 'il y a 40 s'], [240, 'il y a 4 min'], [7200, 'il y a 2 h'], [3 * 86400, 'il y a 3 j'], [-5, 'il y a 0 s']];
  for (const [seconds, expected] of cases) assert.equal(plain(fr.ago(0, Number(seconds) * 1000)), expected);
});

test('an age is what has passed, never more, in the units the program says it in', () => {
  const cases = [[59, '59 secondes'], [3.6 * 86400, '3 jours'], [2 * 86400 - 1, '47 heures'], [7199, '119 minutes'], [2 * 86400, '2 jours']];
  for (const [seconds, expected] of cases) assert.equal(plain(fr.duration(Number(seconds))), expected);
  assert.equal(plain(fr.ago(0, 3.6 * 86_400_000)), 'il y a 3 j');
  // domain/recourse.rs, `told`.
  const told = readFileSync(new URL('../../src/domain/recourse.rs', import.meta.url), 'utf8');
  assert.match(told, /0\.\.120 => \(minutes, "minute"\),\s+120\.\.2880 => \(minutes \/ 60, "hour"\)/);
});

test('a typed amount may have a French comma, spaces and a euro sign', () => {
  const cases = [['50', 50], ['12,50', 12.5], ['12.5', 12.5], [' 1 234,56 € ', 1234.56], ['1\u202f000', 1000], ['0', 0]];
  for (const [typed, value] of cases) assert.deepEqual(readEuros(String(typed)), { ok: true, value });
});

test('only a total may be below zero, and its sign is one of two', () => {
  for (const typed of ['-20,50', '− 20.50 €']) assert.deepEqual(readEuros(typed, true), { ok: true, value: -20.5 });
  assert.deepEqual(readEuros('--20', true), { ok: false, why: 'amount.unreadable' });
});

test('a typed amount that could mean two things is refused', () => {
  const cases = [
    ['', 'amount.empty'],
    ['€', 'amount.empty'],
    ['1.234', 'amount.too_precise'],
    ['1,234', 'amount.too_precise'],
    ['1.234,56', 'amount.unreadable'],
    ['1 23', 'amount.unreadable'],
    ['-5', 'amount.unreadable'],
    ['1e3', 'amount.unreadable'],
    ['12,', 'amount.unreadable'],
    ['0x10', 'amount.unreadable'],
  ];
  for (const [typed, why] of cases) assert.deepEqual(readEuros(typed), { ok: false, why }, typed);
});

test('a pair is shown by its coin', () => {
  assert.equal(coinName('BTCUSDC'), 'BTC');
  assert.equal(coinName('USDC'), 'USDC');
});
