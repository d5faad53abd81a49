// Ce que les parties de la page ont en commun : leur fraîcheur dite en mots, leur vide expliqué, leurs tableaux.

import { coinMark } from './coin.js';
import { el, find, setAttribute, setText, setTextOrHide, syncList } from './dom.js';
import { signalAt } from './follow.js';
import { UNKNOWN, isKnown } from './format.js';
import { signalName } from './names.js';

/** @typedef {import('./words.js').Key} Key */
/** @typedef {'good' | 'bad' | 'warn' | 'info' | 'quiet'} Tone */
/**
 * Ce qui descend vers chaque partie. `now` est l'heure du programme, `localNow` celle de cet appareil, en ms.
 * @typedef {{words: import('./words.js').Words, format: import('./format.js').Format, now: number, localNow: number}} Context
 */
/** @typedef {{text: string, sub?: string | null, tone?: Tone | null, chip?: Tone | null, href?: string | null}} Cell */
/**
 * @template T
 * @typedef {{label: Key, kind?: string, coin?: (row: T) => string, cell: (row: T, context: Context) => Cell,
 *   hidden?: () => boolean}} Column
 */

/** @param {import('./api.js').Failure} failure @param {Context} context @returns {string} */
export function failureText({ kind, status, message }, { words }) {
  if (kind === 'network') return words.say('failure.network');
  if (kind === 'timeout') return words.say('failure.timeout');
  if (kind === 'unreadable') return words.say('failure.unreadable');
  return words.told(message) ?? words.say('failure.status', { status: status ?? '?' });
}

/** Le programme s'est tu : le haut de la page le dit, et lui seul. @param {import('./api.js').Failure | null} failure */
export const isSilence = (failure) => failure?.kind === 'network' || failure?.kind === 'timeout';

/**
 * Grise une partie périmée et dit son âge ; dit aussi pourquoi elle est vide.
 * @param {HTMLElement} root @param {import('./feed.js').Part<any>} part @param {boolean} empty @param {Context} context
 */
export function showFreshness(root, part, empty, context) {
  const { words, format, localNow } = context;
  const reason = part.failure && !isSilence(part.failure) ? failureText(part.failure, context) : null;
  const age = { time: format.moment(part.at, localNow), ago: format.ago(part.at, localNow) };
  let note = null;
  if (part.at !== null && part.stale) note = words.say('fresh.stale', age) + (reason ? ` ${reason}` : '');
  else if (part.at === null) note = reason ? `${words.say('fresh.never')} ${reason}` : words.say('fresh.loading');
  setTextOrHide(find(root, '.freshness'), note);
  root.classList.toggle('stale', part.at !== null && part.stale);
  const nothing = root.querySelector('.empty');
  if (nothing instanceof HTMLElement) nothing.hidden = !(empty && part.at !== null);
}

/** Une pastille de mots. @param {Element} node @param {string} text @param {Tone} tone */
export function setChip(node, text, tone) {
  setText(node, text);
  setAttribute(node, 'class', `chip ${tone}`);
}

/**
 * Le ton d'un gain ou d'une perte ; aucun pour ce qui s'écrit zéro.
 * @param {number | null | undefined} value @param {number} [least] ce qui ne s'écrit plus zéro @returns {Tone | null}
 */
export const gainTone = (value, least = 0.005) => (!isKnown(value) || Math.abs(value) < least ? null : value > 0 ? 'good' : 'bad');

/**
 * Un tableau qui devient une liste de cartes sur un écran étroit ; les rôles explicites le gardent tableau pour un
 * lecteur d'écran.
 * @template T
 * @param {HTMLElement} host @param {Column<T>[]} columns @param {(row: T) => string} keyOf
 * @param {{rowClass?: (row: T) => string | null, rowId?: (row: T) => string}} [of] la classe et l'ancre d'une ligne
 */
export function createTable(host, columns, keyOf, { rowClass = () => null, rowId } = {}) {
  const heads = columns.map(({ kind }) => el('th', { role: 'columnheader', scope: 'col', class: kind ?? '' }));
  const body = el('tbody', { role: 'rowgroup' });
  const table = el(
    'table',
    { role: 'table', 'aria-labelledby': host.getAttribute('data-title') ?? '' },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...heads)),
    body,
  );
  host.append(table);
  /** @type {Context} */
  let context;

  /** @param {T} first @returns {import('./dom.js').Row<T>} */
  function createRow(first) {
    const cells = columns.map((column) => createCell(column, first));
    const node = el('tr', { role: 'row' }, ...cells.map((cell) => cell.node));
    return {
      node,
      update(row) {
        setAttribute(node, 'class', rowClass(row));
        setAttribute(node, 'id', rowId ? rowId(row) : null);
        columns.forEach((column, i) => {
          cells[i].node.hidden = column.hidden?.() ?? false;
          cells[i].update(column.cell(row, context), context.words.say(column.label));
        });
      },
    };
  }

  return {
    /** @param {T[]} rows @param {Context} next */
    update(rows, next) {
      context = next;
      columns.forEach((column, i) => {
        heads[i].hidden = column.hidden?.() ?? false;
        setText(heads[i], context.words.say(column.label));
      });
      host.hidden = rows.length === 0;
      syncList(body, rows, keyOf, createRow);
    },
  };
}

/** Le signal d'une ligne, et le lien qui l'ouvre. @param {string | null} id @param {Context['words']} words @returns {Cell} */
export const signalCell = (id, words) => ({
  text: id === null ? UNKNOWN : signalName(id, words),
  href: id === null ? null : signalAt(id),
});

/** @template T @param {Column<T>} column @param {T} row */
function createCell(column, row) {
  const main = el('span');
  const link = el('a');
  const sub = el('span', { class: 'sub' });
  const text = el('span', { class: 'cell' }, main, link, sub);
  const node = el('td', { role: 'cell', class: column.kind ?? '' }, text);
  if (column.coin) node.prepend(coinMark(column.coin(row)));
  return {
    node,
    /** @param {Cell} cell @param {string} label */
    update(cell, label) {
      setAttribute(node, 'data-label', label);
      setTextOrHide(main, cell.href ? null : cell.text);
      setTextOrHide(link, cell.href ? cell.text : null);
      setAttribute(link, 'href', cell.href ?? null);
      setAttribute(main, 'class', cell.chip ? `chip ${cell.chip}` : (cell.tone ?? null));
      setTextOrHide(sub, cell.sub);
    },
  };
}
