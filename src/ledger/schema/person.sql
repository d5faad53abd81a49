-- Pourquoi l'agent s'est mis en pause de lui-même ; NULL si une personne l'a voulu.
ALTER TABLE agent ADD COLUMN paused_reason TEXT;
-- Vrai si le programme Python le disait mort et que sa valeur n'est pas encore jugée.
ALTER TABLE agent ADD COLUMN dead_before INTEGER NOT NULL DEFAULT 0 CHECK (dead_before IN (0, 1));

-- Ce qu'un ordre ouvert de la personne immobilise de ce que le compte tient.
ALTER TABLE balances ADD COLUMN locked TEXT NOT NULL DEFAULT '0';
