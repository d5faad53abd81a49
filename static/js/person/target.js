// L'allocation visée : vieille au premier démarrage, une personne en décide ; pas encore atteinte, ce qu'elle attend. Pur.

import { tellWaiting } from '../decision.js';
import { coinName, isKnown, parseUtc } from '../format.js';
import { isScant, leftByHand, unreached } from '../person.js';
import { isDust } from '../positions.js';
import { LEAST, heldText, isDead } from '../situation.js';
import { isFollowing, leadersCash } from './reach.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Notice} Notice */
/** @typedef {import('../situation.js').Parts} Parts */
/** @typedef {import('./deeds.js').Deed} Deed */
/** @typedef {import('../words.js').Key} Key */
/** Une vieille allocation, ce qu'elle vise, et si c'est pour de vrai. @typedef {import('../api.js').OldTarget & {shares: string, live: boolean}} Old */

/** L'écart à partir duquel ce qui est laissé tel quel se dit, en part du tout. */
const FAR = 0.01;

/** Pourquoi on la vise. @type {Record<string, Key>} */
const CAUSES = { signal: 'target.signal', money: 'target.money', drift: 'target.drift' };

/** Le code d'une raison, d'après sa phrase (domain/order.rs). @type {[RegExp, string][]} */
const CODES = [
  [/^the exchange does not trade this pair /, 'halted'],
  [/^its price or its rules /, 'unknown'],
  [/^refused: /, 'refused'],
  [/^the book holds /, 'thin_book'],
  [/^an order of this coin is in doubt: /, 'in_doubt'],
  [/^a person must look: /, 'stuck'],
  [/^tried again later: /, 'later'],
  [/^waits for the cash /, 'cash_awaited'],
  [/^the account has /, 'account_short'],
];

/** Ce qui passe de soi-même, le temps que des ordres se suivent ; de plus longtemps, c'est un empêchement. */
const UNDER_WAY = ['later', 'in_doubt', 'cash_awaited'];
const LONG_MS = 15 * 60_000;

/** Les lectures où ce que dit le leader est suivi. */
const FOLLOWED = ['executed', 'skipped', 'already_processed', 'error'];

/** @param {Parts} parts @param {Context} context @returns {Notice[]} */
export function oldNotices(parts, { words, format, now }) {
  const { budget, status } = parts;
  const found = status.data?.old_target;
  if (!found || isDead(parts)) return [];
  const aimed = (budget.data?.allocation ?? []).filter(({ coin, leader_weight: weight }) => isKnown(weight) && (weight > 0 || coin === 'USDC'));
  const shares = aimed.map(({ coin, leader_weight: weight }) => `${coinName(coin)} ${format.share(weight)}`).join(', ');
  const old = { ...found, shares, live: status.data?.mode === 'live' };
  const facts = { age: format.duration(old.age_seconds), time: format.moment(parseUtc(old.said_at), now) };
  if (old.declined) return [{ id: 'old', tone: 'info', text: words.say('old.declined', facts), old }];
  return [{ id: 'old', tone: 'warn', text: words.say('old.text', facts), steps: [words.say('old.take'), words.say('old.wait')], old }];
}

/** La prendre, ou attendre la prochaine. @param {Old} old @param {Context} context @returns {Deed[]} */
export function oldDeeds({ shares, live, declined, age_seconds: seconds }, { words, format }) {
  /** @param {boolean} follow @param {string} id @param {string[]} lines @returns {Deed} */
  const deed = (follow, id, lines) => ({
    id,
    label: words.say(follow ? 'old.take_button' : 'old.wait_button'),
    command: {
      question: {
        title: words.say(follow ? 'old.take_ask' : 'old.wait_ask'),
        lines,
        yes: words.say(follow ? 'old.take_yes' : 'old.wait_yes'),
        no: words.say('confirm.no'),
        danger: follow && live,
      },
      method: 'POST',
      path: 'api/agent/old-target',
      body: { follow },
    },
    told: () => words.say(follow ? 'old.taken' : 'old.waited'),
  });
  const age = { age: format.duration(seconds) };
  const aimed = shares ? [words.say('signal.targets', { shares })] : [];
  const real = live ? [words.say('resume.live')] : [];
  const take = deed(true, 'take-old', [words.say('old.age', age), ...aimed, words.say('old.take'), ...real]);
  return declined ? [take] : [take, deed(false, 'wait-next', [words.say('old.wait'), words.say('old.later', age)])];
}

