//! Les tables, et comment une base plus ancienne devient la nôtre.
//!
//! Les migrations ne font que s'ajouter : leur rang est `user_version`. Elles se font dans la transaction
//! de qui ouvre la base : s'il la refuse, elle reste comme elle était, et l'ancien programme peut s'en servir.
//! Les montants sont des décimaux exacts en texte, les instants des millisecondes Unix ; les
//! invariants de la comptabilité sont des `CHECK` et des `UNIQUE`.

use rusqlite::Connection;

use super::LedgerError;
use super::{flows, legacy, seal};

const MIGRATIONS: [&str; 6] = [FIRST, LIVE, FIGURES, SEALS, MOVES, WISHES];

/// La version où les mouvements ont une valeur.
const VALUED: usize = 3;

/// La version à partir de laquelle aucune ligne n'est plus à sceller après coup.
const SEALED: usize = 4;

const FIRST: &str = include_str!("schema/first.sql");

/// Les ordres réels : ce qui est parti et ce qu'on en sait, ce que le dehors dit du compte.
const LIVE: &str = include_str!("schema/live.sql");

/// De quoi mesurer un rendement, et dire ce qu'un signal attend.
const FIGURES: &str = include_str!("schema/figures.sql");

/// De quoi voir qu'une ligne a été changée, ôtée ou ajoutée par une autre main que la nôtre ([`seal`]).
const SEALS: &str = include_str!("schema/seals.sql");

/// Des coins aussi viennent et partent, et dans quel ordre avec les trades.
const MOVES: &str = include_str!("schema/moves.sql");

/// Ce qu'une personne veut reprendre ou vendre.
const WISHES: &str = include_str!("schema/wishes.sql");

/// Ce qui est compté à chaque lecture des mesures se compte sans relire les textes. Un index ne change rien à ce
/// qu'une base dit : il n'a pas de rang, et une version d'avant s'en passe.
const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS signals_by_status ON signals (status);
CREATE INDEX IF NOT EXISTS intents_by_outcome ON intents (state, side);
CREATE INDEX IF NOT EXISTS late_intents ON intents (id) WHERE late = 1;
";

/// Pose les index qui manquent à une base d'aujourd'hui.
pub fn index(connection: &Connection) -> Result<(), LedgerError> {
    Ok(connection.execute_batch(INDEXES)?)
}

/// Vrai si la base a les tables d'aujourd'hui ; une plus ancienne attend le prochain démarrage.
pub fn is_current(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(version(connection)? == MIGRATIONS.len())
}

/// La version de la base, 0 si elle n'est pas à nous ; refuse celle d'un programme plus récent.
fn version(connection: &Connection) -> Result<usize, LedgerError> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = version as usize;
    if version > MIGRATIONS.len() {
        return Err(LedgerError::Refused(format!(
            "the database is of version {version}, newer than this program ({}): update the program",
            MIGRATIONS.len()
        )));
    }
    Ok(version)
}

/// Amène la base à la dernière version. Une base du programme Python est reprise au passage.
pub fn migrate(connection: &Connection) -> Result<(), LedgerError> {
    let version = version(connection)?;
    for (rank, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        let legacy = rank == 0 && legacy::set_aside(connection)?;
        connection.execute_batch(migration)?;
        if legacy {
            legacy::take_over(connection)?;
        }
        connection.pragma_update(None, "user_version", rank as u32 + 1)?;
    }
    if version < VALUED {
        flows::appraise(connection)?;
    }
    if version < SEALED {
        seal::lay_everywhere(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Une base de la première version, avec un trade simulé et un signal encore ouvert.
    const OLD: &str = "
        INSERT INTO agent (id, mode) VALUES (1, 'dry_run');
        INSERT INTO account (id, initial_eur, deposited_eur, cash, created_at) VALUES (1, '100', '100', '8', 1);
        INSERT INTO signals (id, signal_id, reasoning, actions, payload, status, received_at)
            VALUES (1, 'a', '', '[]', '{}', 'received', 1);
        INSERT INTO intents (id, signal, coin, side, spend, state, created_at)
            VALUES (1, 1, 'BTCUSDC', 'BUY', '50', 'filled', 1), (2, 1, 'ETHUSDC', 'BUY', '50', 'planned', 1);
        INSERT INTO trades (intent, coin, side, quantity, price, amount, fee, fee_asset, fee_usdc, simulated, at)
            VALUES (1, 'BTCUSDC', 'BUY', '1', '50', '50', '0.001', 'BTC', '0.05', 1, 1),
                   (NULL, 'BTCUSDC', 'SELL', '1', '50', '50', '0.05', 'USDC', '0.05', 1, 1);
        INSERT INTO movements (kind, eur, rate, usdc, at)
            VALUES ('opening', '100', '1.08', '108', 10), ('deposit', '50', '1.08', '54', 40),
                   ('correction', '-30', '1.08', '-32.4', 45);
        INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
            VALUES ('9', '1', '1', '100', 5), ('101.5', '1', '1', '100', 20), ('102.25', '1', '1', '100', 30),
                   ('160', '1', '1', '120', 50);
    ";

    #[test]
    fn a_base_of_the_first_version_keeps_everything() {
        let db = Connection::open_in_memory().expect("memory");
        db.execute_batch("PRAGMA foreign_keys = OFF").expect("a pragma");
        db.execute_batch(FIRST).expect("the first version");
        db.execute_batch(OLD).expect("its rows");
        db.pragma_update(None, "user_version", 1).expect("its version");
        migrate(&db).expect("it is brought up to date");
        let text = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).expect("one row");
        let fees = "SELECT group_concat(fee_coin || '/' || fee_cash || '/' || fee_bnb, ' ') FROM trades";
        assert_eq!(text(fees), "0.001/0/0 0/0.05/0");
        let intents =
            "SELECT group_concat(id || state || attempt || coalesce(client_id, '-'), ' ') FROM intents";
        assert_eq!(text(intents), "1filled1- 2planned1-");
        assert_eq!(text("SELECT tag FROM agent").len(), 8);
        // Le dépôt, du relevé d'avant ; l'ouverture, du premier d'après.
        let values = "SELECT group_concat(kind || ' ' || coalesce(value_eur, '-') || ' ' || coalesce(valued_at, '-'), ', ')
                      FROM movements";
        assert_eq!(text(values), "opening 101.5 20, deposit 152.25 30, correction 122.25 30");
        assert_eq!(version(&db).expect("ours"), MIGRATIONS.len());
        db.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
        let mut broken = db.prepare("PRAGMA foreign_key_check").expect("a pragma");
        assert!(!broken.exists([]).expect("it runs"), "a table points nowhere");
        let orphan = "INSERT INTO intents (signal, coin, side, spend, state, created_at)
                      VALUES (9, 'BTCUSDC', 'BUY', '1', 'planned', 1)";
        assert!(db.execute(orphan, []).is_err());
    }
}
