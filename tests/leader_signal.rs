//! Le texte d'un signal : lu exactement, ou refusé avec la phrase qui dit où.

use std::time::Duration;

use calvalot::domain::market::Coin;
use calvalot::domain::policy::Policy;
use calvalot::domain::signal::{Action, Ages, Instruction};
use calvalot::leader::decode;

/// Ce que le signal demande, en une ligne : les actions ou l'allocation, dans l'ordre des coins ; ou
/// la phrase de son refus.
fn verdict(payload: &str) -> String {
    let signal = match decode(payload).unwrap_or_else(|fault| panic!("{payload}: {fault}")).verdict {
        Ok(signal) => signal,
        Err(reason) => return reason,
    };
    let asked = Coin::ALL.iter().filter_map(|coin| match &signal.instruction {
        Instruction::Target(target) => Some(target.weight(*coin))
            .filter(|part| !part.is_zero())
            .map(|part| format!("{} {part}", coin.asset())),
        Instruction::Actions(actions) => actions[*coin].map(|action| match action {
            Action::Buy(part) => format!("+{} {part}", coin.asset()),
            Action::Sell(part) => format!("-{} {part}", coin.asset()),
            Action::Hold => format!("={}", coin.asset()),
        }),
        Instruction::Raise(_) => panic!("a leader raises nothing"),
    });
    asked.collect::<Vec<_>>().join(", ")
}

