-- La perte que l'on se fixe, en parts du plus haut : une ligne.
CREATE TABLE stop_loss (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Ce que disait STOP_LOSS_PCT au dernier démarrage ; NULL s'il n'en disait rien.
    configured TEXT,
    -- Ce qu'une personne a choisi, qui l'emporte : '0' si elle n'en veut pas ; NULL si elle n'a rien choisi.
    chosen TEXT,
    -- Le plus haut est celui des relevés d'après celui-ci.
    after_snapshot INTEGER NOT NULL DEFAULT 0,
    -- Évaluations complètes de suite où elle est atteinte, et l'instant des cours de la dernière.
    low_in_a_row INTEGER NOT NULL DEFAULT 0,
    judged_at INTEGER,
    -- Quand elle l'a été, et de combien ; NULL depuis qu'une personne a repris.
    reached_at INTEGER,
    reached_fall TEXT
) STRICT;
INSERT INTO stop_loss (id) VALUES (1);
