// Ce que le graphique marque : dépôts, corrections, retraits, écarts réglés, échanges ; pas la poussière, qui ne vaut rien. Pur : des réponses de l'API vers des places et des mots.

import { parseUtc } from './format.js';

/** @typedef {import('./api.js').Mark} Mark */
/** @typedef {Mark & {time: number}} Placed */
/** @typedef {import('./section.js').Context} Context */

/** @param {Mark[]} marks @returns {Placed[]} du plus ancien au plus récent */
export function readMarks(marks) {
  const placed = marks.filter(({ kind }) => kind !== 'dust').map((mark) => ({ ...mark, time: parseUtc(mark.at) ?? NaN }));
  return placed.filter(({ time }) => !Number.isNaN(time)).sort((one, other) => one.time - other.time);
}

/** Ceux qui sont à moins de `reach` ms d'un instant. @param {Placed[]} marks @param {number} time @param {number} reach */
export const marksNear = (marks, time, reach) => marks.filter((mark) => Math.abs(mark.time - time) <= reach);

/** Ce que dit une marque. @param {Mark} mark @param {Pick<Context, 'words' | 'format'>} context @returns {string} */
export function markText({ kind, amount_eur: amount, buys, sells }, { words, format }) {
  if (kind === 'deposit') return words.say('mark.deposit', { amount: format.eur(amount) });
  if (kind === 'withdrawal') return words.say('mark.withdrawal', { amount: format.eur(amount) });
  if (kind === 'correction') return words.say('mark.correction', { amount: format.eurSigned(amount) });
  if (kind === 'write_off' || kind === 'count') return words.say('mark.difference', { amount: format.eurSigned(amount) });
  const counts = [buys ? words.many('buys', buys) : null, sells ? words.many('sells', sells) : null];
  return counts.filter(Boolean).join(', ');
}

/** Plusieurs marques en une phrase, les échanges ensemble. @param {Mark[]} marks @param {Pick<Context, 'words' | 'format'>} context */
export function marksText(marks, context) {
  const trades = marks.filter(({ kind }) => kind === 'trades');
  const money = marks.filter(({ kind }) => kind !== 'trades');
  const sum = (/** @type {'buys' | 'sells'} */ side) => trades.reduce((total, mark) => total + mark[side], 0);
  const together = trades.length ? [{ ...trades[0], buys: sum('buys'), sells: sum('sells') }] : [];
  return [...money, ...together].map((mark) => markText(mark, context)).join(' · ');
}
