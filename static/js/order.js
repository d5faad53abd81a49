// Un ordre en mots : ce qu'il voulait, où il en est. Pur : des réponses de l'API vers des mots.

import { coinName } from './format.js';

/** @typedef {import('./api.js').Order} Order */
/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./section.js').Tone} Tone */
/** @typedef {import('./words.js').Key} Key */

/** @type {Record<string, [Key, Tone]>} */
const STATES = {
  planned: ['order.planned', 'info'],
  sent: ['order.sent', 'info'],
  unknown: ['order.unknown', 'warn'],
  stuck: ['order.stuck', 'bad'],
  filled: ['order.filled', 'good'],
  refused: ['order.refused', 'warn'],
  absent: ['order.absent', 'warn'],
  abandoned: ['order.abandoned', 'quiet'],
};

/** @param {Order} order */
export const isReal = (order) => !order.is_simulated;

/** Où en est un ordre. @param {Order} order @param {Context} context @returns {[string, Tone]} */
export function stateOf(order, { words }) {
  // Une personne l'a dit : rien n'est prouvé.
  if (order.by_hand === 'settled') return [words.say('order.settled'), 'quiet'];
  if (order.state === 'absent' && /^a person looked/.test(order.reason ?? '')) return [words.say('order.released'), 'quiet'];
  if (order.late) return [words.say('order.late'), 'bad'];
  if (order.state === 'filled' && order.doubted) return [words.say('order.filled_after'), 'good'];
  const known = STATES[order.state];
  return known ? [words.say(known[0]), known[1]] : [order.state, 'quiet'];
}

/** « Achat de BTC pour 25,00 USDC ». @param {Order} order @param {Context} context */
export function wantedText(order, { words, format }) {
  const coin = coinName(order.coin);
  return order.action === 'BUY'
    ? words.say('order.purchase', { coin, amount: format.usdc(order.spend_usdt) })
    : words.say('order.sale', { coin, quantity: format.quantity(order.quantity) });
}
