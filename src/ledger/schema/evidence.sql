-- Un ordre du compte qui porte un nom d'ici et que les livres ne connaissent pas : 'ours', l'étiquette de ce grand livre ;
-- 'another', celle d'un autre. NULL pour ceux d'autrui. Réglé quand une personne en a décidé.
ALTER TABLE foreign_orders ADD COLUMN bears TEXT CHECK (bears IN ('ours', 'another'));
ALTER TABLE foreign_orders ADD COLUMN settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1));
-- Ceux d'avant ont été montrés.
UPDATE foreign_orders SET bears = 'ours', settled = 1
    WHERE client_id LIKE 'cal-' || (SELECT tag FROM agent) || '-%';

-- La machine d'où partent les ordres, depuis le premier.
ALTER TABLE exchange ADD COLUMN machine TEXT;
-- Pourquoi ce grand livre n'est peut-être pas seul sur son compte ; NULL s'il l'est.
ALTER TABLE exchange ADD COLUMN not_alone TEXT;

-- Vrai depuis qu'il a retrouvé ou laissé un passé qu'il ne connaissait pas, jusqu'au signal suivant : celui-ci a pu y être suivi.
ALTER TABLE agent ADD COLUMN past_unknown INTEGER NOT NULL DEFAULT 0 CHECK (past_unknown IN (0, 1));
-- Des actions qui y ont peut-être été faites : elles ne se refont pas.
ALTER TABLE signals ADD COLUMN maybe_done INTEGER NOT NULL DEFAULT 0 CHECK (maybe_done IN (0, 1));

-- Faux tant que ce qui est d'avant la première lecture d'une paire ne se lit pas encore en entier.
ALTER TABLE order_marks ADD COLUMN whole INTEGER NOT NULL DEFAULT 1 CHECK (whole IN (0, 1));
