//! Les tables, et comment une base plus ancienne devient la nôtre.
//!
//! Les migrations ne font que s'ajouter : leur rang est `user_version`. Elles se font dans la transaction
//! de qui ouvre la base : s'il la refuse, elle reste comme elle était, et l'ancien programme peut s'en servir.
//! Les montants sont des décimaux exacts en texte, les instants des millisecondes Unix ; les
//! invariants de la comptabilité sont des `CHECK` et des `UNIQUE`.

use rusqlite::Connection;

use super::LedgerError;
use super::{flows, legacy};

const MIGRATIONS: [&str; 3] = [FIRST, LIVE, FIGURES];

/// Des tables que toute base à nous a, depuis la première version.
pub const FIRST_TABLES: [&str; 5] = ["agent", "account", "movements", "intents", "snapshots"];

/// La version où les mouvements ont une valeur.
const VALUED: usize = 3;

const FIRST: &str = "
CREATE TABLE agent (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mode TEXT NOT NULL CHECK (mode IN ('dry_run', 'live')),
    state TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'DEAD')),
    paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    -- Évaluations complètes de suite sous le seuil de survie.
    low_in_a_row INTEGER NOT NULL DEFAULT 0,
    -- L'instant des cours de la dernière évaluation comptée pour la survie.
    judged_at INTEGER
) STRICT;

CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    initial_eur TEXT NOT NULL,
    deposited_eur TEXT NOT NULL,
    -- USDC déjà gagnés ou dépensés avant l'ouverture (base reprise) ; s'ajoute au premier cash.
    brought_usdc TEXT NOT NULL DEFAULT '0',
    -- NULL tant que l'ouverture n'est pas comptée, faute de cours de l'euro.
    cash TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE movements (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('opening', 'deposit', 'correction')),
    eur TEXT NOT NULL,
    rate TEXT NOT NULL,
    usdc TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_opening ON movements (kind) WHERE kind = 'opening';

CREATE TABLE positions (
    coin TEXT PRIMARY KEY,
    quantity TEXT NOT NULL CHECK (quantity NOT LIKE '-%'),
    invested TEXT NOT NULL CHECK (invested NOT LIKE '-%'),
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE signals (
    id INTEGER PRIMARY KEY,
    signal_id TEXT NOT NULL UNIQUE,
    version INTEGER,
    confidence REAL,
    reasoning TEXT NOT NULL,
    actions TEXT NOT NULL,
    portfolio_state TEXT,
    -- Le texte reçu, tant que le signal n'est pas clos : de quoi le reprendre.
    payload TEXT,
    status TEXT NOT NULL CHECK (status IN ('received', 'executed', 'skipped', 'error', 'rejected')),
    error_message TEXT,
    received_at INTEGER NOT NULL,
    executed_at INTEGER,
    CHECK (status <> 'received' OR payload IS NOT NULL)
) STRICT;
CREATE INDEX open_signals ON signals (id) WHERE status = 'received';

-- L'allocation du leader dans son dernier signal valable qui en portait une.
CREATE TABLE leader_target (
    coin TEXT PRIMARY KEY,
    weight TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    signal INTEGER NOT NULL REFERENCES signals (id),
    coin TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('bought', 'sold', 'left')),
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (signal, coin)
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
    id INTEGER PRIMARY KEY,
    signal INTEGER NOT NULL REFERENCES signals (id),
    coin TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
    spend TEXT,
    quantity TEXT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'filled', 'refused', 'abandoned')),
    reason TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((side = 'BUY') = (spend IS NOT NULL)),
    CHECK ((side = 'SELL') = (quantity IS NOT NULL))
) STRICT;
CREATE INDEX intents_of_a_signal ON intents (signal);
CREATE UNIQUE INDEX one_intent_at_a_time ON intents (coin) WHERE state = 'planned';

