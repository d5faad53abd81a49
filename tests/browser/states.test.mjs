// Chaque état de la page, aux deux tailles, dans les deux langues et les deux thèmes : il dit ce qu'il est, il est
// lisible par tous, il ne demande rien à personne d'autre, et la console n'a rien à redire.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { en as personEn } from '../../static/js/person/words-en.js';
import { fr as personFr } from '../../static/js/person/words-fr.js';
import { en } from '../../static/js/words-en.js';
import { fr } from '../../static/js/words-fr.js';
import { createWords } from '../../static/js/words.js';
import { faults } from './axe.mjs';
import { openBrowser, visit } from './browser.mjs';
import { createStage } from './stage.mjs';
import { REASONING, STATES, STATE_NAMES, stuckOrder } from './states.mjs';

/** @typedef {import('../../static/js/words.js').Key} Key */
/** @typedef {import('./states.mjs').State} State */

/** Chaque paire de taille, de langue et de thème s'y rencontre. @type {Required<import('./browser.mjs').Look>[]} */
const LOOKS = [
  { size: 'phone', lang: 'fr', theme: 'light' },
  { size: 'phone', lang: 'en', theme: 'dark' },
  { size: 'desk', lang: 'fr', theme: 'dark' },
  { size: 'desk', lang: 'en', theme: 'light' },
];

const TEXTS = { fr: { ...fr, ...personFr }, en: { ...en, ...personEn } };

/** Le ton de chaque état, et ce que la page en dit. @type {Record<State | 'stuck-order', {tone: string, says: Key[]}>} */
const SHOWN = {
  'first-start': { tone: 'info', says: ['state.no_signal', 'positions.empty', 'trades.empty'] },
  'normal-day': { tone: 'good', says: ['mode.dry_run', 'agent.active', 'leader.connected'] },
  'old-allocation': { tone: 'warn', says: ['old.take', 'old.wait', 'old.take_button', 'old.wait_button'] },
  'target-awaited': { tone: 'warn', says: ['why.halted'] },
  'leader-down': { tone: 'bad', says: ['leader.disconnected'] },
  'prices-unknown': { tone: 'warn', says: ['positions.no_price'] },
  'agent-dead': { tone: 'bad', says: ['agent.dead'] },
  paused: { tone: 'warn', says: ['agent.paused', 'resume.button'] },
  'order-in-doubt': { tone: 'warn', says: ['mode.live', 'order.unknown'] },
  'thousand-trades': { tone: 'good', says: ['agent.active'] },
  'long-reasoning': { tone: 'good', says: ['agent.active'] },
  'stuck-order': { tone: 'bad', says: ['mode.live', 'order.stuck', 'release.button'] },
};

const stage = createStage();
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => (browser = await openBrowser(stage)));
after(() => stage.close());

/** Sans différence d'espace ni de casse : le style en met. @param {string} text */
const plain = (text) => text.replace(/\s+/g, ' ').toLowerCase();

for (const name of /** @type {(State | 'stuck-order')[]} */ ([...STATE_NAMES, 'stuck-order'])) {
  test(`${name}: says what it is, is readable by everyone, asks nobody else, and the console is silent`, async () => {
    const scene = createStage();
    try {
      const { follower } = await (name === 'stuck-order' ? stuckOrder : STATES[name])(scene);
      for (const look of LOOKS) await examine(name, follower.url(), look);
    } finally {
      await scene.close();
    }
  });
}

/**
 * Met un état en place et le fait voir à `look`, puis range tout.
 * @param {State} name @param {(visited: import('./browser.mjs').Visit) => Promise<void>} look
 */
async function inState(name, look) {
  const scene = createStage();
  try {
    const { follower } = await STATES[name](scene);
    const visited = await visit(browser, follower.url());
    await visited.settled();
    await look(visited);
    await visited.close();
  } finally {
    await scene.close();
  }
}

/** @param {State | 'stuck-order'} name @param {string} url @param {Required<import('./browser.mjs').Look>} look */
async function examine(name, url, look) {
  const where = `${name}, ${look.size} ${look.lang} ${look.theme}`;
  const { page, settled, complaints, strangers, close } = await visit(browser, url, look);
  await settled();
  const { tone, says } = SHOWN[name];
  await page.locator(`#state[data-tone="${tone}"]`).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), look.lang, where);
  const read = plain(await page.locator('body').innerText());
  const words = createWords(look.lang, TEXTS[look.lang]);
  for (const key of says) assert.ok(read.includes(plain(words.say(key))), `${where} does not say ${key}: ${read.slice(0, 600)}`);

  // Ce qu'un volet cache doit être lisible aussi.
  for (const summary of await page.locator('summary:visible').all()) await summary.click();
  // Revenue en haut : l'en-tête qui suit le défilement n'y cache rien.
  await page.evaluate(() => scrollTo(0, 0));
  assert.deepEqual(await faults(page), [], where);
  const { wide, width } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= width, `${where}: ${wide} pixels wide on a screen of ${width}`);
  assert.deepEqual(strangers(), [], where);
  assert.deepEqual(complaints, [], where);
  await close();
}

test('the examination sees a fault when there is one', () =>
  inState('first-start', async ({ page }) => {
    await page.evaluate(() => document.querySelector('main')?.append(document.createElement('input')));
    assert.match((await faults(page)).join(), /^label /);
  }));

test('an unknown value is a dash, and never a number', () =>
  inState('prices-unknown', async ({ page }) => {
    assert.equal(await page.locator('[data-value="total-eur"]').innerText(), '—');
  }));

test('a dead agent cannot be paused', () =>
  inState('agent-dead', async ({ page }) => {
    assert.equal(await page.locator('#pause').isVisible(), false);
  }));

test('the reasoning of the leader is text from its first sign to its last, never HTML', () =>
  inState('long-reasoning', async ({ page, asked }) => {
    const signal = page.locator('#signals [data-signal="html-1"]');
    await signal.locator('summary').click();
    const shown = await signal.locator('.reasoning').evaluate((node) => node.textContent);
    assert.equal(shown?.replace(/\s+/g, ' '), REASONING.replace(/\s+/g, ' '));
    assert.equal(await page.locator('#bold, img, #content script').count(), 0);
    assert.equal(await page.evaluate(() => 'hacked' in window), false);
    assert.ok(!asked.some((address) => address.endsWith('/x')), 'an image of the reasoning was asked for');
  }));
