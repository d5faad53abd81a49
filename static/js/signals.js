// Les signaux du leader, ce qui en a été fait et pourquoi. Les textes viennent d'ailleurs : ils ne sont jamais du HTML.

import { coinMark } from './coin.js';
import { isReached, isTriedAgain, standingDecisions, tellDecision, tellReasons, tellWaiting } from './decision.js';
import { el, find, setAttribute, setText, setTextOrHide, syncList } from './dom.js';
import { tradesBy } from './follow.js';
import { coinName, isKnown, parseUtc } from './format.js';
import { unpublishedName } from './names.js';
import { stateOf } from './order.js';
import { setChip, showFreshness } from './section.js';

/** @typedef {import('./api.js').Signal} Signal */
/** @typedef {import('./api.js').Order} Order */
/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./section.js').Tone} Tone */
/** @typedef {import('./words.js').Key} Key */

/** @type {Record<string, [Key, Tone]>} */
const STATUSES = {
  received: ['signal.received', 'info'],
  executed: ['signal.executed', 'good'],
  skipped: ['signal.skipped', 'warn'],
  rejected: ['signal.rejected', 'bad'],
  error: ['signal.error', 'bad'],
};

/** @type {Record<string, Key>} */
const SIDES = { BUY: 'side.buy', SELL: 'side.sell', HOLD: 'side.hold' };

/** @param {HTMLElement} root */
export function createSignals(root) {
  const list = find(root, '.signals');
  /** @type {string | null} le signal à ouvrir dès qu'il est là */
  let wanted = null;

  function openWanted() {
    const node = wanted === null ? null : list.querySelector(`[data-signal="${CSS.escape(wanted)}"]`);
    const details = node?.querySelector('details');
    if (!node || !details) return;
    wanted = null;
    details.open = true;
    for (const other of list.children) other.classList.toggle('here', other === node);
    node.scrollIntoView({ block: 'center' });
    details.querySelector('summary')?.focus({ preventScroll: true });
  }

  return {
    /** Vrai si la page montre ce signal. @param {string} id */
    shows: (id) => list.querySelector(`[data-signal="${CSS.escape(id)}"]`) !== null,
    /** Ouvre les raisons d'un signal, maintenant ou quand il arrivera. @param {string | null} id */
    open(id) {
      wanted = id;
      openWanted();
    },
    /**
     * @param {import('./feed.js').Part<Signal[]>} part @param {Signal[]} rows toutes les lignes à montrer
     * @param {Order[]} orders ceux que la page montre @param {Context} context
     */
    update(part, rows, orders, context) {
      showFreshness(root, part, rows.length === 0, context);
      const items = rows.map((signal) => {
        const own = orders.filter((order) => order.signal_id === signal.signal_id);
        // L'API donne d'abord ceux qui attendent quelqu'un ; ici l'ordre est celui des envois.
        return { signal, orders: own.sort((one, other) => one.id - other.id), context };
      });
      syncList(list, items, ({ signal }) => String(signal.id), createSignal);
      openWanted();
    },
  };
}

/** @typedef {{signal: Signal, orders: Order[], context: Context}} Item */

/** @returns {import('./dom.js').Row<Item>} */
function createSignal() {
  const status = el('span');
  const time = el('span', { class: 'when' });
  const facts = el('span', { class: 'sub' });
  const trades = el('a');
  const waits = el('p', { class: 'problem' });
  const actions = el('ul', { class: 'actions' });
  const orders = el('ul', { class: 'actions' });
  const problem = el('p', { class: 'problem', dir: 'auto' });
  const summary = el('summary');
  const decisions = el('ul', { class: 'decisions' });
  const targets = el('p', { class: 'sub' });
  const reasoning = el('p', { class: 'reasoning', dir: 'auto' });
  const origin = el('p', { class: 'sub' });
  const details = el('details', {}, summary, decisions, targets, reasoning, origin);
  const node = el('li', {}, el('div', { class: 'line' }, status, time, facts, trades), actions, orders, waits, problem, details);
  return {
    node,
    update({ signal, orders: sent, context }) {
      const { words, format, now } = context;
      const [key, tone] = statusOf(signal);
      setAttribute(node, 'data-signal', signal.signal_id);
      setChip(status, key ? words.say(key) : signal.status, tone);
      setText(time, format.moment(parseUtc(signal.received_at), now));
      const own = unpublishedName(signal.signal_id, words);
      setTextOrHide(facts, own ?? (isKnown(signal.confidence) ? words.say('signal.confidence', { share: format.share(signal.confidence) }) : null));
      setTextOrHide(trades, signal.trades ? words.many('trades', signal.trades) : null);
      setAttribute(trades, 'href', tradesBy(signal.signal_id));
      setTextOrHide(waits, tellWaiting(signal, context));
      const lines = (signal.actions ?? []).map((action, i) => ({ action, key: `${i} ${action.coin}`, context }));
      syncList(actions, lines, (line) => line.key, createAction);
      orders.hidden = sent.length === 0;
      syncList(orders, sent.map((order) => ({ order, context })), ({ order }) => String(order.id), createOrderLink);
      setTextOrHide(problem, isReached(signal) ? null : tellReasons(signal.error_message, signal.decisions, context));
      setText(summary, words.say('signal.why'));
      const decided = standingDecisions(signal).map((decision, i) => ({ decision, again: isTriedAgain(signal, decision), key: `${i} ${decision.coin}`, context }));
      syncList(decisions, decided, (line) => line.key, createDecision);
      setTextOrHide(targets, targetsText(signal, context));
      setTextOrHide(reasoning, own ? words.told(signal.reasoning) : signal.reasoning || words.say('signal.no_reasoning'));
      setText(origin, originText(signal, context));
    },
  };
}

