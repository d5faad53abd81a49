// La langue de la page : celle du navigateur, ou celle qu'on a choisie ici, et les textes fixes qui en dépendent.

import { setAttribute, setText } from './dom.js';
import { createFormat } from './format.js';
import { recall, remember } from './memory.js';
import { loadWords } from './words.js';

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
  let wide = false;
  let current = await speak();

  async function speak() {
    const words = await loadWords(lang, wide);
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
    return { words, format: createFormat(lang) };
  }

  for (const button of switches) {
    button.addEventListener('click', async () => {
      lang = button.getAttribute('data-lang') === 'en' ? 'en' : 'fr';
      remember('lang', lang);
      current = await speak();
      onChange();
    });
  }
  return {
    current: () => current,
    /** Sait aussi dire ce qu'une personne décide. */
    async widen() {
      wide = true;
      current = await speak();
    },
  };
}
