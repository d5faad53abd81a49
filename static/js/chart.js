// La géométrie du graphique : des relevés du portefeuille aux chemins SVG, aux graduations et aux trous.
// Pur. L'abscisse est le temps réel, pas le rang du relevé ; un temps sans relevé est un trou, jamais une ligne.

import { isKnown, parseUtc } from './format.js';

/** @typedef {{time: number, value: number | null, deposited: number | null}} Point */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box en pixels du dessin */
/** @typedef {'minute' | 'hour' | 'day' | 'month'} Unit */
/** @typedef {NonNullable<ReturnType<typeof draw>>} Drawing */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// Un dessin plus court que cela étirerait quelques relevés sur toute la largeur.
const SHORTEST = 2 * MINUTE;

/** @type {{unit: Unit, size: number, length: number}[]} */
const TIME_STEPS = [
  ...[1, 5, 15, 30].map((size) => ({ unit: /** @type {Unit} */ ('minute'), size, length: size * MINUTE })),
  ...[1, 2, 3, 6, 12].map((size) => ({ unit: /** @type {Unit} */ ('hour'), size, length: size * HOUR })),
  ...[1, 2, 4, 7, 14].map((size) => ({ unit: /** @type {Unit} */ ('day'), size, length: size * DAY })),
  ...[1, 2, 3, 6, 12].map((size) => ({ unit: /** @type {Unit} */ ('month'), size, length: size * 30.4 * DAY })),
];

/**
 * @param {{total_value_eur?: number | null, deposited_eur?: number | null, created_at: string}[]} snapshots dans
 *   n'importe quel ordre
 * @returns {Point[]} du plus ancien au plus récent
 */
export function readPoints(snapshots) {
  /** @type {Point[]} */
  const points = [];
  for (const row of snapshots) {
    const time = parseUtc(row.created_at);
    if (time === null) continue;
    points.push({
      time,
      value: isKnown(row.total_value_eur) ? row.total_value_eur : null,
      deposited: isKnown(row.deposited_eur) ? row.deposited_eur : null,
    });
  }
  return points.sort((a, b) => a.time - b.time);
}

/**
 * Au-delà de cette durée sans relevé, la ligne s'interrompt : trois relevés manqués, au pas habituel de la série (elle a
 * pu être éclaircie) ou à celui du programme. Un trou plus étroit que 1/80 du dessin ne se verrait pas.
 * @param {Point[]} points @param {number} interval ms entre deux relevés @param {number} span ms, largeur du dessin
 */
export function gapLimit(points, interval, span) {
  const steps = points.slice(1).map((point, i) => point.time - points[i].time).sort((a, b) => a - b);
  const median = steps.length > 0 ? steps[Math.floor((steps.length - 1) / 2)] : 0;
  return Math.max(3 * interval, 3 * median, span / 80);
}

/**
 * Coupe la série aux trous et aux valeurs inconnues.
 * @param {Point[]} points @param {'value' | 'deposited'} field @param {number} limit ms
 * @returns {{time: number, value: number}[][]}
 */
export function segments(points, field, limit) {
  /** @type {{time: number, value: number}[][]} */
  const found = [];
  let last = -Infinity;
  for (const point of points) {
    const value = point[field];
    if (value === null) {
      last = -Infinity;
      continue;
    }
    if (point.time - last > limit) found.push([]);
    found[found.length - 1].push({ time: point.time, value });
    last = point.time;
  }
  return found;
}

/**
 * Les temps sans valeur, bord droit compris : un programme arrêté depuis une heure laisse un trou d'une heure.
 * @param {{time: number}[][]} parts @param {number} to @param {number} limit
 * @returns {{from: number, to: number}[]}
 */
export function gaps(parts, to, limit) {
  const found = parts.slice(1).map((part, i) => ({ from: parts[i][parts[i].length - 1].time, to: part[0].time }));
  const end = parts.at(-1)?.at(-1);
  if (end && to - end.time > limit) found.push({ from: end.time, to });
  return found;
}

/**
 * Des graduations rondes (1, 2 ou 5 × 10ⁿ) qui encadrent les valeurs.
 * @param {number} low @param {number} high @param {number} count nombre voulu
 * @returns {{ticks: number[], step: number}}
 */
