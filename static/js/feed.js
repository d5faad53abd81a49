// Les dernières réponses du programme, chacune avec son âge. Sait quand redemander, ne sait rien de la page.
// Invariant : une réponse ancienne n'est jamais remplacée par du vide ; elle reste, et elle est dite périmée.

import { read } from './api.js';

/** @typedef {import('./api.js').Failure} Failure */
/** @template T @typedef {{data: T | null, at: number | null, failure: Failure | null, stale: boolean}} Part */
/**
 * @typedef {{path: string, every: number, alsoStatus?: number, accepts: (data: any) => boolean}} Source `every` en ms
 */

// Quand le direct dit ce qui change, redemander n'est plus qu'une sûreté.
const LIVE_MS = 60_000;
// Une seule question manquée peut n'être qu'un hoquet du Wi-Fi : il en faut deux refusées, ou un long silence.
const FAILING_MS = 5_000;
const SILENT_MS = 20_000;

/**
 * @param {number | null} at @param {boolean} failing @param {{now: number, then: number}} every ms entre deux questions, à
 *   présent et quand la réponse est venue @param {number} now
 */
export const isStale = (at, failing, every, now) =>
  at === null || now - at > (failing ? every.now + FAILING_MS : every.then + SILENT_MS);

/**
 * @template {string} Name
 * @param {Record<Name, Source>} sources @param {() => void} onChange
 */
export function createFeed(sources, onChange) {
  const names = /** @type {Name[]} */ (Object.keys(sources));
  const held = Object.fromEntries(
    names.map((name) => [
      name,
      { data: /** @type {any} */ (null), at: 0, failure: /** @type {Failure | null} */ (null), asked: 0, turn: 0, every: 0 },
    ]),
  );

  let live = false;

  /** @param {Name} name */
  const pace = (name) => (live ? LIVE_MS : sources[name].every);

  /** @param {Name} name */
  async function ask(name) {
    const source = sources[name];
    const state = held[name];
    state.asked = Date.now();
    state.turn += 1;
    const turn = state.turn;
    const answer = await read(source.path, source);
    // Une question plus récente est partie entre-temps : sa réponse seule compte.
    if (turn !== state.turn) return;
    if (!answer.ok) state.failure = answer.failure;
    else if (!source.accepts(answer.data)) state.failure = { kind: 'unreadable', status: null, message: null };
    else {
      state.data = answer.data;
      state.at = Date.now();
      state.every = pace(name);
      state.failure = null;
    }
    onChange();
  }

  return {
    /** Le direct est ouvert, ou rompu : le rythme change, la question suivante est à qui le dit. @param {boolean} open */
    setLive(open) {
      live = open;
    },

    /** Demande ces parties-là ; un nom inconnu est celui d'un programme plus récent. @param {string[]} wanted */
    ask(wanted) {
      for (const name of names) if (wanted.includes(name)) void ask(name);
    },

    /** Demande ce qui est dû ; tout, si `all`. @param {boolean} [all] */
    poll(all = false) {
      const now = Date.now();
      for (const name of names) {
        if (all || now - held[name].asked >= pace(name)) void ask(name);
      }
    },

    /**
     * Change la question et la pose tout de suite. `forget` : l'ancienne réponse ne vaut rien pour la nouvelle question.
     * @param {Name} name @param {string} path @param {boolean} forget
     */
    redirect(name, path, forget) {
      sources[name].path = path;
      if (forget) Object.assign(held[name], { data: null, at: 0, failure: null });
      void ask(name);
      onChange();
    },

    /** @param {number} now @returns {Record<Name, Part<any>>} */
    parts(now) {
      const entries = names.map((name) => {
        const { data, failure, every } = held[name];
        const at = held[name].at || null;
        return [name, { data, at, failure, stale: isStale(at, failure !== null, { now: pace(name), then: every }, now) }];
      });
      return Object.fromEntries(entries);
    },
  };
}
