//! La base du programme Python, reprise à la première ouverture.
//!
//! Ses tables sont gardées sous un nom en `python_`, telles quelles ; leur contenu est recopié dans
//! les nôtres. Ce que ce module corrige en chemin : les dépôts n'y devenaient jamais du cash, et le
//! cash y bougeait avec le cours de l'euro ; il est compté une fois pour toutes à l'ouverture. Un
//! signal resté `received` y est perdu : il est repris comme `skipped`, avec cette raison. Un coin qui
//! n'est pas des nôtres reste dans les tables `python_` ; l'argent qu'il a coûté ou rapporté compte.
//! (Schéma lu dans la source publique du programme, `app/db.py`, révision c3f9ff3.)

use rusqlite::Connection;

use super::LedgerError;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::money::Usdc;
use crate::domain::portfolio::Position;

pub const TABLES: [&str; 6] = ["budget", "trades", "positions", "signals", "budget_snapshots", "withdrawals"];

/// Met les tables de l'ancienne base de côté ; rend vrai s'il y en avait.
pub fn set_aside(connection: &Connection) -> Result<bool, LedgerError> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'budget'";
    let found: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if found == 0 {
        return Ok(false);
    }
    for table in TABLES {
        connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO python_{table}"))?;
    }
    // Un index garde son nom quand sa table change du sien : les nôtres n'en portent pas de tel.
    connection.execute_batch(
        "DROP INDEX IF EXISTS idx_trades_created_at;
         DROP INDEX IF EXISTS idx_signals_signal_id;
         DROP INDEX IF EXISTS idx_snapshots_created_at;",
    )?;
    Ok(true)
}

/// Recopie l'ancienne base dans les nouvelles tables. Les nombres à virgule flottante sont écrits
/// avec huit décimales, celles de la bourse.
pub fn take_over(connection: &Connection) -> Result<(), LedgerError> {
    let sql = TAKE_OVER.replace("{positions}", POSITIONS).replace("{coins}", &known_coins());
    connection.execute_batch(&sql)?;
    let brought = brought(connection)?;
    connection.execute("UPDATE account SET brought_usdc = ?1", [brought])?;
    log::info!("ledger_taken_over from=python brought_usdc={brought}");
    tell_strangers(connection)
}

/// Ce que l'ancien programme disait mort attend, en pause, d'être jugé à sa valeur : il comptait mal le cash.
pub fn await_judgement(connection: &Connection) -> Result<(), LedgerError> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'python_budget'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(());
    }
    connection.execute(
        "UPDATE agent SET state = 'ACTIVE', paused = 1, dead_before = 1,
             paused_reason = 'the Python version called it DEAD: its value is judged once every price is known'
         WHERE state = 'DEAD' AND (SELECT status FROM python_budget ORDER BY id DESC LIMIT 1) = 'DEAD'",
        [],
    )?;
    Ok(())
}

/// Les positions que l'ancienne base apportait ; aucune si la base est née chez nous.
pub fn brought_positions(connection: &Connection) -> Result<PerCoin<Position>, LedgerError> {
    let mut positions = PerCoin::default();
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'python_positions'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(positions);
    }
    let mut statement = connection.prepare(&POSITIONS.replace("{coins}", &known_coins()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        positions[row.get(0)?] = Position { quantity: row.get(1)?, invested: row.get(2)? };
    }
    Ok(positions)
}

/// Nos paires, comme une liste SQL.
fn known_coins() -> String {
    Coin::ALL.map(|coin| format!("'{coin}'")).join(", ")
}

/// Dit au journal les coins qui ne sont pas des nôtres, qu'aucun écran ne montrera.
fn tell_strangers(connection: &Connection) -> Result<(), LedgerError> {
    let mut statement = connection.prepare(&format!(
        "SELECT coin FROM (SELECT coin FROM python_trades UNION SELECT coin FROM python_positions)
         WHERE coin NOT IN ({})",
        known_coins()
    ))?;
    let strangers = statement.query_map([], |row| row.get::<_, String>(0))?;
    for coin in strangers.collect::<Result<Vec<_>, _>>()? {
        log::warn!("coin_left_behind coin={coin:?} reason=\"not followed here; its rows stay in python_*\"");
    }
    Ok(())
}

