// Ce que vaut le portefeuille, et ce qu'il a gagné : aujourd'hui, depuis le début, et en pour-cent sans l'effet des dépôts.
// Rien n'est calculé ici : ce sont les champs de l'API.

import { find, setAttribute, setText, setTextOrHide } from './dom.js';
import { isKnown, parseUtc } from './format.js';
import { namesText } from './names.js';
import { gainTone, showFreshness } from './section.js';

/** @typedef {import('./api.js').Budget} Budget */
/** @typedef {import('./section.js').Context} Context */

/** En dessous, un pour-cent s'écrit zéro. */
const SMALLEST_PERCENT = 0.05;

/** @param {HTMLElement} root */
export function createValue(root) {
  /** @param {string} name */
  const at = (name) => find(root, `[data-value="${name}"]`);

  /** @param {string} name @param {string} text @param {import('./section.js').Tone | null} tone */
  function tell(name, text, tone) {
    setText(at(name), text);
    setAttribute(at(name), 'class', tone);
  }

  return {
    /**
     * @param {import('./feed.js').Part<Budget>} part @param {import('./api.js').Snapshot | undefined} last le dernier relevé
     * @param {Context} context
     */
    update(part, last, context) {
      const { words, format } = context;
      showFreshness(root, part, false, context);
      const budget = part.data;
      setText(at('total-eur'), format.eur(budget?.total_value_eur));
      setText(at('total-usdc'), format.usdc(budget?.total_value_usdt));
      const aside = budget?.set_aside_usdc;
      setTextOrHide(at('aside'), aside ? words.say('value.aside', { amount: format.usdc(aside) }) : null);
      const { change_eur: change, return_pct: percent } = budget?.today ?? {};
      tell('today', format.eurSigned(change), gainTone(change));
      // Le gain est de tout ce qui y était, le rendement d'un euro qui y est resté : leurs signes peuvent différer.
      setTextOrHide(at('today-return'), isKnown(percent) ? words.say('value.day_return', { percent: format.percentSigned(percent) }) : null);
      tell('since-start', format.eurSigned(budget?.pnl_eur), gainTone(budget?.pnl_eur));
      tell('return', format.percentSigned(budget?.return_pct), gainTone(budget?.return_pct, SMALLEST_PERCENT));
      setTextOrHide(at('why'), budget && !isKnown(budget.total_value_eur) ? whyUnknown(budget, last, context) : null);
    },
  };
}

/** Ce qui manque, et la dernière valeur connue avec son âge. @param {Budget} budget @param {import('./api.js').Snapshot | undefined} last @param {Context} context */
function whyUnknown({ unknown }, last, { words, format, now }) {
  const why = unknown?.length
    ? words.say('value.why', { missing: namesText(unknown.map(({ what }) => what), words) })
    : words.say('value.unexplained');
  const then = parseUtc(last?.created_at);
  if (then === null || !isKnown(last?.total_value_eur)) return why;
  const known = { value: format.eur(last.total_value_eur), time: format.moment(then, now), ago: format.ago(then, now) };
  return `${why} ${words.say('value.last_known', known)}`;
}
