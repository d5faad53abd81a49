// Les deux langues disent la même chose, et rien de ce qu'elles disent n'est inutile.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { tell } from '../../static/js/person/told-en.js';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { en as baseEn } from '../../static/js/words-en.js';
import { fr as baseFr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';

const root = new URL('../../static/', import.meta.url);
const fr = { ...baseFr, ...personFr };
const en = { ...baseEn, ...personEn };
const page = readFileSync(new URL('index.html', root), 'utf8');
/** @param {string} folder */
const read = (folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.js') && !/words-(fr|en)/.test(name))
    .map((name) => readFileSync(new URL(folder + name, root), 'utf8'))
    .join('\n');
const base = read('js/');
const person = read('js/person/');
const sources = base + person;

/** @param {string} text */
const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('both languages have the same keys and the same holes', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(fr).sort());
  for (const [key, text] of Object.entries(fr)) assert.deepEqual(holes(/** @type {Record<string, string>} */ (en)[key]), holes(text), key);
});

test('a text is in one place only, and what is read later is not said before', () => {
  assert.deepEqual(Object.keys(personFr).filter((key) => key in baseFr), []);
  const said = Object.keys(personFr).filter((key) => base.includes(`'${key.replace(/\.(one|other)$/, '')}'`) || page.includes(`"${key}"`));
  assert.deepEqual(said, []);
});

test('no text is empty', () => {
  for (const texts of [fr, en]) for (const [key, text] of Object.entries(texts)) assert.ok(text.trim(), key);
});

/** Les issues d'un tour, que la page dit d'après leur mot. */
const outcomes = [...readFileSync(new URL('../src/domain/poll.rs', root), 'utf8').matchAll(/=> "(\w+)"/g)].map(([, word]) => `poll.${word}`);

test('no text is unused', () => {
  const unused = Object.keys(fr).filter((key) => {
    const stem = key.replace(/\.(one|other)$/, '');
    return !sources.includes(`'${stem}'`) && !page.includes(`"${key}"`) && !outcomes.includes(key);
  });
  assert.deepEqual(unused, []);
});

test('every outcome of a poll has its words', () => {
  assert.ok(outcomes.length > 10);
  assert.deepEqual(outcomes.filter((key) => !(key in fr)), []);
});

test('every text the page asks for exists', () => {
  const asked = [...page.matchAll(/data-t(?:-label)?="([^"]+)"/g), ...sources.matchAll(/say\('([^']+)'/g)].map(([, key]) => key);
  const counted = [...sources.matchAll(/many\('([^']+)'/g)].flatMap(([, stem]) => [`${stem}.one`, `${stem}.other`]);
  assert.deepEqual([...asked, ...counted].filter((key) => !(key in fr)), []);
  assert.ok(asked.length > 50 && counted.length > 4);
});

test('a count agrees with its number in each language, and may be unknown', () => {
  /** @type {['fr' | 'en', number | null, string][]} */
  const cases = [
    ['fr', 0, '0 position'],
    ['fr', 1, '1 position'],
    ['fr', 3, '3 positions'],
    ['en', 0, '0 positions'],
    ['en', 1, '1 position'],
    ['fr', null, '— positions'],
  ];
  for (const [lang, n, expected] of cases) assert.equal(createWords(lang, { fr, en }[lang]).many('positions', n), expected);
});

test('what the program says is a sentence, without the number of a library, and fits into another one', () => {
  const { told, phrase } = createWords('en', en, { say: tell, read: async () => {} });
  /** @type {[string, string, string][]} */
  const cases = [
    ['the leader cannot be reached: [7] Could not connect to server', 'The leader cannot be reached: Could not connect to server.', 'the leader cannot be reached: Could not connect to server'],
    ['0.3 % from the target, threshold 0.5 %', '0.3% from the target, threshold 0.5%.', '0.3% from the target, threshold 0.5%'],
    ['It is asked again.', 'It is asked again.', 'It is asked again'],
  ];
  for (const [text, sentence, part] of cases) assert.deepEqual([told(text), phrase(text)], [sentence, part]);
  // Un nom de fichier ou de réglage reste le sien.
  for (const text of ['data/c.db: disk full.', 'c.db was removed.', 'amount_eur must be above 0.', 'sig-1 waits.']) assert.equal(told(text), text);
  assert.deepEqual([told(null), told(''), phrase(undefined)], [null, null, '']);
});

test('English writes a percentage one way', () => {
  for (const [key, text] of Object.entries(en)) assert.doesNotMatch(text, /[\d}] %/, key);
});

test('the page carries no inline script, no inline style and no address of a third party', () => {
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/);
  const css = readFileSync(new URL('css/calvalot.css', root), 'utf8');
  for (const text of [page, sources, css]) {
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\/|@import|innerHTML|insertAdjacentHTML/);
  }
});
