// La géométrie du graphique : temps réel, trous, graduations.

import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'Europe/Paris';
const { draw, gapLimit, gaps, nearest, readPoints, sample, segments, timeTicks, valueTicks } = await import(
  '../../static/js/chart.js'
);

const MINUTE = 60_000;
const box = { left: 50, right: 350, top: 10, bottom: 210 };
/** Le dessin, qui doit exister. @param {Parameters<typeof draw>} wanted */
function drawn(...wanted) {
  const drawing = draw(...wanted);
  assert.ok(drawing, 'nothing is drawn');
  return drawing;
}
/** @param {number[]} minutes @param {(minute: number) => number | null} [value] */
const series = (minutes, value = () => 100) =>
  minutes.map((minute) => ({ time: minute * MINUTE, value: value(minute), deposited: 100 }));

test('snapshots are read oldest first, and an unknown value stays unknown', () => {
  const rows = [
    { created_at: '2026-11-22 10:02:00', total_value_eur: null, deposited_eur: 100 },
    { created_at: '2026-11-22 10:00:00', total_value_eur: 99.5 },
    { created_at: 'not a time', total_value_eur: 1 },
  ];
  assert.deepEqual(readPoints(rows), [
    { time: Date.UTC(2026, 10, 22, 10), value: 99.5, deposited: null },
    { time: Date.UTC(2026, 10, 22, 10, 2), value: null, deposited: 100 },
  ]);
});

test('the x axis is time, not rank', () => {
  const drawing = drawn(series([0, 1, 10]), { now: 10 * MINUTE, interval: 10 * MINUTE, box });
  assert.deepEqual([0, 1, 10].map((minute) => drawing.x(minute * MINUTE)), [50, 80, 350]);
});

test('a time without snapshots breaks the line and is shown as a gap', () => {
  const points = series([0, 2, 4, 60, 62, 64]);
  const drawing = drawn(points, { now: 64 * MINUTE, interval: 2 * MINUTE, box });
  assert.equal(drawing.valuePath.match(/M/g)?.length, 2);
  assert.deepEqual(drawing.gaps, [{ from: 4 * MINUTE, to: 60 * MINUTE }]);
});

test('a program that has been silent leaves a gap up to now', () => {
  const parts = segments(series([0, 2, 4]), 'value', 6 * MINUTE);
  assert.deepEqual(gaps(parts, 30 * MINUTE, 6 * MINUTE), [{ from: 4 * MINUTE, to: 30 * MINUTE }]);
  assert.deepEqual(gaps(parts, 8 * MINUTE, 6 * MINUTE), []);
});

test('an unknown value breaks the line instead of drawing it at zero', () => {
  const points = series([0, 2, 4, 6], (minute) => (minute === 2 ? null : 100));
  assert.deepEqual(segments(points, 'value', 60 * MINUTE).map((part) => part.length), [1, 2]);
  const drawing = drawn(points, { now: 6 * MINUTE, interval: 2 * MINUTE, box });
  assert.equal(drawing.low, 100);
});

test('a thinned series is not taken for a series of gaps', () => {
  const daily = series(Array.from({ length: 300 }, (_, day) => day * 1440));
  const span = daily[299].time;
  assert.equal(segments(daily, 'value', gapLimit(daily, 2 * MINUTE, span)).length, 1);
});

test('deposits are a stair, not a slope', () => {
  const points = series([0, 2]);
  points[1].deposited = 150;
  const drawing = drawn(points, { now: 2 * MINUTE, interval: 2 * MINUTE, box });
  assert.match(drawing.depositPath, /^M[\d.]+ [\d.]+H[\d.]+V[\d.]+h0$/);
});

test('nothing known draws nothing, and one point draws a point', () => {
  assert.equal(draw([], { now: 0, interval: MINUTE, box }), null);
  assert.equal(draw(series([0], () => null), { now: 0, interval: MINUTE, box }), null);
  const single = drawn(series([0]), { now: 0, interval: MINUTE, box });
  assert.match(single.valuePath, /^M[\d.]+ [\d.]+h0$/);
});

test('a flat series has an axis, and its line is inside it', () => {
  for (const value of [0, 0.001, 100, 123456]) {
    const drawing = drawn(series([0, 2], () => value).map((point) => ({ ...point, deposited: null })), {
      now: 2 * MINUTE,
      interval: 2 * MINUTE,
      box,
    });
    assert.ok(drawing.y(value) > box.top && drawing.y(value) < box.bottom, String(value));
    assert.ok(new Set(drawing.vertical.ticks).size >= 2);
  }
});

test('value ticks are round, few, and frame the values', () => {
  /** @type {[number, number, number, number[]][]} */
  const cases = [
    [97, 164, 4, [80, 100, 120, 140, 160, 180]],
    [0, 1, 4, [0, 0.5, 1]],
    [-3, 3, 4, [-4, -2, 0, 2, 4]],
    [141.2, 141.9, 4, [141.2, 141.4, 141.6, 141.8, 142]],
  ];
  for (const [low, high, count, ticks] of cases) assert.deepEqual(valueTicks(low, high, count).ticks, ticks);
});

test('time ticks fall on round local times, also where the clock changes', () => {
  const from = Date.parse('2026-10-24T20:30:00+02:00');
  const { ticks, unit } = timeTicks(from, from + 24 * 60 * MINUTE, 5);
  assert.equal(unit, 'hour');
  assert.deepEqual(ticks.map((time) => new Date(time).getHours() % 6), ticks.map(() => 0));
  const year = timeTicks(Date.UTC(2025, 10, 22), Date.UTC(2026, 10, 22), 6);
  assert.equal(year.unit, 'month');
  assert.ok(year.ticks.every((time) => new Date(time).getDate() === 1) && year.ticks.length <= 7);
});

test('the pointer reads the nearest snapshot in time', () => {
  const points = series([0, 10, 12]);
  const cases = [[-5, 0], [4, 0], [6, 10], [11.5, 12], [99, 12]];
  for (const [minute, found] of cases) assert.equal(nearest(points, minute * MINUTE)?.time, found * MINUTE);
  assert.equal(nearest([], 0), null);
});

test('the table keeps the first and the last snapshot', () => {
  const rows = sample(Array.from({ length: 1000 }, (_, i) => i), 48);
  assert.equal(rows.length, 48);
  assert.deepEqual([rows[0], rows[47]], [0, 999]);
  assert.deepEqual(sample([1, 2], 48), [1, 2]);
});
