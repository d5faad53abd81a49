// Le vrai programme devant le monde simulé, à un tour par seconde ; on peut l'arrêter, le tuer, le relancer au même port.

import { createServer } from 'node:net';
import { join } from 'node:path';
import { run, start } from './program.mjs';
import { until } from './until.mjs';

/** @typedef {Awaited<ReturnType<typeof createFollower>>} Follower */

/** Un port que le noyau vient de dire libre. @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      server.close(() => resolve(address.port));
    });
  });

/**
 * Un suiveur de `world`, pas encore lancé.
 * @param {import('./stage.mjs').Stage} stage @param {import('./world.mjs').World} world @param {Record<string, string>} [settings]
 */
export async function createFollower(stage, world, settings = {}) {
  const folder = await stage.folder();
  const base = join(folder, 'calvalot.db');
  let port = await freePort();
  /** @type {import('./program.mjs').Running | null} */
  let running = null;
  const url = () => `http://127.0.0.1:${port}/`;

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async function api(path, init) {
    const response = await fetch(url() + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** `up` s'il répond, `over` s'il a fini avant. */
  async function answers() {
    let over = false;
    const note = () => (over = true);
    void running?.ended.then(note, note);
    return until('the program answers', async () => {
      if (over) return 'over';
      return fetch(`${url()}api/budget`).then((response) => response.ok && 'up', () => null);
    });
  }

  /** @param {NodeJS.Signals} signal */
  async function end(signal) {
    if (!running) return;
    running.child.kill(signal);
    await running.ended;
    running = null;
  }
  stage.onClose(() => end('SIGKILL'));

  const environment = {
    ...world.environment,
    INITIAL_BUDGET_EUR: '1000',
    POLL_INTERVAL_SECONDS: '1',
    DB_PATH: base,
    TZ: 'Europe/Paris',
    ...settings,
  };

  return {
    base,
    url,
    api,

    async start() {
      for (let tries = 0; ; tries += 1) {
        running = start('calvalot', [], { ...environment, PORT: String(port) }, folder);
        if ((await answers()) === 'up') return;
        // Un autre a pris le port entre-temps.
        if (tries === 4 || !running.log().includes('cannot listen')) throw new Error(`it does not start: ${running.log()}`);
        port = await freePort();
      }
    },

    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),

    /** @param {string} path @param {object} body @param {'POST' | 'PUT'} [method] */
    write: (path, body, method = 'POST') =>
      api(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),

    /** Attend que cette réponse de l'API convienne, et la rend. @param {string} path @param {(answer: any) => unknown} suits */
    see: (path, suits) =>
      until(`${path} is as ${suits}`, async () => {
        const answer = await api(path);
        return suits(answer) && answer;
      }),

    /** Lui donne un passé, avant son premier départ. @param {number} days @param {number} trades */
    grow: (days, trades) => run('history', ['grow', base, String(days), String(trades)]),

    /** Recule tout ce qu'il a vécu ; il doit être arrêté. @param {number} seconds */
    age: (seconds) => run('history', ['age', base, String(seconds)]),

    /** Ses livres sont vrais. */
    verify: () => run('calvalot', ['verify', '--offline'], { ...environment, PORT: String(port) }),
  };
}
