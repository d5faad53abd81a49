// Tout ce qu'une personne décide, en une table des matières ; lu seulement quand il en faut un (../person.js).

import { run, tell } from '../command.js';
import { find } from '../dom.js';
import { createBooking } from './booking.js';
import { deedsOf } from './deeds.js';
import { createDifferences } from './differences-ui.js';
import { createMoney } from './money.js';
import { decisionsOf } from './notices.js';
import { forgetOld, tellDone } from './outcomes.js';
import { askPart } from './part.js';
import { createReach } from './reach.js';
import { createSellAll } from './sell-all.js';
import { createStopLoss } from './stop-loss.js';
import { askUnderstood } from './understood.js';
import { createWithdraw } from './withdraw.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Parts} Parts */
/** @typedef {import('./deeds.js').Deed} Deed */

/** @param {Document} page @param {import('../command.js').Desk} bare */
export function createAll(page, bare) {
  const desk = { ...bare, understood: askUnderstood };
  const noticed = find(page, '#deed-outcome');
  /** @type {Context} */
  let context;
  const contextNow = () => context;
  const booking = createBooking(desk);
  const differences = createDifferences(page, perform);
  const money = createMoney(find(page, '#money'), desk);
  const reach = createReach(find(page, '#allocation'));
  const parts = {
    withdraw: createWithdraw(find(page, '#withdraw'), desk, perform),
    'sell-all': createSellAll(find(page, '#sell-all'), desk),
    'stop-loss': createStopLoss(find(page, '#stop-loss'), desk),
  };

  /** @param {Deed} deed */
  async function commandOf(deed) {
    if (deed.book) return booking.ask(deed, contextNow);
    return deed.most === undefined ? deed.command : askPart(deed, deed.most, context);
  }

  /** @param {Deed} deed @param {HTMLButtonElement} button @param {HTMLElement} [output] */
  async function perform(deed, button, output = noticed) {
    tell(output, null, 'quiet');
    const command = await commandOf(deed);
    if (!command) return;
    const done = await run(desk, command, { buttons: [button], output }, contextNow);
    if (!done) return;
    if (deed.book) booking.forget(deed.book.id);
    tellDone(output, deed.told(done), context);
  }

  return {
    deedsOf,
    decisionsOf,
    perform,
    /** @param {keyof typeof parts} name */
    show: (name) => parts[name].show(),
    /** @param {keyof typeof parts} name */
    shows: (name) => parts[name].shows(),
    /** @param {Parts} known @param {Context} next */
    update(known, next) {
      context = next;
      forgetOld(known, context);
      differences.update(known, context);
      money.update(known.budget.data, context);
      reach.update(known, context);
      parts.withdraw.update(known, context);
      parts['sell-all'].update(known.status.data, context);
      parts['stop-loss'].update(known.status.data, context);
    },
  };
}
