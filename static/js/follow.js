// Suivre un nombre : d'une position à ses échanges, d'un échange à son signal, d'un signal à ses raisons.
// L'endroit est dans l'adresse : le bouton « retour » revient d'où l'on vient.

import { coinName } from './format.js';
import { signalName } from './names.js';

/** @typedef {{to: 'coin' | 'trades' | 'signal', name: string}} Place */
/** @typedef {import('./list.js').Choice} Choice */

/** @param {string} coin une paire */
export const tradesOf = (coin) => `#trades-of-${encodeURIComponent(coin)}`;
/** @param {string} signal l'identifiant que le leader lui a donné */
export const tradesBy = (signal) => `#trades-by-${encodeURIComponent(signal)}`;
/** @param {string} signal */
export const signalAt = (signal) => `#signal-${encodeURIComponent(signal)}`;

/** @type {Record<string, Place['to']>} */
const PLACES = { 'trades-of': 'coin', 'trades-by': 'trades', signal: 'signal' };

/** @param {string} hash @returns {Place | null} null pour une ancre ordinaire */
export function readPlace(hash) {
  const parts = /^#(trades-of|trades-by|signal)-(.+)$/.exec(hash);
  const name = parts && decoded(parts[2]);
  return name ? { to: PLACES[parts[1]], name } : null;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Ce à quoi la liste est restreinte en cet endroit. @param {Place} place @returns {Choice} */
function choiceOf({ to, name }) {
  if (to === 'coin') {
    return { query: `coin=${encodeURIComponent(name)}`, text: ({ words }) => words.say('trades.of', { coin: coinName(name) }) };
  }
  const key = to === 'signal' ? 'signals.only' : 'trades.by';
  return { query: `signal_id=${encodeURIComponent(name)}`, text: ({ words }) => words.say(key, { id: signalName(name, words) }) };
}

/**
 * @typedef {{choose: (choice: Choice | null) => void}} Chosen
 * @param {{signals: ReturnType<typeof import('./signals.js').createSignals>, signalList: Chosen, tradeList: Chosen,
 *   tradesTitle: HTMLElement, onChange: () => void}} parts
 */
export function createFollow({ signals, signalList, tradeList, tradesTitle, onChange }) {
  /** @param {Place | null} place */
  function go(place) {
    if (place?.to === 'signal') {
      if (!signals.shows(place.name)) signalList.choose(choiceOf(place));
      signals.open(place.name);
    } else if (place) {
      tradeList.choose(choiceOf(place));
      tradesTitle.scrollIntoView({ block: 'start' });
      tradesTitle.focus({ preventScroll: true });
    } else {
      signals.open(null);
      signalList.choose(null);
      tradeList.choose(null);
    }
    onChange();
  }

  const follow = () => go(readPlace(location.hash));
  addEventListener('hashchange', follow);
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#"]') : null;
    // Le même lien une seconde fois ne change pas l'adresse, mais on veut y retourner.
    if (link && link.getAttribute('href') === location.hash) follow();
  });
  return {
    start: follow,
    /** Quitte l'endroit sans recharger la page. */
    leave() {
      history.pushState(null, '', location.pathname + location.search);
      go(null);
    },
  };
}
