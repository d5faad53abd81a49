// Ce qu'un compte réel demande à une personne : échange fermé, horloge fausse, compte qui tient moins.
// Pur : des réponses de l'API vers des mots, chacun avec quoi faire. Ce que le programme en dit lui-même est le détail.

import { fromSeconds, isKnown, parseUtc } from '../format.js';

/** @typedef {import('../api.js').Exchange} Exchange */
/** @typedef {import('../api.js').Check} Check */
/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Notice} Notice */
/** @typedef {import('../words.js').Key} Key */

/** Quoi faire quand cet essai ferme l'échange. @type {Record<string, Key>} */
const REMEDIES = {
  disk: 'closed.disk',
  clock: 'closed.clock',
  exchange: 'closed.exchange',
  key: 'closed.key',
  'key rights': 'closed.key_rights',
  account: 'closed.account',
};

// Ce que le programme conseille quand la bourse n'a pas répondu, ou a demandé le silence (exchange/binance/trouble.rs).
const NETWORK = /^check the network of this machine/;
const SILENCE = /^wait until then/;

/** Pour commencer, le compte tient moins que le plus petit capital (ledger/account.rs). */
const POOR = /: bring at least /;

/** La clé n'est pas celle du compte que les livres tiennent. */
const OTHER_ACCOUNT = /another account/;

/** Ce qu'un tour a lu du compte et que seule une personne corrige, avant même que les essais soient refaits. @type {[RegExp, Key][]} */
const READ = [
  [OTHER_ACCOUNT, 'closed.other_account'],
  [/^the account may not trade/, 'closed.account'],
  [/: -(?:1002|1022|2008|2014|2015) /, 'closed.key'],
  [/ answered 451\b/, 'closed.place'],
];
/** Binance ne sert pas ce pays (exchange/binance/trouble.rs). */
const PLACE = /^Binance does not serve the place/;

/** @type {Record<string, Key>} */
const TESTS = {
  ledger: 'check.ledger',
  pairs: 'check.pairs',
  minima: 'check.minima',
  'account pairs': 'check.account_pairs',
  balance: 'check.balance',
};

/**
 * @param {Exchange | null} exchange @param {Context} context
 * @param {string | null} [ledger] pourquoi le grand livre ne peut pas être tenu, déjà dit @returns {Notice[]}
 */
export function exchangeNotices(exchange, context, ledger = null) {
  if (!exchange) return [];
  return [
    ...closedNotices(exchange, context, ledger),
    ...clockNotices(exchange, context),
    ...balanceNotices(exchange, context),
    ...silenceNotices(exchange, context),
    ...checkNotices(exchange, context),
  ];
}

/** @param {Exchange} exchange @param {Context} context @param {string | null} ledger @returns {Notice[]} */
function closedNotices({ trading_open: open, closed_reason: reason, checks, clock, not_alone: copies, takeover }, { words }, ledger) {
  // Ce dont une personne décide a déjà sa phrase, et ses issues.
  const decided = (reason && [copies?.reason, ledger].includes(reason)) || (takeover?.length && /Python version/.test(reason ?? ''));
  // En simulation, une bourse qui ne se lit pas n'exécute rien ; cela reprend sans personne.
  if (open === null && reason) return [{ id: 'closed', tone: 'warn', calm: true, text: words.say('closed.simulated') }];
  if (open !== false || decided) return [];
  const stopping = checks.filter((check) => check.stops_trading);
  // Ce qui n'a pas pu s'essayer n'est la faute de rien, et un silence a sa propre phrase.
  const faults = stopping.filter(({ verdict, advice }) => verdict === 'fault' && !SILENCE.test(advice ?? ''));
  const steps = faults
    // Une horloge fausse a sa propre phrase, avec ce qu'il y a à faire ; un autre compte, le sien.
    .filter(({ test, found }) => !(test === 'clock' && clock?.warning) && !OTHER_ACCOUNT.test(found))
    .map((check) => remedyOf(check, words));
  steps.push(...READ.filter(([shape]) => shape.test(reason ?? '')).map(([, key]) => words.say(key)));
  const poor = POOR.test(reason ?? '');
  if (poor) steps.push(words.say('closed.bring'));
  const person = faults.length > 0 || steps.length > 0;
  const text = words.say(poor ? 'closed.poor' : person ? 'closed.text' : stopping.length ? 'closed.untested' : 'closed.meanwhile');
  return [{ id: 'closed', tone: person ? 'bad' : 'warn', calm: !person, text, steps: [...new Set(steps)], detail: words.told(reason) }];
}

