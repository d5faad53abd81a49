// Ce qu'il faut savoir d'abord : l'état en une phrase, puis tout ce qui est inconnu ou demande quelqu'un.
// Pur : des réponses de l'API vers des mots. Invariant : une inconnue n'est jamais présentée comme un zéro ni un « tout va bien ».

import { tellReasons, tellWaiting } from './decision.js';
import { fromSeconds, isKnown } from './format.js';
import { namesText } from './names.js';
import { isReal } from './order.js';
import { isDust } from './positions.js';
import { failureText, isSilence } from './section.js';

/** De moins, en euros, aucun ordre ne se passe (domain/survival.rs). */
export const LEAST = 5;

/** @typedef {import('./section.js').Tone} Tone */
/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./api.js').Budget} Budget */
/** @typedef {import('./api.js').Status} Status */
/** @template T @typedef {import('./feed.js').Part<T>} Part */
/** @typedef {import('./api.js').Order} Order */
/**
 * `steps` : quoi faire ; `detail` vient du programme ; `calm` : rien n'est demandé à personne ; `headline` : à dire avant tout ; `instead` : à dire
 * au lieu d'un « tout va bien » ; `order`, `copies`, `withdrawal`,
 * `takeover`, `old` : ce dont une personne décide ; `rest` : ce qui suivra le cash qu'elle libère.
 * @typedef {{id: string, tone: Tone, text: string, steps?: string[], detail?: string | null, calm?: boolean, headline?: string, instead?: string, order?: Order,
 *   copies?: import('./api.js').NotAlone, withdrawal?: import('./api.js').Withdrawal, rest?: import('./person/reach.js').Rest, takeover?: import('./api.js').Takeover[], old?: import('./person/target.js').Old}} Notice
 */
/**
 * @typedef {{budget: Part<Budget>, status: Part<Status>, health: Part<import('./api.js').Health>, orders: Part<Order[]>,
 *   exchange: Part<import('./api.js').Exchange>, positions?: Part<import('./api.js').Position[]>,
 *   withdrawals?: Part<import('./api.js').Withdrawals>, signals?: Part<import('./api.js').Signal[]>, heard?: import('./api.js').Signal,
 *   outdated?: boolean, lost?: boolean}} Parts
 * `heard` : le dernier signal lu dont la page sait tout, même si sa liste ne le montre plus ; `outdated` : le programme a été changé
 * depuis que cette page est ouverte ; `lost` : il ne répond plus.
 */

/** @type {Tone[]} */
const URGENCY = ['bad', 'warn', 'info', 'quiet', 'good'];

/**
 * @param {Parts} parts @param {Context} context @param {Notice[] | null} decisions ce dont une personne décide ; null : quelque
 *   chose, et pas encore de quoi le dire
 * @returns {{tone: Tone, headline: string, notices: Notice[]}}
 */
export function describe(parts, context, decisions = []) {
  const notices = [
    ...pageNotices(parts, context),
    ...(decisions ?? []),
    ...doubtNotices(parts.orders.data ?? [], context),
    ...agentNotices(parts, context),
    ...leaderNotices(parts, context),
    ...unknownNotices(parts, context),
  ];
  // Ce qui demande quelqu'un d'abord ; à égalité, dans cet ordre-ci.
  notices.sort((one, other) => URGENCY.indexOf(one.tone) - URGENCY.indexOf(other.tone));
  return { ...headline(parts, notices, decisions === null, context), notices };
}

/** @param {Parts} parts @param {Notice[]} notices @param {boolean} awaited @param {Context} context @returns {{tone: Tone, headline: string}} */
function headline(parts, notices, awaited, { words }) {
  const [budget, status] = [parts.budget.data, parts.status.data];
  const urgent = notices.filter(({ tone }) => tone === 'bad' || tone === 'warn');
  const pressing = urgent.filter(({ calm }) => !calm).length;
  if (isUnreachable(parts)) return { tone: 'bad', headline: words.say(budget || status ? 'state.stale' : 'state.never') };
  if (parts.lost) return { tone: 'warn', headline: words.say('state.lost') };
  if (ledgerTrouble(parts)) return { tone: 'bad', headline: words.say('state.ledger') };
  if (isDead(parts)) return { tone: 'bad', headline: words.say('state.dead') };
  if (parts.exchange.data?.not_alone) return { tone: 'bad', headline: words.say('state.not_alone') };
  const first = notices.find((notice) => notice.headline)?.headline;
  if (first) return { tone: 'warn', headline: first };
  const followed = heldText(parts, words);
  if (status?.paused ?? budget?.paused) return { tone: 'warn', headline: words.say('state.paused', { followed }) };
  if (pressing) {
    const worst = urgent.some(({ tone }) => tone === 'bad') ? 'bad' : 'warn';
    return { tone: worst, headline: words.say('state.attention', { points: words.many('points', pressing) }) };
  }
  if (awaited || !budget || !status || !parts.orders.data || !parts.exchange.data) return { tone: 'quiet', headline: words.say('state.loading') };
  if (urgent.length) return { tone: 'warn', headline: urgent.find(({ instead }) => instead)?.instead ?? words.say('state.calm') };
  if (!status.last_poll) return { tone: 'info', headline: words.say('state.starting') };
  if (status.last_poll.status === 'no_signal') {
    const before = status.leader.last_signal_at;
    return { tone: before ? 'warn' : 'info', headline: words.say(before ? 'state.no_signal_now' : 'state.no_signal') };
  }
  if (status.old_target) return { tone: 'info', headline: words.say('state.next') };
  const left = budget.total_value_eur;
  if (isKnown(left) && left < LEAST) return { tone: 'info', headline: words.say('state.too_little') };
  return { tone: 'good', headline: words.say('state.fine', { followed }) };
}

