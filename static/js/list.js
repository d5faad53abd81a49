// Une longue liste : ses premières lignes suivies en direct, les plus anciennes lues page par page, un choix qui la restreint.

import { read } from './api.js';
import { find, setTextOrHide } from './dom.js';
import { failureText } from './section.js';

/** @typedef {import('./section.js').Context} Context */
/** Ce à quoi la liste est restreinte, et ce qu'on en dit. @typedef {{query: string, text: (context: Context) => string}} Choice */

const FEW = 10;
const MANY = 100;

/**
 * Les lignes déjà lues, plus celles qui viennent de l'être. Un trou entre les deux fait oublier les plus anciennes : la
 * liste ne cache jamais une ligne entre deux autres.
 * @template {{id: number}} T @param {T[]} held du plus récent au plus ancien @param {T[]} head les premières lignes, à l'instant
 * @returns {T[]}
 */
export function mergeRows(held, head) {
  if (head.length === 0 || held.length === 0) return head;
  const oldest = head[head.length - 1].id;
  const older = held.filter(({ id }) => id < oldest);
  const touches = held.some(({ id }) => id >= oldest);
  return touches ? [...head, ...older] : head;
}

/**
 * @template {{id: number}} T
 * @param {HTMLElement} root la section, avec `.more` et `.choice` @param {string} path la question, sans paramètres
 * @param {(path: string, forget: boolean) => void} redirect pose une autre question pour les premières lignes
 * @param {{onChange: () => void, onClear: () => void}} listener
 */
export function createList(root, path, redirect, { onChange, onClear }) {
  const more = find(root, '.more');
  const told = find(root, '.choice');
  const text = find(told, 'span');
  const problem = find(root, '.unread');
  /** @type {Context} */
  let context;
  /** @type {T[]} */
  let rows = [];
  /** @type {Choice | null} */
  let choice = null;
  let reading = false;
  // Tant que rien de plus ancien n'est demandé, on ne garde que les premières lignes : une page ouverte un mois ne grossit pas.
  let paged = false;
  let ended = false;

  more.addEventListener('click', async () => {
    const last = rows.at(-1);
    if (reading || !last) return;
    reading = true;
    const [before, shown] = [choice, rows];
    const answer = await read(`${query(MANY)}&before=${last.id}`);
    reading = false;
    if (before !== choice) return;
    setTextOrHide(problem, answer.ok ? null : failureText(answer.failure, context));
    if (!answer.ok || !Array.isArray(answer.data)) return;
    paged = true;
    ended = answer.data.length < MANY;
    // Les premières lignes ont pu avancer pendant la lecture.
    rows = mergeRows([...shown, ...answer.data], rows);
    onChange();
  });
  find(told, 'button').addEventListener('click', onClear);

  /** @param {number} limit */
  const query = (limit) => `${path}?limit=${limit}${choice ? `&${choice.query}` : ''}`;

  return {
    path: () => query(FEW),
    /** @param {Choice | null} next */
    choose(next) {
      if (choice?.query === next?.query) return;
      choice = next;
      rows = [];
      paged = false;
      ended = false;
      redirect(query(FEW), true);
    },
    /** @param {import('./feed.js').Part<T[]>} part @param {Context} next @returns {T[]} toutes les lignes à montrer */
    update({ data }, next) {
      context = next;
      const head = data ?? [];
      rows = paged ? mergeRows(rows, head) : head;
      more.hidden = ended || rows.length < FEW;
      setTextOrHide(text, choice?.text(context));
      told.hidden = !choice;
      return rows;
    },
  };
}
