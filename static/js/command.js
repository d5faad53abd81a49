// Un ordre donné au programme : confirmé, envoyé une seule fois, et son résultat dit en mots à côté du bouton.
// Invariant : sans réponse, le résultat est inconnu ; il est dit inconnu et rien n'est renvoyé.

import { write } from './api.js';
import { setAttribute, setTextOrHide } from './dom.js';
import { failureText } from './section.js';

/** @typedef {import('./section.js').Context} Context */
/**
 * @typedef {{confirm: (question: import('./confirm.js').Question) => Promise<boolean>, refresh: () => void}} Desk
 * @typedef {{question: import('./confirm.js').Question, method: 'POST' | 'PUT', path: string, body: object}} Command
 * @typedef {{buttons: HTMLButtonElement[], output: HTMLElement}} Place
 */

/** @param {HTMLElement} output @param {string | null} text @param {import('./section.js').Tone} tone */
export function tell(output, text, tone) {
  setAttribute(output, 'class', `outcome ${tone}`);
  setTextOrHide(output, text);
}

/**
 * @param {Desk} desk @param {Command} command @param {Place} place @param {() => Context} contextNow
 * @returns {Promise<any | null>} la réponse du programme, ou null si rien n'a été confirmé fait
 */
export async function run(desk, command, { buttons, output }, contextNow) {
  tell(output, null, 'quiet');
  if (!(await desk.confirm(command.question))) return null;
  for (const button of buttons) button.disabled = true;
  tell(output, contextNow().words.say('command.sending'), 'quiet');
  const answer = await write(command.method, command.path, command.body);
  for (const button of buttons) button.disabled = false;
  desk.refresh();
  if (answer.ok) return answer.data;
  const context = contextNow();
  // Une erreur que le programme explique vient de lui ; une autre peut venir d'un relais, après coup.
  const explained = answer.failure.kind === 'refused' && answer.failure.message !== null;
  const key = explained ? 'command.refused' : 'command.unknown';
  tell(output, context.words.say(key, { reason: failureText(answer.failure, context) }), 'bad');
  return null;
}
