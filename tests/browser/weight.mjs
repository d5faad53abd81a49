// Ce que chaque fichier de la page pèse sur le fil, tête comprise, tel que le navigateur l'a reçu. Les réponses de l'API
// ne sont pas la page.

import { visit } from './browser.mjs';

/**
 * @param {import('playwright-core').Browser} browser @param {string} url @param {import('./browser.mjs').Lang} [lang]
 * @returns {Promise<{path: string, bytes: number}[]>}
 */
export async function weigh(browser, url, lang) {
  const { page, cdp, settled, close } = await visit(browser, 'about:blank', { lang });
  /** @type {Map<string, string>} */
  const paths = new Map();
  /** @type {{path: string, bytes: number}[]} */
  const files = [];
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => paths.set(requestId, new URL(request.url).pathname));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const path = paths.get(requestId) ?? requestId;
    if (!path.startsWith('/api/') && path !== '/health') files.push({ path, bytes: encodedDataLength });
  });
  await page.goto(url, { waitUntil: 'load' });
  await settled();
  await close();
  return files.filter(({ bytes }) => bytes > 0);
}
