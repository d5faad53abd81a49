// Un ordre donné au programme : confirmé, envoyé une seule fois, et son résultat dit en mots à côté du bouton.
// Invariant : sans réponse, le résultat est inconnu ; il est dit inconnu et rien n'est renvoyé. Redemandé peu après par une
// personne, il l'est sous le même nom, et le programme ne le fait pas deux fois.

import { write } from './api.js';
import { setAttribute, setTextOrHide } from './dom.js';
import { failureText } from './section.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./confirm.js').Question} Question */
/**
 * `understood` : fait lire ce que le programme ne fait qu'à qui l'a lu (person/understood.js).
 * @typedef {{confirm: (question: Question) => Promise<boolean>, refresh: () => void,
 *   understood?: typeof import('./person/understood.js').askUnderstood}} Desk
 * @typedef {{question: Question, method: 'POST' | 'PUT', path: string, body: object}} Command
 * @typedef {{buttons: HTMLButtonElement[], output: HTMLElement}} Place
 */

// Au-delà, la même demande en est une autre : un second dépôt du même montant, par exemple.
const SAME_MS = 300_000;

/** Le nom des demandes restées sans réponse. @type {Map<string, string>} */
const unanswered = new Map();

/** Où se lit encore ce qu'un geste a donné. @type {Set<HTMLElement>} */
const told = new Set();

/** @param {HTMLElement} output @param {string | null} text @param {import('./section.js').Tone} tone */
export function tell(output, text, tone) {
  setAttribute(output, 'class', `outcome ${tone}`);
  setTextOrHide(output, text);
  if (text) told.add(output);
  else told.delete(output);
}

/** Une erreur que le programme explique vient de lui ; une autre peut venir d'un relais, après coup. @param {import('./api.js').Failure} failure */
const isExplained = ({ kind, message }) => kind === 'refused' && message !== null;

/** @param {Command} command @returns {Promise<import('./api.js').Answer<any>>} */
async function send({ method, path, body }) {
  const request = `${method} ${path} ${JSON.stringify(body)}`;
  const key = unanswered.get(request) ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
  const answer = await write(method, path, body, key);
  if (answer.ok || isExplained(answer.failure)) {
    unanswered.delete(request);
  } else if (!unanswered.has(request)) {
    unanswered.set(request, key);
    setTimeout(() => unanswered.delete(request), SAME_MS);
  }
  return answer;
}

/** Ce que le programme refuse, sans redire que rien n'a changé. @param {string} message */
export const bare = (message) => message.replace(/^nothing was changed[,:] |[:;,] nothing was changed(?=[,:;]|$)|, so nothing was booked(?=:)/g, '');

/**
 * Dit pourquoi ce n'est pas fait, ou qu'on n'en sait rien.
 * @param {HTMLElement} output @param {import('./api.js').Failure} failure @param {() => Context} contextNow
 * @param {import('./words.js').Key} unexplained ce qu'on dit de ce que le programme n'explique pas
 */
export async function tellFailure(output, failure, contextNow, unexplained = 'command.unknown') {
  const explained = isExplained(failure);
  if (explained) await contextNow().words.learn();
  const context = contextNow();
  const reason = failureText({ ...failure, message: failure.message && bare(failure.message) }, context);
  tell(output, context.words.say(explained ? 'command.refused' : unexplained, { reason }), 'bad');
}

/**
 * @param {Desk} desk @param {Command} command @param {Place} place @param {() => Context} contextNow
 * @returns {Promise<any | null>} la réponse du programme, ou null si rien n'a été confirmé fait
 */
export async function run(desk, command, { buttons, output }, contextNow) {
  tell(output, null, 'quiet');
  if (!(await desk.confirm(command.question))) return null;

  /** @param {object} body */
  async function attempt(body) {
    for (const button of buttons) button.disabled = true;
    // Ce qu'un geste d'avant a donné n'est peut-être plus vrai.
    for (const other of told) tell(other, null, 'quiet');
    tell(output, contextNow().words.say('command.sending'), 'quiet');
    const answer = await send({ ...command, body });
    for (const button of buttons) button.disabled = false;
    desk.refresh();
    return answer;
  }

  let answer = await attempt(command.body);
  const read = await desk.understood?.(desk, answer, contextNow);
  if (typeof read === 'string') {
    tell(output, read, 'quiet');
    return null;
  }
  if (read) answer = await attempt({ ...command.body, understood: true });
  if (answer.ok) return answer.data;
  await tellFailure(output, answer.failure, contextNow);
  return null;
}
