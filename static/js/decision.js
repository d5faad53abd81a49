// Pourquoi une monnaie a été échangée ou laissée, en mots. Pur : d'une décision de l'API vers une phrase.
// Les nombres sont lus dans la raison que le programme donne (domain/order.rs) ; une raison que l'on ne reconnaît pas est
// montrée telle quelle, après ce que son code veut dire.

import { coinName } from './format.js';
import { namesText, signalName } from './names.js';

/** @typedef {import('./api.js').Decision} Decision */
/** @typedef {import('./api.js').Signal} Signal */
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
  dust: 'why.below_step',
  no_position: 'why.no_position',
  cash_short: 'why.cash_short',
  no_nearer: 'why.no_nearer',
  halted: 'why.halted',
  unknown: 'why.unknown',
  thin_book: 'why.thin_book',
  superseded: 'why.superseded',
  maybe_done: 'why.maybe_done',
  refused: 'why.refused',
  in_doubt: 'why.in_doubt',
  stuck: 'why.stuck',
  later: 'why.later',
  account_short: 'why.account_short',
  cash_awaited: 'why.cash_awaited',
};

/** Des codes qui disent tout. */
const SAID = ['nothing_to_do', 'no_position', 'dust', 'unknown'];

/** Deux fois envoyé, prouvé jamais arrivé (engine/holdback.rs). */
const NEVER_ARRIVED = /never reached the exchange$/;

/** Ce qui passe, et qu'une allocation retente. */
const PASSING = ['halted', 'unknown', 'refused', 'turnover', 'thin_book', 'in_doubt', 'stuck', 'later', 'cash_awaited', 'account_short'];

