// Les retraits : ce qui a été demandé, vendu, reçu.

import { find, setTextOrHide } from './dom.js';
import { coinName, parseUtc } from './format.js';
import { createTable, showFreshness } from './section.js';

/** @typedef {import('./api.js').Withdrawal} Withdrawal */
/** @typedef {import('./section.js').Tone} Tone */

/** @type {Record<string, [import('./words.js').Key, Tone]>} */
const STATUSES = {
  completed: ['withdrawal.completed', 'good'],
  pending: ['withdrawal.pending', 'info'],
  selling: ['withdrawal.selling', 'info'],
  waiting: ['withdrawal.waiting', 'warn'],
  set_aside: ['withdrawal.set_aside', 'warn'],
  cancelled: ['withdrawal.cancelled', 'quiet'],
  failed: ['withdrawal.failed', 'bad'],
};

/** @param {HTMLElement} root */
export function createWithdrawals(root) {
  const total = find(root, '.sum');
  const table = createTable(
    find(root, '.table-box'),
    /** @type {import('./section.js').Column<Withdrawal>[]} */ ([
      {
        label: 'col.time',
        kind: 'lead',
        cell: (row, { words, format, now }) => ({
          text: format.moment(parseUtc(row.created_at), now),
          sub: row.is_simulated ? words.say('trades.simulated') : null,
        }),
      },
      {
        label: 'col.status',
        kind: 'told',
        cell: (row, { words }) => {
          const [key, chip] = STATUSES[row.waiting_for ? 'waiting' : row.status] ?? [];
          return { text: key ? words.say(key) : row.status, chip: chip ?? 'quiet', sub: words.told(row.waiting_for) };
        },
      },
      { label: 'col.received', kind: 'number strong', cell: (row, { format }) => ({ text: format.eur(row.amount_eur_received) }) },
      { label: 'col.requested', kind: 'number', cell: (row, { format }) => ({ text: format.eur(row.amount_eur_requested) }) },
      {
        label: 'col.sold',
        kind: 'number',
        cell: (row, { format }) => ({ text: format.usdc(row.amount_usdt_sold), sub: soldText(row.positions_sold) }),
      },
      { label: 'col.rate', kind: 'number', cell: (row, { format }) => ({ text: format.rate(row.eurusdc_rate) }) },
    ]),
    (row) => String(row.id),
  );

  return {
    /** @param {import('./feed.js').Part<import('./api.js').Withdrawals>} part @param {import('./section.js').Context} context */
    update(part, context) {
      const { words, format } = context;
      const rows = part.data?.withdrawals ?? [];
      showFreshness(root, part, rows.length === 0, context);
      table.update(rows, context);
      const { total_eur: out, total_usdt: sold } = part.data ?? {};
      // Rien n'est encore sorti : une ligne au-dessus a pu vendre, et n'y compte pas.
      const sums = [out && words.say('withdrawals.total', { eur: format.eur(out) }), out && sold && words.say('withdrawals.sold', { usdc: format.usdc(sold) })];
      setTextOrHide(total, sums.filter(Boolean).join(' · '));
    },
  };
}

/** Les monnaies vendues pour un retrait, chacune une fois. @param {unknown[] | null} sold */
export function soldText(sold) {
  const coins = (sold ?? []).map((item) => {
    const coin = item !== null && typeof item === 'object' && 'coin' in item ? item.coin : item;
    return typeof coin === 'string' ? coinName(coin) : '';
  });
  return [...new Set(coins)].filter(Boolean).join(', ') || null;
}
