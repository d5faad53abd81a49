-- Le nom que le leader donne à ce signal, s'il l'avait déjà donné à un autre ; NULL si c'est `signal_id`.
ALTER TABLE signals ADD COLUMN leader_id TEXT;
CREATE INDEX renamed_signals ON signals (leader_id) WHERE leader_id IS NOT NULL;
-- Ce qu'il demandait, de quoi voir qu'il a changé sous le même nom ; NULL avant, et d'un signal rejeté.
ALTER TABLE signals ADD COLUMN meaning TEXT;
