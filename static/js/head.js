// Le haut de la page : le mode, la phrase d'état, le direct, et ce qui demande quelqu'un.

import { el, find, setAttribute, setText, setTextOrHide, syncList } from './dom.js';
import { UNKNOWN, fromSeconds } from './format.js';
import { describe } from './situation.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./situation.js').Notice} Notice */
/** @typedef {import('./situation.js').Parts} Parts */
/** @typedef {import('./person/deeds.js').Deed} Deed */
/** @typedef {Pick<import('./person.js').All, 'deedsOf' | 'perform'> | null} Person de quoi décider, une fois lu */
/** @typedef {'events' | 'polling' | 'lost'} Live comment la page est tenue à jour */

/** @type {Record<Live, import('./words.js').Key>} */
const LIVE = { events: 'live.events', polling: 'live.polling', lost: 'live.lost' };

/** @param {Document} page */
export function createHead(page) {
  const mode = find(page, '#mode');
  const state = find(page, '#state');
  const headline = find(page, '#headline');
  const contact = find(page, '#contact');
  const live = find(page, '#live');
  const notices = find(page, '#notices');
  const version = find(page, '#version');

  return {
    /**
     * @param {Parts} parts @param {Live} connection @param {Person} person @param {Notice[] | null} decisions @param {Context} context
     */
    update(parts, connection, person, decisions, context) {
      const { words, format, now } = context;
      const status = parts.status.data;
      const found = describe(parts, context, decisions);
      setAttribute(state, 'data-tone', found.tone);
      setText(headline, found.headline);
      const items = found.notices.map((notice) => ({ notice, words, deeds: person?.deedsOf(notice, context) ?? [], person }));
      syncList(notices, items, ({ notice }) => notice.id, createNotice);

      const money = status?.mode ?? parts.budget.data?.mode ?? null;
      const modeKey = money === null ? 'mode.unknown' : money === 'live' ? 'mode.live' : 'mode.dry_run';
      setText(mode, words.say(modeKey));
      setAttribute(mode, 'data-mode', money);

      const asked = status?.last_poll ? fromSeconds(status.leader.last_contact) : undefined;
      const reached = asked === null
        ? words.say('leader.never')
        : words.say('leader.contact', { ago: format.ago(asked, now) });
      // Hors de la région annoncée : un âge qui change ne doit pas être relu toutes les cinq secondes.
      setTextOrHide(contact, asked === undefined ? null : reached);
      setText(live, words.say(LIVE[connection]));
      setAttribute(live, 'data-live', connection);
      setText(version, status?.version ?? parts.health.data?.version ?? UNKNOWN);
    },
  };
}

/** @typedef {{notice: Notice, words: Context['words'], deeds: Deed[], person: Person}} NoticeItem */

/** @returns {import('./dom.js').Row<NoticeItem>} */
function createNotice() {
  const text = el('p');
  const steps = el('ul', { class: 'steps' });
  const detail = el('p', { class: 'detail', dir: 'auto' });
  const link = el('a');
  const buttons = el('div', { class: 'line' });
  const deeds = el('div', { class: 'line' }, buttons, link);
  const node = el('li', {}, text, steps, deeds, detail);
  return {
    node,
    update({ notice, words, deeds: offered, person }) {
      const { order } = notice;
      setAttribute(node, 'class', notice.tone);
      setText(text, notice.text);
      const lines = notice.steps ?? [];
      steps.hidden = lines.length === 0;
      syncList(steps, lines, (line) => line, createStep);
      setTextOrHide(detail, notice.detail);
      deeds.hidden = !order && offered.length === 0;
      syncList(buttons, offered.map((deed) => ({ deed, person })), ({ deed }) => deed.id, createDeed);
      setTextOrHide(link, order && words.say('order.number', { id: order.id }));
      setAttribute(link, 'href', order ? `#order-${order.id}` : null);
    },
  };
}

/** @typedef {{deed: Deed, person: Person}} DeedItem */

/** @param {DeedItem} first @returns {import('./dom.js').Row<DeedItem>} */
function createDeed(first) {
  let item = first;
  const node = el('button', { type: 'button' });
  node.addEventListener('click', () => item.person?.perform(item.deed, node));
  return {
    node,
    update(next) {
      item = next;
      setText(node, item.deed.label);
    },
  };
}

/** @returns {import('./dom.js').Row<string>} */
function createStep() {
  const node = el('li');
  return { node, update: (text) => setText(node, text) };
}
