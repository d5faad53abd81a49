-- Les règles de la bourse qui ont laissé des coins loin de l'allocation quand elle a été atteinte, une ligne chacun ; NULL si aucun
-- ne l'était.
ALTER TABLE aim ADD COLUMN rules TEXT;
-- Les coins, séparés par une espace, où l'allocation va contre les actions qu'elle accompagne ; NULL tant que ce n'est pas regardé.
ALTER TABLE aim ADD COLUMN contradicted TEXT;
-- Ce que l'allocation d'avant voulait de ce coin.
ALTER TABLE leader_target ADD COLUMN former TEXT;