/** Les positions, celles que compte l'API ; de la poussière n'en est pas une que l'on suit, et se dit. @param {Parts} parts @param {Context['words']} words */
export function heldText({ positions: part, budget }, words) {
  const held = part?.data;
  const dust = held?.filter(isDust).length;
  if (dust && dust === held?.length) return words.many('positions.all_dust', dust);
  const positions = words.many('positions', held?.length ?? budget.data?.positions_count ?? null);
  return dust ? words.say('positions.with_dust', { positions, dust }) : positions;
}

/** Pourquoi le grand livre ne peut pas être tenu ; null s'il l'est. @param {Pick<Parts, 'health'>} parts */
export const ledgerTrouble = ({ health }) => (health?.data?.ledger && health.data.ledger !== 'written' ? health.data.ledger : null);

/** @param {Pick<Parts, 'budget' | 'status'>} parts */
export const isDead = ({ budget, status }) => status.data?.state === 'DEAD' || budget.data?.status === 'DEAD';

/** Une réponse périmée, et non pas encore attendue. @param {Part<any>} part */
const isLost = (part) => part.stale && (part.failure !== null || part.at !== null);

/** Plus aucune des trois réponses n'est fraîche. @param {Parts} parts */
const isUnreachable = ({ budget, status, health }) => [budget, status, health].every(isLost);

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
function pageNotices(parts, context) {
  const { words, format, localNow } = context;
  const lost = [parts.status, parts.budget, parts.health, parts.orders, parts.exchange].filter(isLost);
  if (lost.length === 0) return [];
  const failure = lost.find((part) => part.failure)?.failure;
  const last = Math.max(...lost.map((part) => part.at ?? 0));
  // Qui n'a jamais répondu ne répond pas : c'est déjà dit.
  const detail = failure && (last || !isSilence(failure)) ? failureText(failure, context) : null;
  if (!isUnreachable(parts)) return [{ id: 'page', tone: 'warn', text: words.say('notice.partial'), detail }];
  const when = { time: format.moment(last, localNow), ago: format.ago(last, localNow) };
  return [{ id: 'page', tone: 'bad', text: words.say(last ? 'notice.stale' : 'notice.never', when), detail }];
}

/** @param {Order[]} orders @param {Context} context @returns {Notice[]} */
function doubtNotices(orders, { words }) {
  const doubtful = orders.filter((order) => isReal(order) && order.state === 'unknown');
  return doubtful.length ? [{ id: 'doubt', tone: 'warn', calm: true, text: words.many('doubt', doubtful.length) }] : [];
}

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
function agentNotices(parts, { words }) {
  /** @type {Notice[]} */
  const notices = [];
  const [budget, status, health] = [parts.budget.data, parts.status.data, parts.health.data];
  if (ledgerTrouble(parts)) {
    // Une personne en décide.
  } else if (health?.status === 'degraded' && !parts.exchange.data?.not_alone) {
    notices.push({ id: 'health', tone: 'bad', text: words.say('notice.degraded'), });
  } else if (status && !status.running && !status.paused && !isDead(parts)) {
    notices.push({ id: 'running', tone: 'bad', text: words.say('notice.not_running') });
  }
  if (budget?.total_deposited_eur === 0) {
    notices.push({ id: 'deposit', tone: 'info', text: words.say('notice.no_deposit') });
  }
  if (parts.outdated) notices.push({ id: 'outdated', tone: 'info', text: words.say('notice.outdated') });
  return notices;
}

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
function leaderNotices(parts, context) {
  const { words, format, now } = context;
  const status = parts.status.data;
  if (!status) return [];
  const { leader, last_poll: poll, waiting_signals: waiting } = status;
  /** @type {Notice[]} */
  const notices = [];
  const steps = [words.say('leader.step')];
  const contact = fromSeconds(leader.last_contact);
  const since = contact === null
    ? words.say('leader.never')
    : words.say('leader.contact', { ago: format.ago(contact, now) });
  if (poll?.status === 'leader_refused') {
    notices.push({ id: 'leader', tone: 'bad', text: words.say('notice.refused', { since }), detail: words.told(leader.error ?? poll.error) });
  } else if (poll?.status === 'invalid_signal') {
    notices.push({ id: 'signal', tone: 'bad', text: words.say('notice.invalid'), steps, detail: words.told(poll.error) });
  } else if (poll && (poll.status === 'leader_unreachable' || !leader.connected) && poll.status !== 'paused') {
    notices.push({ id: 'leader', tone: 'bad', text: words.say('notice.unreachable', { since }), steps, detail: words.told(leader.error ?? poll.error) });
  } else if (poll?.status === 'error') {
    notices.push({ id: 'signal', tone: 'bad', text: words.say('notice.poll_error'), detail: tellReasons(poll.error, lastSignal(parts)?.decisions, context) });
  }
  const count = waiting ?? (poll?.status === 'waiting' ? 1 : 0);
  // Celui dont une personne décide a sa phrase.
  if (count && !status.old_target) notices.push(waitingNotice(count, parts, context));
  return notices;
}

