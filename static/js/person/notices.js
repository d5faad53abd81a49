// Ce qui attend la décision d'une personne, en mots, avec quoi faire. Pur : des réponses de l'API vers des avis.

import { coinName, isKnown, parseUtc } from '../format.js';
import { wantedText } from '../order.js';
import { tellReasons, tellWaiting } from '../decision.js';
import { isSellable, openWithdrawal } from '../person.js';
import { isDead, lastSignal, ledgerTrouble, unfollowed } from '../situation.js';
import { assetText, exchangeNotices } from './account.js';
import { restOf } from './reach.js';
import { handNotices, nothingNotices, oldNotices, waitingNotices } from './target.js';

/** @typedef {import('../api.js').Order} Order */
/** @typedef {import('../api.js').Exchange} Exchange */
/** @typedef {import('../api.js').Signal} Signal */
/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Notice} Notice */
/** @typedef {import('../situation.js').Parts} Parts */

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
export function decisionsOf(parts, context) {
  const { exchange, orders, status, withdrawals, signals } = parts;
  const ledger = ledgerTrouble(parts);
  const waiting = (orders.data ?? []).filter((order) => order.needs_person);
  return [
    ...ledgerNotices(ledger, context),
    ...deadNotices(parts, context),
    ...copiesNotices(exchange.data, context),
    ...waiting.map((order) => orderNotice(order, orders.data ?? [], context)),
    ...takeoverNotices(exchange.data, context),
    ...exchangeNotices(exchange.data, context, ledger),
    ...lockedNotices(exchange.data, context),
    ...withdrawalNotices(openWithdrawal(withdrawals?.data), parts, context),
    ...stopNotices(status.data, context),
    ...countNotices(status.data, context),
    ...oldNotices(parts, context),
    ...pauseNotices(status.data, signals?.data, context),
    ...waitingNotices(parts, context),
    ...handNotices(parts, context),
    ...nothingNotices(parts, context),
    ...unfollowedNotices(parts, context),
    ...shownNotices(parts, context),
  ];
}

/** Un fichier changé sous le programme, qui n'est pas un disque plein : y toucher, ou tuer le programme, perdrait ce qu'il tient. @param {string | null} reason @param {Context} context @returns {Notice[]} */
function ledgerNotices(reason, { words }) {
  if (!reason) return [];
  const displaced = /while calvalot uses it/.test(reason);
  const text = words.say(displaced ? 'ledger.displaced' : 'ledger.unwritten');
  const steps = displaced && !/before you stop/.test(reason) ? [words.say('ledger.stop')] : [];
  return [{ id: 'ledger', tone: 'bad', text, steps, detail: words.told(reason) }];
}

/** Trop tard pour ce que disait le leader. @type {Record<string, import('../words.js').Key>} */
const LATE = { expired: 'late.expired', too_old: 'late.too_old' };

/** Ce que le leader dit maintenant n'est pas suivi, et pourquoi. @param {Parts} parts @param {Context} context @returns {Notice[]} */
function unfollowedNotices(parts, context) {
  const why = isDead(parts) ? null : unfollowed(parts);
  if (!why) return [];
  const { words } = context;
  const signal = lastSignal(parts);
  const text = words.say(LATE[why] ? 'notice.late' : 'notice.rejected');
  const detail = tellReasons(signal?.error_message ?? parts.status.data?.last_poll?.error, signal?.decisions, context);
  return [{ id: 'signal', tone: 'bad', text, detail, headline: words.say('state.unfollowed', { why: words.say(LATE[why] ?? 'poll.rejected') }) }];
}

/** Ce que le leader montre, et qui n'est pas suivi. @type {Record<string, import('../words.js').Key>} */
const SHOWN = { old_signal: 'notice.old_signal', expired_signal: 'notice.expired_signal', changed_signal: 'notice.changed_signal', too_many_signals: 'notice.too_many_signals' };

/** De ce qui a expiré, seul le leader peut dire la suite : rien n'est demandé à personne. @param {Parts} parts @param {Context} context @returns {Notice[]} */
function shownNotices(parts, { words }) {
  const poll = parts.status.data?.last_poll;
  if (!poll || !SHOWN[poll.status] || isDead(parts)) return [];
  const notice = { id: 'signal', text: words.say(SHOWN[poll.status]) };
  if (poll.status !== 'expired_signal') return [{ ...notice, tone: 'bad', steps: [words.say(poll.status === 'old_signal' ? 'notice.old_step' : 'notice.owner_step')] }];
  return [{ ...notice, tone: 'warn', calm: true, steps: [words.say('notice.expired_step')], detail: words.told(poll.error) }];
}

