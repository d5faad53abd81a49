-- Ce qu'une personne a voulu, mené à bien comme un signal : 'withdrawal' ou 'sell_all' ; NULL pour un signal du leader.
ALTER TABLE signals ADD COLUMN wish TEXT;

-- Pourquoi l'agent est en pause, si ce n'est pas seulement parce qu'une personne l'a voulu.
ALTER TABLE agent ADD COLUMN paused_reason TEXT;

-- La ligne du signal d'un retrait ; NULL pour un retrait du programme Python, qui n'a pas de mouvement.
ALTER TABLE withdrawals ADD COLUMN signal INTEGER REFERENCES signals (id);
-- Ce qui est voulu ; NULL si c'est tout.
ALTER TABLE withdrawals ADD COLUMN wanted_usdc TEXT;
ALTER TABLE withdrawals ADD COLUMN set_aside_usdc TEXT;
-- Ce que le compte a montré parti.
ALTER TABLE withdrawals ADD COLUMN taken_usdc TEXT;
-- Ce que le compte tiendrait sans nos ordres, avant que rien n'en parte ; NULL tant qu'il n'a pas été bien lu.
ALTER TABLE withdrawals ADD COLUMN level_usdc TEXT;
ALTER TABLE withdrawals ADD COLUMN ended_at INTEGER;
-- Une à la fois.
CREATE UNIQUE INDEX one_open_withdrawal ON withdrawals (signal IS NOT NULL)
    WHERE signal IS NOT NULL AND status IN ('selling', 'set_aside');

-- Les demandes auxquelles une clé a été donnée : la même ne se fait pas deux fois, et a la même réponse.
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY,
    -- Ce qui était demandé : la clé ne vaut pas pour autre chose.
    wish TEXT NOT NULL,
    -- La ligne que la réponse raconte.
    made INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
