// Les états de la page que l'on veut voir : pour chacun, le monde et le programme qui le produisent pour de vrai.
// Une mise en place n'est finie que lorsque l'API dit l'état ; ce que la page en montre est l'affaire des essais.

import { createFollower } from './follower.mjs';
import { startWorld } from './world.mjs';

/** @typedef {import('./stage.mjs').Stage} Stage */
/** @typedef {import('./world.mjs').World} World */
/** @typedef {import('./follower.mjs').Follower} Follower */
/** @typedef {{world: World, follower: Follower}} Scene */

const HOUR = 3600;
const DAY = 24 * HOUR;
const ORDER = '/api/v3/order';
const PRICES = '/api/v3/ticker/bookTicker';
/** Assez pour que la panne dure aussi longtemps que l'essai. */
const FOREVER = 1_000_000;

const LIVE = { TRADING_MODE: 'live', INITIAL_BUDGET_EUR: '500' };

/** Un raisonnement comme un leader n'en écrirait pas : 4000 signes, et du HTML qui se voudrait exécuté. */
export const HTML = '<img src=x onerror="window.hacked=true"><script>window.hacked=true</script><b id="bold">BTC</b> & ';
export const REASONING = (HTML + 'The trend holds above its moving average, and volume confirms it. '.repeat(80)).slice(0, 4000);

/** @param {Stage} stage @param {Record<string, string>} [settings] @returns {Promise<Scene>} */
async function scene(stage, settings) {
  const world = await startWorld(stage);
  return { world, follower: await createFollower(stage, world, settings) };
}

/** Un mois de passé, le leader d'accord, tout connu. @param {Stage} stage @returns {Promise<Scene>} */
async function normalDay(stage) {
  const { world, follower } = await scene(stage);
  await follower.grow(30, 60);
  await world.tell('target BTCUSDC 0.4 ETHUSDC 0.25 SOLUSDC 0.15');
  await follower.start();
  await follower.see('api/signals?limit=1', ([signal]) => signal.status === 'executed' && signal.trades > 0);
  await follower.see('api/budget', (budget) => budget.total_value_eur > 0 && budget.unknown.length === 0);
  return { world, follower };
}

/** Un ordre réel exécuté dont la réponse s'est perdue, et que la bourse ne sait pas dire. @param {Stage} stage @returns {Promise<Scene>} */
async function doubt(stage) {
  const { world, follower } = await scene(stage, LIVE);
  await world.tell(`fault ${ORDER} POST 1 once reset`);
  await world.tell(`fault ${ORDER} GET ${FOREVER} skipped empty 503`);
  await world.tell('target BTCUSDC 0.3 ETHUSDC 0.3');
  await follower.start();
  await follower.see('api/orders', (orders) =>
    orders.some((/** @type {any} */ order) => order.state === 'unknown') &&
    orders.some((/** @type {any} */ order) => order.state === 'filled'));
  return { world, follower };
}

/** Un compte réel qui suit, où les livres disent vrai. @param {Stage} stage @returns {Promise<Scene>} */
export async function liveDay(stage) {
  const { world, follower } = await scene(stage, LIVE);
  await world.tell('target BTCUSDC 0.3 ETHUSDC 0.3');
  await follower.start();
  await follower.see('api/orders', (orders) => orders.length === 2 && orders.every((/** @type {any} */ order) => order.state === 'filled'));
  await follower.see('api/budget', (budget) => budget.total_value_eur > 0);
  return { world, follower };
}

/** Une simulation qui suit, sans autre passé. @param {Stage} stage @returns {Promise<Scene>} */
export async function simulatedDay(stage) {
  const { world, follower } = await scene(stage);
  await world.tell('target BTCUSDC 0.3 ETHUSDC 0.3');
  await follower.start();
  await follower.see('api/positions', (positions) => positions.length === 2);
  await follower.see('api/budget', (budget) => budget.total_value_eur > 0);
  return { world, follower };
}

