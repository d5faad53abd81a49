-- Ce qu'une personne a voulu, mené à bien comme un signal : 'withdrawal' ou 'sell_all' ; NULL pour un signal du leader.
ALTER TABLE signals ADD COLUMN wish TEXT;

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
