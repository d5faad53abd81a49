// Les écarts entre le compte et les livres, sur la page : une ligne par actif, son geste à côté.

import { coinMark } from '../coin.js';
import { el, setAttribute, setText, setTextOrHide, syncList } from '../dom.js';
import { differencesOf } from './differences.js';
import { restOf } from './reach.js';

/** @typedef {import('./differences.js').Difference} Difference */
/** @typedef {import('./deeds.js').Deed} Deed */
/** @typedef {{difference: Difference, perform: (deed: Deed, button: HTMLButtonElement) => void}} Item */

/** @param {Document} page @param {(deed: Deed, button: HTMLButtonElement, output: HTMLElement) => void} perform */
export function createDifferences(page, perform) {
  const title = el('h2', { id: 'differences-title' });
  const intro = el('p', { class: 'sub' });
  const list = el('ul', { class: 'deeds' });
  const output = el('p', { class: 'outcome', role: 'status', hidden: '' });
  const section = el('section', { id: 'differences', 'aria-labelledby': title.id }, title, intro, output, list);
  page.querySelector('#orders')?.before(section);

  return {
    /** @param {import('../situation.js').Parts} parts @param {import('../section.js').Context} context */
    update(parts, context) {
      const differences = differencesOf(parts.exchange.data, restOf(parts), context);
      setText(title, context.words.say('differences.title'));
      setText(intro, context.words.say('differences.intro'));
      // Ce qui vient d'être dit d'un écart reste à lire.
      section.hidden = differences.length === 0 && output.hidden;
      intro.hidden = differences.length === 0;
      /** @type {Item['perform']} */
      const here = (deed, button) => perform(deed, button, output);
      syncList(list, differences.map((difference) => ({ difference, perform: here })), ({ difference }) => difference.id, createLine);
    },
  };
}

/** @param {Item} first @returns {import('../dom.js').Row<Item>} */
function createLine(first) {
  let item = first;
  const text = el('p');
  const note = el('p', { class: 'sub' });
  const button = el('button', { type: 'button' });
  button.addEventListener('click', () => item.difference.deed && item.perform(item.difference.deed, button));
  const node = el('li', {}, coinMark(first.difference.asset), el('div', {}, text, note), button);
  return {
    node,
    update(next) {
      item = next;
      const { difference } = item;
      setText(text, difference.text);
      setAttribute(text, 'class', difference.tone === 'quiet' ? null : difference.tone);
      setTextOrHide(note, difference.note);
      setTextOrHide(button, difference.deed?.label);
    },
  };
}
