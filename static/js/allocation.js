// La répartition à côté de celle du leader, monnaie par monnaie, et l'écart en un nombre.

import { coinMark } from './coin.js';
import { el, find, setAttribute, setText, svg, syncList } from './dom.js';
import { coinName, isKnown } from './format.js';
import { showFreshness } from './section.js';

/** @typedef {import('./api.js').Budget} Budget */
/** @typedef {import('./api.js').Share} Share */
/** @typedef {import('./section.js').Context} Context */

/** @param {HTMLElement} root */
export function createAllocation(root) {
  const drift = find(root, '#drift');
  const list = find(root, '.shares');
  return {
    /** @param {import('./feed.js').Part<Budget>} part @param {Context} context */
    update(part, context) {
      const shares = part.data?.allocation ?? [];
      // Sans objectif il n'y a rien à côté de quoi se mettre : le cash seul n'est pas une répartition.
      const empty = !shares.some((share) => share.coin !== 'USDC' || isKnown(share.leader_weight));
      showFreshness(root, part, empty, context);
      const distance = part.data?.drift_pct;
      setText(drift, context.format.share(isKnown(distance) ? distance / 100 : null));
      syncList(list, empty ? [] : shares.map((share) => ({ share, context })), ({ share }) => share.coin, createShare);
    },
  };
}

/** @param {{share: Share}} first */
function createShare({ share: { coin } }) {
  const name = el('strong');
  const weights = el('span', { class: 'weights' });
  const own = svg('rect', { class: 'own', height: 10 });
  const leader = svg('rect', { class: 'leader', y: 0, width: 0.8, height: 10 });
  const bar = svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  bar.append(svg('rect', { class: 'track', width: 100, height: 10 }), own, leader);
  return {
    node: el('li', { 'data-coin': coin }, coinMark(coin), name, bar, weights),
    /** @param {{share: Share, context: Context}} line */
    update({ share, context: { words, format } }) {
      setText(name, coin === 'USDC' ? words.say('value.cash') : coinName(coin));
      setText(weights, words.say('allocation.weights', { own: format.share(share.weight), leader: format.share(share.leader_weight) }));
      setAttribute(own, 'width', String(percent(share.weight)));
      leader.toggleAttribute('hidden', !isKnown(share.leader_weight));
      setAttribute(leader, 'x', String(Math.min(99.2, percent(share.leader_weight))));
    },
  };
}

/** @param {number | null} weight de 0 à 1 */
const percent = (weight) => (isKnown(weight) ? Math.min(100, Math.max(0, weight * 100)) : 0);
