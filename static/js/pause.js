// Mettre en pause et reprendre. Le mot exact est toujours envoyé : un double clic ne peut pas retourner l'état.

import { run, tell } from './command.js';
import { find, setText } from './dom.js';
import { isKnown } from './format.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./api.js').Status} Status */

/** @param {Document} page @param {import('./command.js').Desk} desk */
export function createPause(page, desk) {
  const button = find(page, '#pause');
  const output = find(page, '#pause-outcome');
  if (!(button instanceof HTMLButtonElement)) throw new Error('not a button');
  /** @type {Context} */
  let context;
  /** @type {Status | null} */
  let status = null;

  button.addEventListener('click', async () => {
    if (!status) return;
    const { words } = context;
    const paused = !status.paused;
    const minutes = isKnown(status.poll_interval_seconds) ? Math.ceil(status.poll_interval_seconds / 60) : null;
    const resumeLines = [words.say('resume.what', { minutes: minutes ?? '?' })];
    if (status.mode === 'live') resumeLines.push(words.say('resume.live'));
    const question = {
      title: words.say(paused ? 'pause.ask' : 'resume.ask'),
      lines: paused ? [words.say('pause.what')] : resumeLines,
      yes: words.say(paused ? 'pause.button' : 'resume.button'),
      no: words.say('confirm.no'),
      danger: !paused && status.mode === 'live',
    };
    const command = { question, method: /** @type {const} */ ('POST'), path: 'api/agent/toggle', body: { paused } };
    const done = await run(desk, command, { buttons: [button], output }, () => context);
    // La phrase d'état et le bouton disent le reste.
    if (done) tell(output, null, 'quiet');
  });

  return {
    /** @param {Status | null} next @param {Context} nextContext */
    update(next, nextContext) {
      status = next;
      context = nextContext;
      button.hidden = !status || status.state === 'DEAD';
      setText(button, context.words.say(status?.paused ? 'resume.button' : 'pause.button'));
    },
  };
}
