// Le graphique sur la page : l'ossature une fois, puis des mises à jour. La géométrie vient de chart.js.

import { draw, nearest, readPoints, sample } from './chart.js';
import { el, find, setAttribute, setText, setTextOrHide, svg } from './dom.js';
import { isKnown } from './format.js';
import { recall, remember } from './memory.js';
import { showFreshness } from './section.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./chart.js').Point} Point */
/** @typedef {NonNullable<ReturnType<typeof draw>>} Drawing */

const PERIODS = ['1d', '1w', '1m', '1y'];
const TABLE_ROWS = 48;
const DEFAULT_INTERVAL_MS = 120_000;

/** La période lue la dernière fois. */
export function firstPeriod() {
  const period = recall('period');
  return period && PERIODS.includes(period) ? period : '1w';
}

/** @param {HTMLElement} root @param {(period: string) => void} onPeriod */
export function createChart(root, onPeriod) {
  const place = find(root, '.drawing');
  const canvas = find(root, '.canvas');
  const reading = find(root, '.reading');
  const details = /** @type {HTMLDetailsElement} */ (find(root, 'details'));
  const body = find(root, 'tbody');
  const buttons = [...root.querySelectorAll('button[data-period]')];
  const layers = Object.fromEntries(
    ['gaps', 'grid', 'labels', 'lines', 'cursor'].map((name) => [name, svg('g', { class: name })]),
  );
  const picture = svg('svg', { role: 'img' });
  picture.append(...Object.values(layers));
  canvas.append(picture);

  let period = firstPeriod();
  /** @type {Point[]} */
  let points = [];
  /** @type {Drawing | null} */
  let drawing = null;
  /** @type {Point | null} le relevé montré du doigt */
  let pointed = null;
  /** @type {Context} */
  let context;
  let interval = DEFAULT_INTERVAL_MS;
  let drawn = '';
  /** @type {unknown} */
  let source = null;

  for (const button of buttons) {
    button.addEventListener('click', () => {
      period = button.getAttribute('data-period') ?? period;
      remember('period', period);
      markPeriod();
      onPeriod(period);
    });
  }
  markPeriod();
  picture.addEventListener('pointermove', point);
  picture.addEventListener('pointerdown', point);
  picture.addEventListener('pointerleave', () => {
    pointed = null;
    showReading();
  });
  details.addEventListener('toggle', fillTable);
  new ResizeObserver(() => context && redraw()).observe(canvas);

  function markPeriod() {
    for (const button of buttons) {
      setAttribute(button, 'aria-pressed', String(button.getAttribute('data-period') === period));
    }
  }

  /** @param {PointerEvent | Event} event */
  function point(event) {
    if (!drawing || !(event instanceof PointerEvent)) return;
    const { from, to, x } = drawing;
    const across = (event.clientX - picture.getBoundingClientRect().left - x(from)) / (x(to) - x(from));
    pointed = nearest(points, from + across * (to - from));
    showReading();
  }

  function showReading() {
    const shown = pointed ?? points.at(-1) ?? null;
    setText(reading, shown && drawing ? readingText(shown, context) : '\u00a0');
    layers.cursor.replaceChildren();
    if (!pointed || !drawing) return;
    const x = drawing.x(pointed.time);
    const { ticks } = drawing.vertical;
    layers.cursor.append(
      svg('line', { x1: x, x2: x, y1: drawing.y(ticks[0]), y2: drawing.y(ticks[ticks.length - 1]) }),
    );
    if (pointed.value !== null) layers.cursor.append(svg('circle', { cx: x, cy: drawing.y(pointed.value), r: 4 }));
  }

  function redraw() {
    const { words, format, now } = context;
    const width = Math.max(260, Math.round(canvas.clientWidth));
    const height = width < 520 ? 200 : 260;
    setAttribute(picture, 'viewBox', `0 0 ${width} ${height}`);
    setAttribute(picture, 'width', String(width));
    setAttribute(picture, 'height', String(height));
    const most = points.reduce((high, { value, deposited }) => Math.max(high, value ?? 0, deposited ?? 0), 0);
    const box = { left: 16 + 7 * format.eur(most).length, right: width - 12, top: 10, bottom: height - 26 };
    drawing = draw(points, { now, interval, box });
    if (drawing) {
      const range = { low: format.eur(drawing.low), high: format.eur(drawing.high) };
      const dates = { from: format.moment(drawing.from, now), to: format.moment(drawing.to, now) };
      setAttribute(picture, 'aria-label', words.say('chart.label', { ...range, ...dates }));
      drawLayers(layers, drawing, box, format);
    }
    showReading();
    fillTable();
  }

  function fillTable() {
    if (!details.open) return;
    const { format, now } = context;
    const rows = sample(points, TABLE_ROWS).reverse().map(({ time, value, deposited }) => el(
      'tr',
      {},
      el('td', {}, format.moment(time, now)),
      el('td', { class: 'number' }, format.eur(value)),
      el('td', { class: 'number' }, format.eur(deposited)),
    ));
    body.replaceChildren(...rows);
  }

  return {
    /**
     * @param {import('./feed.js').Part<import('./api.js').Snapshot[]>} part @param {number | null | undefined} seconds entre
     *   deux relevés du programme @param {Context} next
     */
    update(part, seconds, next) {
      context = next;
      interval = isKnown(seconds) ? seconds * 1000 : DEFAULT_INTERVAL_MS;
      if (part.data !== source) {
        source = part.data;
        points = readPoints(part.data ?? []);
        pointed = null;
      }
      const hasValues = points.some(({ value }) => value !== null);
      showFreshness(root, part, !hasValues, context);
      setTextOrHide(find(root, '.legend-deposit'), points.some(({ deposited }) => deposited !== null)
        ? context.words.say('chart.deposited')
        : null);
      details.hidden = !hasValues;
      // Pendant qu'une autre période arrive, la place reste : rien ne saute.
      place.hidden = part.at !== null && !hasValues;
      place.classList.toggle('blank', !hasValues);
      // Rien ne bouge sous le doigt : on ne redessine que pour d'autres relevés, une autre langue, ou une minute de plus.
      const wanted = `${context.format.eur(0)} ${Math.floor(context.now / 60_000)} ${part.at} ${interval}`;
      if (wanted === drawn) return;
      drawn = wanted;
      redraw();
    },
  };
}