/** Pourquoi ce que le leader dit maintenant ne vaut pas, tant qu'il ne dit rien d'autre ; null si rien ne l'empêche. @param {Parts} parts */
export function unfollowed(parts) {
  const [poll, signal] = [parts.status.data?.last_poll, lastSignal(parts)];
  if (poll?.status === 'rejected' || signal?.status === 'rejected') return 'rejected';
  if (signal?.status !== 'skipped' || signal.reached_at) return null;
  return signal.decisions?.find(({ code }) => code === 'expired' || code === 'too_old')?.code ?? null;
}

/** Celui dont parle la dernière lecture, si la page le connaît. @param {Pick<Parts, 'status' | 'signals' | 'heard'>} parts */
export const lastSignal = ({ status, signals, heard }) =>
  [...(signals?.data ?? []), ...(heard ? [heard] : [])].find(({ signal_id: id }) => id === status.data?.last_poll?.signal_id);

/** Ce qu'un signal attend : une inconnue, sinon ce que le programme en dit. @param {number} count @param {Parts} parts @param {Context} context @returns {Notice} */
function waitingNotice(count, parts, context) {
  const { status, budget, exchange, orders } = parts;
  const { words } = context;
  const notice = { id: 'waiting', tone: /** @type {const} */ ('warn') };
  const unknown = [...(status.data?.unknown ?? []), ...(budget.data?.unknown ?? [])];
  if (exchange.data?.mode !== 'live' || unknown.length > 0) return { ...notice, text: words.many('waiting', count) };
  const poll = status.data?.last_poll;
  const reason = poll?.status === 'waiting' ? poll.error : null;
  // L'échange fermé, le grand livre et les ordres en doute ont déjà leur phrase.
  const told = (reason && [exchange.data.closed_reason, ledgerTrouble(parts)].includes(reason)) || orders.data?.some((order) => order.needs_person || order.state === 'unknown');
  if (told) return { ...notice, text: words.many('held', count), calm: true };
  return { ...notice, text: words.many('held', count), detail: tellWaiting(lastSignal(parts) ?? { waiting_for: reason }, context) };
}

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
function unknownNotices(parts, { words, format, now }) {
  const missing = new Map();
  for (const entry of [...(parts.budget.data?.unknown ?? []), ...(parts.status.data?.unknown ?? [])]) {
    missing.set(entry.what, entry);
  }
  // Une panne en rend souvent plusieurs inconnus d'un coup : elle se dit une fois.
  /** @type {Map<string, import('./api.js').Unknown[]>} */
  const groups = new Map();
  for (const entry of missing.values()) {
    const minute = entry.since === null ? null : Math.floor(entry.since / 60);
    const key = `${minute} ${entry.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()].map((group) => {
    const [{ reason, since }] = group;
    const start = fromSeconds(since);
    const when = start === null
      ? words.say('unknown.never')
      : words.say('unknown.since', { time: format.moment(start, now), ago: format.ago(start, now) });
    const whats = group.map(({ what }) => what);
    const name = namesText(whats, words);
    const doubted = start === null && /not believed/.test(reason);
    const text = doubted ? words.say('unknown.doubted', { name }) : words.say('unknown.text', { name, when });
    return { id: `unknown ${whats.join(', ')}`, tone: 'warn', text, calm: doubted, detail: words.told(reason) };
  });
}
