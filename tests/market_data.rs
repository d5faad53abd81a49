//! La bourse vue par une vraie prise : ce qui manque ou n'a pas de sens est inconnu, avec sa raison,
//! et ne remplace jamais ce qu'on savait.

mod fake;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use calvalot::domain::belief::SECOND_READING;
use calvalot::domain::market::{Coin, PerCoin, Readings};
use calvalot::exchange::Exchange;
use calvalot::fetch::{Client, TIME_LIMIT};
use fake::{Fake, response};
use smol::block_on;

const SYMBOLS: [&str; 6] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC", "EURUSDC"];

fn ticker(symbol: &str, bid: &str, ask: &str) -> String {
    format!(r#"{{"symbol":"{symbol}","bidPrice":"{bid}","bidQty":"0.4","askPrice":"{ask}","askQty":"1.2"}}"#)
}

const LOT: &str =
    r#"{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"}"#;
const MARKET_LOT: &str = r#"{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"128.52621715","stepSize":"0.00000000"}"#;
const NOTIONAL: &str = r#"{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}"#;
const UNHEARD_OF: &str = r#"{"filterType":"T_PLUS_SELL","endTime":17,"deep":[{"a":null}]}"#;

fn filters() -> String {
    [LOT, MARKET_LOT, NOTIONAL, UNHEARD_OF].join(",")
}

fn symbol(name: &str, filters: &str) -> String {
    format!(
        r#"{{"symbol":"{name}","status":"TRADING","baseAssetPrecision":8,"orderTypes":["LIMIT","MARKET"],
            "quoteOrderQtyMarketAllowed":true,"isSpotTradingAllowed":true,"filters":[{filters}],"permissions":[]}}"#
    )
}

fn prices() -> String {
    let tickers: Vec<String> =
        SYMBOLS.iter().rev().map(|symbol| ticker(symbol, "1.00000000", "1.00100000")).collect();
    format!("[{}]", tickers.join(","))
}

fn info(symbols: &[String]) -> String {
    format!(
        r#"{{"timezone":"UTC","serverTime":1790000000123,"rateLimits":[],"symbols":[{}],"sors":[]}}"#,
        symbols.join(",")
    )
}

fn all_rules() -> String {
    info(&SYMBOLS.map(|name| symbol(name, &filters())))
}

/// Une bourse qui répond `prices` et `rules`, et dont les prix moyens disent comme ses carnets.
fn exchange(prices: String, rules: String) -> Fake {
    Fake::serving(move |head, stream| {
        let body = answer(head, &prices, &rules);
        drop(stream.write_all(response("200 OK", "", &body).as_bytes()));
    })
}

