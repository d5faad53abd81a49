// Les chiffres du graphique en tableau : la même histoire, pour qui ne voit pas un dessin.

import { sample } from './chart.js';
import { el, find } from './dom.js';
import { marksText } from './marks.js';

const ROWS = 48;

/** @param {HTMLDetailsElement} details */
export function createChartTable(details) {
  const body = find(details, 'tbody');
  /** @type {() => void} */
  let fill = () => {};
  details.addEventListener('toggle', () => fill());

  return {
    /**
     * @param {import('./chart.js').Point[]} points @param {import('./marks.js').Placed[]} marks
     * @param {import('./section.js').Context} context
     */
    update(points, marks, context) {
      const { format, now } = context;
      fill = () => {
        if (!details.open) return;
        const shown = sample(points, ROWS);
        const rows = shown.map(({ time, value, deposited }, i) => {
          // Ce qui est arrivé depuis la ligne d'avant.
          const since = i === 0 ? -Infinity : shown[i - 1].time;
          const happened = marks.filter((mark) => mark.time > since && mark.time <= time);
          return el(
            'tr',
            {},
            el('td', {}, format.moment(time, now)),
            el('td', { class: 'number' }, format.eur(value)),
            el('td', { class: 'number' }, format.eur(deposited)),
            el('td', {}, marksText(happened, context)),
          );
        });
        body.replaceChildren(...rows.reverse());
      };
      fill();
    },
  };
}
