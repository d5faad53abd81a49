// Ce que le compte tient de plus ou de moins que les livres, et ce qu'une personne peut en dire. Pur.
// Invariant : ce qu'un de ses ordres ouverts retient n'est pas parti ; rien n'est offert pour lui.

import { coinName, isKnown } from '../format.js';
import { isSurplus } from '../person.js';
import { assetText, isUnsure, lackOf } from './account.js';

/** @typedef {import('../api.js').Balance} Balance */
/** @typedef {import('../api.js').Exchange} Exchange */
/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('./deeds.js').Deed} Deed */
/** @typedef {import('./reach.js').Rest} Rest */
/** @typedef {{id: string, asset: string, text: string, tone: import('../section.js').Tone, note: string | null, deed: Deed | null}} Difference */

/** Ce que devient ce qui vient d'être compté, une monnaie puis des USDC. @type {Record<string, import('../words.js').Key[]>} */
const COUNTED = { followed: ['count.coin_then', 'count.cash_then'], paused: ['count.paused', 'count.paused'] };

/** Ce qui suit, une fois ôté ce qui manque, d'une monnaie puis d'USDC : on n'en rachète pas. @type {Record<string, import('../words.js').Key[]>} */
const AGAIN = { followed: ['write_off.again', 'write_off.goes_on'], paused: ['write_off.again_paused', 'write_off.goes_on_paused'] };

const PATH = 'api/exchange/differences';

/** @param {Exchange | null} exchange @param {Rest} rest @param {Context} context @returns {Difference[]} ce qui manque d'abord */
export function differencesOf(exchange, rest, context) {
  // Un programme qui ne dit pas ce qui est libre ne sait pas non plus en décider.
  const lines = (exchange?.reconciliation ?? []).filter(({ free }) => isKnown(free));
  // Ce que la reprise de la version Python règle d'un coup n'est pas à régler un à un.
  const taken = new Set(exchange?.takeover?.map(({ coin }) => coinName(coin)));
  const gone = lines.filter((line) => lackOf(line) > 0 && !taken.has(line.asset));
  // Une monnaie vendue à la main manque, et ses USDC sont là.
  const sold = gone.some(({ asset }) => asset !== 'USDC');
  return [
    ...gone.map((line) => undecided(less(line, rest, context))),
    ...lines.filter(({ missing_locked: locked }) => isKnown(locked) && locked > 0).map((line) => locked(line, context)),
    ...lines.filter(isSurplus).map((line) => undecided(more(line, sold, rest, context))),
  ];

  /** Ce que des ordres d'ici expliquent peut-être attend qu'on en ait décidé. @param {Difference} difference @returns {Difference} */
  function undecided(difference) {
    const why = exchange?.not_alone?.orders.length ? 'difference.others' : exchange?.uncompared ? 'difference.uncompared' : null;
    return why ? { ...difference, note: context.words.say(why), deed: null } : difference;
  }
}

/** Une quantité, comme le programme l'attend : en décimal, sans exposant. @param {import('../api.js').N | undefined} value */
const exact = (value) => (value ?? 0).toFixed(8).replace(/\.?0+$/, '');

/** @param {{total_deposited_eur: number}} answer @param {Context} context */
const told = ({ total_deposited_eur: total }, { words, format }) => words.say('money.done', { total: format.eur(total) });

/** @param {Balance} line @param {Rest} rest @param {Context} context @returns {Difference} */
function less(line, rest, context) {
  const { words, format } = context;
  const { asset } = line;
  const amount = { amount: assetText(lackOf(line), asset, format) };
  const said = { id: `less ${asset}`, asset, tone: /** @type {const} */ ('bad'), text: words.say('difference.less', amount) };
  // Le programme ne le règle pas avant de savoir.
  if (isUnsure(line)) return { ...said, note: words.say('difference.unsure'), deed: null };
  const question = {
    title: words.say('write_off.ask', amount),
    lines: [words.say('difference.less', amount), words.say('write_off.what'), ...(rest === 'kept' ? [] : [words.say(AGAIN[rest][Number(asset === 'USDC')])])],
    yes: words.say('write_off.yes'),
    no: words.say('confirm.no'),
    danger: true,
  };
  const command = { question, method: /** @type {const} */ ('POST'), path: `${PATH}/${asset}/write-off`, body: { quantity: exact(lackOf(line)) } };
  const deed = { id: `write-off ${asset}`, label: words.say('write_off.button'), command, told: (/** @type {any} */ answer) => told(answer, context) };
  return { ...said, note: null, deed };
}

/** @param {Balance} line @param {Context} context @returns {Difference} */
function locked({ asset, missing_locked: held }, { words, format }) {
  const text = words.say('difference.locked', { amount: assetText(held, asset, format) });
  return { id: `locked ${asset}`, asset, tone: 'warn', text, note: null, deed: null };
}

/** @param {Balance} line @param {boolean} sold une monnaie manque @param {Rest} rest @param {Context} context @returns {Difference} */
function more(line, sold, rest, context) {
  const { words, format } = context;
  const { asset, beyond } = line;
  const amount = { amount: assetText(beyond, asset, format) };
  const cash = asset === 'USDC';
  const question = {
    title: words.say('count.ask', amount),
    lines: [words.say('count.all'), words.say(cash ? 'count.cash' : 'count.coin'), ...(rest === 'kept' ? [] : [words.say(COUNTED[rest][Number(cash)])])],
    yes: words.say('count.yes'),
    no: words.say('confirm.no'),
    danger: true,
  };
  const command = { question, method: /** @type {const} */ ('POST'), path: `${PATH}/${asset}/count`, body: { quantity: exact(beyond) } };
  const said = { id: `more ${asset}`, asset, tone: /** @type {const} */ ('quiet'), text: words.say('difference.more', amount) };
  if (line.in_doubt) return { ...said, note: words.say('difference.unsure'), deed: null };
  const label = words.say(cash ? 'count.deposit' : 'count.button');
  const deed = { id: `count ${asset}`, label, command, told: (/** @type {any} */ answer) => told(answer, context) };
  return { ...said, note: words.say(cash && sold ? 'difference.sold' : 'difference.elsewhere'), deed };
}