/// USDC gagnés moins dépensés par les trades et les retraits de l'ancienne base.
fn brought(connection: &Connection) -> Result<Usdc, LedgerError> {
    let sum = |sql: &str| -> Result<Usdc, LedgerError> {
        let mut statement = connection.prepare(sql)?;
        let amounts = statement.query_map([], |row| row.get::<_, Usdc>(0))?;
        Ok(amounts.collect::<Result<Vec<_>, _>>()?.into_iter().sum())
    };
    Ok(sum("SELECT printf('%.8f', amount_usdt) FROM python_trades WHERE action = 'SELL'")?
        - sum("SELECT printf('%.8f', amount_usdt) FROM python_trades WHERE action = 'BUY'")?
        - sum("SELECT sold_usdc FROM withdrawals")?)
}

const POSITIONS: &str = "
SELECT coin, printf('%.8f', quantity), printf('%.8f', max(total_invested_usdt, 0)),
    coalesce(CAST(strftime('%s', updated_at) AS INTEGER), 0) * 1000
FROM python_positions WHERE quantity >= 0.00000001 AND coin IN ({coins})";

const TAKE_OVER: &str = "
INSERT INTO agent (id, mode, state, paused)
SELECT 1,
    CASE WHEN EXISTS (SELECT 1 FROM python_trades WHERE is_simulated = 0) THEN 'live' ELSE 'dry_run' END,
    CASE status WHEN 'DEAD' THEN 'DEAD' ELSE 'ACTIVE' END, status = 'PAUSED'
FROM python_budget ORDER BY id DESC LIMIT 1;

INSERT INTO account (id, initial_eur, deposited_eur, created_at)
SELECT 1, printf('%.8f', initial_total_eur), printf('%.8f', coalesce(nullif(total_deposited_eur, 0), initial_total_eur)),
    coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
FROM python_budget ORDER BY id DESC LIMIT 1;

INSERT INTO signals (id, signal_id, confidence, reasoning, actions, portfolio_state, status, error_message,
    received_at, executed_at)
SELECT id, signal_id, CASE WHEN typeof(confidence) IN ('real', 'integer') THEN confidence END,
    coalesce(reasoning, ''), coalesce(nullif(actions, 'null'), '[]'), nullif(portfolio_state, 'null'),
    CASE WHEN status IN ('executed', 'skipped', 'error', 'rejected') THEN status ELSE 'skipped' END,
    CASE WHEN status IN ('executed', 'skipped', 'error', 'rejected') THEN error_message
         ELSE 'interrupted under the Python program' END,
    coalesce(CAST(strftime('%s', received_at) AS INTEGER), 0) * 1000,
    CAST(strftime('%s', executed_at) AS INTEGER) * 1000
FROM python_signals;

INSERT INTO trades (id, signal_id, coin, side, quantity, price, amount, fee, fee_asset, fee_usdc, simulated, at)
SELECT id, signal_id, coin, action, printf('%.8f', quantity), printf('%.8f', price), printf('%.8f', amount_usdt),
    printf('%.8f', coalesce(fee_usdt, 0)), 'USDC', printf('%.8f', coalesce(fee_usdt, 0)), coalesce(is_simulated, 1),
    coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
FROM python_trades WHERE action IN ('BUY', 'SELL') AND coin IN ({coins});

INSERT INTO positions (coin, quantity, invested, updated_at) {positions};

INSERT INTO withdrawals (id, requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated, at)
SELECT id, printf('%.8f', coalesce(amount_eur_requested, 0)), printf('%.8f', coalesce(amount_usdt_sold, 0)),
    printf('%.8f', coalesce(amount_eur_received, 0)),
    CASE WHEN eurusdc_rate IS NULL THEN NULL ELSE printf('%.8f', eurusdc_rate) END,
    coalesce(positions_sold, '[]'), coalesce(status, 'completed'), coalesce(is_simulated, 1),
    coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
FROM python_withdrawals;

INSERT INTO snapshots (id, total_eur, coins_usdc, cash_usdc, deposited_eur, at)
SELECT id, printf('%.8f', total_value_eur), printf('%.8f', portfolio_value_usdt), printf('%.8f', cash_usdt),
    (SELECT deposited_eur FROM account), coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
FROM python_budget_snapshots
WHERE total_value_eur IS NOT NULL AND portfolio_value_usdt IS NOT NULL AND cash_usdt IS NOT NULL;
";
