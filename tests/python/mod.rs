//! Une base du programme Python, telle qu'il la fait.
//!
//! Le schéma est recopié de sa source publique (`AlexandreFrancony/Calv-a-lot`, `app/db.py`, révision c3f9ff3).

use rusqlite::Connection;

use crate::follower::Folder;

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS budget (id INTEGER PRIMARY KEY, initial_total_eur REAL NOT NULL,
    total_deposited_eur REAL NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'ACTIVE',
    created_at TEXT DEFAULT (datetime('now')), updated_at TEXT DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS trades (id INTEGER PRIMARY KEY AUTOINCREMENT, coin TEXT NOT NULL, action TEXT NOT NULL,
    amount_usdt REAL NOT NULL, price REAL NOT NULL, quantity REAL NOT NULL, fee_usdt REAL DEFAULT 0, signal_id TEXT,
    is_simulated INTEGER DEFAULT 1, created_at TEXT DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS positions (coin TEXT PRIMARY KEY, quantity REAL NOT NULL DEFAULT 0,
    avg_entry_price REAL NOT NULL DEFAULT 0, total_invested_usdt REAL NOT NULL DEFAULT 0,
    updated_at TEXT DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS signals (id INTEGER PRIMARY KEY AUTOINCREMENT, signal_id TEXT UNIQUE NOT NULL,
    confidence REAL, reasoning TEXT, actions TEXT NOT NULL, portfolio_state TEXT, status TEXT DEFAULT 'received',
    error_message TEXT, received_at TEXT DEFAULT (datetime('now')), executed_at TEXT);
CREATE TABLE IF NOT EXISTS budget_snapshots (id INTEGER PRIMARY KEY AUTOINCREMENT, total_value_eur REAL,
    portfolio_value_usdt REAL, cash_usdt REAL, created_at TEXT DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS withdrawals (id INTEGER PRIMARY KEY AUTOINCREMENT, amount_eur_requested REAL,
    amount_usdt_sold REAL, amount_eur_received REAL, eurusdc_rate REAL, positions_sold TEXT,
    status TEXT DEFAULT 'completed', is_simulated INTEGER DEFAULT 1, created_at TEXT DEFAULT (datetime('now')));
CREATE INDEX IF NOT EXISTS idx_trades_created_at ON trades(created_at DESC);
CREATE INDEX IF NOT EXISTS idx_signals_signal_id ON signals(signal_id);
CREATE INDEX IF NOT EXISTS idx_snapshots_created_at ON budget_snapshots(created_at DESC);
";

/// Un dossier dont la base est celle du programme Python, avec `rows` en plus.
pub fn python(rows: &str) -> Folder {
    let folder = Folder::new();
    let connection = Connection::open(folder.db()).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection.execute_batch(rows).unwrap();
    folder
}
