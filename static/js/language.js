// La langue de la page : celle du navigateur, ou celle qu'on a choisie ici, et les textes fixes qui en dépendent.

import { setAttribute, setText } from './dom.js';
import { createFormat } from './format.js';
import { recall, remember } from './memory.js';
import { AS_TOLD, loadWords } from './words.js';

/** @typedef {import('./format.js').Lang} Lang */

/** @param {string | null} chosen @param {readonly string[]} preferred @returns {Lang} */
export function pickLanguage(chosen, preferred) {
  if (chosen === 'fr' || chosen === 'en') return chosen;
  const first = preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'fr' || tag === 'en');
  return first === 'en' ? 'en' : 'fr';
}

/** @param {Document} page @param {() => void} onChange */
export async function createLanguage(page, onChange) {
  const switches = [...page.querySelectorAll('button[data-lang]')];
  let lang = pickLanguage(recall('lang'), navigator.languages);
  /** @type {string | null} */
  let wide = null;
  /** @type {Promise<void>} */
  let latest;
  /** @type {{words: import('./words.js').Words, format: import('./format.js').Format}} */
  let current;
  const told = { fr: createTold('fr', onChange), en: createTold('en', onChange) };
  await speak();

  /** Dit la page dans la langue choisie ; ce qui l'a été depuis l'emporte, même lu plus vite. @returns {Promise<void>} */
  function speak() {
    /** @type {Promise<void>} */
    const own = loadWords(lang, wide, told[lang]).then((words) => (own === latest ? show(words) : latest));
    return (latest = own);
  }

  /** @param {import('./words.js').Words} words */
  function show(words) {
    page.documentElement.lang = lang;
    for (const node of page.querySelectorAll('[data-t]')) {
      setText(node, words.say(/** @type {import('./words.js').Key} */ (node.getAttribute('data-t'))));
    }
    for (const node of page.querySelectorAll('[data-t-label]')) {
      const key = /** @type {import('./words.js').Key} */ (node.getAttribute('data-t-label'));
      setAttribute(node, 'aria-label', words.say(key));
    }
    for (const button of switches) {
      setAttribute(button, 'aria-pressed', String(button.getAttribute('data-lang') === lang));
    }
    current = { words, format: createFormat(lang) };
  }

  for (const button of switches) {
    button.addEventListener('click', async () => {
      lang = button.getAttribute('data-lang') === 'en' ? 'en' : 'fr';
      remember('lang', lang);
      await speak();
      onChange();
    });
  }
  return {
    current: () => current,
    /** Sait aussi dire ce qu'une personne décide. @param {string} again la fin d'une adresse qui n'a pas encore été manquée */
    async widen(again) {
      wide = again;
      await speak();
    },
  };
}

/**
 * Ce que le programme dit en anglais : de quoi le dire ne se lit qu'à la première phrase. Manqué, tout est dit tel quel.
 * @param {Lang} lang @param {() => void} onRead @returns {import('./words.js').Told}
 */
function createTold(lang, onRead) {
  /** @type {import('./words.js').Told['say'] | null} */
  let say = null;
  /** @type {Promise<void> | null} */
  let reading = null;
  const path = `./person/told-${lang}.js`;
  const read = () => (reading ??= import(path).then(({ tell }) => void (say = tell), () => void (say = AS_TOLD.say)));
  return {
    read,
    say(text, part) {
      if (say) return say(text, part);
      void read().then(onRead);
      return '';
    },
  };
}
