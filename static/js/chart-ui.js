// Le graphique sur la page : l'ossature une fois, puis des mises à jour. La géométrie vient de chart.js.

import { createReading } from './chart-reading.js';
import { createChartTable } from './chart-table.js';
import { draw, readPoints } from './chart.js';
import { find, setAttribute, svg } from './dom.js';
import { isKnown } from './format.js';
import { readMarks } from './marks.js';
import { recall, remember } from './memory.js';
import { showFreshness } from './section.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./chart.js').Point} Point */
/** @typedef {import('./chart.js').Drawing} Drawing */
/** @typedef {import('./marks.js').Placed} Placed */
/** @template T @typedef {import('./feed.js').Part<T>} Part */

const PERIODS = ['1d', '1w', '1m', '1y'];
const LAYERS = ['gaps', 'grid', 'labels', 'lines', 'marks', 'cursor'];
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
  const details = /** @type {HTMLDetailsElement} */ (find(root, 'details'));
  const legends = [...root.querySelectorAll('.legend [data-kind]')];
  const layers = Object.fromEntries(LAYERS.map((name) => [name, svg('g', { class: name })]));
  const picture = svg('svg', { role: 'slider', tabindex: 0, 'aria-valuemin': 0 });
  picture.append(...Object.values(layers));
  canvas.append(picture);
  const reading = createReading(picture, find(root, '.reading'), layers.cursor);
  const table = createChartTable(details);

  /** @type {Point[]} */
  let points = [];
  /** @type {Placed[]} */
  let marks = [];
  /** @type {Context} */
  let context;
  let interval = DEFAULT_INTERVAL_MS;
  let drawn = '';

  createPeriods(root, onPeriod);
  new ResizeObserver(() => context && redraw()).observe(canvas);

  function redraw() {
    const { words, format, now } = context;
    const width = Math.max(260, Math.round(canvas.clientWidth));
    const height = width < 520 ? 200 : 260;
    setAttribute(picture, 'viewBox', `0 0 ${width} ${height}`);
    setAttribute(picture, 'width', String(width));
    setAttribute(picture, 'height', String(height));
    const most = points.reduce((high, { value, deposited }) => Math.max(high, value ?? 0, deposited ?? 0), 0);
    const box = { left: 16 + 7 * format.eur(most).length, right: width - 12, top: 16, bottom: height - 26 };
    const drawing = draw(points, { now, interval, box });
    if (drawing) {
      const range = { low: format.eur(drawing.low), high: format.eur(drawing.high) };
      const dates = { from: format.moment(drawing.from, now), to: format.moment(drawing.to, now) };
      setAttribute(picture, 'aria-label', words.say('chart.label', { ...range, ...dates }));
      drawLayers(layers, drawing, box, format);
      const shown = marks.filter(({ time }) => time >= drawing.from && time <= drawing.to);
      layers.marks.replaceChildren(...shown.map((mark) => drawMark(mark, drawing.x(mark.time), box)));
      tellLegend(drawing, shown);
    }
    reading.update({ points, marks, drawing }, context);
    table.update(points, marks, context);
  }

  /** La légende ne nomme que ce qui est dessiné. @param {Drawing} drawing @param {Placed[]} shown */
  function tellLegend(drawing, shown) {
    find(root, '.legend-deposit').hidden = drawing.depositPath === '';
    find(root, '.legend-gap').hidden = drawing.gaps.length === 0;
    for (const legend of legends) {
      const kind = legend.getAttribute('data-kind');
      legend.toggleAttribute('hidden', !shown.some((mark) => legendOf(mark) === kind));
    }
  }

  return {
    /**
     * @param {Part<import('./api.js').Snapshot[]>} history @param {Part<{marks: import('./api.js').Mark[]}>} marked
     * @param {number | null | undefined} seconds entre deux relevés du programme @param {Context} next
     */
    update(history, marked, seconds, next) {
      context = next;
      interval = isKnown(seconds) ? seconds * 1000 : DEFAULT_INTERVAL_MS;
      // Rien ne bouge sous le doigt : on ne redessine que pour d'autres relevés, une autre langue, ou une minute de plus.
      const minute = Math.floor(context.now / 60_000);
      const wanted = [context.format.eur(0), minute, history.at, marked.at, interval].join(' ');
      const changed = wanted !== drawn;
      if (changed) {
        points = readPoints(history.data ?? []);
        marks = readMarks(marked.data?.marks ?? []);
      }
      const hasValues = points.some(({ value }) => value !== null);
      showFreshness(root, history, !hasValues, context);
      details.hidden = !hasValues;
      // Pendant qu'une autre période arrive, la place reste : rien ne saute.
      place.hidden = history.at !== null && !hasValues;
      place.classList.toggle('blank', !hasValues);
      drawn = wanted;
      if (changed) redraw();
    },
  };
}

/** Les boutons de la période. @param {HTMLElement} root @param {(period: string) => void} onPeriod */
function createPeriods(root, onPeriod) {
  const buttons = [...root.querySelectorAll('button[data-period]')];
  /** @param {string} period */
  const mark = (period) => {
    for (const button of buttons) setAttribute(button, 'aria-pressed', String(button.getAttribute('data-period') === period));
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const period = button.getAttribute('data-period') ?? firstPeriod();
      remember('period', period);
      mark(period);
      onPeriod(period);
    });
  }
  mark(firstPeriod());
}

/** Une correction se lit comme un dépôt, ou comme un retrait si elle diminue. @param {Placed} mark */
const legendOf = ({ kind, amount_eur: amount }) =>
  kind === 'trades' || kind === 'withdrawal' ? kind : (amount ?? 0) < 0 ? 'withdrawal' : 'deposit';

/** L'argent en haut, les échanges au pied. @param {Placed} mark @param {number} x @param {import('./chart.js').Box} box */
function drawMark(mark, x, { top, bottom }) {
  const kind = legendOf(mark);
  if (kind === 'trades') return svg('circle', { 'data-kind': mark.kind, class: kind, cx: x, cy: bottom - 3, r: 2.5 });
  const way = kind === 'deposit' ? -1 : 1;
  const d = `M${x - 5} ${top - 9 - 4 * way}h10l-5 ${8 * way}z`;
  return svg('path', { 'data-kind': mark.kind, class: kind, d });
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
  const ticks = horizontal.ticks.map((time) => svg('line', { x1: x(time), x2: x(time), y1: box.bottom, y2: box.bottom + 4 }));
  layers.labels.replaceChildren(...rows, ...columns, ...ticks);
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
