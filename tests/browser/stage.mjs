// Ce qu'un essai a ouvert et qu'il doit refermer : dossiers, programmes, navigateur. Le dernier ouvert part d'abord.
// Invariant : même un essai qui échoue au milieu ne laisse rien tourner.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @typedef {ReturnType<typeof createStage>} Stage */

export function createStage() {
  /** @type {(() => Promise<unknown> | unknown)[]} */
  const closings = [];
  return {
    /** @param {() => Promise<unknown> | unknown} closing */
    onClose: (closing) => void closings.push(closing),

    /** Un dossier à cet essai, effacé avec lui. */
    async folder() {
      const path = await mkdtemp(join(tmpdir(), 'calvalot-browser-'));
      closings.push(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
      return path;
    },

    async close() {
      /** @type {unknown[]} */
      const failures = [];
      for (const closing of closings.splice(0).reverse()) {
        try {
          await closing();
        } catch (failure) {
          failures.push(failure);
        }
      }
      if (failures.length) throw new AggregateError(failures, 'something did not close');
    },
  };
}
