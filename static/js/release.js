// Libérer un ordre que quelqu'un a regardé à la bourse : ce qui va se passer, puis ce qui s'est passé.

import { run, tell } from './command.js';
import { find } from './dom.js';
import { wantedText } from './order.js';

/** @typedef {import('./api.js').Order} Order */
/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./words.js').Key} Key */

/** @type {Record<string, Key>} */
const OUTCOMES = { filled: 'release.filled', refused: 'release.refused', absent: 'release.absent' };

/** @param {Document} page @param {import('./command.js').Desk} desk */
export function createRelease(page, desk) {
  const output = find(page, '#release-outcome');
  /** @type {Context} */
  let context;

  /** @param {Order} order */
  function question(order) {
    const { words } = context;
    const wanted = wantedText(order, context);
    return order.late
      ? {
          title: words.say('release.late_ask'),
          lines: [wanted, words.say('release.late_what')],
          yes: words.say('release.late_yes'),
          no: words.say('confirm.no'),
        }
      : {
          title: words.say('release.ask'),
          lines: [wanted, words.say('release.found'), words.say('release.not_found'), words.say('release.no_doubt')],
          yes: words.say('release.yes'),
          no: words.say('confirm.no'),
          danger: true,
        };
  }

  return {
    /** @param {Context} next */
    update(next) {
      context = next;
    },

    /** @param {Order} order @param {HTMLButtonElement} button */
    async ask(order, button) {
      const path = `api/orders/${order.id}/release`;
      const command = { question: question(order), method: /** @type {const} */ ('POST'), path, body: { looked: true } };
      const done = await run(desk, command, { buttons: [button], output }, () => context);
      if (!done) return;
      const key = order.late ? 'release.late_done' : OUTCOMES[done.state];
      tell(output, key ? context.words.say(key) : done.outcome, 'good');
    },
  };
}
