// Ce que vaut le portefeuille : valeur, gain, cash, dépôts, retraits. Rien n'est calculé ici : ce sont les champs de l'API.

import { find, setAttribute, setText, setTextOrHide } from './dom.js';
import { isKnown, parseUtc } from './format.js';
import { gainTone, showFreshness } from './section.js';
import { namesText } from './situation.js';

/** @param {HTMLElement} root */
export function createValue(root) {
  /** @param {string} name */
  const at = (name) => find(root, `[data-value="${name}"]`);

  return {
    /** @param {import('./feed.js').Part<import('./api.js').Budget>} part @param {import('./section.js').Context} context */
    update(part, context) {
      const { words, format, now } = context;
      showFreshness(root, part, false, context);
      const budget = part.data;
      setText(at('total-eur'), format.eur(budget?.total_value_eur));
      setText(at('total-usdc'), format.usdc(budget?.total_value_usdt));
      setText(at('pnl'), format.eurSigned(budget?.pnl_eur));
      setTextOrHide(at('pnl-percent'), isKnown(budget?.pnl_pct) ? format.percentSigned(budget.pnl_pct) : null);
      setAttribute(at('pnl-line'), 'class', gainTone(budget?.pnl_eur));
      setText(at('portfolio'), format.usdc(budget?.portfolio_usdt));
      setText(at('cash'), format.usdc(budget?.cash_usdt));
      setText(at('deposited'), format.eur(budget?.total_deposited_eur));
      setText(at('withdrawn'), format.eur(budget?.withdrawn_eur));
      setText(at('rate'), format.rate(budget?.eurusdc_rate));
      const initial = budget?.initial_total_eur && budget.initial_total_eur !== budget.total_deposited_eur
        ? words.say('value.initial', { amount: format.eur(budget.initial_total_eur) })
        : null;
      setTextOrHide(at('initial'), initial);
      const start = parseUtc(budget?.created_at);
      setTextOrHide(at('since'), start === null ? null : words.say('value.since', { time: format.moment(start, now) }));
      setTextOrHide(at('why'), budget && !isKnown(budget.total_value_eur) ? whyUnknown(budget, words) : null);
    },
  };
}

/** @param {import('./api.js').Budget} budget @param {import('./words.js').Words} words */
function whyUnknown({ unknown }, words) {
  if (!unknown?.length) return words.say('value.unexplained');
  return words.say('value.why', { missing: namesText(unknown.map(({ what }) => what), words) });
}
