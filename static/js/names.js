// Les noms que le programme donne, dans les mots de la page : ce qui lui manque, et les signaux qui n'en sont pas.
// Pur. Invariant : un nom qui n'est pas reconnu est montré tel quel.

import { coinName } from './format.js';

/** @typedef {import('./words.js').Words} Words */

/** Ce que la machine des signaux mène à bien sans que le leader l'ait publié. @type {[RegExp, import('./words.js').Key][]} */
const UNPUBLISHED = [
  [/^initial_sync$/, 'signal.initial_sync'],
  [/^withdrawal-(?<n>\d+)$/, 'signal.withdrawal'],
  [/^sell-all-\d+$/, 'signal.sell_all'],
  [/^adopted$/, 'signal.adopted'],
];

/** Le nom d'un signal que le leader n'a pas publié ; null s'il est de lui. @param {string} id @param {Words} words @returns {string | null} */
export function unpublishedName(id, words) {
  for (const [shape, key] of UNPUBLISHED) {
    const found = shape.exec(id);
    if (found) return words.say(key, found.groups);
  }
  return null;
}

/** @param {string} id @param {Words} words */
export const signalName = (id, words) => unpublishedName(id, words) ?? id;

/** Plusieurs inconnues en une phrase, les prix ensemble et les règles ensemble. @param {string[]} whats @param {Words} words */
export function namesText(whats, words) {
  /** @type {Map<string, string[]>} */
  const pairs = new Map();
  for (const what of whats) {
    const [kind, pair] = what.split(' ');
    const together = (kind === 'price' || kind === 'rules') && pair;
    const key = together ? kind : what;
    pairs.set(key, [...(pairs.get(key) ?? []), together ? coinName(pair) : '']);
  }
  const names = [...pairs].map(([kind, coins]) => {
    if (kind === 'price') return words.say('unknown.price', { coin: coins.join(', ') });
    if (kind === 'rules' && coins[0]) return words.say('unknown.rules_of', { coin: coins.join(', ') });
    return whatText(kind, words);
  });
  return names.join(' · ');
}

/** Ce qui n'est ni un prix ni des règles, en mots. @param {string} what @param {Words} words */
function whatText(what, words) {
  if (what === 'rules') return words.say('unknown.rules');
  if (what === 'cash') return words.say('unknown.cash');
  if (what === 'clock') return words.say('unknown.clock');
  return /rate/i.test(what) ? words.say('unknown.rate') : what;
}
