// Les tableaux devant les types que Grafana publie : le tableau entier, puis chaque panneau, les options de son type et
// les réglages propres à ce type, et chaque unité. `node check.mjs UNITÉS TABLEAU.json…` ; UNITÉS est le fichier
// `categories.mjs` de `@grafana/data`.
//
// Est une faute ce que Grafana ne connaît pas : une clé, une valeur, un type de panneau, une unité. Ce qui manque n'en
// est pas une : Grafana le complète en ouvrant le tableau, et ses types ne disent pas quoi.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const TYPES = join(dirname(createRequire(import.meta.url).resolve('@grafana/schema/package.json')), 'dist/types/raw');
const DASHBOARD = 'dashboard/x/types.gen.d.ts';

/** Un texte libre est une unité aussi. */
const OWN_UNIT = /^(suffix|prefix): ?\S/;

/** Ce que la source Prometheus ajoute aux annotations et aux variables, et que le type commun ne dit pas. */
const OF_PROMETHEUS = {
  annotation: ['expr', 'step', 'titleFormat', 'textFormat', 'target'],
  variable: ['definition'],
};

const validators = new Map();

/** Ce qui dit les fautes d'un objet de ce type ; `undefined` si Grafana n'a pas ce type dans ce fichier. */
function validator(file, type) {
  const key = `${file} ${type}`;
  if (!validators.has(key)) {
    const path = join(TYPES, file);
    const declared = existsSync(path) && new RegExp(`export interface ${type}\\b`).test(readFileSync(path, 'utf8'));
    validators.set(key, declared ? compiled(path, type) : undefined);
  }
  return validators.get(key);
}

function compiled(path, type) {
  const schema = createGenerator({ path, type, expose: 'none', skipTypeCheck: true, topRef: false }).createSchema(type);
  return new Ajv({ strict: false, allErrors: true }).compile(withoutRequired(schema));
}

function withoutRequired(schema) {
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  if (schema === null || typeof schema !== 'object') return schema;
  // Une propriété peut s'appeler ainsi ; le mot du schéma porte une liste.
  const kept = Object.entries(schema).filter(([word, value]) => word !== 'required' || !Array.isArray(value));
  return Object.fromEntries(kept.map(([word, part]) => [word, withoutRequired(part)]));
}

function* told(where, validate, value) {
  validate(value);
  for (const { instancePath, message, params } of validate.errors ?? []) {
    yield `${where}${instancePath}: ${message} ${Object.values(params).join(' ')}`;
  }
}

/** `object` sans ces clés. */
function bare(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** Chaque unité écrite quelque part dans un panneau : par défaut, ou pour un champ. */
export function* units(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  if (defaults.unit !== undefined) yield defaults.unit;
  for (const { properties } of overrides) {
    for (const { id, value } of properties) if (id === 'unit') yield value;
  }
}

function* panelFaults(where, panel, known) {
  if (panel.type === 'row') {
    yield* told(where, validator(DASHBOARD, 'RowPanel'), panel);
    return;
  }
  yield* told(where, validator(DASHBOARD, 'Panel'), panel);
  const own = `composable/${panel.type.replaceAll('-', '')}/panelcfg/x/types.gen.d.ts`;
  const options = validator(own, 'Options');
  if (options === undefined) {
    yield `${where}: ${panel.type} is no type of panel`;
    return;
  }
  yield* told(`${where}, options`, options, panel.options ?? {});
  const custom = panel.fieldConfig?.defaults?.custom;
  if (custom !== undefined) {
    const settings = validator(own, 'FieldConfig');
    if (settings) yield* told(`${where}, custom`, settings, custom);
    else if (Object.keys(custom).length > 0) yield `${where}: ${panel.type} has no custom settings`;
  }
  for (const unit of units(panel)) {
    if (!known.has(unit) && !OWN_UNIT.test(unit)) yield `${where}: ${unit} is no unit`;
  }
}

/** Toutes les fautes d'un tableau ; `known` sont les unités de Grafana. */
export function* faults(board, known) {
  const annotations = board.annotations.list.map((note) => bare(note, OF_PROMETHEUS.annotation));
  const variables = board.templating.list.map((variable) => bare(variable, OF_PROMETHEUS.variable));
  const frame = { ...board, panels: [], annotations: { list: annotations }, templating: { list: variables } };
  yield* told(board.uid, validator(DASHBOARD, 'Dashboard'), frame);
  for (const panel of board.panels) yield* panelFaults(`${board.uid}, « ${panel.title} »`, panel, known);
}

/** Les unités que nomme le texte de `categories.mjs`. */
export function unitsIn(text) {
  return new Set([...text.matchAll(/\bid: "([^"]+)"/g)].map((found) => found[1]));
}

function main([categories, ...boards]) {
  const known = unitsIn(readFileSync(categories, 'utf8'));
  if (known.size < 200) throw new Error(`only ${known.size} units were read in ${categories}`);
  let panels = 0;
  const found = boards.flatMap((path) => {
    const board = JSON.parse(readFileSync(path, 'utf8'));
    panels += board.panels.length;
    return [...faults(board, known)].map((fault) => `${basename(path)}: ${fault}`);
  });
  for (const fault of found) console.error(`schema: ${fault}`);
  if (found.length > 0) process.exit(1);
  console.log(`schema: ${boards.length} dashboards, ${panels} panels, ${known.size} units known`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