/** Clos sans ordre, il est suivi ensuite : ce qui en est venu l'emporte sur ce qu'il en était alors. @param {Signal} signal @returns {[Key | null, Tone]} */
export function statusOf(signal) {
  // Ce qu'une personne demandait, et qui a été révoqué.
  if (/^called off/.test(signal.error_message ?? '')) return ['withdrawal.cancelled', 'quiet'];
  if (signal.status !== 'skipped' && signal.status !== 'error') return STATUSES[signal.status] ?? [null, 'quiet'];
  if (isReached(signal)) return ['signal.reached', 'good'];
  return signal.trades ? ['signal.pursued', 'info'] : STATUSES[signal.status];
}

/** @param {Signal} signal @param {Context} context */
function targetsText({ portfolio_state: state }, { words, format }) {
  if (!state?.positions?.length) return null;
  const shares = state.positions.map(({ coin, pct_of_portfolio: share }) => `${coinName(coin)} ${format.share(share)}`);
  return words.say('signal.targets', { shares: shares.join(', ') });
}

/** @param {Signal} signal @param {Context} context */
function originText({ signal_id: id, executed_at: executed, reached_at: reached, version }, { words, format, now }) {
  const facts = [unpublishedName(id, words) ?? words.say('signal.id', { id })];
  if (version) facts.push(words.say('signal.version', { version }));
  const time = parseUtc(executed);
  if (time !== null) facts.push(words.say('signal.executed_at', { time: format.at(time, now) }));
  const met = parseUtc(reached);
  if (met !== null) facts.push(words.say('signal.reached_at', { time: format.at(met, now) }));
  return facts.join(' · ');
}

/** @param {{order: Order}} first */
function createOrderLink({ order: { id } }) {
  const link = el('a', { href: `#order-${id}` });
  const state = el('span', { class: 'sub' });
  return {
    node: el('li', {}, el('span', {}, link, ' ', state)),
    /** @param {{order: Order, context: Context}} line */
    update({ order, context }) {
      setText(link, `${coinName(order.coin)} ${context.words.say('order.number', { id })}`);
      setText(state, stateOf(order, context)[0]);
    },
  };
}

/** @param {{action: import('./api.js').Action}} first */
function createAction({ action: { coin } }) {
  const text = el('span');
  return {
    node: el('li', {}, coinMark(coin), text),
    /** @param {{action: import('./api.js').Action, context: Context}} line */
    update({ action, context: { words, format } }) {
      const side = SIDES[action.action] ? words.say(SIDES[action.action]) : action.action;
      const share = isKnown(action.pct_of_capital) ? ` ${format.share(action.pct_of_capital)}` : '';
      setText(text, `${side} ${coinName(action.coin)}${share}`);
    },
  };
}

/** @param {{decision: {coin: string}}} first */
function createDecision({ decision: { coin } }) {
  const what = el('strong');
  const why = el('span', { dir: 'auto' });
  return {
    node: el('li', {}, coinMark(coin), el('span', {}, what, why)),
    /** @param {{decision: import('./api.js').Decision, again: boolean, context: Context}} line */
    update({ decision, again, context }) {
      const { words } = context;
      const { done, why: meaning, detail } = tellDecision(decision, context);
      setText(what, words.say('decision.line', { coin: coinName(decision.coin), done }));
      const told = meaning && detail ? words.say('decision.line', { coin: meaning, done: detail }) : meaning || detail;
      setText(why, [told, again && words.say('decision.again')].filter(Boolean).map((text) => ` – ${text}`).join(''));
    },
  };
}
