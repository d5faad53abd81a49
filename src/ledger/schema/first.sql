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
