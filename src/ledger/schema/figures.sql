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
