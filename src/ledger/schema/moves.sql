-- Un CHECK ne se change pas : la table est refaite. Une colonne neuve et NULL n'est dans aucun sceau.
CREATE TABLE new_movements (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN
        ('opening', 'deposit', 'correction', 'withdrawal', 'write_off', 'count', 'dust')),
    eur TEXT NOT NULL,
    rate TEXT NOT NULL,
    usdc TEXT NOT NULL,
    at INTEGER NOT NULL,
    value_eur TEXT,
    valued_at INTEGER,
    seal BLOB,
    -- Le coin venu ou parti, son signe dans la quantité, sa valeur d'alors en USDC ; NULL si seul le cash bouge.
    coin TEXT,
    quantity TEXT,
    worth TEXT,
    -- Le dernier trade d'avant : les livres se refont dans l'ordre. NULL d'avant cette colonne, où seul le cash bougeait.
    after_trade INTEGER,
    CHECK ((coin IS NULL) = (quantity IS NULL) AND (coin IS NULL) = (worth IS NULL))
) STRICT;
INSERT INTO new_movements (id, kind, eur, rate, usdc, at, value_eur, valued_at, seal)
    SELECT id, kind, eur, rate, usdc, at, value_eur, valued_at, seal FROM movements;
DROP TABLE movements;
ALTER TABLE new_movements RENAME TO movements;
CREATE UNIQUE INDEX one_opening ON movements (kind) WHERE kind = 'opening';
