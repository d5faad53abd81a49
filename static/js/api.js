// Les questions posées au programme et leurs réponses. Seul fichier qui parle au réseau.
// Une erreur est une valeur, jamais une exception ; toute attente a une limite ; aucune écriture n'est répétée.

/** @typedef {{kind: 'network' | 'timeout' | 'refused' | 'unreadable', status: number | null, message: string | null}} Failure */
/** @template T @typedef {{ok: true, data: T} | {ok: false, failure: Failure}} Answer */

/** @typedef {number | null} N */
/** @typedef {{what: string, reason: string, since: N}} Unknown */
/** @typedef {{coin: string, decision: string, code: string, reason: string | null}} Decision */
/** @typedef {{status: string, poller: string, version: string, timestamp: string, clock?: string, ledger?: string, account?: string}} Health */
/** @typedef {{coin: string, weight: N, leader_weight: N}} Share */
/**
 * @typedef {{status: 'ACTIVE' | 'DEAD', initial_total_eur: N, total_deposited_eur: N, positions_count: N,
 *   created_at: string, cash_usdt: N, portfolio_usdt: N, total_value_usdt: N, total_value_eur: N, eurusdc_rate: N,
 *   mode: 'dry_run' | 'live', paused: boolean, withdrawn_eur: N, pnl_eur: N, pnl_pct: N, unknown: Unknown[],
 *   return_pct: N, today: {since: string, change_eur: N, return_pct: N}, drift_pct: N, allocation: Share[], set_aside_usdc?: N}} Budget
 */
/** @typedef {{id: number, total_value_eur: N, deposited_eur?: N, created_at: string}} Snapshot */
/**
 * @typedef {{kind: 'deposit' | 'correction' | 'withdrawal' | 'write_off' | 'count' | 'dust' | 'trades', at: string, amount_eur: N, buys: number,
 *   sells: number, signal: N}} Mark
 */
/**
 * @typedef {{coin: string, quantity: N, avg_entry_price: N, total_invested_usdt: N, updated_at: string, price: N,
 *   value_usdt: N, pnl_usdt: N, pnl_pct: N, value_eur: N, pnl_eur: N, weight: N, leader_weight: N}} Position
 */
/** @typedef {{coin: string, action: string, pct_of_capital?: N}} Action */
/**
 * @typedef {{id: number, signal_id: string, version?: N, confidence: N, reasoning: string | null,
 *   actions: Action[] | null, portfolio_state: {positions?: {coin: string, pct_of_portfolio: N}[]} | null,
 *   status: string, error_message: string | null, received_at: string, executed_at: string | null,
 *   trades?: N, decisions?: Decision[], waiting_for?: string | null, reached_at?: string | null}} Signal
 */
/**
 * @typedef {{id: number, coin: string, action: string, amount_usdt: N, price: N, quantity: N, fee_usdt: N, fee?: N,
 *   fee_asset?: string | null, fees?: {asset: string, amount: N}[], order?: number | null, signal_id: string | null, is_simulated: number | boolean, created_at: string}} Trade
 */
/**
 * @typedef {{id: number, amount_eur_requested: N, amount_usdt_sold: N, amount_eur_received: N, eurusdc_rate: N,
 *   positions_sold: unknown[] | null, status: string, is_simulated: number | boolean, created_at: string, wanted_usdc?: N,
 *   set_aside_usdc?: N, taken_usdc?: N, can_cancel?: boolean, waiting_for?: string | null}} Withdrawal
 */
/**
 * @typedef {{id: number, signal_id: string, coin: string, action: string, spend_usdt: N, quantity: N, attempt: number,
 *   attempts: number, state: string, reason: string | null, client_id: string | null, order_id: N, doubted: boolean, late: boolean,
 *   needs_person: boolean, by_hand?: 'booked' | 'settled' | null, is_simulated: number | boolean, created_at: string, ended_at: string | null, ways?: Way[],
 *   age_seconds?: N}} Order
 */
/** Ce qu'une personne peut faire, et ce que le programme en dit. @typedef {{way: string, consequence: string}} Way */
/** @typedef {{coin: string, order_id: number, client_id?: string, action?: string, quantity?: N, created_at?: string}} Foreign */
/** Pourquoi le grand livre n'est peut-être pas seul sur son compte. @typedef {{reason: string, orders: Foreign[], ways: Way[]}} NotAlone */
/** Ce que la version Python comptait de trop. @typedef {{coin: string, booked: N, held: N, quantity: N}} Takeover */
/**
 * Un actif, au compte et aux livres. `missing` : ce qu'il n'y a pas de libre, dont `missing_locked` qu'un ordre ouvert de la personne
 * tient ; `beyond` : ce qu'il y a de libre en plus.
 * @typedef {{asset: string, held: N, booked: N, difference: N, missing: N, compared_at: string, free?: N, locked?: N,
 *   missing_locked?: N, beyond?: N, in_doubt?: boolean}} Balance
 */
