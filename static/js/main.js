// La table des matières de la page : demande au programme, descend les réponses vers chaque partie.
// Aucun nombre ne naît ici. Une page cachée ne demande rien ; une page qui revient demande tout.

import { createAllocation } from './allocation.js';
import { createChart, firstPeriod } from './chart-ui.js';
import { createConfirm } from './confirm.js';
import { createDetails } from './details.js';
import { find } from './dom.js';
import { createFeed } from './feed.js';
import { createFollow } from './follow.js';
import { createHead } from './head.js';
import { createLanguage } from './language.js';
import { createList } from './list.js';
import { createLive } from './live.js';
import { isReal } from './order.js';
import { createOrders } from './orders.js';
import { createPause } from './pause.js';
import { createPerson } from './person.js';
import { createPositions } from './positions.js';
import { createSignals } from './signals.js';
import { lastSignal } from './situation.js';
import { createTheme } from './theme.js';
import { createTrades } from './trades.js';
import { createValue } from './value.js';
import { createWithdrawals } from './withdrawals.js';

const EVERY_MS = 10_000;
const SLOW_MS = 60_000;
const TICK_MS = 5_000;
// Assez de points pour tous les pixels d'un grand écran, sans charger le Pi.
const CHART_POINTS = 600;

/** @param {string} period */
const historyPath = (period) => `api/budget/history?period=${period}&limit=${CHART_POINTS}`;
/** @param {string} period */
const marksPath = (period) => `api/budget/marks?period=${period}`;
const isObject = (/** @type {unknown} */ data) => typeof data === 'object' && data !== null;

const feed = createFeed(
  {
    health: { path: 'health', every: EVERY_MS, alsoStatus: 503, accepts: isObject },
    status: { path: 'api/agent/status', every: EVERY_MS, accepts: (data) => isObject(data?.leader) },
    budget: { path: 'api/budget', every: EVERY_MS, accepts: isObject },
    exchange: { path: 'api/exchange', every: EVERY_MS, accepts: (data) => Array.isArray(data?.checks) },
    orders: { path: 'api/orders?limit=100', every: EVERY_MS, accepts: Array.isArray },
    positions: { path: 'api/positions', every: EVERY_MS, accepts: Array.isArray },
    signals: { path: 'api/signals?limit=10', every: EVERY_MS, accepts: Array.isArray },
    trades: { path: 'api/trades?limit=10', every: EVERY_MS, accepts: Array.isArray },
    history: { path: historyPath(firstPeriod()), every: SLOW_MS, accepts: Array.isArray },
    marks: { path: marksPath(firstPeriod()), every: SLOW_MS, accepts: (data) => Array.isArray(data?.marks) },
    withdrawals: { path: 'api/budget/withdrawals?limit=50', every: SLOW_MS, accepts: (data) => Array.isArray(data?.withdrawals) },
  },
  schedule,
);
/** Ce que le direct nomme, et ce qui est à relire alors. @type {Record<string, string[]>} */
const ALSO = { status: ['health'], history: ['marks'] };
const live = createLive({
  onHello() {
    feed.setLive(true);
    feed.poll(true);
  },
  onChanged: (parts) => feed.ask(parts.flatMap((part) => [part, ...(ALSO[part] ?? [])])),
  onLost() {
    feed.setLive(false);
    if (!document.hidden) feed.poll(true);
  },
});
const desk = { confirm: createConfirm(find(document, '#confirm')), refresh: () => feed.poll(true) };
const language = await createLanguage(document, schedule);
createTheme(find(document, '#theme'));

const person = createPerson(document, desk, language, render);
const head = createHead(document);
const pause = createPause(document, desk);
const value = createValue(find(document, '#value'));
const chart = createChart(find(document, '#chart'), (period) => {
  feed.redirect('history', historyPath(period), true);
  feed.redirect('marks', marksPath(period), true);
});
const allocation = createAllocation(find(document, '#allocation'));
const positions = createPositions(find(document, '#positions'));
const signals = createSignals(find(document, '#signals'));
const orders = createOrders(find(document, '#orders'), schedule);
const trades = createTrades(find(document, '#trades'));
const withdrawals = createWithdrawals(find(document, '#withdrawals'));
const details = createDetails(find(document, '#details'));

const listener = { onChange: schedule, onClear: () => follow.leave() };
/** @type {ReturnType<typeof createList<import('./api.js').Signal>>} */
const signalList = createList(find(document, '#signals'), 'api/signals', (path, forget) => feed.redirect('signals', path, forget), listener);
/** @type {ReturnType<typeof createList<import('./api.js').Trade>>} */
const tradeList = createList(find(document, '#trades'), 'api/trades', (path, forget) => feed.redirect('trades', path, forget), listener);
const follow = createFollow({ signals, signalList, tradeList, tradesTitle: find(document, '#trades-title'), onChange: schedule });

/** @type {import('./api.js').Signal | undefined} le dernier signal dit par le leader, que la liste ait été restreinte depuis ou non */
let heard;
/** @type {string | null} la version qui a servi cette page */
let ownVersion = null;

function render() {
  const localNow = Date.now();
  const parts = feed.parts(localNow);
  const { words, format } = language.current();
  const context = { words, format, localNow, now: localNow + clockOffset(parts.health) };
  const version = parts.health.data?.version ?? null;
  ownVersion ??= version;
  const connection = connectionOf(parts);
  heard = lastSignal({ ...parts, heard }) ?? heard;
  const situation = { ...parts, heard, outdated: version !== ownVersion, lost: connection === 'lost' };
  const real = (parts.orders.data ?? []).filter(isReal);
  const decisions = person.update(situation, context);
  head.update(situation, connection, person.all(), decisions, context);
  pause.update(parts.status.data, context);
  value.update(parts.budget, parts.history.data?.[0], context);
  chart.update(parts.history, parts.marks, parts.status.data?.poll_interval_seconds, context);
  allocation.update(parts.budget, context);
  positions.update(parts.positions, context);
  signals.update(parts.signals, signalList.update(parts.signals, context), real, context);
  orders.update(parts.orders, parts.exchange.data, context);
  trades.update(parts.trades, tradeList.update(parts.trades, context), real, context);
  withdrawals.update(parts.withdrawals, context);
  details.update(parts, context);
}

/** Comment la page est tenue à jour. @param {Record<string, import('./feed.js').Part<any>>} parts @returns {import('./head.js').Live} */
function connectionOf({ health, status }) {
  if (live.isConnected()) return 'events';
  return [health, status].some(({ failure }) => failure) ? 'lost' : 'polling';
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

/** Une page cachée rend sa place dans le direct. */
function watch() {
  if (document.hidden) return;
  live.watch();
  feed.poll();
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    live.close();
  } else {
    feed.poll(true);
    live.watch();
  }
});
setInterval(watch, 1_000);
setInterval(() => document.hidden || render(), TICK_MS);
render();
feed.poll(true);
live.watch();
follow.start();
