// La table des matières de la page : demande au programme, descend les réponses vers chaque partie.
// Aucun nombre ne naît ici. Une page cachée ne demande rien ; une page qui revient demande tout.

import { createChart, firstPeriod } from './chart-ui.js';
import { createConfirm } from './confirm.js';
import { find } from './dom.js';
import { createFeed } from './feed.js';
import { createHead } from './head.js';
import { createLanguage } from './language.js';
import { createMoney } from './money.js';
import { isReal } from './order.js';
import { createOrders } from './orders.js';
import { createPause } from './pause.js';
import { createPositions } from './positions.js';
import { createRelease } from './release.js';
import { createSignals } from './signals.js';
import { createTrades } from './trades.js';
import { createValue } from './value.js';
import { createWithdrawals } from './withdrawals.js';

const EVERY_MS = 10_000;
const SLOW_MS = 60_000;
const TICK_MS = 5_000;
// Assez de points pour tous les pixels d'un grand écran, sans charger le Pi.
const CHART_POINTS = 600;
const FEW = 10;
const MANY = 100;

/** @param {string} period */
const historyPath = (period) => `api/budget/history?period=${period}&limit=${CHART_POINTS}`;
const isObject = (/** @type {unknown} */ data) => typeof data === 'object' && data !== null;

const feed = createFeed(
  {
    health: { path: 'health', every: EVERY_MS, alsoStatus: 503, accepts: isObject },
    status: { path: 'api/agent/status', every: EVERY_MS, accepts: (data) => isObject(data?.leader) },
    budget: { path: 'api/budget', every: EVERY_MS, accepts: isObject },
    exchange: { path: 'api/exchange', every: EVERY_MS, accepts: (data) => Array.isArray(data?.checks) },
    orders: { path: `api/orders?limit=${FEW}`, every: EVERY_MS, accepts: Array.isArray },
    positions: { path: 'api/positions', every: EVERY_MS, accepts: Array.isArray },
    signals: { path: `api/signals?limit=${FEW}`, every: EVERY_MS, accepts: Array.isArray },
    trades: { path: `api/trades?limit=${FEW}`, every: EVERY_MS, accepts: Array.isArray },
    history: { path: historyPath(firstPeriod()), every: SLOW_MS, accepts: Array.isArray },
    withdrawals: { path: 'api/budget/withdrawals?limit=50', every: SLOW_MS, accepts: (data) => Array.isArray(data?.withdrawals) },
  },
  schedule,
);
const desk = { confirm: createConfirm(find(document, '#confirm')), refresh: () => feed.poll(true) };
const language = createLanguage(document, schedule);

const release = createRelease(document, desk);
const head = createHead(document, release.ask);
const pause = createPause(document, desk);
const value = createValue(find(document, '#value'));
const chart = createChart(find(document, '#chart'), (period) => feed.redirect('history', historyPath(period), true));
const positions = createPositions(find(document, '#positions'));
const signals = createSignals(find(document, '#signals'));
const orders = createOrders(find(document, '#orders'));
const trades = createTrades(find(document, '#trades'));
const withdrawals = createWithdrawals(find(document, '#withdrawals'));
const moreSignals = createMore('signals', 'api/signals');
const moreOrders = createMore('orders', 'api/orders');
const moreTrades = createMore('trades', 'api/trades');
const money = createMoney(find(document, '#money'), desk);

function render() {
  const localNow = Date.now();
  const parts = feed.parts(localNow);
  const { words, format } = language.current();
  const context = { words, format, localNow, now: localNow + clockOffset(parts.health) };
  /** @type {Map<string, number>} identifiant de chaque signal de la page → son ancre */
  const anchors = new Map((parts.signals.data ?? []).map((/** @type {import('./api.js').Signal} */ { signal_id, id }) => [signal_id, id]));
  const real = (parts.orders.data ?? []).filter(isReal);
  release.update(context);
  head.update(parts, context);
  pause.update(parts.status.data, context);
  value.update(parts.budget, context);
  chart.update(parts.history, parts.status.data?.poll_interval_seconds, context);
  positions.update(parts.positions, context);
  signals.update(parts.signals, real, context);
  orders.update(parts.orders, parts.exchange.data, anchors, context);
  trades.update(parts.trades, anchors, real, context);
  moreSignals(parts.signals.data?.length ?? 0);
  moreOrders(parts.orders.data?.length ?? 0);
  moreTrades(parts.trades.data?.length ?? 0);
  withdrawals.update(parts.withdrawals, context);
  money.update(parts.budget.data, context);
}

/** L'avance de l'horloge du programme sur celle de cet appareil, en ms. @param {import('./feed.js').Part<any>} health */
function clockOffset(health) {
  const server = Date.parse(health.data?.timestamp);
  return health.at === null || Number.isNaN(server) ? 0 : server - health.at;
}

let scheduled = false;

/** Plusieurs réponses arrivent ensemble : une seule mise à jour. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => {
    scheduled = false;
    render();
  }, 30);
}

/** « Voir plus » : autant que l'API en donne. @param {'signals' | 'orders' | 'trades'} name @param {string} path */
function createMore(name, path) {
  const button = find(document, `#${name} .more`);
  let asked = false;
  button.addEventListener('click', () => {
    asked = true;
    feed.redirect(name, `${path}?limit=${MANY}`, false);
  });
  return (/** @type {number} */ rows) => (button.hidden = asked || rows < FEW);
}

document.addEventListener('visibilitychange', () => document.hidden || feed.poll(true));
setInterval(() => document.hidden || feed.poll(), 1_000);
setInterval(() => document.hidden || render(), TICK_MS);
render();
feed.poll(true);