/** @param {Point} shown @param {Context} context */
function readingText({ time, value, deposited }, { words, format, now }) {
  const facts = [format.moment(time, now), words.say('chart.reading', { value: format.eur(value) })];
  if (isKnown(deposited)) facts.push(words.say('chart.reading_deposited', { deposited: format.eur(deposited) }));
  return facts.join(' · ');
}

/**
 * @param {Record<string, SVGElement>} layers @param {Drawing} drawing @param {import('./chart.js').Box} box
 * @param {import('./format.js').Format} format
 */
function drawLayers(layers, drawing, box, format) {
  const { x, y, vertical, horizontal } = drawing;
  layers.gaps.replaceChildren(...drawing.gaps.map(({ from, to }) =>
    svg('rect', { x: x(from), y: box.top, width: Math.max(1, x(to) - x(from)), height: box.bottom - box.top })));
  layers.grid.replaceChildren(...vertical.ticks.map((value) =>
    svg('line', { x1: box.left, x2: box.right, y1: y(value), y2: y(value) })));
  const rows = vertical.ticks.map((value) =>
    label(format.eurTick(value, vertical.step), { x: box.left - 8, y: y(value) + 4, 'text-anchor': 'end' }));
  const columns = horizontal.ticks.map((time) => {
    const middle = Math.min(box.right - 20, Math.max(box.left + 14, x(time)));
    return label(format.timeTick(time, horizontal.unit), { x: middle, y: box.bottom + 18, 'text-anchor': 'middle' });
  });
  const marks = horizontal.ticks.map((time) => svg('line', { x1: x(time), x2: x(time), y1: box.bottom, y2: box.bottom + 4 }));
  layers.labels.replaceChildren(...rows, ...columns, ...marks);
  layers.lines.replaceChildren(
    svg('path', { class: 'area', d: drawing.areaPath }),
    svg('path', { class: 'deposits', d: drawing.depositPath }),
    svg('path', { class: 'value', d: drawing.valuePath }),
  );
}

/** @param {string} text @param {Record<string, string | number>} attributes */
function label(text, attributes) {
  const node = svg('text', attributes);
  node.textContent = text;
  return node;
}
