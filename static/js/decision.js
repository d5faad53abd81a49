// Pourquoi une monnaie a été échangée ou laissée, en mots. Pur : d'une décision de l'API vers une phrase.
// Les nombres sont lus dans la raison que le programme donne (domain/order.rs) ; une raison que l'on ne reconnaît pas est
// montrée telle quelle, après ce que son code veut dire.

import { coinName } from './format.js';

/** @typedef {import('./api.js').Decision} Decision */
/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./words.js').Key} Key */
/** @typedef {import('./format.js').Format} Format */

/** @type {Record<string, Key>} */
const DONE = { bought: 'decision.bought', sold: 'decision.sold', left: 'decision.left', waiting: 'decision.waiting' };

/** Ce que le code d'une raison veut dire. @type {Record<string, Key>} */
const WHY = {
  nothing_to_do: 'why.nothing_to_do',
  within_threshold: 'why.within_threshold',
  within_step: 'why.within_step',
  below_minimum: 'why.below_minimum',
  below_step: 'why.below_step',
  no_position: 'why.no_position',
  cash_short: 'why.cash_short',
  halted: 'why.halted',
  superseded: 'why.superseded',
  maybe_done: 'why.maybe_done',
  refused: 'why.refused',
  in_doubt: 'why.in_doubt',
  stuck: 'why.stuck',
  later: 'why.later',
  account_short: 'why.account_short',
  cash_awaited: 'why.cash_awaited',
};

/** @type {[string, RegExp, Key][]} code, forme de la raison, phrase aux mêmes {trous} */
const FIGURES = [
  ['traded', /^(?<quantity>[\d.]+) for (?<amount>[\d.]+) USDC at (?<price>[\d.]+)$/, 'figures.traded'],
  ['within_threshold', /^(?<distance>[\d.]+) % from the target, threshold (?<threshold>[\d.]+) %$/, 'figures.within_threshold'],
  ['within_step', /^nearer to the target than one step of (?<quantity>[\d.]+)$/, 'figures.within_step'],
  ['below_minimum', /^(?<amount>[\d.]+) USDC is below the exchange's minimum of (?<minimum>[\d.]+)$/, 'figures.below_minimum'],
  ['below_step', /^(?<wanted>[\d.]+) is less than one step of (?<quantity>[\d.]+)$/, 'figures.below_step'],
  ['cash_short', /^cash is short: (?<amount>[\d.]+) USDC left for a minimum of (?<minimum>[\d.]+)$/, 'figures.cash_short'],
  ['superseded', /^superseded by the newer target of (?<signal>.+)$/s, 'figures.superseded'],
];

/** Comment s'écrit chaque trou. @type {Record<string, (text: string, format: Format) => string>} */
const WRITTEN = {
  amount: (text, format) => format.usdc(Number(text)),
  minimum: (text, format) => format.usdc(Number(text)),
  price: (text, format) => format.price(Number(text)),
  quantity: (text, format) => format.quantity(Number(text)),
  wanted: (text, format) => format.quantity(Number(text)),
  distance: (text, format) => format.share(Number(text) / 100),
  threshold: (text, format) => format.share(Number(text) / 100),
  signal: (text) => text,
};

/**
 * @param {Decision} decision @param {Pick<Context, 'words' | 'format'>} context
 * @returns {{done: string, why: string, detail: string}} `detail` : les nombres, ou la raison du programme telle quelle
 */
export function tellDecision({ decision, code, reason }, context) {
  const { words } = context;
  return {
    done: DONE[decision] ? words.say(DONE[decision]) : decision,
    why: WHY[code] ? words.say(WHY[code]) : '',
    detail: ['nothing_to_do', 'no_position'].includes(code) ? '' : (figuresText(code, reason ?? '', context) ?? reason ?? ''),
  };
}

/**
 * Ce qu'un signal attend, une fois par raison ; celui que rien de ses monnaies ne retient le dit lui-même.
 * @param {import('./api.js').Signal} signal @param {Pick<Context, 'words' | 'format'>} context @returns {string | null}
 */
export function tellWaiting({ waiting_for: reason, decisions }, context) {
  if (!reason) return null;
  /** @type {Map<string, string[]>} */
  const coins = new Map();
  for (const decision of decisions ?? []) {
    if (decision.decision !== 'waiting') continue;
    const { why, detail } = tellDecision(decision, context);
    coins.set(why || detail, [...(coins.get(why || detail) ?? []), coinName(decision.coin)]);
  }
  const reasons = [...coins].map(([why, names]) => `${names.join(', ')} (${why})`);
  return context.words.say('signal.waiting', { reason: reasons.join(', ') || reason });
}

/** @param {string} code @param {string} reason @param {Pick<Context, 'words' | 'format'>} context @returns {string | null} */
function figuresText(code, reason, { words, format }) {
  for (const [known, shape, key] of FIGURES) {
    const groups = known === code ? shape.exec(reason)?.groups : null;
    if (!groups) continue;
    return words.say(key, Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, WRITTEN[name](text, format)])));
  }
  return null;
}
