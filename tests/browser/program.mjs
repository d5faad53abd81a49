// Les programmes construits par cargo, lancés comme un ami les lancerait : rien de cette machine dans leur environnement.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BINARY = resolve(process.env.CALVALOT_BIN ?? join(ROOT, 'target/debug/calvalot'));
const EXAMPLES = join(ROOT, 'target/debug/examples');

/** @typedef {import('node:child_process').ChildProcessWithoutNullStreams} Child */
/** @typedef {{child: Child, ended: Promise<number | string>, log: () => string}} Running */

/** Ce qui tourne encore si cet essai s'arrête sans prévenir. @type {Set<Child>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @param {'calvalot' | 'world' | 'history'} name */
function pathOf(name) {
  const path = name === 'calvalot' ? BINARY : join(EXAMPLES, name);
  if (!existsSync(path)) throw new Error(`there is no ${path}: cargo build --bin calvalot --examples`);
  return path;
}

/**
 * @param {'calvalot' | 'world'} name @param {string[]} words @param {Record<string, string>} [environment] @param {string} [folder]
 * @returns {Running}
 */
export function start(name, words, environment = {}, folder = dirname(BINARY)) {
  const child = spawn(pathOf(name), words, { env: environment, cwd: folder });
  running.add(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-20_000)));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal);
    });
  });
  // Qui n'attend pas la fin n'a pas à en mourir.
  ended.catch(() => {});
  return { child, ended, log: () => log };
}

/** Lance et attend une fin sans faute ; rend ce qu'il a écrit. @param {'calvalot' | 'history'} name @param {string[]} words @param {Record<string, string>} [environment] */
export async function run(name, words, environment = {}) {
  const { stdout } = await promisify(execFile)(pathOf(name), words, { env: environment });
  return stdout;
}
