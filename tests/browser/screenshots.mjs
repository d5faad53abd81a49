// Les images de la page. `node tests/browser/screenshots.mjs DOSSIER [ÉTAT…]` met en place chaque état et le montre au
// téléphone et au bureau, en clair et en français, en sombre et en anglais : le haut de la page et la page entière.
// `--readme` ne prend que les deux images du README : le haut d'une démonstration, celle que sa première commande montre.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser, visit } from './browser.mjs';
import { start } from './program.mjs';
import { createStage } from './stage.mjs';
import { STATES, STATE_NAMES } from './states.mjs';
import { until } from './until.mjs';

/** @typedef {import('./browser.mjs').Look} Look */
/** @typedef {import('./states.mjs').State} State */

/** @type {Required<Look>[]} */
const LOOKS = [
  { size: 'phone', lang: 'fr', theme: 'light' },
  { size: 'phone', lang: 'en', theme: 'dark' },
  { size: 'desk', lang: 'fr', theme: 'light' },
  { size: 'desk', lang: 'en', theme: 'dark' },
];
/** @type {Required<Look>[]} */
const README = [
  { size: 'phone', lang: 'fr', theme: 'light' },
  { size: 'desk', lang: 'en', theme: 'dark' },
];

const words = process.argv.slice(2);
const forReadme = words.includes('--readme');
const [folder, ...named] = words.filter((word) => word !== '--readme');
const unknown = named.filter((name) => !STATE_NAMES.includes(/** @type {State} */ (name)));
if (!folder || unknown.length || (forReadme && named.length)) {
  console.error(`usage: screenshots.mjs FOLDER [STATE…]   or   screenshots.mjs FOLDER --readme\nstates: ${STATE_NAMES.join(' ')}`);
  process.exit(2);
}
await mkdir(folder, { recursive: true });
if (forReadme) await shoot('demo', demo);
else for (const name of named.length ? named : STATE_NAMES) await shoot(name, stateOf(/** @type {State} */ (name)));

/** @typedef {(stage: import('./stage.mjs').Stage) => Promise<string>} Opening met en place ce qu'on va voir, et rend son adresse */

/** @param {State} name @returns {Opening} */
function stateOf(name) {
  return async (stage) => (await STATES[name](stage)).follower.url();
}

/** La démonstration, assez longtemps pour que le graphique dise quelque chose. @type {Opening} */
async function demo(stage) {
  const { child } = start('calvalot', ['demo', '--port', '0', '--speed', '600'], { PATH: process.env.PATH ?? '' });
  stage.onClose(() => void child.kill());
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  const url = await until('the demo says where it is', () => /http:\S+/.exec(said)?.[0]);
  const path = `${url}api/budget/history?period=1d`;
  await until('the demo has a past', async () => (await (await fetch(path)).json()).length > 200);
  return url;
}

/** @param {string} name @param {Opening} open */
async function shoot(name, open) {
  const stage = createStage();
  try {
    const url = await open(stage);
    const browser = await openBrowser(stage);
    for (const look of forReadme ? README : LOOKS) {
      const { page, settled, close } = await visit(browser, url, look);
      await settled();
      const file = `${forReadme ? '' : `${name}-`}${look.size}-${look.lang}-${look.theme}`;
      await page.screenshot({ path: join(folder, `${file}.png`) });
      if (!forReadme) {
        // Ce qui est replié se voit aussi : les raisons du dernier signal.
        const reasons = page.locator('#signals summary').first();
        if (await reasons.isVisible()) await reasons.click();
        await page.screenshot({ path: join(folder, `${file}-whole.png`), fullPage: true });
      }
      await close();
    }
    console.log(name);
  } finally {
    await stage.close();
  }
}
