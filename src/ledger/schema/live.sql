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
