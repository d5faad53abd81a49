// Les chiffres d'un ordre, tapés par une personne. Pur : du texte vers ce que le programme attend, ou ce qui ne va pas.
// Invariant : rien n'est deviné. Un séparateur de milliers, un signe, un champ vide : refusés.

import { coinName } from '../format.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Order} Order */
/** @typedef {'quantity' | 'usdc' | 'fee' | 'fee_asset'} Field */
/** @typedef {'number.empty' | 'number.unreadable' | 'number.zero' | 'asset.unreadable'} Why */
/** @typedef {{quantity: number, usdc: number, fee: number, fee_asset: string}} ByHand */

/** @type {Field[]} */
export const FIELDS = ['quantity', 'usdc', 'fee', 'fee_asset'];

/** @param {string} text @returns {number | Why} */
function readNumber(text) {
  const typed = text.replace(/\s/g, ' ').trim();
  if (typed === '') return 'number.empty';
  const parts = /^(\d{1,15})(?:[.,](\d{1,8}))?$/.exec(typed);
  return parts ? Number(`${parts[1]}.${parts[2] ?? '0'}`) : 'number.unreadable';
}

/** @param {Record<Field, string>} typed @returns {{ok: true, body: ByHand} | {ok: false, field: Field, why: Why}} */
export function readByHand(typed) {
  /** @type {Partial<ByHand>} */
  const body = {};
  for (const field of /** @type {const} */ (['quantity', 'usdc', 'fee'])) {
    const value = readNumber(typed[field]);
    if (typeof value === 'string') return { ok: false, field, why: value };
    if (value === 0 && field !== 'fee') return { ok: false, field, why: 'number.zero' };
    body[field] = value;
  }
  const asset = typed.fee_asset.trim().toUpperCase();
  if (!/^[A-Z0-9]{1,20}$/.test(asset)) return { ok: false, field: 'fee_asset', why: 'asset.unreadable' };
  return { ok: true, body: /** @type {ByHand} */ ({ ...body, fee_asset: asset }) };
}

/** Ce qui sera inscrit, relu à la personne. @param {Order} order @param {ByHand} body @param {Context} context @returns {string[]} */
export function tellByHand({ coin, action }, { quantity, usdc, fee, fee_asset: asset }, { words, format }) {
  const figures = {
    quantity: format.quantity(quantity),
    coin: coinName(coin),
    amount: format.usdc(usdc),
    price: `${format.price(usdc / quantity)}\u00a0USDC`,
  };
  return [
    words.say(action === 'SELL' ? 'book.sold' : 'book.bought', figures),
    words.say('book.paid', { fee: format.quantity(fee), asset }),
    words.say('book.what'),
  ];
}
