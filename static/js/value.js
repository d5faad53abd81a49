// Ce que vaut le portefeuille, et ce qu'il a gagné : aujourd'hui, depuis le début, et en pour-cent sans l'effet des dépôts.
// Rien n'est calculé ici : ce sont les champs de l'API.

import { find, setAttribute, setText, setTextOrHide } from './dom.js';
import { isKnown } from './format.js';
import { gainTone, showFreshness } from './section.js';
import { namesText } from './situation.js';

/** @param {HTMLElement} root */
export function createValue(root) {
  /** @param {string} name */
  const at = (name) => find(root, `[data-value="${name}"]`);

  /** @param {string} name @param {string} text @param {number | null | undefined} gain */
  function tell(name, text, gain) {
    setText(at(name), text);
    setAttribute(at(name), 'class', gainTone(gain));
  }

  return {
    /** @param {import('./feed.js').Part<import('./api.js').Budget>} part @param {import('./section.js').Context} context */
    update(part, context) {
      const { words, format } = context;
      showFreshness(root, part, false, context);
      const budget = part.data;
      setText(at('total-eur'), format.eur(budget?.total_value_eur));
      setText(at('total-usdc'), format.usdc(budget?.total_value_usdt));
      const { change_eur: change, return_pct: percent } = budget?.today ?? {};
      const share = isKnown(percent) ? ` (${format.percentSigned(percent)})` : '';
      tell('today', format.eurSigned(change) + share, change);
      tell('since-start', format.eurSigned(budget?.pnl_eur), budget?.pnl_eur);
      tell('return', format.percentSigned(budget?.return_pct), budget?.return_pct);
      setTextOrHide(at('why'), budget && !isKnown(budget.total_value_eur) ? whyUnknown(budget, words) : null);
    },
  };
}

/** @param {import('./api.js').Budget} budget @param {import('./words.js').Words} words */
function whyUnknown({ unknown }, words) {
  if (!unknown?.length) return words.say('value.unexplained');
  return words.say('value.why', { missing: namesText(unknown.map(({ what }) => what), words) });
}
