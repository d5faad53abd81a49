// Ce que la page coûte à qui la regarde : le premier affichage, le dessin d'une année, les octets sur le fil.
//
// `node benches/page.mjs` écrit les chiffres (à reporter dans le README : le programme final, une machine au repos).
// `--check` n'échoue que sur un rapport : contre une page vide et contre un calcul fixe, mesurés dans le même
// navigateur, en alternance. Une machine lente ou occupée ralentit les deux ; une page qui a grossi, elle seule.

import { createServer } from 'node:http';
import { arch, cpus, loadavg, platform } from 'node:os';
import { openBrowser, visit } from '../tests/browser/browser.mjs';
import { createStage } from '../tests/browser/stage.mjs';
import { STATES } from '../tests/browser/states.mjs';
import { PATIENCE_MS } from '../tests/browser/until.mjs';
import { weigh } from '../tests/browser/weight.mjs';

/** @typedef {import('../tests/browser/stage.mjs').Stage} Stage */
/** @typedef {Awaited<ReturnType<typeof openBrowser>>} Browser */

const LOADS = 9;
const SLOW_DOWN = 4;

// Les promesses, telles qu'un bureau au repos les tient.
const LIMIT_PAINT_MS = 300;
const LIMIT_DRAW_MS = 50;
const LIMIT_BYTES = 60_000;
// Les rapports au-delà desquels quelque chose a changé, quelle que soit la machine.
const MOST_PAINTS = 4;
const MOST_DRAWS = 3;

/** Un calcul fixe, autour de 25 ms sur un bureau. */
const reference = () => {
  const start = performance.now();
  let sum = 0;
  for (let i = 1; i < 4e6; i += 1) sum += Math.sqrt(i) % 7;
  return sum > 0 ? performance.now() - start : NaN;
};

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Une page qui n'a qu'un mot, servie de la même boucle locale. @param {Stage} stage @returns {Promise<string>} */
async function emptyPage(stage) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,"><p>word');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  stage.onClose(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
}

/** Le premier contenu affiché, en ms, processeur ralenti. @param {Browser} browser @param {string} url */
async function firstPaint(browser, url) {
  const { page, cdp, close } = await visit(browser, 'about:blank', { size: 'phone' });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOW_DOWN });
  await page.goto(url);
  const paint = await page.evaluate((patience) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('nothing is painted')), patience);
    new PerformanceObserver((list, observer) => {
      const entry = list.getEntriesByName('first-contentful-paint')[0];
      if (!entry) return;
      observer.disconnect();
      resolve(entry.startTime);
    }).observe({ type: 'paint', buffered: true });
  }), PATIENCE_MS);
  await close();
  return Number(paint);
}

/** Le travail de la page, en ms, pour montrer une année, de la réponse au dessin ; et celui du calcul fixe. @param {Browser} browser @param {string} url */
async function drawings(browser, url) {
  const { page, cdp, settled, close } = await visit(browser, url);
  await settled();
  await cdp.send('Performance.enable');
  const work = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
  };
  /** @param {string} period */
  const show = (period) => page.evaluate(({ wanted, patience }) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${wanted} is never drawn`)), patience);
    const lines = /** @type {Element} */ (document.querySelector('#chart svg'));
    const path = () => document.querySelector('#chart svg .lines .value')?.getAttribute('d') ?? '';
    const before = path();
    const observer = new MutationObserver(() => {
      if (path() === before || path() === '') return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(path().length)));
    });
    observer.observe(lines, { subtree: true, childList: true, attributes: true });
    /** @type {HTMLElement} */ (document.querySelector(`[data-period="${wanted}"]`)).click();
  }), { wanted: period, patience: PATIENCE_MS });
  /** @type {number[]} */
  const drawn = [];
  /** @type {number[]} */
  const computed = [];
  for (let load = 0; load < LOADS; load += 1) {
    await show('1d');
    const before = await work();
    await show('1y');
    drawn.push((await work()) - before);
    computed.push(await page.evaluate(reference));
  }
  await close();
  return { drawn, computed };
}

const stage = createStage();
let missed = 0;
try {
  const { follower } = await STATES['thousand-trades'](stage);
  const browser = await openBrowser(stage);
  const empty = await emptyPage(stage);
  // La première fenêtre paie pour toutes.
  await firstPaint(browser, empty);
  /** @type {number[]} */
  const paints = [];
  /** @type {number[]} */
  const emptyPaints = [];
  for (let load = 0; load < LOADS; load += 1) {
    emptyPaints.push(await firstPaint(browser, empty));
    paints.push(await firstPaint(browser, follower.url()));
  }
  const { drawn, computed } = await drawings(browser, follower.url());
  const bytes = (await weigh(browser, follower.url())).reduce((sum, file) => sum + file.bytes, 0);
  const [paint, emptyPaint, draw, fixed] = [paints, emptyPaints, drawn, computed].map(median);
  console.log(`${platform()} ${arch()}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, medians of ${LOADS}`);
  console.log(`first contentful paint, CPU slowed ${SLOW_DOWN} times: ${paint.toFixed(0)} ms (promised ${LIMIT_PAINT_MS}); an empty page: ${emptyPaint.toFixed(0)} ms`);
  console.log(`a year shown, from its answer to its drawing: ${draw.toFixed(1)} ms of work (promised ${LIMIT_DRAW_MS}); the fixed computation: ${fixed.toFixed(1)} ms`);
  console.log(`all of the page on the wire: ${bytes} bytes (promised ${LIMIT_BYTES})`);
  if (process.argv.includes('--check')) {
    check(`the first paint takes ${(paint / emptyPaint).toFixed(1)} times that of an empty page, more than ${MOST_PAINTS}`, paint / emptyPaint <= MOST_PAINTS);
    check(`a year takes ${(draw / fixed).toFixed(1)} times the fixed computation, more than ${MOST_DRAWS}`, draw / fixed <= MOST_DRAWS);
  }
} finally {
  await stage.close();
}
process.exitCode = missed > 0 ? 1 : 0;

/** @param {string} fault @param {boolean} kept */
function check(fault, kept) {
  if (kept) return;
  missed += 1;
  console.log(`MISSED: ${fault}`);
}
