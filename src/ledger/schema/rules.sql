-- Les règles de la bourse qui ont laissé des coins loin de l'allocation quand elle a été atteinte, une ligne chacun ; NULL si aucun
-- ne l'était.
ALTER TABLE aim ADD COLUMN rules TEXT;
