// Chromium, et une visite de la page : taille, langue, thème, et tout ce dont elle s'est plainte ou ce qu'elle a demandé.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { PATIENCE_MS } from './until.mjs';

/** @typedef {keyof typeof SIZES} Size */
/** @typedef {'fr' | 'en'} Lang */
/** @typedef {'light' | 'dark'} Theme */
/** @typedef {{size?: Size, lang?: Lang, theme?: Theme}} Look */
/** @typedef {Awaited<ReturnType<typeof visit>>} Visit */

export const SIZES = { phone: { width: 375, height: 667 }, desk: { width: 1280, height: 800 } };
const LOCALES = { fr: 'fr-FR', en: 'en-GB' };

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chaque taille, langue et thème. @type {Required<Look>[]} */
export const LOOKS = /** @type {Size[]} */ (Object.keys(SIZES)).flatMap((size) =>
  /** @type {Lang[]} */ (['fr', 'en']).flatMap((lang) =>
    /** @type {Theme[]} */ (['light', 'dark']).map((theme) => ({ size, lang, theme }))));

/** Le navigateur du système : `CHROMIUM`, ou le premier trouvé dans le chemin. */
function executable() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const usable = (/** @type {string} */ path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const found = process.env.CHROMIUM ?? candidates.find(usable);
  if (!found) throw new Error('there is no chromium: install it, or say where it is with CHROMIUM');
  return found;
}

/** @param {import('./stage.mjs').Stage} stage */
export async function openBrowser(stage) {
  const browser = await chromium.launch({ executablePath: executable(), args: FLAGS });
  stage.onClose(() => browser.close());
  return browser;
}

/**
 * Une fenêtre neuve, sans rien en mémoire.
 * @param {import('playwright-core').Browser} browser @param {string} url @param {Look} [look]
 */
export async function visit(browser, url, { size = 'desk', lang = 'en', theme = 'light' } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: LOCALES[lang],
    colorScheme: theme,
    timezoneId: 'Europe/Paris',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  /** Ce que la console et les scripts ont eu à redire. @type {string[]} */
  const complaints = [];
  /** Les adresses demandées. @type {string[]} */
  const asked = [];
  page.on('console', (message) => {
    if (['error', 'warning', 'assert'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url);

  return {
    page,
    context,
    cdp,
    complaints,
    asked,

    /** Ce qui a été demandé à un autre que ce programme. */
    strangers: () => asked.filter((address) => !address.startsWith(url) && !address.startsWith('data:')),

    /** Attend que l'élément ait un texte connu : ni vide, ni inconnu. @param {string} selector */
    async told(selector) {
      await page.waitForFunction(
        (wanted) => !['', '—', '…'].includes(document.querySelector(wanted)?.textContent?.trim() ?? ''),
        selector,
      );
      return (await page.locator(selector).innerText()).trim();
    },

    /** Attend que chaque partie de la page ait sa réponse. */
    async settled() {
      await page.waitForFunction(() => {
        const waiting = [...document.querySelectorAll('.freshness')].some((note) => note.checkVisibility());
        return !waiting && document.querySelector('#headline')?.textContent && document.querySelector('#mode[data-mode]');
      });
    },

    close: () => context.close(),
  };
}
