// Ce que la plupart des histoires demandent : un état de la page et un navigateur, prêts avant le premier test du fichier,
// fermés après le dernier.

import { after, before } from 'node:test';
import { openBrowser } from './browser.mjs';
import { createStage } from './stage.mjs';
import { STATES } from './states.mjs';

/** @typedef {{browser: import('playwright-core').Browser, scene: import('./states.mjs').Scene}} Here */

/** @param {keyof typeof STATES} state @returns {Here & {stage: import('./stage.mjs').Stage}} */
export function play(state) {
  const stage = createStage();
  const here = { stage, ...(/** @type {Here} */ ({})) };
  before(async () => {
    here.browser = await openBrowser(stage);
    here.scene = await STATES[state](stage);
  });
  after(() => stage.close());
  return here;
}
