// Le vrai programme, dont quelques réponses sont changées sur le fil : ce qu'il faudrait des jours, ou un compte perdu, pour
// mettre en place. Ce que la page écrit n'arrive pas au programme : c'est noté, et répondu d'ici.

/** @typedef {{method: string, path: string, body: any, key: string | null}} Written */
/** @typedef {{status?: number, body: object} | 'lost'} Reply */

/** Ce que ferait un retrait. */
export const TERMS = { ok: true, preview: true, amount_eur: 50, amount_usdc: 62.5, sales: [{ coin: 'BTCUSDC', quantity: 0.0003 }], left_eur: 950.12 };

/**
 * @param {import('playwright-core').Page} page @param {string} url
 * @param {{reads?: Record<string, (answer: any) => any>, reply?: (written: Written) => Reply, preview?: (written: Written) => Reply | Promise<Reply>}} of
 *   par chemin sans ses paramètres, ce que devient la réponse ; `preview` : ce que ferait ce qui n'est pas encore demandé
 */
export async function fake(page, url, { reads = {}, reply = () => ({ body: { ok: true } }), preview = () => ({ body: TERMS }) }) {
  /** @type {Written[]} */
  const written = [];
  await page.route(/\/(api\/|health$)/, async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.slice(1);
    if (request.method() !== 'GET') {
      const one = { method: request.method(), path, body: request.postDataJSON(), key: request.headers()['idempotency-key'] ?? null };
      if (!one.body.preview) written.push(one);
      const answer = one.body.preview ? await preview(one) : reply(one);
      return answer === 'lost' ? route.abort('connectionreset') : route.fulfill({ status: answer.status ?? 200, json: answer.body });
    }
    const change = reads[path];
    if (!change) return route.fallback();
    try {
      const response = await route.fetch();
      await route.fulfill({ response, json: change(await response.json()) });
    } catch (failure) {
      // La fenêtre s'est fermée entre la question et sa réponse.
      if (!page.isClosed() && !/disposed|closed/.test(String(failure))) throw failure;
    }
  });
  await page.goto(url);
  return {
    written,
    /** Change ce que le programme dira ensuite. @param {Record<string, (answer: any) => any>} next */
    become: (next) => Object.assign(reads, next),
  };
}

/** Une heure d'il y a tant de secondes, comme l'API les écrit. @param {number} seconds */
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

/** Un compte réel où tout va. */
export const LIVE = {
  'api/exchange': (/** @type {any} */ exchange) => ({ ...exchange, mode: 'live', trading_open: true, closed_reason: null, not_alone: null, checks: [] }),
  'api/agent/status': (/** @type {any} */ status) => ({ ...status, mode: 'live', paused_reason: null, selling_all: null }),
  'api/budget': (/** @type {any} */ budget) => ({ ...budget, mode: 'live', set_aside_usdc: 0 }),
};

const FOREIGN = { coin: 'BTCUSDC', order_id: 5, client_id: 'cal-1f00aa33-12-1', action: 'BUY', quantity: 0.00036, amount_usdt: 24.5, created_at: ago(7200), bears: 'ours' };

/** Des ordres que seul le compte connaît, ou une autre machine. @param {string[]} ways @param {number} orders */
export const notAlone = (ways, orders) => ({
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => {
    const reason = 'the account has orders under this ledger’s name that it does not know (2 orders, the first BUY BTCUSDC cal-1f00aa33-12-1)';
    return {
      ...LIVE['api/exchange'](exchange),
      trading_open: false,
      closed_reason: reason,
      not_alone: {
        reason,
        orders: Array.from({ length: orders }, (_, i) => ({ ...FOREIGN, order_id: 5 + i, client_id: `cal-1f00aa33-${12 + i}-1` })),
        ways: ways.map((way) => ({ way, consequence: `what ${way} does` })),
      },
    };
  },
  health: (/** @type {any} */ health) => ({ ...health, status: 'degraded', account: 'this ledger is older than the account' }),
});

const DISPLACED =
  'data/calvalot.db was removed or renamed while calvalot uses it; what is written now is in no file any more; a copy of it is data/backups/calvalot-20261122-101500.db: stop calvalot (not by a kill), which brings that copy up to date, then `calvalot restore data/backups/calvalot-20261122-101500.db`';

