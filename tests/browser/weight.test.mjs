// Ce que la page pèse sur le fil, compressée : une promesse, que la machine soit lente ou non.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play } from './play.mjs';
import { weigh } from './weight.mjs';

const MOST_BYTES = 60_000;

const here = play('normal-day');

for (const lang of /** @type {const} */ (['fr', 'en'])) test(`all of the page, heads included, is under 60 KB on the wire: ${lang}`, async () => {
  const files = await weigh(here.browser, here.scene.follower.url(), lang);
  assert.ok(files.some(({ path }) => path === '/') && files.some(({ path }) => path.endsWith('.css')), JSON.stringify(files));
  assert.ok(files.filter(({ path }) => path.endsWith('.js')).length > 0, JSON.stringify(files));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const heaviest = files.sort((one, other) => other.bytes - one.bytes).map((file) => `${file.bytes} ${file.path}`);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes\n${heaviest.join('\n')}`);
});
