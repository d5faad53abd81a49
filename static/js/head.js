// Le haut de la page : mode, état de l'agent, leader, la phrase d'état et ce qui demande quelqu'un.

import { el, find, setAttribute, setText, setTextOrHide, syncList } from './dom.js';
import { UNKNOWN, fromSeconds, parseUtc } from './format.js';
import { setChip } from './section.js';
import { describe } from './situation.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./section.js').Tone} Tone */
/** @typedef {import('./situation.js').Notice} Notice */
/** @typedef {import('./api.js').Order} Order */

/** @type {Record<string, import('./words.js').Key>} */
const POLLS = {
  executed: 'poll.executed',
  skipped: 'poll.skipped',
  rejected: 'poll.rejected',
  error: 'poll.error',
  already_processed: 'poll.already_processed',
  waiting: 'poll.waiting',
  paused: 'poll.paused',
  no_signal: 'poll.no_signal',
  invalid_signal: 'poll.invalid_signal',
  leader_unreachable: 'poll.leader_unreachable',
  leader_refused: 'poll.leader_refused',
};

/** @param {Document} page @param {(order: Order, button: HTMLButtonElement) => void} release demande à libérer un ordre */
export function createHead(page, release) {
  const mode = find(page, '#mode');
  const state = find(page, '#state');
  const headline = find(page, '#headline');
  const contact = find(page, '#contact');
  const notices = find(page, '#notices');
  const agent = find(page, '#agent');
  const facts = find(page, '#facts');
  const poll = find(page, '#poll');
  const leader = find(page, '#leader');
  const tradingFact = find(page, '#trading-fact');
  const trading = find(page, '#trading');
  const signal = find(page, '#last-signal');
  const version = find(page, '#version');

  return {
    /** @param {import('./situation.js').Parts} parts @param {Context} context */
    update(parts, context) {
      const { words, format, now } = context;
      const status = parts.status.data;
      const found = describe(parts, context);
      setAttribute(state, 'data-tone', found.tone);
      setText(headline, found.headline);
      const items = found.notices.map((notice) => ({ notice, words, release }));
      syncList(notices, items, ({ notice }) => notice.id, createNotice);

      const live = status?.mode ?? parts.budget.data?.mode ?? null;
      const modeKey = live === null ? 'mode.unknown' : live === 'live' ? 'mode.live' : 'mode.dry_run';
      setText(mode, words.say(modeKey));
      setAttribute(mode, 'data-mode', live);

      const [agentKey, agentTone] = agentState(parts);
      setChip(agent, words.say(agentKey), agentTone);
      const open = parts.exchange.data?.trading_open ?? null;
      tradingFact.hidden = open === null;
      setChip(trading, words.say(open ? 'trading.open' : 'trading.closed'), open ? 'good' : 'bad');
      facts.classList.toggle('stale', status !== null && parts.status.stale);
      const asked = status?.last_poll ? status : null;
      const contactTime = fromSeconds(asked?.leader.last_contact);
      const contactText = contactTime === null
        ? words.say('leader.never')
        : words.say('leader.contact', { ago: format.ago(contactTime, now) });
      // Hors de la région annoncée : un âge qui change ne doit pas être relu toutes les cinq secondes.
      setTextOrHide(contact, asked ? contactText : null);
      const [leaderKey, leaderTone] = leaderState(status);
      setChip(leader, words.say(leaderKey), leaderTone);
      const signalTime = parseUtc(status?.leader.last_signal_at);
      const signalText = signalTime === null
        ? words.say('leader.no_signal')
        : `${format.moment(signalTime, now)} (${format.ago(signalTime, now)})`;
      setText(signal, status ? signalText : UNKNOWN);
      const key = POLLS[status?.last_poll?.status ?? ''];
      const pollTime = format.ago(fromSeconds(status?.last_poll_time), now);
      setText(poll, key ? `${words.say(key)} (${pollTime})` : (status?.last_poll?.status ?? UNKNOWN));
      setText(version, status?.version ?? parts.health.data?.version ?? UNKNOWN);
    },
  };
}

/** @param {import('./situation.js').Parts} parts @returns {[import('./words.js').Key, Tone]} */
function agentState({ budget, status }) {
  if (!budget.data && !status.data) return ['mode.unknown', 'quiet'];
  if (status.data?.state === 'DEAD' || budget.data?.status === 'DEAD') return ['agent.dead', 'bad'];
  if (status.data?.paused ?? budget.data?.paused) return ['agent.paused', 'warn'];
  return status.data && !status.data.running ? ['agent.stopped', 'bad'] : ['agent.active', 'good'];
}

/** @param {import('./api.js').Status | null} status @returns {[import('./words.js').Key, Tone]} */
function leaderState(status) {
  if (!status) return ['mode.unknown', 'quiet'];
  if (status.leader.connected) return ['leader.connected', 'good'];
  return status.last_poll ? ['leader.disconnected', 'bad'] : ['leader.not_asked', 'quiet'];
}

/** @typedef {{notice: Notice, words: Context['words'], release: (order: Order, button: HTMLButtonElement) => void}} NoticeItem */

/** @param {NoticeItem} first @returns {import('./dom.js').Row<NoticeItem>} */
function createNotice(first) {
  let order = first.notice.order;
  const text = el('p');
  const steps = el('ul', { class: 'steps' });
  const detail = el('p', { class: 'detail', dir: 'auto' });
  const link = el('a');
  const button = el('button', { type: 'button' });
  const deeds = el('div', { class: 'line' }, button, link);
  button.addEventListener('click', () => order && first.release(order, button));
  const node = el('li', {}, text, steps, deeds, detail);
  return {
    node,
    update({ notice, words }) {
      order = notice.order;
      setAttribute(node, 'class', notice.tone);
      setText(text, notice.text);
      const lines = notice.steps ?? [];
      steps.hidden = lines.length === 0;
      syncList(steps, lines, (line) => line, createStep);
      setTextOrHide(detail, notice.detail);
      deeds.hidden = !order;
      if (!order) return;
      setText(button, words.say(order.late ? 'release.late_button' : 'release.button'));
      setText(link, words.say('order.number', { id: order.id }));
      setAttribute(link, 'href', `#order-${order.id}`);
    },
  };
}

/** @returns {import('./dom.js').Row<string>} */
function createStep() {
  const node = el('li');
  return { node, update: (text) => setText(node, text) };
}
