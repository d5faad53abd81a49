//! Les lectures publiques : les cours, le cours de l'euro, les règles de chaque paire.
//!
//! Invariant : une lecture manquée ou insensée ne remplace jamais une ancienne par rien ni par zéro ;
//! l'ancienne reste, avec son âge, et la raison est notée à côté. Un symbole que la bourse ne connaît
//! plus ferait échouer l'appel pour tous : on demande alors chacun pour soi.

use std::time::Duration;

use smol::future::{or, zip};

use super::trouble::unreadable_body;
use super::{EURO, EURO_RANGE, Exchange, rules, wire};
use crate::clock;
use crate::domain::market::{Coin, Quote, Reading, Readings, Rules};
use crate::domain::money::{Price, Quantity};
use crate::exchange::trouble::Trouble;
use crate::fetch::{Answer, TIME_LIMIT, together};

const PRICES: Call = Call { path: "ticker/bookTicker", options: "" };
const RULES: Call = Call { path: "exchangeInfo", options: "&showPermissionSets=false" };

/// Une lecture qui prend une liste de symboles.
#[derive(Clone, Copy)]
struct Call {
    path: &'static str,
    options: &'static str,
}

/// Ce qu'on a su, symbole par symbole.
type Table<T> = Vec<(&'static str, Result<Reading<T>, String>)>;

/// Décode le texte d'une réponse ; `None` si elle n'a pas la forme attendue.
type Decode<T> = fn(&str) -> Option<Vec<(String, Result<T, String>)>>;

impl Exchange {
    /// Relit tout ; ce qui n'a pas pu l'être garde sa lecture d'avant et sa raison. Un cours n'en est un que s'il est cru :
    /// sa seconde lecture vient au moins `gap` après la première.
    pub async fn refresh(&self, mut readings: Readings, gap: Duration) -> Readings {
        let prices = async {
            let shown = self.table(PRICES, decode_quotes).await;
            together(shown.into_iter().map(|(symbol, shown)| self.judged(symbol, shown, &readings, gap)))
                .await
        };
        let (quotes, rules) = zip(prices, self.table(RULES, decode_rules)).await;
        for (symbol, judged) in quotes {
            match Coin::from_pair(symbol) {
                Some(coin) => judged.keep(
                    &mut readings.quotes[coin],
                    &mut readings.doubts[coin],
                    &mut readings.anchors[coin],
                    &mut readings.failures.quotes[coin],
                ),
                None => judged.keep(
                    &mut readings.euro,
                    &mut readings.euro_doubt,
                    &mut readings.euro_anchor,
                    &mut readings.failures.euro,
                ),
            }
        }
        for (symbol, result) in rules {
            if let Some(coin) = Coin::from_pair(symbol) {
                keep(result, &mut readings.rules[coin], &mut readings.failures.rules[coin]);
            }
        }
        readings
    }

    async fn table<T>(&self, call: Call, decode: Decode<T>) -> Table<T> {
        let symbols = symbols();
        match self.get(&call.of(&symbols)).await {
            Ok(answer) => read(&symbols, &answer, decode),
            Err(Trouble::UnknownSymbol(_)) => {
                let time_is_up = async {
                    clock::sleep(TIME_LIMIT).await;
                    let seconds = TIME_LIMIT.as_secs();
                    all_failed(
                        &symbols,
                        &format!("the exchange did not answer for each pair within {seconds} s"),
                    )
                };
                or(self.one_by_one(call, &symbols, decode), time_is_up).await
            }
            Err(trouble) => all_failed(&symbols, &trouble.to_string()),
        }
    }

    /// S'arrête à la première panne, qui vaut pour tous les suivants : une seule attente, au pire.
    async fn one_by_one<T>(&self, call: Call, symbols: &[&'static str], decode: Decode<T>) -> Table<T> {
        let mut table = Vec::new();
        for (index, symbol) in symbols.iter().enumerate() {
            match self.get(&call.of(&[symbol])).await {
                Ok(answer) => table.extend(read(&[symbol], &answer, decode)),
                Err(Trouble::UnknownSymbol(reason)) => table.push((*symbol, Err(reason))),
                Err(trouble) => {
                    table.extend(all_failed(&symbols[index..], &trouble.to_string()));
                    break;
                }
            }
        }
        table
    }
}

impl Call {
    /// Le tableau JSON des symboles, encodé pour une adresse : `["A","B"]`.
    fn of(self, symbols: &[&str]) -> String {
        let list: Vec<String> = symbols.iter().map(|symbol| format!("%22{symbol}%22")).collect();
        format!("/api/v3/{}?symbols=%5B{}%5D{}", self.path, list.join("%2C"), self.options)
    }
}

fn symbols() -> Vec<&'static str> {
    Coin::ALL.into_iter().map(Coin::pair).chain([EURO]).collect()
}

fn keep<T>(
    result: Result<Reading<T>, String>,
    reading: &mut Option<Reading<T>>,
    failure: &mut Option<String>,
) {
    match result {
        Ok(value) => {
            *reading = Some(value);
            *failure = None;
        }
        Err(reason) => *failure = Some(reason),
    }
}

fn all_failed<T>(symbols: &[&'static str], reason: &str) -> Table<T> {
    symbols.iter().map(|symbol| (*symbol, Err(reason.to_owned()))).collect()
}

fn read<T>(symbols: &[&'static str], answer: &Answer, decode: Decode<T>) -> Table<T> {
    let Some(mut values) = answer.text().ok().and_then(decode) else {
        return all_failed(symbols, &unreadable_body(&answer.body));
    };
    let mut value_of = |symbol: &str| {
        if values.iter().filter(|(name, _)| name == symbol).count() > 1 {
            return Err(format!("the exchange's answer has {symbol} twice"));
        }
        let found = values.iter().position(|(name, _)| name == symbol);
        let absent = || format!("the exchange's answer has no {symbol}");
        let value = found.map(|index| values.swap_remove(index).1).ok_or_else(absent)?;
        value.map(|value| Reading { value, at: answer.at })
    };
    symbols.iter().map(|symbol| (*symbol, value_of(symbol))).collect()
}

fn decode_quotes(text: &str) -> Option<Vec<(String, Result<Quote, String>)>> {
    let tickers = wire::book_tickers(text)?;
    Some(tickers.into_iter().map(quoted).collect())
}

fn decode_rules(text: &str) -> Option<Vec<(String, Result<Rules, String>)>> {
    let symbols = wire::symbols(text)?;
    let read = |symbol: Option<wire::Symbol>| rules::rules(&symbol.ok_or(UNEXPECTED)?);
    Some(symbols.into_iter().map(|(name, symbol)| (name, read(symbol))).collect())
}

const UNEXPECTED: &str = "the exchange's answer for this pair does not have the expected fields";

fn quoted((symbol, ticker): (String, Option<wire::BookTicker>)) -> (String, Result<Quote, String>) {
    let quote = if symbol == EURO { quote(ticker).and_then(euro) } else { quote(ticker) };
    (symbol, quote)
}

fn euro(quote: Quote) -> Result<Quote, String> {
    let mid = quote.mid();
    if EURO_RANGE.contains(&mid.decimal()) {
        Ok(quote)
    } else {
        Err(format!("{mid} USDC for one euro is no exchange rate"))
    }
}

fn quote(ticker: Option<wire::BookTicker>) -> Result<Quote, String> {
    let ticker = ticker.ok_or(UNEXPECTED)?;
    let price = |side: &str, text: &str| Price::parse(text).map_err(|error| format!("{side} price: {error}"));
    // Ce qui ne se lit pas n'est pas su : le carnet entier se lira.
    let quantity =
        |text: Option<String>| text.and_then(|text| Quantity::parse(&text).ok()).unwrap_or_default();
    let quote = Quote::new(price("bid", &ticker.bid)?, price("ask", &ticker.ask)?)?;
    Ok(quote.with_tops(quantity(ticker.bid_quantity), quantity(ticker.ask_quantity)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_symbols_is_percent_encoded() {
        assert_eq!(
            RULES.of(&["BTCUSDC", "EURUSDC"]),
            "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDC%22%2C%22EURUSDC%22%5D&showPermissionSets=false"
        );
        assert_eq!(symbols().len(), 6);
    }
}