/** @typedef {{test: string, verdict: string, found: string, advice: string | null, stops_trading: boolean}} Check */
/**
 * @typedef {{mode: 'dry_run' | 'live', trading_open: boolean | null, closed_reason: string | null,
 *   silence: {status: number, from: N, until: N} | null,
 *   clock: {lead_seconds: N, margin_seconds: N, measured_at: string, warning: string | null} | null, checks: Check[],
 *   reconciliation: Balance[], uncompared?: string | null, foreign_orders: Foreign[], not_alone?: NotAlone | null, takeover?: Takeover[]}} Exchange
 */
/** @typedef {{withdrawals: Withdrawal[], total_usdt: N, total_eur: N}} Withdrawals */
/**
 * @typedef {{running: boolean, paused: boolean, version: string, poll_interval_seconds: N,
 *   last_poll: {status: string, signal_id?: string, error?: string | null} | null, last_poll_time: N,
 *   mode: 'dry_run' | 'live', state: 'ACTIVE' | 'DEAD', unknown: Unknown[], waiting_signals: N,
 *   leader: {connected: boolean, last_contact: N, last_signal_at: string | null, error: string | null, said_at?: string | null},
 *   paused_reason?: string | null, selling_all?: SellingAll | null, stop_loss?: StopLoss, target?: Target | null, old_target?: OldTarget | null}} Status
 */
/**
 * La perte que l'on s'est fixée, en pour cent du plus haut.
 * @typedef {{pct: N, set_by: 'page' | 'env' | null, env_pct: N, below_highest_pct: N, low_readings: number,
 *   reached: {at: string, below_highest_pct: number} | null}} StopLoss
 */
/**
 * L'allocation visée.
 * @typedef {{signal_id: string, cause: 'signal' | 'money' | 'drift', since: string, reached_at: string | null, waiting_for: string | null}} Target
 */
/** Celle que le premier démarrage a trouvée déjà vieille. @typedef {{said_at: string, age_seconds: number, declined: boolean}} OldTarget */
/**
 * « Tout vendre », en cours ou fini.
 * @typedef {{since: string, done: boolean, waiting_for: string | null, left: {coin: string, quantity: N, value_usdt: N,
 *   code: string | null, reason: string | null}[]}} SellingAll
 */

const READ_LIMIT_MS = 8_000;
// Une écriture attend la fin du tour en cours du moteur.
const WRITE_LIMIT_MS = 30_000;

/**
 * @param {string} path relatif à la page @param {{alsoStatus?: number}} [options] un statut d'erreur dont le corps est
 *   tout de même la réponse
 * @returns {Promise<Answer<any>>}
 */
export const read = (path, { alsoStatus } = {}) => ask(path, {}, READ_LIMIT_MS, alsoStatus);

/**
 * @param {'POST' | 'PUT'} method @param {string} path @param {object} body @param {string} [key] le nom de la demande : sous le même,
 *   elle n'est faite qu'une fois ; aucun : rien n'est fait
 * @returns {Promise<Answer<any>>}
 */
export function write(method, path, body, key) {
  const headers = { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }) };
  return ask(path, { method, headers, body: JSON.stringify(body) }, WRITE_LIMIT_MS);
}

/**
 * @param {string} path @param {RequestInit} init @param {number} limit @param {number} [alsoStatus]
 * @returns {Promise<Answer<any>>}
 */
async function ask(path, init, limit, alsoStatus) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limit);
  try {
    const response = await fetch(path, { ...init, cache: 'no-store', signal: abort.signal });
    const text = await response.text();
    const body = parse(text);
    if (response.ok || response.status === alsoStatus) {
      return body.ok ? { ok: true, data: body.data } : failed('unreadable', response.status);
    }
    const message = body.ok && typeof body.data?.error === 'string' ? body.data.error : null;
    return failed('refused', response.status, message);
  } catch {
    return failed(abort.signal.aborted ? 'timeout' : 'network');
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return { ok: true, data: JSON.parse(text) };
  } catch {
    return { ok: false, data: null };
  }
}

/**
 * @param {Failure['kind']} kind @param {number | null} [status] @param {string | null} [message]
 * @returns {{ok: false, failure: Failure}}
 */
const failed = (kind, status = null, message = null) => ({ ok: false, failure: { kind, status, message } });
