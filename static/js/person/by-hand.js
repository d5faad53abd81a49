// Les chiffres d'un ordre, tapés par une personne. Pur : du texte vers ce que le programme attend, ou ce qui ne va pas.
// Invariant : rien n'est deviné. Un séparateur de milliers, un signe, un champ vide : refusés.

import { coinName } from '../format.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Order} Order */
/** @typedef {'quantity' | 'usdc' | 'fee' | 'fee_asset'} Field */
/** @typedef {'number.empty' | 'number.unreadable' | 'number.zero' | 'number.more' | 'asset.unreadable'} Why */
/** Des textes : aucun chiffre tapé ne passe par un flottant. @typedef {{quantity: string, usdc: string, fee: string, fee_asset: string}} ByHand */

/** @type {Field[]} */
export const FIELDS = ['quantity', 'usdc', 'fee', 'fee_asset'];

/** @param {string} text @returns {{number: string} | {why: Why}} */
function readNumber(text) {
  const typed = text.trim();
  if (typed === '') return { why: 'number.empty' };
  const parts = /^(\d{1,15})(?:[.,](\d{1,8}))?$/.exec(typed);
  return parts ? { number: parts[2] ? `${parts[1]}.${parts[2]}` : parts[1] } : { why: 'number.unreadable' };
}

/** Ce que cet ordre demandait au plus, en ce champ. @param {Order} order @param {Field} field */
export const mostOf = ({ action, quantity, spend_usdt: usdc }, field) =>
  (action === 'SELL' && field === 'quantity' && quantity) || (action === 'BUY' && field === 'usdc' && usdc) || null;

/** @param {Record<Field, string>} typed @param {Order} order @returns {{ok: true, body: ByHand} | {ok: false, field: Field, why: Why}} */
export function readByHand(typed, order) {
  const body = { quantity: '', usdc: '', fee: '', fee_asset: typed.fee_asset.trim().toUpperCase() };
  for (const field of /** @type {const} */ (['quantity', 'usdc', 'fee'])) {
    const read = readNumber(typed[field]);
    if ('why' in read) return { ok: false, field, why: read.why };
    if (field !== 'fee' && Number(read.number) === 0) return { ok: false, field, why: 'number.zero' };
    if (Number(read.number) > (mostOf(order, field) ?? Infinity)) return { ok: false, field, why: 'number.more' };
    body[field] = read.number;
  }
  // Sans frais, aucune monnaie ne les porte : la plus ordinaire, comme le ferait le programme.
  if (Number(body.fee) === 0 && body.fee_asset === '') body.fee_asset = 'USDC';
  return /^[A-Z0-9]{1,20}$/.test(body.fee_asset) ? { ok: true, body } : { ok: false, field: 'fee_asset', why: 'asset.unreadable' };
}

/** Ce qui sera inscrit, relu à la personne. @param {Order} order @param {ByHand} body @param {Context} context @returns {string[]} */
export function tellByHand({ coin, action }, { quantity: bought, usdc: paid, fee, fee_asset: asset }, { words, format }) {
  const [quantity, usdc] = [Number(bought), Number(paid)];
  const figures = {
    quantity: format.quantity(quantity),
    coin: coinName(coin),
    amount: format.usdc(usdc),
    price: `${format.price(usdc / quantity)}\u00a0USDC`,
  };
  return [
    words.say(action === 'SELL' ? 'book.sold' : 'book.bought', figures),
    words.say('book.paid', { fee: format.quantity(Number(fee)), asset }),
    words.say('book.what'),
  ];
}
