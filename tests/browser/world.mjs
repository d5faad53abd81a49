// Le leader et la bourse simulés, dans leur propre processus ; `tell` y fait un geste (examples/world/command.rs).

import { createInterface } from 'node:readline';
import { start } from './program.mjs';

/** @typedef {Awaited<ReturnType<typeof startWorld>>} World */

/** Les lignes que le monde écrit d'abord. */
const GREETING = ['LEADER_URL', 'BINANCE_URL', 'SIGNAL_SECRET', 'BINANCE_API_KEY', 'BINANCE_API_SECRET'];

/** @param {import('./stage.mjs').Stage} stage */
export async function startWorld(stage) {
  const { child, ended, log } = start('world', []);
  stage.onClose(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function line() {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the simulated world ended: ${log()}`);
    return value;
  }

  /** @type {Record<string, string>} */
  const environment = {};
  for (const _ of GREETING) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(await line()) ?? [];
    environment[name] = value;
  }

  return {
    /** Ce qu'il faut au programme pour suivre ce monde. */
    environment,

    /** @param {string} order une ligne @returns {Promise<any>} */
    async tell(order) {
      child.stdin.write(`${order}\n`);
      const answer = await line();
      if (answer.startsWith('error: ')) throw new Error(`${order}: ${answer}`);
      return JSON.parse(answer);
    },
  };
}
