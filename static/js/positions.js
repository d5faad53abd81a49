// Les positions, et leur poids à côté de celui du leader. La poussière est dite, mais discrète.

import { find } from './dom.js';
import { isDust } from './dust.js';
import { coinName, isKnown } from './format.js';
import { createTable, gainTone, showFreshness } from './section.js';

/** @typedef {import('./api.js').Position} Position */

/** @param {HTMLElement} root */
export function createPositions(root) {
  const table = createTable(
    find(root, '.table-box'),
    /** @type {import('./section.js').Column<Position>[]} */ ([
      {
        label: 'col.coin',
        kind: 'lead',
        coin: (row) => row.coin,
        cell: (row, { words }) => ({ text: coinName(row.coin), sub: isDust(row) ? words.say('positions.dust') : null }),
      },
      {
        label: 'col.value',
        kind: 'number strong',
        cell: (row, { words, format }) => ({
          text: format.usdc(row.value_usdt),
          sub: isKnown(row.value_usdt) ? null : words.say('positions.no_price'),
        }),
      },
      {
        label: 'col.pnl',
        kind: 'number',
        cell: (row, { format }) => ({
          text: format.usdcSigned(row.pnl_usdt),
          sub: isKnown(row.pnl_pct) ? format.percentSigned(row.pnl_pct) : null,
          tone: gainTone(row.pnl_usdt),
        }),
      },
      {
        label: 'col.weight',
        kind: 'number',
        cell: (row, { words, format }) => ({
          text: format.share(row.weight),
          sub: words.say('positions.leader_weight', { weight: format.share(row.leader_weight) }),
        }),
      },
      { label: 'col.quantity', kind: 'number', cell: (row, { format }) => ({ text: format.quantity(row.quantity) }) },
      { label: 'col.entry', kind: 'number', cell: (row, { format }) => ({ text: format.price(row.avg_entry_price) }) },
      { label: 'col.price', kind: 'number', cell: (row, { format }) => ({ text: format.price(row.price) }) },
      { label: 'col.invested', kind: 'number', cell: (row, { format }) => ({ text: format.usdc(row.total_invested_usdt) }) },
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
