// Les positions ; chacune ouvre ses échanges. La poussière est dite, mais discrète.

import { find } from './dom.js';
import { tradesOf } from './follow.js';
import { coinName, isKnown } from './format.js';
import { createTable, gainTone, showFreshness } from './section.js';

/** @typedef {import('./api.js').Position} Position */

const DUST_USDC = 1;

/** Trop petite pour que Binance en laisse rien vendre d'utile. @param {Position} position une valeur inconnue n'en fait pas une poussière */
export const isDust = ({ value_usdt: value }) => isKnown(value) && value < DUST_USDC;

/** @param {HTMLElement} root */
export function createPositions(root) {
  const table = createTable(
    find(root, '.table-box'),
    /** @type {import('./section.js').Column<Position>[]} */ ([
      {
        label: 'col.coin',
        kind: 'lead',
        coin: (row) => row.coin,
        cell: (row, { words }) => ({
          text: coinName(row.coin),
          href: tradesOf(row.coin),
          sub: isDust(row) ? words.say('positions.dust') : null,
        }),
      },
      {
        label: 'col.value',
        kind: 'number strong',
        cell: (row, { words, format }) => ({
          text: format.eur(row.value_eur),
          sub: isKnown(row.value_usdt) ? format.usdc(row.value_usdt) : words.say('positions.no_price'),
        }),
      },
      {
        label: 'col.pnl',
        kind: 'number',
        cell: (row, { format }) => ({
          text: format.eurSigned(row.pnl_eur),
          sub: isKnown(row.pnl_pct) ? format.percentSigned(row.pnl_pct) : null,
          tone: gainTone(row.pnl_eur),
        }),
      },
      { label: 'col.quantity', kind: 'number', cell: (row, { format }) => ({ text: format.quantity(row.quantity) }) },
      {
        label: 'col.entry',
        kind: 'number',
        cell: (row, { words, format }) => ({
          text: format.price(row.avg_entry_price),
          sub: isKnown(row.price) ? words.say('positions.price_now', { price: format.price(row.price) }) : null,
        }),
      },
    ]),
    (row) => row.coin,
    { rowClass: (row) => (isDust(row) ? 'dust' : null) },
  );

  return {
    /** @param {import('./feed.js').Part<Position[]>} part @param {import('./section.js').Context} context */
    update(part, context) {
      const rows = part.data ?? [];
      showFreshness(root, part, rows.length === 0, context);
      table.update([...rows.filter((row) => !isDust(row)), ...rows.filter(isDust)], context);
    },
  };
}
