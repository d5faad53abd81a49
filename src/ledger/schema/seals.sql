ALTER TABLE account ADD COLUMN seal BLOB;
ALTER TABLE movements ADD COLUMN seal BLOB;
ALTER TABLE positions ADD COLUMN seal BLOB;
ALTER TABLE intents ADD COLUMN seal BLOB;
ALTER TABLE trades ADD COLUMN seal BLOB;
ALTER TABLE withdrawals ADD COLUMN seal BLOB;
ALTER TABLE snapshots ADD COLUMN seal BLOB;

-- Les lignes écrites dans chaque table dont aucune ne s'efface, et le plus grand de leurs numéros.
CREATE TABLE seals (
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Les relevés qu'il doit y avoir ; NULL tant qu'aucun n'est compté.
ALTER TABLE pulse ADD COLUMN snapshots INTEGER;
