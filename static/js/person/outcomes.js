// Ce qu'un geste a donné, avec son heure, tant que rien n'a été décidé ou inscrit depuis : ce qu'il a lui-même changé ne l'ôte pas.
// Invariant : une phrase n'est jamais lue à côté d'un état plus récent qu'elle, décidé ici ou ailleurs.

import { tell } from '../command.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Parts} Parts */
/**
 * `record` : ce qui était décidé et inscrit une fois son propre effet lu ; null d'ici là. `until` : elle se lit jusque-là au moins.
 * @typedef {{text: string, at: number, until: number, record: string | null}} Outcome
 */

/** Ce qui porte ce qu'une personne décide. */
const ABOUT = /** @type {const} */ (['budget', 'exchange', 'orders', 'status', 'withdrawals']);

/** Ce qui est décidé et inscrit ; rien de ce qui bouge de soi-même, un prix ou ce que tient le compte. @param {Parts} parts */
export function recordOf({ budget, exchange, orders, status, withdrawals }) {
  const { paused, state, selling_all: selling, old_target: old, stop_loss: stop } = status.data ?? {};
  return JSON.stringify([
    [paused, state, selling?.since, selling?.done, old?.said_at, old?.declined, stop?.pct, stop?.reached?.at],
    budget.data?.total_deposited_eur,
    orders.data?.filter((order) => order.needs_person).map(({ id }) => id),
    [exchange.data?.not_alone?.reason, exchange.data?.takeover?.length],
    withdrawals?.data?.withdrawals.map(({ id, status: stage }) => [id, stage]),
  ]);
}

/** Tout a été lu depuis ; une part qui ne se lit pas n'est pas attendue. @param {Parts} parts @param {number} at */
const isRead = (parts, at) => ABOUT.every((name) => Number(parts[name]?.at) > at || parts[name]?.failure);

/** Où en est cette phrase ; null : elle n'est plus vraie. @param {Outcome} outcome @param {Parts} parts @param {number} now @returns {Outcome | null} */
export function agedBy(outcome, parts, now) {
  const record = recordOf(parts);
  if (outcome.record === null) return isRead(parts, outcome.at) ? { ...outcome, record } : outcome;
  return outcome.record === record || now < outcome.until ? outcome : null;
}

/** @type {Map<HTMLElement, Outcome>} */
const standing = new Map();

/**
 * Dit ce qui est fait, et quand.
 * @param {HTMLElement} output @param {string} done @param {Context} context @param {number} [stays] ms : ce qui s'ensuit de soi-même aussitôt laisse le lire
 */
export function tellDone(output, done, { format, now, localNow }, stays = 0) {
  const text = `${format.moment(now, now)} · ${done}`;
  tell(output, text, 'good');
  standing.set(output, { text, at: Date.now(), until: localNow + stays, record: null });
}

/** Ôte ce qui n'est plus vrai. @param {Parts} parts @param {Context} context */
export function forgetOld(parts, { localNow }) {
  for (const [output, outcome] of standing) {
    const aged = agedBy(outcome, parts, localNow);
    const kept = output.textContent === outcome.text;
    if (kept && aged) standing.set(output, aged);
    else standing.delete(output);
    // Ce qui est dit là depuis y reste.
    if (kept && !aged) tell(output, null, 'quiet');
  }
}
