//! Les tables, et comment une base plus ancienne devient la nôtre.
//!
//! Les migrations ne font que s'ajouter : leur rang est `user_version`. Elles se font dans la transaction
//! de qui ouvre la base : s'il la refuse, elle reste comme elle était, et l'ancien programme peut s'en servir.
//! Les montants sont des décimaux exacts en texte, les instants des millisecondes Unix ; les
//! invariants de la comptabilité sont des `CHECK` et des `UNIQUE`.

use rusqlite::Connection;

use super::LedgerError;
use super::{audit, flows, legacy, seal, takeover};

const MIGRATIONS: [&str; 16] = [
    FIRST, LIVE, FIGURES, SEALS, MOVES, EVIDENCE, PERSON, OTHERS, WISHES, SETTLED, IDENTITY, AIM, STOP_LOSS,
    TRIED, REACHED, EXPIRY,
];

/// Des tables que toute base à nous a, depuis la première version.
pub const FIRST_TABLES: [&str; 5] = ["agent", "account", "movements", "intents", "snapshots"];

/// La version où les mouvements ont une valeur.
const VALUED: usize = 3;

/// La version où un mort du programme Python est jugé de nouveau.
const JUDGED: usize = 7;

/// La version à partir de laquelle aucune ligne n'est plus à sceller après coup.
const SEALED: usize = 4;

/// La version qui compte ce qui est d'autrui dans chaque actif.
const SHARED: usize = 8;

const FIRST: &str = include_str!("schema/first.sql");

/// Les ordres réels : ce qui est parti et ce qu'on en sait, ce que le dehors dit du compte.
const LIVE: &str = include_str!("schema/live.sql");

/// De quoi mesurer un rendement, et dire ce qu'un signal attend.
const FIGURES: &str = include_str!("schema/figures.sql");

/// De quoi voir qu'une ligne a été changée, ôtée ou ajoutée par une autre main que la nôtre ([`seal`]).
const SEALS: &str = include_str!("schema/seals.sql");

/// Des coins aussi viennent et partent, et dans quel ordre avec les trades.
const MOVES: &str = include_str!("schema/moves.sql");

/// Ce qui dit qu'un grand livre est plus vieux que son compte, ou n'y est pas seul.
const EVIDENCE: &str = include_str!("schema/evidence.sql");

/// Ce qu'une personne demande, et ce qu'on lui dit.
const PERSON: &str = include_str!("schema/person.sql");

/// Ce que nos ordres ont pris à d'autres, les frais notés à part, ce qu'une personne a fini.
const OTHERS: &str = include_str!("schema/others.sql");

/// Ce qu'une personne veut reprendre ou vendre.
const WISHES: &str = include_str!("schema/wishes.sql");

/// Les ordres dont une personne avait réglé ce qu'ils ont changé.
const SETTLED: &str = include_str!("schema/settled.sql");

/// De quoi voir qu'un signal a changé sous le même nom.
const IDENTITY: &str = include_str!("schema/identity.sql");

/// Ce que l'on vise, et quand c'est atteint.
const AIM: &str = include_str!("schema/aim.sql");

/// La perte que l'on se fixe.
const STOP_LOSS: &str = include_str!("schema/stop_loss.sql");

/// Depuis quand un souhait s'essaie vraiment.
const TRIED: &str = include_str!("schema/tried.sql");

/// De quoi juger qu'une allocation est atteinte : sous quelles règles, et si elle est d'après ses actions.
const REACHED: &str = include_str!("schema/reached.sql");

/// Jusqu'à quand un signal se suit.
const EXPIRY: &str = include_str!("schema/expiry.sql");

/// Ce qui est compté à chaque lecture des mesures se compte sans relire les textes. Un index ne change rien à ce
/// qu'une base dit : il n'a pas de rang, et une version d'avant s'en passe.
const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS signals_by_status ON signals (status);
CREATE INDEX IF NOT EXISTS intents_by_outcome ON intents (state, side);
CREATE INDEX IF NOT EXISTS intents_by_order ON intents (order_id);
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
    if version < JUDGED {
        legacy::await_judgement(connection)?;
        takeover::await_confirmation(connection)?;
    }
    if version < SEALED {
        seal::lay_everywhere(connection)?;
    } else if version < SHARED {
        seal::lay_bare(connection, &seal::OF_OTHERS)?;
    }
    if (1..SHARED).contains(&version) {
        audit::recount(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
