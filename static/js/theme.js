// Clair ou sombre : comme le système, ou comme on l'a choisi ici. Chargé avant la première image : rien ne clignote.

import { recall, remember } from './memory.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @param {string | null | undefined} text @returns {Theme} */
const readTheme = (text) => (text === 'light' || text === 'dark' ? text : 'system');

/** @param {Theme} theme */
function apply(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

let theme = readTheme(recall('theme'));
apply(theme);

/** @param {HTMLElement} root */
export function createTheme(root) {
  const buttons = [...root.querySelectorAll('button')];
  const mark = () => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.themeChoice === theme));
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      theme = readTheme(button.dataset.themeChoice);
      remember('theme', theme);
      apply(theme);
      mark();
    });
  }
  mark();
}
