// Dire un texte dans la langue choisie. Les textes sont dans words-fr.js et words-en.js, ceux de ce qu'une personne décide dans
// person/, et nulle part ailleurs ; la page ne charge que les siens. Une clé en `.one` et `.other` est un compte, dit par `many`.

import { UNKNOWN, createFormat, isKnown, parseUtc } from './format.js';

/** @typedef {keyof typeof import('./words-fr.js').fr} BaseKey */
/** @typedef {keyof typeof import('./person/words-fr.js').fr} PersonKey */
/** @typedef {BaseKey | PersonKey} Key */
/** Ceux de ce qu'une personne décide ne sont lus que lorsqu'il en faut. @typedef {Record<BaseKey, string> & Partial<Record<PersonKey, string>>} Texts */
/** @typedef {import('./format.js').Lang} Lang */
/** @template {string} K @typedef {K extends `${infer Stem}.other` ? Stem : never} StemOf */
/** @typedef {StemOf<Key>} CountKey */
/** @typedef {ReturnType<typeof createWords>} Words */
/** Ce que le programme dit, dans la langue de la page, et de quoi le lire ; `part` : dans une autre phrase. @typedef {{say: (text: string, part?: boolean) => string, read: () => Promise<void>}} Told */

/** @param {Lang} lang @param {string | null} wide aussi les textes de ce qu'une personne décide, à l'adresse qui finit ainsi @param {Told} told */
export async function loadWords(lang, wide, told) {
  const french = lang === 'fr';
  const texts = french ? (await import('./words-fr.js')).fr : (await import('./words-en.js')).en;
  if (wide === null) return createWords(lang, texts, told);
  const path = `./person/words-${lang}.js${wide}`;
  const { [lang]: more } = await import(path);
  return createWords(lang, { ...texts, ...more }, told);
}

/** Telle quelle. @type {Told} */
export const AS_TOLD = { say: (text) => text, read: async () => {} };

/** @param {Lang} lang @param {Texts} texts @param {Told} [told] */
export function createWords(lang, texts, told = AS_TOLD) {
  const plural = new Intl.PluralRules(lang);
  const { count, moment } = createFormat(lang);
  // L'heure du lecteur, avec son jour : une phrase se lit aussi plus tard.
  const local = (/** @type {string} */ text) => text.replace(/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/g, (_, utc) => moment(parseUtc(utc), NaN));

  /** @param {Key} key @param {Record<string, string | number>} [holes] @returns {string} */
  const say = (key, holes = {}) => write(texts[key] ?? key, holes);

  return {
    say,
    /** Ce que le programme dit, en une phrase ; rien tant que sa langue n'est pas lue. @param {string | null | undefined} text */
    told: (text) => (text ? local(told.say(text)) : null),
    /** De quoi le dire dans une autre phrase. @param {string | null | undefined} text */
    phrase: (text) => (text ? local(told.say(text, true)).replace(/\.$/, '') : ''),
    learn: told.read,
    /** Un compte accordé ; « — » s'il n'est pas connu. @param {CountKey} key @param {number | null} n @returns {string} */
    many(key, n) {
      const form = isKnown(n) && plural.select(n) === 'one' ? 'one' : 'other';
      return say(/** @type {Key} */ (`${key}.${form}`), { n: isKnown(n) ? count(n) : UNKNOWN });
    },
  };
}

/** Un texte, ses {trous} remplis. @param {string} text @param {Record<string, string | number>} holes @returns {string} */
export const write = (text, holes) =>
  text
    // En français ces signes ne passent pas seuls à la ligne.
    .replace(/ ([?!:;»%])/g, '\u00a0$1')
    .replace(/« /g, '«\u00a0')
    .replace(/\{(\w+)\}/g, (hole, name) => String(holes[name] ?? hole));