/** Ce qui reste d'un agent mort, et comment en commencer un autre. @param {Parts} parts @param {Context} context @returns {Notice[]} */
function deadNotices(parts, { words }) {
  if (!isDead(parts)) return [];
  const small = parts.status.data?.mode === 'dry_run' ? [] : [words.say('dead.small')];
  // N'est dit que ce qui peut se faire.
  const left = isSellable(parts) ? [words.say('dead.left')] : parts.budget.data?.cash_usdt ? [words.say('dead.cash')] : [];
  const steps = [...left, ...small, words.say('dead.anew')];
  return [{ id: 'dead', tone: 'bad', text: words.say('dead.text'), steps }];
}

/** Pourquoi le grand livre n'est peut-être pas seul sur son compte. @param {Exchange | null} exchange @param {Context} context @returns {Notice[]} */
function copiesNotices(exchange, { words }) {
  const copies = exchange?.not_alone;
  if (!copies) return [];
  const ways = copies.ways.map(({ way }) => way);
  const ours = ways.includes('adopt');
  const another = !ours && ways.includes('disown');
  const text = words.say(ours ? 'alone.ours' : another ? 'alone.another' : ways.length > 0 ? 'alone.machine' : 'alone.twin');
  return [{ id: 'alone', tone: 'bad', text, steps: [words.say(another ? 'alone.look' : 'alone.stop')], detail: words.told(copies.reason), copies }];
}

/** @param {Order} order @param {Order[]} orders les plus récents d'abord @param {Context} context @returns {Notice} */
function orderNotice(order, orders, context) {
  const { words, format, now } = context;
  // Parti une première fois, il peut être chez Binance sous l'une ou l'autre heure.
  const first = orders.find(({ id, attempt, signal_id: signal, coin, action, state }) =>
    id < order.id && attempt < order.attempt && signal === order.signal_id && coin === order.coin && action === order.action && state === 'absent');
  const [before, last] = [first, order].map((one) => format.moment(parseUtc(one?.created_at), now));
  const facts = { wanted: wantedText(order, context), time: first ? words.say('stuck.both', { before, last }) : last };
  const common = { id: `order ${order.id}`, tone: /** @type {const} */ ('bad'), order };
  if (order.late) {
    const steps = [words.say('late.step'), words.say('late.then')];
    return { ...common, text: words.say('late.text', facts), steps };
  }
  const steps = [words.say(first ? 'stuck.look_both' : 'stuck.look'), words.say('stuck.then')];
  const key = /never reached the exchange$/.test(order.reason ?? '') ? 'stuck.absent' : 'stuck.text';
  return { ...common, text: words.say(key, facts), steps, detail: words.told(order.reason) };
}

/** Ce que la version Python comptait de trop, une fois pour toutes. @param {Exchange | null} exchange @param {Context} context @returns {Notice[]} */
function takeoverNotices(exchange, { words, format }) {
  const takeover = exchange?.takeover ?? [];
  if (takeover.length === 0) return [];
  const steps = takeover.map(({ coin, booked, held }) =>
    words.say('takeover.line', { asset: coinName(coin), booked: format.quantity(booked), held: format.quantity(held) }));
  return [{ id: 'takeover', tone: 'bad', text: words.say('takeover.text'), steps, takeover }];
}

/** Ce qu'un ordre ouvert de la personne retient. @param {Exchange | null} exchange @param {Context} context @returns {Notice[]} */
function lockedNotices(exchange, { words, format }) {
  const held = (exchange?.reconciliation ?? []).filter(({ missing_locked: locked }) => isKnown(locked) && locked > 0);
  if (held.length === 0) return [];
  const until = held.some(({ asset }) => asset === 'USDC') ? 'short.nothing_bought' : 'short.not_bought';
  const list = held.map(({ asset, missing_locked: locked }) => assetText(locked, asset, format)).join(', ');
  return [{ id: 'locked', tone: 'warn', text: words.say('short.locked', { list }), steps: [words.say('short.unlock'), words.say(until)] }];
}