fn with_actions(actions: &str) -> String {
    verdict(&format!(r#"{{"signal_id":"a","actions":[{actions}]}}"#))
}

fn with_positions(positions: &str) -> String {
    verdict(&format!(r#"{{"signal_id":"a","version":2,"portfolio_state":{{"positions":{positions}}}}}"#))
}

#[test]
fn actions_are_read_exactly_or_refused_with_their_place() {
    let buy = |part: &str| format!(r#"{{"coin":"BTCUSDC","action":"BUY","pct_of_capital":{part}}}"#);
    let sell = r#"{"coin":"BTCUSDC","action":"SELL","pct_of_capital":0.25}"#;
    let number =
        |got: &str| format!("actions[0].pct_of_capital: expected a number between 0 and 1, got {got}");
    let cases = [
        (String::new(), "".to_owned()),
        (buy("0.1"), "+BTC 0.1".to_owned()),
        (buy("1"), "+BTC 1".to_owned()),
        (buy("0"), "+BTC 0".to_owned()),
        (buy("-0.0"), "+BTC 0".to_owned()),
        (buy("1e-7"), "+BTC 0.0000001".to_owned()),
        (buy("0.30000000000000004"), "+BTC 0.3".to_owned()),
        (buy("0.99999999999995"), "+BTC 0.999999999999".to_owned()),
        (buy("5e-324"), "+BTC 0".to_owned()),
        // Le bruit d'un calcul en flottants.
        (buy("1.0000000000000002"), "+BTC 1".to_owned()),
        (buy("-1e-17"), "+BTC 0".to_owned()),
        (buy("-0.00000001"), number("-1e-8")),
        (sell.to_owned(), "-BTC 0.25".to_owned()),
        ([buy("0.25"), buy("0.5")].join(","), "+BTC 0.75".to_owned()),
        ([sell, sell].join(","), "-BTC 0.5".to_owned()),
        (r#"{"coin":"XRPUSDC","action":"HOLD"}"#.to_owned(), "=XRP".to_owned()),
        (r#"{"action":"HOLD","pct_of_capital":0}"#.to_owned(), "".to_owned()),
        (r#"{"coin":"","action":"HOLD","reason":[1]}"#.to_owned(), "".to_owned()),
        (buy(r#""NaN""#), number(r#""NaN""#)),
        (buy(r#""0.1""#), number(r#""0.1""#)),
        (buy("-0.1"), number("-0.1")),
        (buy("1.0000001"), number("1.0000001")),
        (buy("25"), number("25")),
        (buy("null"), number("null")),
        (buy("true"), number("true")),
        (buy("[0.1]"), number("an array")),
        (buy("{}"), number("an object")),
        (r#"{"coin":"BTCUSDC","action":"BUY"}"#.to_owned(), "actions[0].pct_of_capital: missing".to_owned()),
        (r#"{"coin":"BTCUSDC"}"#.to_owned(), "actions[0].action: missing".to_owned()),
        (r#"{"action":"BUY","pct_of_capital":0.1}"#.to_owned(), "actions[0].coin: missing".to_owned()),
        (
            r#"{"coin":7,"action":"SELL","pct_of_capital":0.1}"#.to_owned(),
            "actions[0].coin: expected a text, got 7".to_owned(),
        ),
        (
            r#"{"coin":"DOGEUSDC","action":"HOLD"}"#.to_owned(),
            r#"actions[0].coin: unknown coin "DOGEUSDC""#.to_owned(),
        ),
        (
            r#"{"coin":"btcusdc","action":"BUY","pct_of_capital":0.1}"#.to_owned(),
            r#"actions[0].coin: unknown coin "btcusdc""#.to_owned(),
        ),
        (
            r#"{"coin":"BTCUSDC","action":"SHORT","pct_of_capital":0.1}"#.to_owned(),
            r#"actions[0].action: expected BUY, SELL or HOLD, got "SHORT""#.to_owned(),
        ),
        (r#"{"coin":"BTCUSDC","action":"HOLD","pct_of_capital":"x"}"#.to_owned(), number(r#""x""#)),
        ("7".to_owned(), "actions[0]: expected an object, got 7".to_owned()),
        ([&buy("0.1"), sell].join(","), "actions[1]: contradicts an earlier action for BTCUSDC".to_owned()),
        (
            [&buy("0.1"), r#"{"coin":"BTCUSDC","action":"HOLD"}"#].join(","),
            "actions[1]: contradicts an earlier action for BTCUSDC".to_owned(),
        ),
        (
            [buy("0.6"), buy("0.6")].join(","),
            "actions[1]: adds up to more than the whole capital for BTCUSDC".to_owned(),
        ),
    ];
    for (actions, expected) in cases {
        assert_eq!(with_actions(&actions), expected, "{actions}");
    }
}

#[test]
fn an_allocation_is_read_exactly_or_refused_with_its_place() {
    let place = "portfolio_state.positions";
    let cases = [
        ("[]", "".to_owned()),
        (
            r#"[{"coin":"ETHUSDC","pct_of_portfolio":0.4},{"coin":"BTCUSDC","pct_of_portfolio":0.35,"pnl":-1}]"#,
            "BTC 0.35, ETH 0.4".to_owned(),
        ),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1e-12}]"#, "BTC 0.000000000001".to_owned()),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1e-13}]"#, "".to_owned()),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1.0000000000000002}]"#, "BTC 1".to_owned()),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":-1e-17},{"coin":"ETHUSDC","pct_of_portfolio":0.4}]"#,
            "ETH 0.4".to_owned(),
        ),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":0.1},{"coin":"BTCUSDC","pct_of_portfolio":0.1}]"#,
            format!("{place}[1].coin: BTCUSDC is there twice"),
        ),
        (r#"[{"coin":"USDC","pct_of_portfolio":0.1}]"#, format!(r#"{place}[0].coin: unknown coin "USDC""#)),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":40}]"#,
            format!("{place}[0].pct_of_portfolio: expected a number between 0 and 1, got 40"),
        ),
        (r#"[{"coin":"BTCUSDC"}]"#, format!("{place}[0].pct_of_portfolio: missing")),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":0.9},{"coin":"ETHUSDC","pct_of_portfolio":0.9}]"#,
            "portfolio_state: the allocation adds up to 180 %, more than 100 %".to_owned(),
        ),
        ("null", format!("{place}: expected an array, got null")),
        ("{}", format!("{place}: expected an array, got an object")),
    ];
    for (positions, expected) in cases {
        assert_eq!(with_positions(positions), expected, "{positions}");
    }
}

#[test]
fn a_signal_with_a_fault_anywhere_is_refused_as_a_whole() {
    let cases = [
        (r#""version":2"#, "portfolio_state: missing, version 2 needs it"),
        (r#""version":2,"portfolio_state":null"#, "portfolio_state: missing, version 2 needs it"),
        (r#""version":2,"portfolio_state":{}"#, "portfolio_state.positions: missing"),
        (r#""version":2,"portfolio_state":[]"#, "portfolio_state: expected an object, got an array"),
        (r#""version":1,"portfolio_state":{"cash":1}"#, "portfolio_state.positions: missing"),
        (r#""version":3,"actions":"?""#, "version: 3 is newer than this follower understands, update it"),
        (r#""version":0"#, "version: expected a whole number from 1, got 0"),
        (r#""version":-1"#, "version: expected a whole number from 1, got -1"),
        (r#""version":"2""#, r#"version: expected a whole number from 1, got "2""#),
        (r#""version":1.5"#, "version: expected a whole number from 1, got 1.5"),
        (r#""actions":true"#, "actions: expected an array, got true"),
        (r#""actions":{"0":1}"#, "actions: expected an array, got an object"),
        (r#""confidence":"0.7""#, r#"confidence: expected a number, got "0.7""#),
        (r#""reasoning":12"#, "reasoning: expected a text, got 12"),
    ];
    for (fields, expected) in cases {
        assert_eq!(verdict(&format!(r#"{{"signal_id":"a",{fields}}}"#)), expected, "{fields}");
    }
    let deep = format!(
        r#"{{"signal_id":"a","actions":{}{},"portfolio_state":{{"positions":[]}}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    let received = decode(&deep).expect("it has an id");
    assert_eq!(received.verdict, Err("nested deeper than 32 levels".to_owned()));
    assert_eq!((received.actions_json.as_str(), received.portfolio_json), ("[]", None));
}

/// Rien n'y manque que ce dont on n'a pas besoin.
#[test]
fn null_is_absent_where_the_field_is_not_needed() {
    let nulls = r#""version":null,"actions":null,"confidence":null,"reasoning":null,"portfolio_state":null"#;
    assert_eq!(verdict(&format!(r#"{{"signal_id":"a",{nulls}}}"#)), "");
    let state = r#"{"positions":[{"coin":"ETHUSDC","pct_of_portfolio":0.4}],"cash_pct":null}"#;
    let second = format!(r#"{{"signal_id":"a","version":2,"actions":null,"portfolio_state":{state}}}"#);
    assert_eq!(verdict(&second), "ETH 0.4");
}

/// Un leader qui a perdu son état n'a ni positions ni cash : ce n'est pas l'ordre de tout vendre.
#[test]
fn an_allocation_that_does_not_add_up_to_the_whole_is_refused() {
    let held = r#"[{"coin":"ETHUSDC","pct_of_portfolio":0.4}]"#;
    let fault = |total: &str| {
        format!("portfolio_state: the positions and cash_pct add up to {total} %, not to 100 %")
    };
    let number = "portfolio_state.cash_pct: expected a number between 0 and 1, got ";
    for (positions, cash, expected) in [
        ("[]", "1", "".to_owned()),
        ("[]", "0.0", fault("0")),
        (held, "0.6", "ETH 0.4".to_owned()),
        (held, "0.64", "ETH 0.4".to_owned()),
        (held, "0.57", "ETH 0.4".to_owned()),
        (held, "0.5", fault("90")),
        (held, "0.9", fault("130")),
        (held, "60", format!("{number}60")),
        (held, "\"0.6\"", format!("{number}\"0.6\"")),
    ] {
        for version in [1, 2] {
            let state = format!(r#"{{"positions":{positions},"cash_pct":{cash}}}"#);
            let signal = format!(r#"{{"signal_id":"a","version":{version},"portfolio_state":{state}}}"#);
            let expected = if version == 1 && !expected.contains(':') { "" } else { expected.as_str() };
            assert_eq!(verdict(&signal), expected, "{state}");
        }
    }
}

/// Une action voulait le prix de son moment ; une allocation vaut jusqu'à la suivante, ou jusqu'à ce que le leader a dit.
#[test]
fn a_signal_is_not_followed_beyond_its_time() {
    let day = |text: &str| calvalot::clock::parse(text).expect("a date");
    let (received, now) = (day("2026-11-22T10:00:00Z"), day("2026-11-22T10:10:00Z"));
    let outlived = |version: u32, dates: &str| {
        let state = r#""portfolio_state":{"positions":[]}"#;
        let text = format!(r#"{{"signal_id":"a","version":{version},{state}{dates}}}"#);
        let verdict = decode(&text).expect("it has an id").verdict;
        let ages = Ages { oldest_action: Policy::default().action_age, rhythm: Duration::from_secs(120) };
        verdict.map(|signal| signal.outlived(received, now, ages).map_or("", |left| left.code()).to_owned())
    };
    let fault = |got: &str| Err(format!("expires_at: expected a date or Unix seconds, got {got}"));
    let says = |word: &str| Ok(word.to_owned());
    for (dates, action, allocation) in [
        ("", says(""), says("")),
        (r#","timestamp":"2020-01-01T00:00:00Z""#, says("too_old"), says("")),
        (r#","timestamp":"2026-11-22T09:50:00.5""#, says("too_old"), says("")),
        (r#","created_at":"2026-11-22 11:56:00+02:00""#, says(""), says("")),
        (r#","timestamp":1795341000,"created_at":null"#, says("too_old"), says("")),
        (r#","timestamp":1795341000123"#, says("too_old"), says("")),
        // Ni l'heure d'un leader en avance, ni une date que l'on ne lit pas n'y changent rien.
        (r#","timestamp":"2026-11-22T12:00:00Z""#, says(""), says("")),
        (r#","timestamp":"yesterday""#, says(""), says("")),
        (r#","expires_at":"2026-11-22T10:11:00Z""#, says(""), says("")),
        (r#","expires_at":"2026-11-22T10:09:00Z""#, says("expired"), says("expired")),
        (r#","expires_at":null"#, says(""), says("")),
        (r#","expires_at":"soon""#, fault("\"soon\""), fault("\"soon\"")),
    ] {
        assert_eq!((outlived(1, dates), outlived(2, dates)), (action, allocation), "{dates}");
    }
}

#[test]
fn a_signal_needs_an_id_of_its_own() {
    let (long, longest) = (format!("{:?}", "é".repeat(129)), format!("{:?}", "é".repeat(128)));
    let useless = [
        "null",
        r#""""#,
        r#""  ""#,
        "1.5",
        "true",
        "[]",
        r#""a\nb""#,
        r#""\u0000""#,
        r#""initial_sync""#,
        &long,
    ];
    for id in useless {
        let fault = decode(&format!(r#"{{"signal_id":{id}}}"#)).expect_err(id);
        assert!(fault.starts_with("signal_id: "), "{fault}");
    }
    for (id, expected) in
        [("17", "17"), ("-3", "-3"), (r#""2026-é""#, "2026-é"), (&longest, &"é".repeat(128))]
    {
        assert_eq!(decode(&format!(r#"{{"signal_id":{id}}}"#)).expect(id).id, expected);
    }
}

#[test]
fn text_that_is_no_json_is_no_signal() {
    for confidence in ["NaN", "Infinity", "1e999", "0x1", "01", "'a'", ""] {
        let fault = decode(&format!(r#"{{"signal_id":"a","confidence":{confidence}}}"#));
        assert_eq!(fault, Err("not JSON".to_owned()), "{confidence}");
    }
}

#[test]
fn what_is_stored_is_what_was_sent() {
    let payload = r#"{"signal_id":"a","confidence":0.72,"reasoning":"on \"achète\"","actions":[{"coin":"BTCUSDC",
        "action":"BUY","pct_of_capital":0.1}],"portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]}}"#;
    let received = decode(payload).expect("a signal");
    assert_eq!(
        (received.version, received.confidence, received.reasoning.as_str()),
        (1, Some(0.72), "on \"achète\"")
    );
    assert_eq!(received.actions_json, r#"[{"action":"BUY","coin":"BTCUSDC","pct_of_capital":0.1}]"#);
    assert_eq!(
        received.portfolio_json.as_deref(),
        Some(r#"{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]}"#)
    );
    assert_eq!(decode(&received.payload).as_ref(), Ok(&received));
    let signal = received.verdict.expect("a valid signal");
    assert!(matches!(signal.instruction, Instruction::Actions(_)));
    assert_eq!(signal.target.map(|target| target.weight(Coin::Btc).to_string()), Some("0.4".to_owned()));
    let bare = decode(r#"{"signal_id":"b","reasoning":null,"confidence":null}"#).expect("a signal");
    assert_eq!((bare.confidence, bare.reasoning.as_str(), bare.actions_json.as_str()), (None, "", "[]"));
}

/// Le souhait d'une personne est une ligne des signaux : un leader qui en porterait le nom l'empêcherait, ou passerait pour lui.
#[test]
fn a_signal_that_bears_the_name_of_a_person_s_wish_is_no_signal() {
    for (id, reserved) in
        [("withdrawal-7", true), ("sell-all-1", true), ("initial_sync", true), ("withdrawal-7b", false)]
    {
        let payload = format!(r#"{{"signal_id":"{id}","version":2,"portfolio_state":{{"positions":[]}}}}"#);
        let told = decode(&payload).err().unwrap_or_default();
        assert_eq!(told.contains("reserved to the follower"), reserved, "{id}: {told}");
    }
}
