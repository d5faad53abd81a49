// Les ordres exécutés, du plus récent au plus ancien, chacun lié au signal dont il vient.

import { find } from './dom.js';
import { UNKNOWN, coinName, isKnown, parseUtc } from './format.js';
import { createTable, showFreshness, signalCell } from './section.js';

/** @typedef {import('./api.js').Trade} Trade */

/** @param {HTMLElement} root */
export function createTrades(root) {
  /** @type {Set<number>} les ordres que la page montre */
  let shown = new Set();
  const table = createTable(
    find(root, '.table-box'),
    /** @type {import('./section.js').Column<Trade>[]} */ ([
      {
        label: 'col.coin',
        kind: 'lead',
        coin: (row) => row.coin,
        cell: (row, { words }) => ({ text: coinName(row.coin), sub: row.is_simulated ? words.say('trades.simulated') : null }),
      },
      {
        label: 'col.side',
        cell: (row, { words }) =>
          row.action === 'BUY' ? { text: words.say('side.buy'), chip: 'info' } : { text: words.say('side.sell'), chip: 'quiet' },
      },
      { label: 'col.amount', kind: 'number strong', cell: (row, { format }) => ({ text: format.usdc(row.amount_usdt) }) },
      {
        label: 'col.time',
        cell: (row, { format, now }) => ({ text: format.moment(parseUtc(row.created_at), now) }),
      },
      { label: 'col.price', kind: 'number', cell: (row, { format }) => ({ text: format.price(row.price) }) },
      { label: 'col.quantity', kind: 'number', cell: (row, { format }) => ({ text: format.quantity(row.quantity) }) },
      { label: 'col.fee', kind: 'number', cell: (row, { format }) => ({ text: feeText(row, format) }) },
      {
        label: 'col.order',
        hidden: () => shown.size === 0,
        cell: (row, { words }) => ({
          text: isKnown(row.order) ? words.say('order.number', { id: row.order }) : UNKNOWN,
          href: isKnown(row.order) && shown.has(row.order) ? `#order-${row.order}` : null,
        }),
      },
      { label: 'col.signal', kind: 'reference', cell: (row, { words }) => signalCell(row.signal_id, words) },
    ]),
    (row) => String(row.id),
  );

  return {
    /**
     * @param {import('./feed.js').Part<Trade[]>} part @param {Trade[]} rows toutes les lignes à montrer
     * @param {import('./api.js').Order[]} orders ceux que la page montre @param {import('./section.js').Context} context
     */
    update(part, rows, orders, context) {
      shown = new Set(orders.map(({ id }) => id));
      showFreshness(root, part, rows.length === 0, context);
      table.update(rows, context);
    },
  };
}

/** Les frais tels qu'ils ont été pris ; sinon, leur équivalent. @param {Trade} trade @param {import('./format.js').Format} format */
function feeText({ fee, fee_asset: asset, fee_usdt: usdc, fees }, format) {
  if (fees?.length) return fees.map((part) => `${format.quantity(part.amount)} ${part.asset}`).join(' + ');
  if (isKnown(fee) && asset) return `${format.quantity(fee)} ${asset}`;
  return isKnown(usdc) ? `${format.quantity(usdc)} USDC` : UNKNOWN;
}
