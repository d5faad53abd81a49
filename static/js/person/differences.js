// Ce que le compte tient de plus ou de moins que les livres, et ce qu'une personne peut en dire. Pur.
// Invariant : ce qu'un de ses ordres ouverts retient n'est pas parti ; rien n'est offert pour lui.

import { isKnown } from '../format.js';
import { isSurplus } from '../person.js';

/** @typedef {import('../api.js').Balance} Balance */
/** @typedef {import('../api.js').Exchange} Exchange */
/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('./deeds.js').Deed} Deed */
/** @typedef {{id: string, asset: string, text: string, tone: import('../section.js').Tone, note: string | null, deed: Deed | null}} Difference */

const PATH = 'api/exchange/differences';

/** @param {Exchange | null} exchange @param {Context} context @returns {Difference[]} ce qui manque d'abord */
export function differencesOf(exchange, context) {
  // Un programme qui ne dit pas ce qui est libre ne sait pas non plus en décider.
  const lines = (exchange?.reconciliation ?? []).filter(({ free }) => isKnown(free));
  return [
    ...lines.filter((line) => goneOf(line) > 0).map((line) => less(line, context)),
    ...lines.filter(({ missing_locked: locked }) => isKnown(locked) && locked > 0).map((line) => locked(line, context)),
    ...lines.filter(isSurplus).map((line) => more(line, context)),
  ];
}

/** Ce qui est parti. @param {Balance} line */
const goneOf = ({ difference }) => Math.max(0, -(difference ?? 0));

/** @param {Balance} line @param {Context} context @returns {Difference} */
function less(line, { words, format }) {
  const { asset } = line;
  const amount = { quantity: format.quantity(goneOf(line)), asset };
  const question = {
    title: words.say('write_off.ask', amount),
    lines: [words.say('difference.less', amount), words.say('write_off.what'), words.say('write_off.again')],
    yes: words.say('write_off.yes'),
    no: words.say('confirm.no'),
    danger: true,
  };
  const command = { question, method: /** @type {const} */ ('POST'), path: `${PATH}/${asset}/write-off`, body: { looked: true } };
  const deed = { id: `write-off ${asset}`, label: words.say('write_off.button'), command, told: () => words.say('deed.done') };
  return { id: `less ${asset}`, asset, tone: 'bad', text: words.say('difference.less', amount), note: null, deed };
}

/** @param {Balance} line @param {Context} context @returns {Difference} */
function locked({ asset, missing_locked: held }, { words, format }) {
  const text = words.say('difference.locked', { quantity: format.quantity(held), asset });
  return { id: `locked ${asset}`, asset, tone: 'warn', text, note: null, deed: null };
}

/** @param {Balance} line @param {Context} context @returns {Difference} */
function more({ asset, beyond }, { words, format }) {
  const amount = { quantity: format.quantity(beyond), asset };
  const cash = asset === 'USDC';
  const question = {
    title: words.say('count.ask', amount),
    lines: [words.say(cash ? 'count.cash' : 'count.coin')],
    yes: words.say('count.yes'),
    no: words.say('confirm.no'),
  };
  const command = { question, method: /** @type {const} */ ('POST'), path: `${PATH}/${asset}/count`, body: { looked: true } };
  const label = words.say(cash ? 'count.deposit' : 'count.button');
  const deed = { id: `count ${asset}`, label, command, told: () => words.say('deed.done') };
  return { id: `more ${asset}`, asset, tone: 'quiet', text: words.say('difference.more', amount), note: words.say('difference.elsewhere'), deed };
}
