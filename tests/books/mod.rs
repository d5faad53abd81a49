//! Le grand livre lu par-dessus l'épaule du programme, refait à la main et comparé à ce qu'il tient.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rust_decimal::{Decimal, RoundingStrategy, dec};

/// La base, ouverte à côté du programme qui s'en sert peut-être.
pub fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the ledger is there");
    connection.busy_timeout(Duration::from_secs(60)).expect("a busy timeout can be set");
    connection
}

/// Le premier nombre que rend `sql`.
pub fn number(books: &Connection, sql: &str) -> i64 {
    books.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{error} in {sql}"))
}

fn decimals<const N: usize>(books: &Connection, sql: &str) -> Vec<(Vec<String>, [Decimal; N])> {
    let mut statement = books.prepare(sql).expect("the tables are ours");
    let words = statement.column_count() - N;
    let rows = statement.query_map([], |row| {
        let text = |index| row.get::<_, String>(index);
        let names = (0..words).map(text).collect::<Result<Vec<_>, _>>()?;
        let mut values = [Decimal::ZERO; N];
        for (index, value) in values.iter_mut().enumerate() {
            *value = text(words + index)?.parse().expect("an exact decimal");
        }
        Ok((names, values))
    });
    rows.expect("the tables are ours").collect::<Result<_, _>>().expect("rows of texts")
}

