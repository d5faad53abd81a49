// Ce que check.mjs voit dans les vrais tableaux dès qu'on les abîme.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { faults, units, unitsIn } from './check.mjs';

/** Celles des tableaux : `.ci/metrics` les compare à celles de Grafana. */
const UNITS = new Set(board().panels.flatMap((panel) => [...units(panel)]));

function board() {
  return JSON.parse(readFileSync(new URL('../dashboards/calvalot.json', import.meta.url), 'utf8'));
}

/** Les fautes du tableau une fois que `change` a touché à son premier panneau de ce type. */
function after(type, change) {
  const changed = board();
  change(changed.panels.find((panel) => panel.type === type), changed);
  return [...faults(changed, UNITS)].join('\n');
}

test('the dashboards as they are have no fault', () => {
  assert.deepEqual([...faults(board(), UNITS)], []);
});

const CASES = [
  ['a panel that does not exist', 'stat', (panel) => (panel.type = 'statt'), 'statt is no type of panel'],
  ['a key no panel has', 'stat', (panel) => (panel.descripton = ''), 'descripton'],
  ['an option its type does not have', 'stat', (panel) => (panel.options.colour = 'value'), 'options: must NOT have'],
  ['an option with a wrong value', 'stat', (panel) => (panel.options.colorMode = 'rainbow'), 'options/colorMode'],
  ['a setting its type does not have', 'timeseries', (panel) => (panel.fieldConfig.defaults.custom.lineWidht = 1), 'lineWidht'],
  ['a number for a text', 'timeseries', (panel) => (panel.title = 3), 'title'],
  ['a threshold mode that does not exist', 'stat', (panel) => (panel.fieldConfig.defaults.thresholds.mode = 'x'), 'thresholds/mode'],
  ['a unit that does not exist', 'stat', (panel) => (panel.fieldConfig.defaults.unit = 'euros'), 'euros is no unit'],
  ['a unit of a field', 'table', (panel) => panel.fieldConfig.overrides.push({ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'unit', value: 'pieces' }] }), 'pieces is no unit'],
  ['a key no dashboard has', 'stat', (_, changed) => (changed.refreshh = '30s'), 'refreshh'],
  ['a key no annotation has', 'stat', (_, changed) => (changed.annotations.list[0].colour = 'red'), 'colour'],
];

for (const [what, type, change, expected] of CASES) {
  test(`${what} is a fault`, () => assert.match(after(type, change), new RegExp(expected)));
}

test('a unit is read wherever Grafana names one', () => {
  assert.deepEqual(unitsIn('{ formats: [{ name: "x", id: "none" }, { id: "currencyEUR", fn: f }] }'), new Set(['none', 'currencyEUR']));
});
