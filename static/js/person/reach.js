// Ce que le capital permet de suivre du leader, et celui qu'il y faudrait : demandé et dit là seulement où les minima de la bourse
// peuvent en décider. Ce qui n'est pas connu, ou pas suivi en ce moment, n'est pas dit.

import { read } from '../api.js';
import { el, find, setTextOrHide } from '../dom.js';
import { isKnown } from '../format.js';
import { isScant } from '../person.js';
import { LEAST, isDead } from '../situation.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Parts} Parts */
/** @typedef {import('../api.js').N} N */
/** @typedef {{capital_eur: N, followed_pct: N, nearly_all_pct: N, nearly_all_eur: N, reason: string | null}} Outlook */

/** De combien de pour-cent on peut être plus loin que ce que le capital permet, et le suivre tout de même : les prix bougent. */
const NEAR = 2;

/**
 * La phrase ; null quand presque tout est suivi, que ce ne l'est pas encore (une pause de la bourse, un signal qui attend), ou que l'on n'en
 * sait rien.
 * @param {Outlook | null} outlook @param {N | undefined} drift l'écart de maintenant, en pour-cent
 * @param {Pick<Context, 'words' | 'format'>} context @param {number | null} [cash] la part du leader en cash, si rien n'est tenu
 * @returns {string | null}
 */
export function tellReach(outlook, drift, { words, format }, cash = null) {
  const { capital_eur: capital, followed_pct: followed, nearly_all_pct: nearly, nearly_all_eur: enough } = outlook ?? {};
  // Sous le moindre ordre rien ne se suit, et l'état le dit déjà.
  if (!isKnown(capital) || capital < LEAST || !isKnown(followed) || !isKnown(nearly) || followed >= nearly) return null;
  if (!isKnown(drift) || drift > 100 - followed + NEAR) return null;
  // Vers le bas : un peu moins que presque tout n'est pas presque tout.
  const holes = { capital: format.eurTick(capital, 1), followed: format.count(Math.floor(followed)) };
  // Ne suivre que le cash du leader n'est rien suivre.
  const nothing = cash !== null && followed <= 100 * cash + 0.5;
  // Avec ce capital ou plus, ce n'est pas lui qui manque : on tient ce qui ne se vend pas, ou un pas tombe mal.
  if (!isKnown(enough) || enough <= capital) return words.say(nothing ? 'reach.nothing' : 'reach.followed', holes);
  return words.say(nothing ? 'reach.nothing_enough' : 'reach.enough', { ...holes, nearly: format.count(nearly), enough: format.eurTick(enough, 1) });
}

/** Vrai si le leader est suivi en ce moment, avec tout ce que disent les livres. @param {Parts} parts */
export const isFollowing = (parts) => {
  const { paused, selling_all: selling, old_target: old } = parts.status.data ?? { paused: true };
  return !paused && !selling && !old && !isDead(parts) && !parts.exchange.data?.reconciliation?.some((line) => line.missing);
};

/**
 * Ce que devient l'argent que l'on laisse ou libère : il suit le leader, ne le suivra qu'une fois repris, ou reste du cash.
 * @typedef {'followed' | 'paused' | 'kept'} Rest
 */
/** @param {Parts} parts @returns {Rest} */
export function restOf(parts) {
  const { paused, old_target: old } = parts.status.data ?? {};
  if (isDead(parts) || old) return 'kept';
  return paused ? 'paused' : 'followed';
}

/** La part du leader qui est en cash, quand il tient des monnaies et que l'on n'en tient aucune ; sinon null. @param {Parts} parts */
export function leadersCash({ budget }) {
  const lines = budget.data?.allocation ?? [];
  const coins = lines.filter(({ coin }) => coin !== 'USDC');
  const bare = coins.some(({ leader_weight: leader }) => Number(leader) > 0) && coins.every(({ weight }) => weight === 0);
  return bare ? (lines.find(({ coin }) => coin === 'USDC')?.leader_weight ?? null) : null;
}

/** @param {HTMLElement} section */
export function createReach(section) {
  const line = el('p', { class: 'sub', id: 'reach', hidden: '' });
  find(section, '.shares').after(line);
  /** @type {Outlook | null} */
  let outlook = null;
  /** La réponse du budget pour laquelle il a été demandé. @type {unknown} */
  let asked = null;
  /** Redit la phrase, aux mots d'alors. */
  let show = () => {};

  /** @param {unknown} budget */
  async function ask(budget) {
    asked = budget;
    const answer = await read('api/allocation/outlook');
    if (asked !== budget) return;
    outlook = answer.ok ? answer.data : null;
    show();
  }

  return {
    /** @param {Parts} parts @param {Context} context */
    update(parts, context) {
      const told = isScant(parts) && isFollowing(parts);
      if (told && parts.budget.data !== asked) void ask(parts.budget.data);
      show = () => setTextOrHide(line, told ? tellReach(outlook, parts.budget.data?.drift_pct, context, leadersCash(parts)) : null);
      show();
    },
  };
}
