// Clair ou sombre : comme le système, ou comme on l'a choisi ici. theme-first.js applique le choix dès le premier instant.

import { recall, remember } from './memory.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @param {string | null | undefined} text @returns {Theme} */
const readTheme = (text) => (text === 'light' || text === 'dark' ? text : 'system');

/** @param {HTMLElement} root */
export function createTheme(root) {
  const buttons = [...root.querySelectorAll('button')];

  /** @param {Theme} theme */
  function show(theme) {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.themeChoice === theme));
  }

  for (const button of buttons) {
    button.addEventListener('click', () => {
      const theme = readTheme(button.dataset.themeChoice);
      remember('theme', theme);
      show(theme);
    });
  }
  show(readTheme(recall('theme')));
}
