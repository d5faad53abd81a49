-- 1 quand la bourse a dit exécuté un ordre dont une personne avait réglé ce qu'il a changé ; NULL sinon.
ALTER TABLE intents ADD COLUMN accounted INTEGER CHECK (accounted = 1);
