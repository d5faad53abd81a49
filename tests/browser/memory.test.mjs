// Une page ouverte vingt-quatre heures ne grossit pas : après N mises à jour comme après 2 N, la même mémoire, les mêmes
// nœuds, les mêmes écoutes. Ce qui fuirait d'un rien à chacune se verrait ici.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { play } from './play.mjs';
import { PATIENCE_MS } from './until.mjs';
import { update, watch } from './updates.mjs';

const ROUND = 300;
// La plus petite de tant de lectures : une mise à jour venue d'elle-même peut être en cours pendant une.
const READINGS = 5;
// Ce que le ramasse-miettes peut laisser de différence, en octets. Une fuite de 500 par mise à jour s'y verrait : à une
// mise à jour toutes les dix secondes, 4 Mo par jour.
const SLACK_BYTES = 150_000;

// Les listes et la courbe y ont déjà toute leur longueur : rien n'y grandit pour une bonne raison.
const here = play('thousand-trades');

test('a page left open does not grow', async () => {
  const { page, cdp, settled, complaints, close } = await visit(here.browser, 'about:blank');
  await page.addInitScript(watch);
  await page.goto(here.scene.follower.url());
  await settled();
  await page.locator('[data-period="1y"]').click();
  await settled();
  for (const summary of await page.locator('summary:visible').all()) await summary.click();

  async function measure() {
    await page.evaluate(update, { times: ROUND, patience: PATIENCE_MS });
    const readings = [];
    for (let times = 0; times < READINGS; times += 1) {
      await settled();
      // Deux fois : ce qu'une première rend libre en libère d'autres.
      for (let again = 0; again < 2; again += 1) await cdp.send('HeapProfiler.collectGarbage');
      const { usedSize } = await cdp.send('Runtime.getHeapUsage');
      const { nodes, jsEventListeners, documents } = await cdp.send('Memory.getDOMCounters');
      readings.push({ bytes: usedSize, nodes, listeners: jsEventListeners, documents });
    }
    return readings.reduce((least, reading) => (reading.bytes < least.bytes ? reading : least));
  }

  await measure();
  const once = await measure();
  const twice = await measure();
  const told = `${JSON.stringify(once)} then ${JSON.stringify(twice)}`;
  assert.ok(twice.bytes - once.bytes < SLACK_BYTES, told);
  // Un signal, un trade de plus ou de moins changent quelques nœuds.
  assert.ok(twice.nodes - once.nodes < ROUND / 4, told);
  assert.ok(twice.listeners - once.listeners < ROUND / 4, told);
  assert.equal(twice.documents, once.documents, told);
  assert.deepEqual(complaints, []);
  await close();
});