/** @satisfies {Record<string, (stage: Stage) => Promise<Scene>>} */
export const STATES = {
  async 'first-start'(stage) {
    const { world, follower } = await scene(stage);
    await world.tell('no-signal');
    await follower.start();
    await follower.see('api/agent/status', (status) => status.last_poll?.status === 'no_signal');
    await follower.see('api/budget', (budget) => budget.total_value_eur > 0);
    return { world, follower };
  },

  'normal-day': normalDay,

  /** Un premier démarrage devant une allocation de trois semaines. */
  async 'old-allocation'(stage) {
    const { world, follower } = await scene(stage);
    await world.tell(`signal ${JSON.stringify(signal('old-1', { BTCUSDC: 0.4, ETHUSDC: 0.25 }, 'The trend holds.', 21 * DAY))}`);
    await follower.start();
    await follower.see('api/agent/status', (status) => status.old_target && status.last_poll?.status === 'waiting');
    await follower.see('api/budget', (budget) => budget.total_value_eur > 0 && budget.unknown.length === 0);
    return { world, follower };
  },

  /** Une paire arrêtée pendant que le leader y va. */
  async 'target-awaited'(stage) {
    const { world, follower } = await normalDay(stage);
    await world.tell('status XRPUSDC BREAK');
    await world.tell('target BTCUSDC 0.4 ETHUSDC 0.25 XRPUSDC 0.15');
    await follower.see('api/agent/status', ({ target, waiting_signals: open }) => open === 0 && /^XRPUSDC: /.test(target?.waiting_for ?? ''));
    return { world, follower };
  },

  async 'leader-down'(stage) {
    const { world, follower } = await normalDay(stage);
    await follower.stop();
    await follower.age(HOUR);
    await world.tell('close leader');
    await follower.start();
    await follower.see('api/agent/status', (status) =>
      status.last_poll?.status === 'leader_unreachable' && Date.now() / 1000 - status.leader.last_contact >= HOUR);
    return { world, follower };
  },

  async 'prices-unknown'(stage) {
    const { world, follower } = await normalDay(stage);
    await follower.stop();
    await world.tell(`fault ${PRICES} GET ${FOREVER} skipped empty 503`);
    await follower.start();
    await follower.see('api/budget', (budget) =>
      budget.total_value_eur === null &&
      budget.unknown.some((/** @type {any} */ unknown) => unknown.what === 'price BTCUSDC' && unknown.reason !== 'not read yet'));
    return { world, follower };
  },

  async 'agent-dead'(stage) {
    const { world, follower } = await scene(stage, { INITIAL_BUDGET_EUR: '20' });
    await world.tell('target BTCUSDC 1');
    await follower.start();
    await follower.see('api/positions', (positions) => positions.length > 0);
    await world.tell('price BTCUSDC 6801');
    await follower.see('api/agent/status', (status) => status.state === 'DEAD');
    return { world, follower };
  },

  async paused(stage) {
    const { world, follower } = await normalDay(stage);
    await follower.write('api/agent/toggle', { paused: true });
    await follower.see('api/agent/status', (status) => status.paused && status.last_poll.status === 'paused');
    return { world, follower };
  },

  'order-in-doubt': doubt,

  async 'thousand-trades'(stage) {
    const { world, follower } = await scene(stage);
    await follower.grow(365, 1000);
    await world.tell('target BTCUSDC 0.4 ETHUSDC 0.25 SOLUSDC 0.15');
    await follower.start();
    await follower.see('api/signals?limit=1', ([signal]) => signal.status === 'executed' && signal.trades > 0);
    await follower.see('api/budget', (budget) => budget.total_value_eur > 0);
    return { world, follower };
  },

  async 'long-reasoning'(stage) {
    const { world, follower } = await normalDay(stage);
    await world.tell(`signal ${JSON.stringify(signal('html-1', { BTCUSDC: 0.3, XRPUSDC: 0.2 }, REASONING))}`);
    await follower.see('api/signals?limit=1', ([latest]) => latest.signal_id === 'html-1' && latest.status === 'executed');
    return { world, follower };
  },
};

/** @typedef {keyof typeof STATES} State */
export const STATE_NAMES = /** @type {State[]} */ (Object.keys(STATES));

/** Un ordre qui demande une personne : en doute depuis plus d'une demi-heure. @param {Stage} stage @returns {Promise<Scene>} */
export async function stuckOrder(stage) {
  const { world, follower } = await doubt(stage);
  await follower.stop();
  await follower.age(HOUR);
  await follower.start();
  await follower.see('api/orders', (orders) => orders.some((/** @type {any} */ order) => order.needs_person));
  return { world, follower };
}

/** Un signal de version 2, comme le leader les publie. @param {string} id @param {Record<string, number>} shares @param {string} reasoning @param {number} [age] en secondes */
export function signal(id, shares, reasoning, age = 0) {
  const coins = Object.entries(shares);
  return {
    version: 2,
    signal_id: id,
    timestamp: new Date(Date.now() - age * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
    confidence: 0.72,
    reasoning,
    actions: coins.map(([coin, share]) => ({ coin, action: 'BUY', pct_of_capital: share })),
    portfolio_state: { positions: coins.map(([coin, share]) => ({ coin, pct_of_portfolio: share })) },
  };
}
