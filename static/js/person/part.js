// La part d'un montant, tapée dans la question même ; le tout y est écrit d'avance, et un oui suffit alors.

import { el, setText, setTextOrHide } from '../dom.js';
import { readEuros } from './euros.js';

/** @typedef {import('../section.js').Context} Context */

// Un montant se dit au centime : à moins d'un demi, c'est le tout.
const HALF = 0.005;

/**
 * La part tapée ; null : le tout.
 * @param {string} text @param {number} most
 * @returns {{ok: true, part: number | null} | {ok: false, why: import('../words.js').Key}}
 */
export function readPart(text, most) {
  const read = readEuros(text);
  if (!read.ok) return read;
  if (read.value === 0) return { ok: false, why: 'number.zero' };
  if (read.value > most + HALF) return { ok: false, why: 'part.more' };
  return { ok: true, part: read.value > most - HALF ? null : read.value };
}

/**
 * La commande, dont la question demande la part.
 * @param {import('./deeds.js').Deed} deed @param {number} most @param {Context} context @returns {import('../command.js').Command}
 */
export function askPart({ id, command }, most, { words, format }) {
  const problem = el('p', { class: 'outcome bad', role: 'alert', id: `${id}-problem`, hidden: '' });
  const label = el('label', { for: `${id}-part` });
  const input = el('input', { id: `${id}-part`, inputmode: 'decimal', autocomplete: 'off', maxlength: '20', 'aria-describedby': problem.id });
  setText(label, words.say('part.label'));
  input.value = most.toFixed(2);
  input.addEventListener('input', () => {
    input.removeAttribute('aria-invalid');
    setTextOrHide(problem, null);
  });
  const fields = el('div', { class: 'fields' }, el('div', {}, label, input), problem);
  /** @type {{usdc?: number}} */
  const body = { ...command.body };
  function check() {
    const read = readPart(input.value, most);
    if (read.ok) {
      if (read.part === null) delete body.usdc;
      else body.usdc = read.part;
      return true;
    }
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    setTextOrHide(problem, words.say(read.why, { most: format.usdc(most) }));
    return false;
  }
  return { ...command, question: { ...command.question, fields, check }, body };
}
