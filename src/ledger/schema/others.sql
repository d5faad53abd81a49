-- Ce que nos ordres ont pris à la part du compte qui n'est pas aux livres, par actif ; négatif, ce qu'ils lui ont donné.
-- `account.bnb_of_others`, que son sceau couvre, reste tel qu'il était et n'est plus tenu.
CREATE TABLE of_others (
    asset TEXT PRIMARY KEY,
    quantity TEXT NOT NULL,
    seal BLOB
) STRICT;
INSERT INTO of_others (asset, quantity) SELECT 'BNB', bnb_of_others FROM account WHERE bnb_of_others <> '0';

-- Les frais d'un trade pris dans un autre actif que ceux de sa ligne, ou dont la valeur n'est pas connue.
CREATE TABLE trade_fees (
    id INTEGER PRIMARY KEY,
    trade INTEGER NOT NULL REFERENCES trades (id),
    asset TEXT NOT NULL,
    quantity TEXT NOT NULL,
    seal BLOB,
    UNIQUE (trade, asset)
) STRICT;

-- Comment une personne a fini l'ordre : booké de sa main, ou réglé sans rien booker ; NULL si elle n'y est pour rien.
ALTER TABLE intents ADD COLUMN by_hand TEXT CHECK (by_hand IN ('booked', 'settled'));
