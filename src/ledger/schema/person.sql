-- Pourquoi l'agent s'est mis en pause de lui-même ; NULL si une personne l'a voulu.
ALTER TABLE agent ADD COLUMN paused_reason TEXT;
-- Vrai si le programme Python le disait mort et que sa valeur n'est pas encore jugée.
ALTER TABLE agent ADD COLUMN dead_before INTEGER NOT NULL DEFAULT 0 CHECK (dead_before IN (0, 1));

-- Ce qu'un ordre ouvert de la personne immobilise de ce que le compte tient.
ALTER TABLE balances ADD COLUMN locked TEXT NOT NULL DEFAULT '0';
-- Ce que des ordres en doute en ont peut-être déjà pris : ce n'est pas un manque.
ALTER TABLE balances ADD COLUMN reserved TEXT NOT NULL DEFAULT '0';

-- Une base du programme Python en réel : ses quantités sont brutes de frais, tant qu'une personne n'a pas confirmé ce que le
-- compte tient. NULL pour les autres.
ALTER TABLE agent ADD COLUMN takeover TEXT CHECK (takeover IN ('pending', 'confirmed'));

-- Les demandes auxquelles une clé a été donnée : la même ne se fait pas deux fois, et a la même réponse.
CREATE TABLE requests (
    key TEXT PRIMARY KEY,
    -- Ce qui était demandé : la clé ne vaut pas pour autre chose.
    wish TEXT NOT NULL,
    -- La ligne que la réponse raconte.
    made INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