fn answer(head: &str, prices: &str, rules: &str) -> String {
    let asked = head.split("avgPrice?symbol=").nth(1).and_then(|rest| rest.split(' ').next());
    if let Some(symbol) = asked {
        let shown = prices.split(&format!(r#""{symbol}","bidPrice":""#)).nth(1);
        let price = shown.and_then(|rest| rest.split('"').next()).unwrap_or_default();
        return format!(r#"{{"mins":5,"price":"{price}","closeTime":1790000000100}}"#);
    }
    if head.contains("bookTicker") { prices.to_owned() } else { rules.to_owned() }
}

fn refresh(fake: &Fake, readings: Readings) -> Readings {
    let client = Client::new(TIME_LIMIT).expect("a client");
    block_on(Exchange::binance(&fake.url, client).refresh(readings, SECOND_READING))
}

/// Toutes les raisons notées, dans l'ordre.
fn failures(readings: &Readings) -> Vec<String> {
    let failures = &readings.failures;
    let prices = failures.quotes.iter().map(|(_, failure)| failure).chain([&failures.euro]);
    prices.chain(failures.rules.iter().map(|(_, failure)| failure)).flatten().cloned().collect()
}

#[test]
fn a_whole_market_that_was_believed_before_is_read_in_two_calls() {
    let known = refresh(&exchange(prices(), all_rules()), Readings::default());
    let fake = exchange(prices(), all_rules());
    let readings = refresh(&fake, known);
    assert_eq!(failures(&readings), Vec::<String>::new());
    let at = readings.quotes[Coin::Btc].clone().expect("a price").at;
    let market = readings.complete(PerCoin::from_fn(|_| true), at).expect("everything is known");
    assert_eq!(market.pairs.get(Coin::Btc).expect("BTC").quote.bid().to_string(), "1");
    assert_eq!(market.rate.to_string(), "1.0005");
    let rules = &market.pairs.get(Coin::Btc).expect("BTC").rules;
    assert_eq!(
        (rules.step.to_string(), rules.min_quantity.to_string(), rules.max_quantity.to_string()),
        ("0.00001".to_owned(), "0.00001".to_owned(), "128.52621715".to_owned())
    );
    assert_eq!(
        (rules.min_notional.to_string(), rules.max_notional, &rules.halted),
        ("5".to_owned(), None, &None)
    );
    let mut calls: Vec<String> =
        fake.requests().iter().filter_map(|head| head.lines().next().map(str::to_owned)).collect();
    calls.sort();
    let list = "symbols=%5B%22BNBUSDC%22%2C%22BTCUSDC%22%2C%22ETHUSDC%22%2C%22SOLUSDC%22%2C%22XRPUSDC%22%2C%22EURUSDC%22%5D";
    assert_eq!(
        calls,
        [
            format!("GET /api/v3/exchangeInfo?{list}&showPermissionSets=false HTTP/1.1"),
            format!("GET /api/v3/ticker/bookTicker?{list} HTTP/1.1"),
        ]
    );
}

#[test]
fn one_silly_price_makes_only_that_price_unknown() {
    let cases = [
        (String::new(), "no BTCUSDC"),
        (ticker("BTCUSDC", "abc", "100"), "bid price"),
        (ticker("BTCUSDC", "100", "1e5"), "ask price"),
        (ticker("BTCUSDC", "0.00000000", "0.00000000"), "no price"),
        (ticker("BTCUSDC", "-1", "100"), "no price"),
        (ticker("BTCUSDC", "101", "100"), "too far apart"),
        (ticker("BTCUSDC", "50", "100"), "too far apart"),
        (r#"{"symbol":"BTCUSDC","bidPrice":100,"askPrice":101}"#.to_owned(), "expected fields"),
        (r#"{"symbol":"BTCUSDC","bidPrice":null,"askPrice":"101"}"#.to_owned(), "expected fields"),
        (r#"{"symbol":"BTCUSDC"}"#.to_owned(), "expected fields"),
        (r#"null,17,{"symbol":3}"#.to_owned(), "no BTCUSDC"),
        // Lequel des deux est le vrai ?
        ([ticker("BTCUSDC", "1", "1.001"), ticker("BTCUSDC", "2", "2.001")].join(","), "has BTCUSDC twice"),
    ];
    let known = refresh(&exchange(prices(), all_rules()), Readings::default());
    for (bad, reason) in cases {
        let others =
            SYMBOLS.iter().filter(|symbol| **symbol != "BTCUSDC").map(|symbol| ticker(symbol, "1.7", "1.71"));
        let all: Vec<String> =
            others.chain([bad.clone()].into_iter().filter(|bad| !bad.is_empty())).collect();
        let readings = refresh(&exchange(format!("[{}]", all.join(",")), all_rules()), known.clone());
        let failures = failures(&readings);
        assert_eq!(failures.len(), 1, "{bad}: {failures:?}");
        assert!(failures[0].contains(reason), "{bad}: {failures:?}");
        assert_eq!(readings.quotes[Coin::Btc], known.quotes[Coin::Btc], "the older reading stays");
        assert_eq!(
            readings.quotes[Coin::Eth].as_ref().map(|reading| reading.value.bid().to_string()),
            Some("1.7".to_owned())
        );
    }
}

#[test]
fn a_success_clears_the_failure_before_it() {
    let failed = refresh(&Fake::answering("502 Bad Gateway", "<html>"), Readings::default());
    assert_eq!(failures(&failed).len(), 11);
    assert!(failures(&failed).iter().all(|reason| reason.contains("502") && reason.contains("<html>")));
    assert!(failures(&refresh(&exchange(prices(), all_rules()), failed)).is_empty());
}

#[test]
fn an_answer_that_cannot_be_read_is_the_reason_for_all() {
    let deep = "[".repeat(60_000);
    for body in ["", "<html>", "{}", "[", "null", "[]", &deep] {
        let readings = refresh(&Fake::answering("200 OK", body), Readings::default());
        assert_eq!(failures(&readings).len(), 11, "{body:.20}");
    }
    let large = refresh(&Fake::answering("200 OK", " ".repeat(300_000)), Readings::default());
    assert!(failures(&large).iter().all(|reason| reason.contains("65536")), "{:?}", failures(&large));
}

#[test]
fn a_silent_exchange_is_unknown_within_the_limit() {
    let fake = Fake::serving(|_, stream| drop(std::io::Read::read(stream, &mut [0; 1])));
    let client = Client::new(Duration::from_millis(500)).expect("a client");
    let readings =
        block_on(Exchange::binance(&fake.url, client).refresh(Readings::default(), SECOND_READING));
    assert_eq!(failures(&readings), vec!["the exchange did not answer within 0.5 s"; 11]);
}

#[test]
fn a_symbol_the_exchange_has_dropped_does_not_hide_the_others() {
    let (prices, rules) = (prices(), all_rules());
    let fake = Fake::serving(move |head, stream| {
        let text = if head.contains("SOLUSDC") {
            response("400 Bad Request", "", r#"{"code":-1121,"msg":"Invalid symbol."}"#)
        } else {
            response("200 OK", "", &answer(head, &prices, &rules))
        };
        drop(stream.write_all(text.as_bytes()));
    });
    let readings = refresh(&fake, Readings::default());
    assert_eq!(failures(&readings), vec!["the exchange answered 400: -1121 Invalid symbol."; 2]);
    assert!(readings.failures.quotes[Coin::Sol].is_some() && readings.failures.rules[Coin::Sol].is_some());
    assert!(readings.euro.is_some() && readings.rules[Coin::Xrp].is_some());
}

#[test]
fn after_a_429_or_418_no_call_is_made_until_it_is_over() {
    for status in ["429 Too Many Requests", "418 I'm a teapot", "403 Forbidden"] {
        let text = response(status, "Retry-After: 3600\r\n", r#"{"code":-1003,"msg":"Too many requests"}"#);
        let fake = Fake::serving(move |_, stream| drop(stream.write_all(text.as_bytes())));
        let exchange = Exchange::binance(&fake.url, Client::new(TIME_LIMIT).expect("a client"));
        let mut readings = block_on(exchange.refresh(Readings::default(), SECOND_READING));
        let asked = fake.requests().len();
        for _ in 0..3 {
            readings = block_on(exchange.refresh(readings, SECOND_READING));
        }
        assert_eq!(fake.requests().len(), asked, "{status}");
        let expected = format!("answered {} and is not called again before ", &status[..3]);
        assert!(
            failures(&readings).iter().all(|reason| reason.contains(&expected)),
            "{:?}",
            failures(&readings)
        );
    }
}

#[test]
fn calls_begin_again_when_the_silence_is_over() {
    let (prices, rules, refused) = (prices(), all_rules(), Arc::new(AtomicBool::new(false)));
    let fake = Fake::serving(move |head, stream| {
        let text = if refused.swap(true, Ordering::SeqCst) {
            response("200 OK", "", &answer(head, &prices, &rules))
        } else {
            response("429 Too Many Requests", "Retry-After: 1\r\n", "")
        };
        drop(stream.write_all(text.as_bytes()));
    });
    let exchange = Exchange::binance(&fake.url, Client::new(TIME_LIMIT).expect("a client"));
    let mut readings = block_on(exchange.refresh(Readings::default(), SECOND_READING));
    assert!(!failures(&readings).is_empty());
    while !failures(&readings).is_empty() {
        readings = block_on(exchange.refresh(readings, SECOND_READING));
        std::thread::yield_now();
    }
}

/// Les règles de BTCUSDC telles qu'on les lit de ces filtres, en une ligne ; ou la raison.
fn rules_of(symbol: String) -> String {
    let readings = refresh(&exchange(prices(), info(&[symbol])), Readings::default());
    match (&readings.rules[Coin::Btc], &readings.failures.rules[Coin::Btc]) {
        (Some(reading), None) => {
            let rules = &reading.value;
            let most = rules.max_notional.map_or("none".to_owned(), |most| most.to_string());
            let halted = rules.halted.clone().unwrap_or_default();
            let (step, min, max) = (rules.step, rules.min_quantity, rules.max_quantity);
            format!("{step} {min}..{max} {}..{most} {halted}", rules.min_notional).trim_end().to_owned()
        }
        (None, Some(reason)) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

fn lot(kind: &str, min: &str, max: &str, step: &str) -> String {
    format!(r#"{{"filterType":"{kind}","minQty":"{min}","maxQty":"{max}","stepSize":"{step}"}}"#)
}

#[test]
fn rules_are_gathered_from_the_filters() {
    let lots = |step: &str, market_step: &str| {
        format!(
            "{},{}",
            lot("LOT_SIZE", "0.1", "900", step),
            lot("MARKET_LOT_SIZE", "0.2", "80", market_step)
        )
    };
    let cases = [
        (filters(), "0.00001 0.00001..128.52621715 5..none"),
        (LOT.to_owned(), "0.00001 0.00001..9000 0..none"),
        (lots("0.1", "0.00000000"), "0.1 0.2..80 0..none"),
        (lots("0.001", "0.1"), "0.1 0.2..80 0..none"),
        (lots("0.4", "0.6"), "1.2 0.2..80 0..none"),
        (lots("0.00000000", "0.5"), "0.5 0.2..80 0..none"),
        (lots("0", "0"), "the lot filters leave no quantity to trade"),
        (lot("LOT_SIZE", "5", "4", "1"), "the lot filters leave no quantity to trade"),
        (lot("LOT_SIZE", "1", "0", "1"), "1 1..1000000000000 0..none"),
        (MARKET_LOT.to_owned(), "the filter LOT_SIZE is missing"),
        (String::new(), "the filter LOT_SIZE is missing"),
        (lot("LOT_SIZE", "-1", "4", "1"), r#"minQty of the filter LOT_SIZE is "-1""#),
        (lot("LOT_SIZE", "1", "4", "1e-5"), r#"stepSize of the filter LOT_SIZE is "1e-5""#),
        (
            r#"{"filterType":"LOT_SIZE","minQty":"1","stepSize":"1"}"#.to_owned(),
            "maxQty of the filter LOT_SIZE is missing",
        ),
        (
            format!(r#"{LOT},{{"filterType":"MIN_NOTIONAL","minNotional":"10","applyToMarket":true}}"#),
            "0.00001 0.00001..9000 10..none",
        ),
        (
            format!(r#"{LOT},{{"filterType":"MIN_NOTIONAL","minNotional":"10","applyToMarket":false}}"#),
            "0.00001 0.00001..9000 0..none",
        ),
        (
            format!(r#"{LOT},{NOTIONAL},{{"filterType":"MIN_NOTIONAL","minNotional":"10"}}"#),
            "0.00001 0.00001..9000 10..none",
        ),
        (
            format!(
                r#"{LOT},{{"filterType":"NOTIONAL","minNotional":"5","applyMinToMarket":false,"maxNotional":"700","applyMaxToMarket":true}}"#
            ),
            "0.00001 0.00001..9000 0..700",
        ),
        (
            format!(r#"{LOT},{{"filterType":"NOTIONAL","applyMinToMarket":true}}"#),
            "minNotional of the filter NOTIONAL is missing",
        ),
        (
            format!(r#"{LOT},{{"filterType":"NOTIONAL","minNotional":"5","maxNotional":"4"}}"#),
            "the notional filters leave no amount to trade",
        ),
    ];
    for (filters, expected) in cases {
        assert_eq!(rules_of(symbol("BTCUSDC", &filters)), expected, "{filters}");
    }
}

#[test]
fn a_pair_that_does_not_trade_says_why() {
    let with = |from: &str, to: &str| symbol("BTCUSDC", LOT).replace(from, to);
    // Ce qui se prend à un prix limite s'échange encore.
    let without_limits = |from: &str, to: &str| with(from, to).replace(r#""LIMIT""#, r#""LIMIT_MAKER""#);
    let cases = [
        (with("TRADING", "HALT"), "HALT"),
        (with("TRADING", "CANCEL_ONLY"), "CANCEL_ONLY"),
        (with(r#""isSpotTradingAllowed":true"#, r#""isSpotTradingAllowed":false"#), "no spot trading"),
        (without_limits(r#","MARKET""#, ""), "no market orders"),
        (without_limits(r#"MarketAllowed":true"#, r#"MarketAllowed":false"#), "no market orders by amount"),
    ];
    for (symbol, expected) in cases {
        assert_eq!(rules_of(symbol.clone()), format!("0.00001 0.00001..9000 0..none {expected}"), "{symbol}");
    }
    let reason = rules_of(with(r#""isSpotTradingAllowed":true,"#, ""));
    assert!(reason.contains("expected fields"), "{reason}");
}
