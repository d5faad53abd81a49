// Inscrire un ordre à la main : ses champs dans la question, puis ce qui a été lu, relu avant d'être envoyé.
// Ce qui est tapé reste, tant que ce n'est pas inscrit.

import { el, setText, setTextOrHide } from '../dom.js';
import { coinName } from '../format.js';
import { FIELDS, mostOf, readByHand, tellByHand } from './by-hand.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('./by-hand.js').Field} Field */

/** @typedef {ReturnType<typeof createFields>} Fields */

/** Les champs d'un ordre. @param {import('../api.js').Order} order */
function createFields(order) {
  const { id, coin, action } = order;
  const problem = el('p', { class: 'outcome bad', role: 'alert', id: `book-${id}-problem`, hidden: '' });
  const rows = FIELDS.map((field) => {
    const name = `book-${id}-${field}`;
    const label = el('label', { for: name });
    const input = el('input', { id: name, autocomplete: 'off', maxlength: '24', 'aria-describedby': problem.id });
    if (field !== 'fee_asset') input.inputMode = 'decimal';
    input.addEventListener('input', () => {
      input.removeAttribute('aria-invalid');
      setTextOrHide(problem, null);
    });
    return { field, label, input };
  });
  // Ce que la bourse prend d'ordinaire.
  rows[3].input.value = action === 'BUY' ? coinName(coin) : 'USDC';
  const node = el('div', { class: 'fields' }, ...rows.map(({ label, input }) => el('div', {}, label, input)), problem);
  const typed = () => /** @type {Record<Field, string>} */ (Object.fromEntries(rows.map(({ field, input }) => [field, input.value])));

  return {
    node,
    read: () => readByHand(typed(), order),
    /** @param {Context} context */
    speak({ words }) {
      const keys = /** @type {const} */ (['book.quantity', 'book.usdc', 'book.fee', 'book.fee_asset']);
      rows.forEach(({ label }, i) => setText(label, words.say(keys[i], { coin: coinName(coin) })));
    },
    /** @param {Context} context vrai si tout se lit */
    check({ words, format }) {
      const found = readByHand(typed(), order);
      if (found.ok) return true;
      const row = rows.find(({ field }) => field === found.field);
      row?.input.setAttribute('aria-invalid', 'true');
      row?.input.focus();
      setTextOrHide(problem, words.say(found.why, { most: format.quantity(mostOf(order, found.field)) }));
      return false;
    },
  };
}

/** @param {import('../command.js').Desk} desk */
export function createBooking(desk) {
  /** @type {Map<number, Fields>} */
  const kept = new Map();

  return {
    /**
     * Demande les chiffres ; rend la commande à confirmer, ou null si l'on y renonce.
     * @param {import('./deeds.js').Deed} deed @param {() => Context} contextNow @returns {Promise<import('../command.js').Command | null>}
     */
    async ask({ book: order, command }, contextNow) {
      if (!order) return null;
      const fields = kept.get(order.id) ?? createFields(order);
      kept.set(order.id, fields);
      fields.speak(contextNow());
      const question = { ...command.question, fields: fields.node, check: () => fields.check(contextNow()) };
      if (!(await desk.confirm(question))) return null;
      const found = fields.read();
      if (!found.ok) return null;
      const { words } = contextNow();
      const lines = tellByHand(order, found.body, contextNow());
      const last = { title: words.say('book.ask'), lines, yes: words.say('book.yes'), no: words.say('confirm.no'), danger: true };
      return { ...command, question: last, body: found.body };
    },
    /** @param {number} id */
    forget: (id) => void kept.delete(id),
  };
}