export function valueTicks(low, high, count) {
  const span = high - low || Math.max(Math.abs(high) * 0.02, 1);
  const middle = (low + high) / 2;
  const [from, to] = high > low ? [low, high] : [middle - span / 2, middle + span / 2];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  // Une valeur qui est une graduation ne doit pas en demander une autre à cause des flottants.
  const first = Math.floor(from / step + 1e-9);
  const length = Math.ceil(to / step - 1e-9) - first + 1;
  return { ticks: Array.from({ length }, (_, i) => Number(((first + i) * step).toPrecision(12))), step };
}

/**
 * Des graduations aux heures, jours ou mois ronds du lecteur (heure locale, changements d'heure compris).
 * @param {number} from @param {number} to @param {number} count au plus
 * @returns {{ticks: number[], unit: Unit}}
 */
export function timeTicks(from, to, count) {
  const step = TIME_STEPS.find(({ length }) => (to - from) / length <= count) ?? TIME_STEPS[TIME_STEPS.length - 1];
  const start = new Date(from);
  const [year, month, day] = [start.getFullYear(), start.getMonth(), start.getDate()];
  /** @param {number} i */
  const at = (i) => {
    const n = i * step.size;
    if (step.unit === 'month') return new Date(year, n, 1);
    if (step.unit === 'day') return new Date(year, month, day + n);
    return step.unit === 'hour' ? new Date(year, month, day, n) : new Date(year, month, day, 0, n);
  };
  const ticks = [];
  for (let i = 0; at(i).getTime() <= to; i += 1) {
    if (at(i).getTime() >= from) ticks.push(at(i).getTime());
  }
  return { ticks, unit: step.unit };
}

/**
 * Le relevé le plus proche d'un instant.
 * @param {Point[]} points du plus ancien au plus récent @param {number} time
 * @returns {Point | null}
 */
export function nearest(points, time) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].time < time) low = middle + 1;
    else high = middle;
  }
  const after = points[low];
  const before = points[low - 1];
  if (!after) return null;
  return before && time - before.time <= after.time - time ? before : after;
}

/**
 * Au plus `count` relevés répartis sur toute la série, le premier et le dernier compris.
 * @template T @param {T[]} rows @param {number} count
 */
export function sample(rows, count) {
  if (rows.length <= count) return rows;
  return Array.from({ length: count }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (count - 1))]);
}

/**
 * Tout le dessin, en nombres et en chemins.
 * @param {Point[]} points @param {{now: number, interval: number, box: Box}} options `interval` en ms
 */
export function draw(points, { now, interval, box }) {
  if (!points.some((point) => point.value !== null)) return null;
  const to = Math.max(now, points[points.length - 1].time);
  const from = Math.min(points[0].time, to - SHORTEST);
  const limit = gapLimit(points, interval, to - from);
  const values = segments(points, 'value', limit);
  const deposits = segments(points, 'deposited', limit);
  const all = [...values, ...deposits].flat().map(({ value }) => value);
  const [low, high] = all.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const height = box.bottom - box.top;
  const vertical = valueTicks(low, high, height > 220 ? 5 : 4);
  const [floor, ceiling] = [vertical.ticks[0], vertical.ticks[vertical.ticks.length - 1]];

  /** @param {number} time */
  const x = (time) => round(box.left + ((time - from) / (to - from)) * (box.right - box.left));
  /** @param {number} value */
  const y = (value) => round(box.bottom - ((value - floor) / (ceiling - floor)) * height);
  /** @param {{time: number, value: number}[]} part */
  const line = (part) => part.map(({ time, value }, i) => `${i ? 'L' : 'M'}${x(time)} ${y(value)}`).join('') + 'h0';
  // Un dépôt est un saut : la ligne reste plate jusqu'à l'instant où il est fait.
  /** @param {{time: number, value: number}[]} part */
  const stairs = (part) =>
    part.map(({ time, value }, i) => (i ? `H${x(time)}V${y(value)}` : `M${x(time)} ${y(value)}`)).join('') + 'h0';

  return {
    from,
    to,
    x,
    y,
    low,
    high,
    valuePath: values.map(line).join(''),
    areaPath: values
      .map((part) => `${line(part)}V${box.bottom}H${x(part[0].time)}Z`)
      .join(''),
    depositPath: deposits.map(stairs).join(''),
    gaps: gaps(values, to, limit),
    vertical,
    horizontal: timeTicks(from, to, Math.max(2, Math.floor((box.right - box.left) / 60))),
  };
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
