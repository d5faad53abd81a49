// Dire un texte dans la langue choisie. Pur. Les textes sont dans words-fr.js et words-en.js, et nulle part ailleurs.
// Une clé en `.one` et `.other` est un compte, dit par `many`.

import { UNKNOWN, createFormat, isKnown } from './format.js';
import { en } from './words-en.js';
import { fr } from './words-fr.js';

/** @typedef {keyof typeof fr} Key */
/** @template {string} K @typedef {K extends `${infer Stem}.other` ? Stem : never} StemOf */
/** @typedef {StemOf<Key>} CountKey */
/** @typedef {ReturnType<typeof createWords>} Words */

/** @param {import('./format.js').Lang} lang */
export function createWords(lang) {
  const texts = lang === 'fr' ? fr : en;
  const plural = new Intl.PluralRules(lang);
  const { count } = createFormat(lang);

  /** @param {Key} key @param {Record<string, string | number>} [holes] @returns {string} */
  const say = (key, holes = {}) =>
    texts[key]
      // En français ces signes ne passent pas seuls à la ligne.
      .replace(/ ([?!:;»])/g, '\u00a0$1')
      .replace(/« /g, '«\u00a0')
      .replace(/\{(\w+)\}/g, (hole, name) => String(holes[name] ?? hole));

  return {
    say,
    /** Un compte accordé ; « — » s'il n'est pas connu. @param {CountKey} key @param {number | null} n @returns {string} */
    many(key, n) {
      const form = isKnown(n) && plural.select(n) === 'one' ? 'one' : 'other';
      return say(/** @type {Key} */ (`${key}.${form}`), { n: isKnown(n) ? count(n) : UNKNOWN });
    },
  };
}