/** Deux ordres que l'on n'a pas pu apprendre, un autre appris tard. */
export const stuck = {
  ...LIVE,
  'api/orders': () => {
    const order = {
      id: 12, signal_id: 's-1', coin: 'BTCUSDC', action: 'BUY', spend_usdt: 24.5, quantity: null, attempt: 1, attempts: 2, state: 'stuck',
      reason: 'look at this order on the exchange, then release, book or settle it: the balances of the account changed meanwhile', client_id: 'cal-1f00aa33-12-1', order_id: null, doubted: true, late: false, needs_person: true,
      is_simulated: 0, created_at: ago(3 * 3600), ended_at: null, age_seconds: 3 * 3600,
      ways: [
        { way: 'release', consequence: 'The exchange is asked once more, and what it says was traded is booked. If nothing was, its signal is planned anew at the prices of now, which may send it again.' },
        { way: 'book', consequence: 'What you enter goes into the books.' },
        { way: 'settle', consequence: 'The order ends here.' },
      ],
    };
    const sale = { ...order, id: 11, coin: 'ETHUSDC', action: 'SELL', spend_usdt: null, quantity: 0.02 };
    const late = { ...order, id: 10, state: 'filled', late: true, ways: [{ way: 'acknowledge', consequence: 'Purchases go on.' }] };
    return [order, sale, late];
  },
};

/** Un grand livre de la version Python, dont les monnaies sont comptées sans leurs frais. */
export const takenOver = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => ({
    ...LIVE['api/exchange'](exchange),
    trading_open: false,
    closed_reason: 'the Python version counted coins without the fees taken in them, and the account holds less: 0.0005 BTC, 0.002 ETH; confirm it on the page, once',
    reconciliation: [line('USDC', 100, 0, 100), line('BTC', 0.4995, 0, 0.5), line('ETH', 1.998, 0, 2)],
    takeover: [
      { coin: 'BTCUSDC', booked: 0.5, held: 0.4995, quantity: 0.0005 },
      { coin: 'ETHUSDC', booked: 2, held: 1.998, quantity: 0.002 },
    ],
  }),
};

/** Le fichier du grand livre a été renommé, pendant une vente de tout. */
export const displaced = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => ({ ...LIVE['api/exchange'](exchange), trading_open: false, closed_reason: DISPLACED }),
  'api/agent/status': (/** @type {any} */ status) => ({ ...LIVE['api/agent/status'](status), paused: true, running: false, selling_all: { since: ago(60), done: false, waiting_for: null, left: [] } }),
  health: (/** @type {any} */ health) => ({ ...health, status: 'degraded', ledger: DISPLACED }),
};

/** Un agent mort, dont il reste quelque chose. */
export const dead = {
  ...LIVE,
  'api/agent/status': (/** @type {any} */ status) => ({ ...LIVE['api/agent/status'](status), running: false, state: 'DEAD' }),
  'api/budget': (/** @type {any} */ budget) => ({ ...LIVE['api/budget'](budget), status: 'DEAD' }),
};

/** Un compte qui tient plus, moins, ou retient. */
export const different = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => ({
    ...LIVE['api/exchange'](exchange),
    reconciliation: [
      line('USDC', 325, 0, 200),
      line('BTC', 0.0004, 0, 0.0009),
      line('ETH', 0.02, 0.01, 0.03),
      line('SOL', 1.5, 0, 1),
      line('XRP', 0, 0, 0),
    ],
  }),
};

/** Un ordre en doute explique une part de ce qui n'est pas là. */
export const doubted = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => ({
    ...LIVE['api/exchange'](exchange),
    reconciliation: [line('USDC', 200, 0, 200), { ...line('BNB', 0.4, 0, 0.4798), missing: 0.0148 }],
  }),
  'api/orders': () => {
    const [order] = stuck['api/orders']();
    const reason = 'the exchange does not know it, and it can no longer arrive (answer 1; 3 over a minute prove it)';
    return [{ ...order, coin: 'BNBUSDC', action: 'SELL', spend_usdt: null, quantity: 0.065, state: 'unknown', needs_person: false, reason, ways: [] }];
  },
};

/** Un signal que personne n'a publié, puis un autre que rien n'a pu suivre. */
export const unpublished = {
  ...LIVE,
  'api/signals': () => {
    const coins = ['BNBUSDC', 'BTCUSDC', 'ETHUSDC', 'SOLUSDC', 'XRPUSDC'];
    const reason = 'superseded by the newer target of sig-0002';
    const signal = {
      id: 3, signal_id: 'sig-0001', version: 2, confidence: 0.7, reasoning: null, actions: [], portfolio_state: null, status: 'skipped', trades: 0,
      error_message: coins.map((coin) => `${coin}: ${reason}`).join('; '), received_at: ago(60), executed_at: null, waiting_for: null,
      decisions: coins.map((coin) => ({ coin, decision: 'left', code: 'superseded', reason })),
    };
    const own = { ...signal, confidence: null, status: 'executed', error_message: null, decisions: [], trades: 5 };
    return [
      signal,
      { ...own, id: 2, signal_id: 'withdrawal-4', reasoning: 'a person takes 50.00 EUR out' },
      { ...own, id: 1, signal_id: 'initial_sync' },
    ];
  },
};

