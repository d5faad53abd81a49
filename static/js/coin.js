// La marque d'une monnaie : un disque à sa couleur et un dessin à nous, ou son initiale. Rien ne vient d'ailleurs.

import { svg } from './dom.js';
import { coinName } from './format.js';

/** Des tracés sur 24 × 24, blancs sur le disque. @type {Record<string, string>} */
const DRAWINGS = {
  BTC: 'M8.5 7v10M10.5 5v2M13 5v2M10.5 17v2M13 17v2M8 7h5.2a2.4 2.4 0 0 1 0 5H8.5M13.2 12h.6a2.5 2.5 0 0 1 0 5H8',
  ETH: 'M12 4l-5 8.2 5 3 5-3zM7 14.2l5 6 5-6-5 3z',
  BNB: 'M12 5l2 2-2 2-2-2zM12 10l2 2-2 2-2-2zM12 15l2 2-2 2-2-2zM7 10l2 2-2 2-2-2zM17 10l2 2-2 2-2-2z',
  SOL: 'M8.5 6.5h9l-2 2.5h-9zM6.5 11h9l2 2.5h-9zM8.5 15.5h9l-2 2.5h-9z',
  XRP: 'M6 6.5l3.6 3.4a3.5 3.5 0 0 0 4.8 0L18 6.5M6 17.5l3.6-3.4a3.5 3.5 0 0 1 4.8 0l3.6 3.4',
  USDC: 'M15 9.2a3 3 0 0 0-3-1.7c-1.9 0-3 .9-3 2.2 0 3 6 1.6 6 4.6 0 1.3-1.1 2.2-3 2.2a3 3 0 0 1-3-1.7M12 5.5v2M12 16.5v2',
};

/** @param {string} pair `BTCUSDC`, ou `USDC` pour le cash */
export function coinMark(pair) {
  const name = coinName(pair);
  const mark = svg('svg', { class: 'coin', viewBox: '0 0 24 24', 'aria-hidden': 'true', 'data-coin': name });
  mark.append(svg('circle', { cx: 12, cy: 12, r: 12 }));
  if (DRAWINGS[name]) {
    mark.append(svg('path', { d: DRAWINGS[name] }));
  } else {
    const letter = svg('text', { x: 12, y: 16.5, 'text-anchor': 'middle' });
    letter.textContent = name.slice(0, 1);
    mark.append(letter);
  }
  return mark;
}