/**
 * Ce que l'allocation visée attend ; ce qui retient tout le reste a déjà sa phrase. Tant que quelque chose l'empêche, le leader n'est suivi
 * qu'en partie ; des ordres qui se suivent ne sont pas un empêchement.
 * @param {Parts} parts @param {Context} context @returns {Notice[]}
 */
export function waitingNotices(parts, context) {
  const status = parts.status.data;
  const reason = unreached(status);
  if (!reason || !status?.target) return [];
  if (status.paused || isDead(parts) || status.selling_all || status.waiting_signals || !status.leader.connected) return [];
  const { words, format, now } = context;
  const { cause, since } = status.target;
  const text = words.say(CAUSES[cause] ?? 'target.signal', { time: format.moment(parseUtc(since), now) });
  const coins = coinsOf(reason);
  const steps = /MAX_TURNOVER_PCT_PER_DAY/.test(reason) ? [words.say('target.turnover')] : [];
  const notice = { id: 'target', text, steps, detail: tellWaiting({ waiting_for: reason, decisions: coins }, context) };
  const lasts = now - (parseUtc(since) ?? now) > LONG_MS;
  const hindered = lasts || coins.length === 0 || coins.some(({ code }) => !UNDER_WAY.includes(code));
  const { last_poll: poll } = status;
  const left = parts.budget.data?.total_value_eur;
  if (!hindered || !FOLLOWED.includes(poll?.status ?? '') || (isKnown(left) && left < LEAST)) return [{ ...notice, tone: 'info' }];
  return [{ ...notice, tone: 'warn', calm: true, instead: partlyText(parts, context) }];
}

/** @param {Parts} parts @param {Context} context */
function partlyText(parts, { words }) {
  if (parts.positions?.data?.every(isDust)) return words.say('state.in_cash');
  return words.say('state.partly', { followed: heldText(parts, words) });
}

/** Ce qu'une personne a réglé au dehors attend le prochain signal : loin du leader, cela se dit. @param {Parts} parts @param {Context} context @returns {Notice[]} */
export function handNotices(parts, { words, format }) {
  const settled = leftByHand(parts);
  if (isDead(parts)) return [];
  const far = (parts.budget.data?.allocation ?? []).filter(({ coin, weight, leader_weight: leader }) =>
    settled.includes(coin) && isKnown(weight) && isKnown(leader) && Math.abs(weight - leader) >= FAR);
  if (far.length === 0) return [];
  const coins = far.map(({ coin, weight, leader_weight: leader }) =>
    `${coinName(coin)} (${words.say('allocation.weights', { own: format.share(weight), leader: format.share(leader) })})`);
  return [{ id: 'by hand', tone: 'info', text: words.say('target.by_hand', { coins: coins.join(', ') }) }];
}

/** Rien de ce que tient le leader n'est assez grand, pour ce capital, pour que la bourse le vende. @param {Parts} parts @param {Context} context @returns {Notice[]} */
export function nothingNotices(parts, { words }) {
  if (leadersCash(parts) === null || !parts.status.data?.target?.reached_at || !isScant(parts) || !isFollowing(parts)) return [];
  return [{ id: 'nothing', tone: 'warn', calm: true, text: words.say('nothing.text'), headline: words.say('state.nothing') }];
}

/** Les monnaies que nomme ce qu'elle attend, chacune avec sa raison. @param {string} text */
const coinsOf = (text) =>
  text.split(/; (?=[A-Z0-9]+USDC(?:, [A-Z0-9]+USDC)*: )/).flatMap((part) => {
    const { coins, reason } = /^(?<coins>[A-Z0-9]+USDC(?:, [A-Z0-9]+USDC)*): (?<reason>.+)$/s.exec(part)?.groups ?? {};
    const code = CODES.find(([shape]) => shape.test(reason))?.[1] ?? '';
    return (coins?.split(', ') ?? []).map((coin) => ({ coin, decision: 'waiting', code, reason }));
  });