/** @type {[string, RegExp, Key][]} code, forme de la raison, phrase aux mêmes {trous} */
const FIGURES = [
  ['traded', /^(?<quantity>[\d.]+) for (?<amount>[\d.]+) USDC at (?<price>[\d.]+)$/, 'figures.traded'],
  ['within_threshold', /^(?<distance>[\d.]+) % from the target, threshold (?<threshold>[\d.]+) %$/, 'figures.within_threshold'],
  ['no_nearer', /^(?<distance>[\d.]+) % from the target, and no order would bring the whole nearer$/, 'figures.no_nearer'],
  ['thin_book', /^the book holds (?<amount>[\d.]+) of (?<whole>[\d.]+) USDC within (?<threshold>[\d.]+) % of the middle(?:: the rest waits)?$/, 'figures.thin_book'],
  ['within_step', /^nearer to the target than one step of (?<quantity>[\d.]+)$/, 'figures.within_step'],
  ['below_minimum', /^(?<amount>[\d.]+) USDC is below the exchange's minimum of (?<minimum>[\d.]+)$/, 'figures.below_minimum'],
  ['below_step', /^(?<wanted>[\d.]+) is less than one step of (?<quantity>[\d.]+)$/, 'figures.below_step'],
  ['cash_short', /^cash is short: (?<amount>[\d.]+) USDC left for a minimum of (?<minimum>[\d.]+)$/, 'figures.cash_short'],
  ['superseded', /^superseded by the newer target of (?<signal>.+)$/s, 'figures.superseded'],
];

/** Comment s'écrit chaque trou. @type {Record<string, (text: string, format: Format, words: Context['words']) => string>} */
const WRITTEN = {
  amount: (text, format) => format.usdc(Number(text)),
  minimum: (text, format) => format.usdc(Number(text)),
  whole: (text, format) => format.usdc(Number(text)),
  price: (text, format) => format.price(Number(text)),
  quantity: (text, format) => format.quantity(Number(text)),
  wanted: (text, format) => format.quantity(Number(text)),
  distance: (text, format) => format.share(Number(text) / 100),
  threshold: (text, format) => format.share(Number(text) / 100),
  signal: (text, _, words) => signalName(text, words),
};

/**
 * @param {Decision} decision @param {Pick<Context, 'words' | 'format'>} context
 * @returns {{done: string, why: string, detail: string}} `detail` : les nombres, ou la raison du programme telle quelle
 */
export function tellDecision({ decision, code, reason }, context) {
  const { words } = context;
  // La bourse n'a pas refusé ce qu'elle n'a jamais vu.
  if (code === 'refused' && NEVER_ARRIVED.test(reason ?? '')) return { done: words.say(DONE[decision] ?? 'decision.left'), why: words.say('why.never_arrived'), detail: '' };
  return {
    // Ceux que les livres ont repris sont des échanges, non des monnaies laissées.
    done: code === 'adopted' ? words.say('signal.adopted') : DONE[decision] ? words.say(DONE[decision]) : decision,
    why: WHY[code] ? words.say(WHY[code]) : '',
    detail: SAID.includes(code) ? '' : (figuresText(code, reason ?? '', context) ?? words.phrase(reason)),
  };
}

/** Vrai si le programme le retente, de l'allocation que ce signal porte, tant que le leader la montre. @param {Signal} signal @param {Decision} decision */
export const isTriedAgain = (signal, { decision, code, reason }) =>
  decision === 'left' && isAllocation(signal) && PASSING.includes(code) && !NEVER_ARRIVED.test(reason ?? '');

/** Ce qui vaut encore de ce qui a été décidé : une fois l'allocation atteinte, plus rien n'en est retenu. @param {Signal} signal @returns {Decision[]} */
export const standingDecisions = (signal) =>
  (signal.decisions ?? []).filter(({ code }) => !isReached(signal) || !PASSING.includes(code));

/** L'allocation qu'il porte a été atteinte, après coup s'il l'a fallu. @param {Signal} signal */
export const isReached = (signal) => Boolean(signal.reached_at) && isAllocation(signal);

/** D'un signal de version 1, ce sont les actions qui se font. @param {Signal} signal */
const isAllocation = ({ version, signal_id: id }) => Number(version) >= 2 || id === 'initial_sync';

/**
 * Ce qu'un signal attend, une fois par raison ; celui que rien de ses monnaies ne retient le dit lui-même.
 * @param {Pick<Signal, 'waiting_for' | 'decisions'>} signal @param {Pick<Context, 'words' | 'format'>} context @returns {string | null}
 */
export function tellWaiting({ waiting_for: reason, decisions }, context) {
  if (!reason) return null;
  const { words } = context;
  const waiting = (decisions ?? []).filter(({ decision }) => decision === 'waiting');
  const reasons = together(waiting, context, ({ why, detail }) => why || detail).map(([why, names]) => `${names} (${why})`);
  const missing = [...reason.matchAll(/(?:^|; )unknown ([^:]+): /g)].flatMap(([, whats]) => whats.split(', '));
  return words.say('signal.waiting', { reason: reasons.join(', ') || namesText(missing, words) || words.phrase(reason) });
}

/**
 * Ce que le programme dit d'un signal entier : les raisons de ses monnaies, une fois chacune ; sinon sa phrase.
 * @param {string | null | undefined} text @param {Decision[] | undefined} decisions @param {Pick<Context, 'words' | 'format'>} context
 */
export function tellReasons(text, decisions, context) {
  const { words } = context;
  const told = (/** @type {Decision} */ { coin, reason }) => `${coin}: ${reason}`;
  const named = (decisions ?? []).filter((decision) => text?.includes(told(decision)));
  const rest = named.reduce((left, decision) => left.replace(told(decision), ''), text ?? '');
  if (named.length === 0 || /[^; ]/.test(rest)) return words.told(text);
  const reasons = together(named, context, ({ why, detail }) => (why && detail ? `${why} (${detail})` : why || detail));
  return reasons.map(([done, coin]) => `${words.say('decision.line', { coin, done })}.`).join(' ');
}

/**
 * Les monnaies de chaque raison. @param {Decision[]} decisions @param {Pick<Context, 'words' | 'format'>} context
 * @param {(told: ReturnType<typeof tellDecision>) => string} write @returns {[string, string][]}
 */
function together(decisions, context, write) {
  /** @type {Map<string, string[]>} */
  const coins = new Map();
  for (const decision of decisions) {
    const why = write(tellDecision(decision, context));
    coins.set(why, [...(coins.get(why) ?? []), coinName(decision.coin)]);
  }
  return [...coins].map(([why, names]) => [why, names.join(', ')]);
}

/** @param {string} code @param {string} reason @param {Pick<Context, 'words' | 'format'>} context @returns {string | null} */
function figuresText(code, reason, { words, format }) {
  for (const [known, shape, key] of FIGURES) {
    const groups = known === code ? shape.exec(reason)?.groups : null;
    if (!groups) continue;
    // Le programme coupe au centime, les Échanges arrondissent : le même montant s'écrit pareil.
    if (code === 'traded') groups.amount = String(Number(groups.quantity) * Number(groups.price));
    return words.say(key, Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, WRITTEN[name](text, format, words)])));
  }
  return null;
}