/** @param {string} asset @param {number} free @param {number} locked @param {number} booked */
function line(asset, free, locked, booked) {
  const round = (/** @type {number} */ value) => Number(value.toFixed(8));
  const missing = Math.max(0, round(booked - free));
  return {
    asset, held: round(free + locked), free, locked, booked, difference: round(free + locked - booked), missing,
    missing_locked: Math.min(missing, locked), beyond: Math.max(0, round(free - booked)), compared_at: ago(20),
  };
}

/**
 * Un retrait ouvert, où il en est. @param {'selling' | 'set_aside'} status
 * @param {{wanted_usdc?: number | null, waiting_for?: string | null}} [of]
 */
export const withdrawing = (status, of = {}) => ({
  ...LIVE,
  'api/budget': (/** @type {any} */ budget) => ({ ...LIVE['api/budget'](budget), set_aside_usdc: status === 'set_aside' ? 62.5 : 0 }),
  'api/budget/withdrawals': () => ({
    withdrawals: [{
      id: 3, amount_eur_requested: 50, amount_usdt_sold: 40.2, amount_eur_received: 0, eurusdc_rate: 0.8, positions_sold: [{ coin: 'BTCUSDC' }],
      status, is_simulated: 0, created_at: ago(120), wanted_usdc: 62.5, set_aside_usdc: status === 'set_aside' ? 62.5 : 0, taken_usdc: 0,
      can_cancel: true, ended_at: null, waiting_for: null, ...of,
    }],
    total_usdt: 40.2,
    total_eur: 0,
  }),
});

/** Un premier démarrage, dont les USDC ne sont pas encore là. */
export const poor = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => ({
    ...LIVE['api/exchange'](exchange),
    trading_open: false,
    closed_reason: 'the account holds 0.00 USDC free: bring at least 12.45 USDC (10 EUR) to its Spot wallet to begin, or 124.43 USDC for the whole budget',
    checks: [{
      test: 'balance', verdict: 'fault', found: '0.00 USDC free in the Spot wallet, 124.95 needed to begin', stops_trading: false,
      advice: 'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn): at least 10 EUR worth of them',
    }],
  }),
  'api/budget': (/** @type {any} */ budget) => {
    const reason = 'the budget is booked in USDC once the EUR rate, and in live the account, are known';
    return { ...LIVE['api/budget'](budget), unknown: [{ what: 'cash', reason, since: null }] };
  },
};

/** Des défauts qui ne ferment rien, avec ce que le programme y conseille. */
export const faulty = {
  ...LIVE,
  'api/exchange': (/** @type {any} */ exchange) => {
    /** @type {[string, string, string][]} */
    const faults = [
      ['pairs', 'SOLUSDC is not traded now (BREAK); XRPUSDC is not traded now (BREAK)', 'wait: the exchange has stopped these pairs, they are left alone meanwhile; if it lasts for days, look for the news on Binance'],
      ['minima', 'of 11.00 USDC, BTCUSDC: 30.00 % is 3.30 USDC, the least is 5.05', 'nothing could be bought, everything stays in cash; a capital of 17 EUR would hold each of them'],
      ['account pairs', 'this account may not trade XRPUSDC', 'Binance does not open these pairs to this account (often because of its country): ask its support; orders of these are refused, the other pairs are followed'],
      ['balance', '4.00 USDC free in the Spot wallet, 20.00 needed', 'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn); if you took or sold them, write them off on the page'],
    ];
    return { ...LIVE['api/exchange'](exchange), checks: faults.map(([test, found, advice]) => ({ test, verdict: 'fault', found, advice, stops_trading: false })) };
  },
};

/** Tout se vend, ou s'est vendu. @param {boolean} done */
export const selling = (done) => ({
  ...LIVE,
  'api/agent/status': (/** @type {any} */ status) => ({
    ...LIVE['api/agent/status'](status),
    paused: true,
    running: false,
    paused_reason: 'a person asked to sell all and stop (sell-all-1)',
    selling_all: {
      since: ago(90),
      done,
      waiting_for: done ? null : 'BTCUSDC is in status BREAK',
      left: [
        { coin: 'ETHUSDC', quantity: 0.00004, value_usdt: 0.12, code: 'dust', reason: 'the rest is less than the exchange sells' },
        ...(done ? [] : [{ coin: 'BTCUSDC', quantity: 0.005, value_usdt: 340, code: 'halted', reason: 'BREAK' }]),
      ],
    },
  }),
});