/** Quoi faire d'un défaut ; ce que seul le réseau a empêché n'accuse ni la clé, ni le compte. @param {Check} check @param {Context['words']} words */
function remedyOf({ test, advice }, words) {
  const remedy = PLACE.test(advice ?? '') ? 'closed.place' : NETWORK.test(advice ?? '') ? 'closed.exchange' : REMEDIES[test];
  return remedy ? words.say(remedy) : test;
}

/** @param {Exchange} exchange @param {Context} context @returns {Notice[]} */
function clockNotices({ clock }, { words, format }) {
  if (!clock?.warning || !isKnown(clock.lead_seconds)) return [];
  const distance = format.duration(Math.abs(clock.lead_seconds));
  const text = words.say(clock.lead_seconds < 0 ? 'clock.behind' : 'clock.ahead', { distance });
  return [{ id: 'clock', tone: 'bad', text, steps: [words.say('clock.step'), words.say('clock.network')] }];
}

/** Ce qu'un ordre ouvert de la personne retient n'est pas parti : dit ailleurs. @param {Exchange} exchange @param {Context} context @returns {Notice[]} */
function balanceNotices({ reconciliation, not_alone: copies }, { words, format, now }) {
  const short = reconciliation.filter((line) => lackOf(line) > 0);
  if (short.length === 0) return [];
  const list = short.map((line) => assetText(lackOf(line), line.asset, format)).join(', ');
  const time = format.moment(parseUtc(short[0].compared_at), now);
  const all = short.some(({ asset }) => asset === 'USDC');
  const steps = [words.say('short.step'), words.say(all ? 'short.nothing_bought' : 'short.not_bought')];
  const unsure = short.some(isUnsure);
  if (copies?.orders.length) steps.push(words.say('difference.others'));
  else if (!unsure && short.every((line) => isKnown(line.free))) steps.push(words.say('short.write_off'));
  else {
    if (unsure) steps.push(words.say('difference.unsure'));
    if (all) steps.push(words.say('short.correct'));
  }
  return [{ id: 'short', tone: 'bad', text: words.say('short.text', { list, time }), steps }];
}

/** Une quantité avec son nom ; des USDC sont un montant. @param {import('../api.js').N | undefined} quantity @param {string} asset @param {Context['format']} format */
export const assetText = (quantity, asset, format) => (asset === 'USDC' ? format.usdc(quantity) : `${format.quantity(quantity)} ${asset}`);

/** Ce qui manque sans qu'un ordre en doute, un retrait ou un ordre de la personne l'explique. @param {import('../api.js').Balance} line */
export const lackOf = ({ missing, missing_locked: locked }) => Number(((missing ?? 0) - (locked ?? 0)).toFixed(8));

/** Un ordre en doute ou un retrait explique une part de ce qui n'est pas là. @param {import('../api.js').Balance} line */
export const isUnsure = (line) => line.in_doubt || lackOf(line) < Number((-(line.difference ?? 0)).toFixed(8));

/** @param {Exchange} exchange @param {Context} context @returns {Notice[]} */
function silenceNotices({ silence }, { words, format, now }) {
  const until = fromSeconds(silence?.until);
  if (until === null || until <= now) return [];
  return [{ id: 'silence', tone: 'warn', calm: true, text: words.say('silence.text', { time: format.at(until, now) }) }];
}

/** Les défauts qui ne ferment rien ; le leader, les ordres et ce qui manque pour commencer ont déjà leur phrase, et des livres d'avant le compte ne disent pas ce qui lui manque. @param {Exchange} exchange @param {Context} context @returns {Notice[]} */
function checkNotices({ checks, closed_reason: reason, not_alone: copies }, { words }) {
  const told = ['leader', 'orders', ...(copies || POOR.test(reason ?? '') ? ['balance'] : [])];
  const faults = checks.filter((check) => check.verdict === 'fault' && !check.stops_trading && !told.includes(check.test));
  return faults.map(({ test, found, advice }) => ({
    id: `check ${test}`,
    tone: 'warn',
    text: words.say('check.fault', { test: TESTS[test] ? words.say(TESTS[test]) : test }),
    detail: [found, advice].map(words.told).filter(Boolean).join(' '),
  }));
}
