-- Quand l'allocation que porte ce signal a été atteinte ; NULL tant qu'elle ne l'est pas, ou s'il n'en porte pas.
ALTER TABLE signals ADD COLUMN reached_at INTEGER;
-- Ce qu'une personne décide d'une allocation déjà vieille au premier démarrage ; NULL si rien n'est à décider. Celle que le
-- programme Python a connue n'est pas visée : 'inherited'.
ALTER TABLE signals ADD COLUMN old_target TEXT CHECK (old_target IN ('asked', 'taken', 'declined', 'inherited'));
-- Quand le leader l'a dit, à son heure ; NULL s'il ne le dit pas.
ALTER TABLE signals ADD COLUMN said_at INTEGER;
-- 1 si d'autres ont pu se dire avant lui sans être entendus : une pause, une panne, un arrêt.
ALTER TABLE signals ADD COLUMN missed INTEGER CHECK (missed = 1);
-- L'allocation qui est visée : celle de ce signal, que le leader montre.
CREATE TABLE aim (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    signal INTEGER NOT NULL REFERENCES signals (id),
    -- Pourquoi elle est visée, ou l'a été.
    cause TEXT NOT NULL CHECK (cause IN ('signal', 'money', 'drift')),
    since INTEGER NOT NULL,
    -- NULL tant qu'elle reste à atteindre.
    reached_at INTEGER,
    -- Le dernier mouvement dont elle tient compte.
    movement INTEGER NOT NULL,
    -- Ce qui empêche de l'atteindre.
    waiting_for TEXT
);
-- Ce qui a été suivi avant ne se vise pas de nouveau pour si peu.
UPDATE signals SET reached_at = executed_at WHERE wish IS NULL AND status = 'executed';
UPDATE signals SET old_target = 'inherited' WHERE version IS NULL AND wish IS NULL;
