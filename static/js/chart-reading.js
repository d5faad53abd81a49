// La lecture du graphique : un relevé sous le doigt, la souris ou les flèches du clavier, dit en mots à côté.

import { nearest } from './chart.js';
import { setAttribute, setText, svg } from './dom.js';
import { isKnown } from './format.js';
import { marksNear, marksText } from './marks.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./chart.js').Point} Point */
/** @typedef {import('./chart.js').Drawing} Drawing */
/** @typedef {import('./marks.js').Placed} Placed */

/** À combien de pixels une marque est encore sous le doigt. */
const REACH = 6;

/** @param {SVGElement} picture le dessin, qui se parcourt comme un curseur @param {Element} output @param {SVGElement} cursor */
export function createReading(picture, output, cursor) {
  /** @type {Point[]} */
  let points = [];
  /** @type {Placed[]} */
  let marks = [];
  /** @type {Drawing | null} */
  let drawing = null;
  /** @type {Context} */
  let context;
  /** @type {Point | null} le relevé montré ; sinon, le dernier */
  let pointed = null;

  picture.addEventListener('pointermove', point);
  picture.addEventListener('pointerdown', point);
  picture.addEventListener('pointerleave', () => show(null));
  picture.addEventListener('keydown', step);

  /** @param {PointerEvent} event */
  function point(event) {
    if (!drawing) return;
    const { from, to, x } = drawing;
    const across = (event.clientX - picture.getBoundingClientRect().left - x(from)) / (x(to) - x(from));
    show(nearest(points, from + across * (to - from)));
  }

  /** @param {KeyboardEvent} event */
  function step(event) {
    const last = points.length - 1;
    const at = pointed ? points.indexOf(pointed) : last;
    const page = Math.max(1, Math.round(points.length / 10));
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - page,
      PageUp: at + page,
      Home: 0,
      End: last,
    };
    if (!(event.key in targets) || last < 0) return;
    event.preventDefault();
    show(points[Math.min(last, Math.max(0, targets[event.key]))]);
  }

  /** @param {Point | null} next */
  function show(next) {
    pointed = next;
    const shown = pointed ?? points.at(-1);
    const text = shown && drawing ? readingText(shown, drawing) : '\u00a0';
    setText(output, text);
    setAttribute(picture, 'aria-valuemax', String(Math.max(0, points.length - 1)));
    setAttribute(picture, 'aria-valuenow', String(shown ? points.indexOf(shown) : 0));
    setAttribute(picture, 'aria-valuetext', text);
    drawCursor();
  }

  function drawCursor() {
    cursor.replaceChildren();
    if (!pointed || !drawing) return;
    const x = drawing.x(pointed.time);
    const { ticks } = drawing.vertical;
    cursor.append(svg('line', { x1: x, x2: x, y1: drawing.y(ticks[0]), y2: drawing.y(ticks[ticks.length - 1]) }));
    if (pointed.value !== null) cursor.append(svg('circle', { cx: x, cy: drawing.y(pointed.value), r: 4 }));
  }

  /** @param {Point} shown @param {Drawing} on */
  function readingText({ time, value, deposited }, { from, to, x }) {
    const { words, format, now } = context;
    const facts = [format.moment(time, now), words.say('chart.reading', { value: format.eur(value) })];
    if (isKnown(deposited)) facts.push(words.say('chart.reading_deposited', { deposited: format.eur(deposited) }));
    const reach = ((to - from) / (x(to) - x(from))) * REACH;
    // Au repos on dit le présent, pas ce qui est arrivé la minute d'avant.
    const near = pointed ? marksText(marksNear(marks, time, reach), context) : '';
    return [...facts, near].filter(Boolean).join(' · ');
  }

  return {
    /**
     * @param {{points: Point[], marks: Placed[], drawing: Drawing | null}} drawn @param {Context} next
     */
    update(drawn, next) {
      // Un relevé montré le reste tant qu'il existe ; d'autres relevés peuvent être venus.
      const kept = pointed && drawn.points.find(({ time }) => time === pointed?.time);
      ({ points, marks, drawing } = drawn);
      context = next;
      show(kept ?? null);
    },
  };
}