/// Rien n'est à moitié fait : cash et positions sont exactement ce que mouvements et trades racontent,
/// chaque intention exécutée a son trade, et la base est saine. Des intentions peuvent attendre.
pub fn check_consistent(books: &Connection) {
    let health: String = books.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(health, "ok");
    let (mut cash, mut quantities) = (Decimal::ZERO, BTreeMap::<String, Decimal>::new());
    for (_, [usdc]) in decimals::<1>(books, "SELECT usdc FROM movements WHERE kind <> 'withdrawal'") {
        cash += usdc;
    }
    let mut others = BTreeMap::<String, Decimal>::new();
    // Les coins venus ou partis le sont entre deux trades.
    let trades = "SELECT coin, side, CAST(id AS TEXT), quantity, price, amount, fee_coin, fee_cash, fee_bnb FROM
            (SELECT id, 1 AS rank, coin, side, quantity, price, amount, fee_coin, fee_cash, fee_bnb FROM trades
             UNION ALL SELECT after_trade, 1 + id, coin, 'MOVED', quantity, '0', '0', '0', '0', '0' FROM movements
             WHERE coin IS NOT NULL) ORDER BY id, rank";
    for (names, [quantity, price, amount, fee_coin, fee_cash, fee_bnb]) in decimals::<6>(books, trades) {
        let owned = quantities.entry(names[0].clone()).or_default();
        let asset = names[0].trim_end_matches("USDC").to_owned();
        let (coins, usdc) = match names[1].as_str() {
            "MOVED" => {
                *owned += quantity;
                continue;
            }
            "BUY" => (quantity - fee_coin, -(amount + fee_cash)),
            _ => {
                assert_eq!(fee_coin, Decimal::ZERO, "a sale pays its fee in USDC or in BNB");
                (-quantity, amount - fee_cash)
            }
        };
        // Ce que les livres ne couvrent pas est d'autrui, des deux côtés.
        let down = |part: Decimal| part.round_dp_with_strategy(8, RoundingStrategy::ToNegativeInfinity);
        let (kept_coins, kept_usdc) = match names[1].as_str() {
            "BUY" if -usdc > cash => (down(coins * cash / -usdc), -cash),
            "SELL" if quantity > *owned => (-*owned, down(usdc * *owned / quantity)),
            _ => (coins, usdc),
        };
        *owned += kept_coins;
        cash += kept_usdc;
        *others.entry(asset).or_default() -= coins - kept_coins;
        *others.entry("USDC".to_owned()).or_default() -= usdc - kept_usdc;
        // Des frais pris dans un autre actif : ce que la position ne couvre pas vient d'autrui.
        let apart =
            format!("SELECT asset, quantity FROM trade_fees WHERE trade = {} ORDER BY asset", names[2]);
        let apart = decimals::<1>(books, &apart).into_iter().map(|(asset, [fee])| (asset[0].clone(), fee));
        for (asset, fee) in [("BNB".to_owned(), fee_bnb)].into_iter().chain(apart) {
            let held = quantities.entry(format!("{asset}USDC")).or_default();
            let ours = fee.min(*held);
            *held -= ours;
            *others.entry(asset).or_default() += fee - ours;
        }
        let owned = quantities[&names[0]];
        // Le prix moyen de plusieurs niveaux est tronqué à huit décimales.
        assert!((price * quantity - amount).abs() < dec!(0.00000001) * (quantity + dec!(2)), "{names:?}");
        assert!(cash >= Decimal::ZERO && owned >= Decimal::ZERO, "{names:?} overdrew the books");
    }
    // Ce qui est repris l'est de ce que les trades ont laissé.
    for (_, [usdc]) in decimals::<1>(books, "SELECT usdc FROM movements WHERE kind = 'withdrawal'") {
        cash += usdc;
    }
    let kept = decimals::<1>(books, "SELECT coalesce(cash, '0') FROM account");
    assert_eq!(kept[0].1[0], cash, "the cash is not what the trades tell");
    for (names, [quantity]) in decimals::<1>(books, "SELECT coin, quantity FROM positions") {
        let told = quantities.remove(&names[0]).unwrap_or_default();
        assert_eq!(quantity, told, "{} is not what the trades tell", names[0]);
    }
    assert!(quantities.values().all(Decimal::is_zero), "traded without a position: {quantities:?}");
    others.retain(|_, quantity| !quantity.is_zero());
    let kept = decimals::<1>(books, "SELECT asset, quantity FROM of_others WHERE quantity <> '0'");
    let kept: BTreeMap<String, Decimal> =
        kept.into_iter().map(|(names, [quantity])| (names[0].clone(), quantity)).collect();
    assert_eq!(kept, others, "what is of others is not what the trades tell");
    let orphans = "SELECT (SELECT count(*) FROM intents WHERE state = 'filled'
                               AND id NOT IN (SELECT intent FROM trades))
                        + (SELECT count(*) FROM trades WHERE intent IS NULL
                               OR intent NOT IN (SELECT id FROM intents WHERE state = 'filled'))";
    assert_eq!(number(books, orphans), 0, "an intent without its trade, or a trade without its intent");
    let path = books.path().expect("the ledger is a file");
    let report = calvalot::verify::verify(Path::new(path)).expect("the ledger can be read");
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// De plus, plus rien n'attend, et rien n'a été fait deux fois : au plus un trade par coin et signal.
pub fn check_settled(books: &Connection) {
    check_consistent(books);
    assert_eq!(
        number(books, "SELECT count(*) FROM intents WHERE state IN ('planned', 'sent', 'unknown')"),
        0
    );
    let open = "SELECT count(*) FROM signals WHERE status = 'received' OR payload IS NOT NULL";
    assert_eq!(number(books, open), 0, "a signal is still open");
    // Ce qu'une personne veut vendre peut l'être en plusieurs fois ; ce qui a été adopté vient de plusieurs signaux ; ce qui est visé
    // de nouveau l'est une fois le signal clos.
    let again = "SELECT count(*) FROM (SELECT 1 FROM trades JOIN intents ON intents.id = trades.intent
                     JOIN signals ON signals.id = intents.signal
                     WHERE wish IS NULL AND signals.signal_id <> 'adopted' AND intents.created_at <= executed_at
                     GROUP BY signals.id, intents.coin HAVING count(*) > 1)";
    assert_eq!(number(books, again), 0, "a coin was traded twice for one signal");
    let stray = "SELECT count(*) FROM trades WHERE signal_id NOT IN (SELECT signal_id FROM signals)";
    assert_eq!(number(books, stray), 0, "a trade for no signal");
}
