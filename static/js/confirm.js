// La question posée avant tout ce qui compte : ce qui va se passer, puis oui ou non. Échap et « Annuler » disent non.
// Invariant : une seule à la fois, et un oui n'est que pour elle ; celle qui arrive pendant une autre n'est pas posée.

import { el, find, setAttribute, setText } from './dom.js';

/**
 * `detail` : ce que le programme en dit, tel quel ; `fields` : ce qu'il y a à remplir, que `check` accepte ou non.
 * @typedef {{title: string, lines: string[], yes: string, no: string, danger?: boolean, detail?: string | null,
 *   fields?: HTMLElement, check?: () => boolean}} Question
 */

/** @param {HTMLElement} dialog @returns {(question: Question) => Promise<boolean>} */
export function createConfirm(dialog) {
  if (!(dialog instanceof HTMLDialogElement)) throw new Error('not a dialog');
  const title = find(dialog, '#confirm-title');
  const lines = find(dialog, '#confirm-lines');
  const yes = find(dialog, '#confirm-yes');
  const no = find(dialog, '#confirm-no');
  /** @type {Question['check']} */
  let check;

  // Entrée, dans un champ, dit oui : seul « oui » envoie le formulaire.
  no.addEventListener('click', () => dialog.close('no'));
  find(dialog, 'form').addEventListener('submit', (event) => {
    if (check && !check()) event.preventDefault();
  });

  return (question) => {
    if (dialog.open) return Promise.resolve(false);
    const { detail, fields } = question;
    check = question.check;
    setText(title, question.title);
    lines.replaceChildren(
      ...question.lines.map((line) => el('p', {}, line)),
      ...(detail ? [el('p', { class: 'detail', lang: 'en' }, detail)] : []),
      ...(fields ? [fields] : []),
    );
    setText(yes, question.yes);
    setText(no, question.no);
    setAttribute(yes, 'class', question.danger ? 'danger' : 'primary');
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    });
  };
}