CREATE TABLE trades (
    id INTEGER PRIMARY KEY,
    -- Une intention n'est exécutée qu'une fois ; NULL pour un trade repris de l'ancienne base.
    intent INTEGER UNIQUE REFERENCES intents (id),
    signal_id TEXT,
    coin TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
    quantity TEXT NOT NULL,
    price TEXT NOT NULL,
    amount TEXT NOT NULL,
    fee TEXT NOT NULL,
    fee_asset TEXT NOT NULL,
    fee_usdc TEXT NOT NULL,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX trades_of_a_signal ON trades (signal_id);

CREATE TABLE withdrawals (
    id INTEGER PRIMARY KEY,
    requested_eur TEXT NOT NULL,
    sold_usdc TEXT NOT NULL,
    received_eur TEXT NOT NULL,
    rate TEXT,
    positions_sold TEXT NOT NULL,
    status TEXT NOT NULL,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY,
    total_eur TEXT NOT NULL,
    coins_usdc TEXT NOT NULL,
    cash_usdc TEXT NOT NULL,
    deposited_eur TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX snapshots_by_time ON snapshots (at);

-- La dernière lecture de chaque grandeur du dehors, et la panne en cours.
CREATE TABLE readings (
    what TEXT PRIMARY KEY,
    bid TEXT,
    ask TEXT,
    at INTEGER,
    failure TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE polls (
    outcome TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Le dernier tour : ce que la page en dit.
CREATE TABLE pulse (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    polled_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    signal_id TEXT,
    trades INTEGER,
    error TEXT,
    leader_contact_at INTEGER,
    leader_error TEXT
) STRICT;
";

/// Les ordres réels : ce qui est parti et ce qu'on en sait, ce que le dehors dit du compte.
const LIVE: &str = "
-- Les frais dans chaque actif où ils ont été pris ; fee_usdc en garde la valeur.
ALTER TABLE trades ADD COLUMN fee_coin TEXT NOT NULL DEFAULT '0';
ALTER TABLE trades ADD COLUMN fee_cash TEXT NOT NULL DEFAULT '0';
ALTER TABLE trades ADD COLUMN fee_bnb TEXT NOT NULL DEFAULT '0';
ALTER TABLE trades ADD COLUMN bnb_price TEXT NOT NULL DEFAULT '0';
UPDATE trades SET fee_cash = fee WHERE fee_asset = 'USDC';
UPDATE trades SET fee_coin = fee WHERE fee_asset <> 'USDC';
ALTER TABLE trades DROP COLUMN fee;
ALTER TABLE trades DROP COLUMN fee_asset;

-- Les BNB du compte qui ne sont pas aux livres et qui ont payé de nos frais.
ALTER TABLE account ADD COLUMN bnb_of_others TEXT NOT NULL DEFAULT '0';

-- Distingue nos ordres de ceux d'un autre grand livre sur le même compte.
ALTER TABLE agent ADD COLUMN tag TEXT NOT NULL DEFAULT '';
UPDATE agent SET tag = lower(hex(randomblob(4)));

-- Une intention ne part qu'une fois ; une seconde tentative est une autre intention.
CREATE TABLE new_intents (
    id INTEGER PRIMARY KEY,
    signal INTEGER NOT NULL REFERENCES signals (id),
    coin TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
    spend TEXT,
    quantity TEXT,
    attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt IN (1, 2)),
    state TEXT NOT NULL CHECK (state IN
        ('planned', 'sent', 'unknown', 'stuck', 'filled', 'refused', 'absent', 'abandoned')),
    reason TEXT,
    -- L'ordre tel qu'il part ; NULL pour une intention simulée.
    client_id TEXT UNIQUE,
    -- L'heure de la bourse dont il est daté, et le temps qu'il a pour y arriver, en millisecondes.
    stamped_at INTEGER,
    window INTEGER,
    -- Son numéro à la bourse, dès qu'on le sait accepté.
    order_id INTEGER,
    -- Vrai si son issue a été inconnue un moment.
    doubted INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    -- Vrai s'il a été exécuté après qu'on l'a cru absent, tant que personne ne l'a regardé.
    late INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((side = 'BUY') = (spend IS NOT NULL)),
    CHECK ((side = 'SELL') = (quantity IS NOT NULL)),
    CHECK ((client_id IS NULL) = (stamped_at IS NULL) AND (client_id IS NULL) = (window IS NULL)),
    CHECK (client_id IS NOT NULL OR state IN ('planned', 'filled', 'refused', 'abandoned'))
) STRICT;
INSERT INTO new_intents (id, signal, coin, side, spend, quantity, state, reason, created_at, ended_at)
    SELECT id, signal, coin, side, spend, quantity, state, reason, created_at, ended_at FROM intents;
DROP TABLE intents;
ALTER TABLE new_intents RENAME TO intents;
CREATE INDEX intents_of_a_signal ON intents (signal);
CREATE UNIQUE INDEX one_open_intent ON intents (coin)
    WHERE state IN ('planned', 'sent', 'unknown', 'stuck');

-- Ce que la bourse nous demande et nous apprend d'elle-même.
CREATE TABLE exchange (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Le compte du premier démarrage : on n'en change pas.
    uid INTEGER,
    -- Le silence qu'elle a demandé : quel statut, quand, jusqu'à quand.
    silent_status INTEGER,
    silent_from INTEGER,
    silent_until INTEGER,
    -- De combien de millisecondes l'horloge de la machine avance sur la sienne, à une marge près.
    clock_lead INTEGER,
    clock_margin INTEGER,
    clock_at INTEGER,
    -- Pourquoi rien ne s'échange pour de vrai ; NULL si l'on peut.
    closed TEXT
) STRICT;
INSERT INTO exchange (id) VALUES (1);

-- Le dernier rapprochement : ce que le compte tient, ce que le grand livre en dit.
CREATE TABLE balances (
    asset TEXT PRIMARY KEY,
    held TEXT NOT NULL,
    booked TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Ce que le compte tient de plus que le grand livre, lu quand rien n'était en doute.
    surplus TEXT
) STRICT, WITHOUT ROWID;

-- Les ordres du compte qui ne sont pas les nôtres : montrés, jamais touchés ni comptés.
CREATE TABLE foreign_orders (
    coin TEXT NOT NULL,
    order_id INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    side TEXT NOT NULL,
    executed TEXT NOT NULL,
    amount TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (coin, order_id)
) STRICT, WITHOUT ROWID;

-- Le dernier ordre vu de chaque paire : le prochain balayage part de là.
CREATE TABLE order_marks (
    coin TEXT PRIMARY KEY,
    order_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- La dernière table d'essais du dehors.
CREATE TABLE checks (
    rank INTEGER PRIMARY KEY,
    test TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('fine', 'fault', 'not_tested')),
    found TEXT NOT NULL,
    advice TEXT,
    at INTEGER NOT NULL
) STRICT;
";

/// De quoi mesurer un rendement, et dire ce qu'un signal attend.
const FIGURES: &str = "
-- Ce que tout valait juste après le mouvement, en EUR, et l'instant dont est cette valeur : le sien, ou celui du relevé
-- dont elle est tirée. NULL tant qu'elle n'est pas connue.
ALTER TABLE movements ADD COLUMN value_eur TEXT;
ALTER TABLE movements ADD COLUMN valued_at INTEGER;

-- Ce qu'un signal reçu attend, dit au dernier tour ; NULL s'il n'attend que d'être exécuté.
ALTER TABLE signals ADD COLUMN waiting_for TEXT;

-- Les coins qu'un signal ouvert attend encore, et pourquoi.
CREATE TABLE waits (
    signal INTEGER NOT NULL REFERENCES signals (id),
    coin TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (signal, coin)
) STRICT, WITHOUT ROWID;

CREATE INDEX trades_by_time ON trades (at);
";

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

    /// Ce que `calvalot restore` remet : une sauvegarde faite avant une mise à jour sert encore après elle.
    #[test]
    fn a_copy_of_a_base_of_the_first_version_is_of_today_s_and_leaves_it_as_it_was() {
        let folder = std::env::temp_dir().join(format!("calvalot-first-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (from, to) = (folder.join("old.db"), folder.join("new.db"));
        let db = Connection::open(&from).expect("a file");
        db.execute_batch(FIRST).expect("the first version");
        db.execute_batch(OLD).expect("its rows");
        db.pragma_update(None, "user_version", 1).expect("its version");
        drop(db);
        let before = std::fs::read(&from).expect("a file");
        assert!(crate::ledger::copy(&from, &to).expect("it is copied"));
        assert_eq!(std::fs::read(&from).expect("a file"), before);
        let copy = crate::ledger::look(&to).expect("it is read").expect("it is of today");
        let deposited = copy.account().expect("an account").deposited;
        assert_eq!(deposited, crate::domain::money::Eur::new(rust_decimal::dec!(100)));
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }

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
