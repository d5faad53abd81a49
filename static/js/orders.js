// Les ordres réels : voulus, envoyés, en doute, et comment chacun a fini. Ceux qui demandent quelqu'un d'abord.

import { find, setTextOrHide } from './dom.js';
import { UNKNOWN, coinName, isKnown, parseUtc } from './format.js';
import { isReal, stateOf, wantedText } from './order.js';
import { createTable, showFreshness, signalCell } from './section.js';

/** @typedef {import('./api.js').Order} Order */

const FEW = 10;

/** @param {HTMLElement} root @param {() => void} onChange */
export function createOrders(root, onChange) {
  const foreign = find(root, '.foreign');
  const more = find(root, '.more');
  let all = false;
  more.addEventListener('click', () => {
    all = true;
    onChange();
  });
  const table = createTable(
    find(root, '.table-box'),
    /** @type {import('./section.js').Column<Order>[]} */ ([
      {
        label: 'col.coin',
        kind: 'lead',
        coin: (row) => row.coin,
        cell: (row, { words }) => ({ text: coinName(row.coin), sub: words.say('order.number', { id: row.id }) }),
      },
      {
        label: 'col.status',
        kind: 'told',
        cell: (row, context) => {
          const [text, chip] = stateOf(row, context);
          return { text, chip, sub: context.words.told(row.reason) };
        },
      },
      { label: 'col.wanted', cell: (row, context) => ({ text: wantedText(row, context) }) },
      {
        label: 'col.attempt',
        cell: (row, { words }) => ({ text: words.say('order.attempt', { attempt: row.attempt, attempts: row.attempts }) }),
      },
      { label: 'col.time', cell: (row, { format, now }) => ({ text: format.moment(parseUtc(row.created_at), now) }) },
      { label: 'col.ended', cell: (row, { format, now }) => ({ text: format.moment(parseUtc(row.ended_at), now) }) },
      { label: 'col.order_id', cell: (row) => ({ text: isKnown(row.order_id) ? String(row.order_id) : UNKNOWN }) },
      { label: 'col.signal', kind: 'reference', cell: (row, { words }) => signalCell(row.signal_id, words) },
    ]),
    (row) => String(row.id),
    { rowId: (row) => `order-${row.id}` },
  );

  return {
    /**
     * @param {import('./feed.js').Part<Order[]>} part @param {import('./api.js').Exchange | null} exchange
     * @param {import('./section.js').Context} context
     */
    update(part, exchange, context) {
      const rows = (part.data ?? []).filter(isReal);
      root.hidden = rows.length === 0;
      showFreshness(root, part, false, context);
      more.hidden = all || rows.length <= FEW;
      table.update(all ? rows : rows.slice(0, FEW), context);
      const others = exchange?.foreign_orders.length ?? 0;
      setTextOrHide(foreign, others > 0 ? context.words.many('foreign', others) : null);
    },
  };
}
