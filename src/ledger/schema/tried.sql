-- Combien de temps les ventes d'un souhait ont pu s'essayer, en millisecondes : ni arrêté, ni sans la bourse.
ALTER TABLE signals ADD COLUMN tried_for INTEGER NOT NULL DEFAULT 0 CHECK (tried_for >= 0);