/** @param {import('../api.js').Withdrawal | undefined} withdrawal @param {Parts} parts @param {Context} context @returns {Notice[]} */
function withdrawalNotices(withdrawal, parts, context) {
  if (!withdrawal) return [];
  const { words, format } = context;
  const rest = restOf(parts);
  if (withdrawal.status === 'set_aside') {
    const amount = withdrawal.set_aside_usdc ?? 0;
    const text = words.say('withdrawal.take', { amount: format.usdc(amount) });
    const steps = [words.say('withdrawal.how'), words.say('withdrawal.then')];
    // Ce que Binance ne laissera pas sortir, parce qu'un ordre de la personne le retient.
    const { free, locked } = parts.exchange.data?.reconciliation.find(({ asset }) => asset === 'USDC') ?? {};
    const held = isKnown(free) && isKnown(locked) ? Math.min(locked, amount - free) : 0;
    if (held > 0) steps.unshift(words.say('withdrawal.locked', { amount: format.usdc(held) }));
    return [{ id: 'withdrawal', tone: 'warn', text, steps, withdrawal, rest }];
  }
  const { wanted_usdc: wanted, waiting_for: waits } = withdrawal;
  const detail = waitingText(withdrawal, parts.signals?.data, context);
  /** @type {Omit<Notice, 'text'>} */
  const notice = { id: 'withdrawal', tone: waits ? 'warn' : 'info', calm: Boolean(waits), detail, withdrawal, rest };
  if (isKnown(wanted)) return [{ ...notice, text: words.say(waits ? 'withdrawal.waits' : 'withdrawal.raising', { amount: format.usdc(wanted) }) }];
  return [{ ...notice, text: words.say(waits ? 'withdrawal.waits_all' : 'withdrawal.raising_all'), headline: words.say('state.taking_all') }];
}

/** Ce qu'attend un souhait, d'après son signal si la page le montre. @param {{waiting_for?: string | null}} wish @param {Signal[] | null | undefined} signals @param {Context} context */
const waitingText = ({ waiting_for: reason = null }, signals, context) =>
  tellWaiting(signals?.find((one) => one.waiting_for === reason) ?? { waiting_for: reason }, context);

/** La perte que l'on s'était fixée est atteinte. @param {import('../api.js').Status | null} status @param {Context} context @returns {Notice[]} */
function stopNotices(status, { words, format, now }) {
  const reached = status?.stop_loss?.reached;
  if (!reached) return [];
  const facts = { time: format.at(parseUtc(reached.at), now), fall: format.share(reached.below_highest_pct / 100) };
  const steps = status.state === 'DEAD' ? [] : [words.say('stop_loss.step')];
  return [{ id: 'stop loss', tone: 'warn', text: words.say('stop_loss.reached', facts), steps }];
}

/** La perte fixée se compte ; en pause, rien n'est jugé. @param {import('../api.js').Status | null} status @param {Context} context @returns {Notice[]} */
function countNotices(status, { words, format }) {
  const { pct, below_highest_pct: fall, low_readings: low, reached } = status?.stop_loss ?? {};
  if (!low || !isKnown(pct) || reached || status?.paused || status?.state === 'DEAD') return [];
  const text = words.say('stop_loss.low', { fall: format.share(isKnown(fall) ? fall / 100 : null), limit: format.share(pct / 100) });
  return [{ id: 'stop loss', tone: 'bad', text, steps: [words.say('stop_loss.low_step')], headline: words.many('state.stop_loss', low) }];
}

/**
 * Tout vendre, ou une pause que le programme a mise de lui-même.
 * @param {import('../api.js').Status | null} status @param {Signal[] | null | undefined} signals @param {Context} context
 * @returns {Notice[]}
 */
function pauseNotices(status, signals, context) {
  const { words } = context;
  const selling = status?.selling_all;
  if (selling) {
    const notice = { id: 'selling', tone: /** @type {const} */ ('info'), detail: waitingText(selling, signals, context) };
    if (selling.done) return [{ ...notice, text: words.say('selling.done') }];
    return [{ ...notice, text: words.say('selling.text'), headline: words.say('state.selling') }];
  }
  if (!status?.paused || !status.paused_reason || status.stop_loss?.reached || status.state === 'DEAD') return [];
  return [{ id: 'paused', tone: 'warn', text: words.say('paused.itself'), detail: words.told(status.paused_reason) }];
}
