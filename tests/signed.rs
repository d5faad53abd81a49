//! Les lectures signées, face au monde simulé et à une prise qui répond ce qu'on veut : datées de l'heure de la
//! bourse, envoyées telles que signées, et tues quand elle demande le silence.

mod fake;

use std::io::Write;
use std::time::Duration;

use calvalot::clock;
use calvalot::domain::belief::SECOND_READING;
use calvalot::domain::market::{Coin, Readings};
use calvalot::exchange::{
    Account, AccountState, Credentials, Exchange, KeyTrouble, NewKey, ServerClock, Trouble,
};
use calvalot::fetch::{Client, TIME_LIMIT};
use calvalot::sim::{Fault, On, Pace, Reply, Script, World};
use fake::{Fake, response};
use rust_decimal::dec;
use smol::block_on;

const ACCOUNT: &str = "/api/v3/account";

fn world() -> World {
    World::start(Script { pace: Pace::Frozen, ..Script::default() }).expect("the loopback has free ports")
}

fn exchange(url: &str) -> Exchange {
    Exchange::binance(url, Client::new(TIME_LIMIT).expect("a client"))
}

fn credentials() -> Credentials {
    let script = Script::default();
    Credentials::hmac(&script.api_key, &script.api_secret)
}

fn measured(exchange: &Exchange) -> ServerClock {
    block_on(exchange.synchronise()).expect("the exchange tells its time")
}

fn state(exchange: &Exchange) -> Result<AccountState, Trouble> {
    state_for(credentials(), exchange)
}

fn state_for(credentials: Credentials, exchange: &Exchange) -> Result<AccountState, Trouble> {
    block_on(Account::new(exchange.clone(), credentials).state())
}

#[test]
fn the_account_is_read_whatever_hour_the_exchange_has() {
    for skew in [0, -86_400_000, 86_400_000, 900, -900] {
        let world = world();
        world.exchange().set_skew(skew);
        let exchange = exchange(&world.exchange_url());
        let clock = measured(&exchange);
        let lead = clock.lead_of(clock::now());
        assert!((lead + skew).abs() < 500, "{lead} ms for a skew of {skew}");
        assert!(clock.margin < Duration::from_secs(1), "{:?}", clock.margin);
        let state = state(&exchange).expect("an account");
        assert!(state.can_trade && state.permissions == ["SPOT"], "{state:?}");
        assert_eq!(state.balances.usdc.total().decimal(), dec!(1000));
    }
}

#[test]
fn an_asset_the_account_does_not_have_is_zero() {
    let world = world();
    world.exchange().set_balance("USDC", dec!(0));
    let exchange = exchange(&world.exchange_url());
    measured(&exchange);
    let state = state(&exchange).expect("an account");
    assert!(state.balances.usdc.total().is_zero());
}

#[test]
fn a_clock_that_has_drifted_away_is_refused_and_measured_again() {
    let world = world();
    let exchange = exchange(&world.exchange_url());
    assert!(matches!(state(&exchange), Err(Trouble::Clock(_))), "never measured");
    assert!(exchange.needs_synchronising());
    measured(&exchange);
    for skew in [-3_000, 30_000] {
        world.exchange().set_skew(skew);
        assert!(!exchange.needs_synchronising());
        assert!(matches!(state(&exchange), Err(Trouble::Clock(_))), "{skew} ms away");
        assert!(exchange.needs_synchronising());
        measured(&exchange);
        assert!(state(&exchange).is_ok() && !exchange.needs_synchronising());
    }
}

#[test]
fn the_slowest_answers_about_the_time_are_left_aside() {
    let world = world();
    let slow = Duration::from_millis(300);
    for rank in [1, 2, 4] {
        world.fault(On::exchange("/api/v3/time").nth(rank), Fault::slow(slow));
    }
    let clock = measured(&exchange(&world.exchange_url()));
    assert_eq!(world.hits().len(), 3);
    assert!(clock.margin < slow / 2, "{:?}", clock.margin);
}

#[test]
fn a_request_is_sent_as_it_was_signed_and_late_by_a_little() {
    let body = r#"{"canTrade":true,"permissions":[],"balances":[],"uid":1,"new":[{}]}"#;
    let fake = Fake::serving(move |head, stream| {
        let hour = format!(r#"{{"serverTime":{}}}"#, 1_790_000_000_000_i64);
        let body = if head.contains("/time") { &hour } else { body };
        stream.write_all(response("200 OK", "X-MBX-USED-WEIGHT-1M: 1234\r\n", body).as_bytes()).ok();
    });
    let exchange = exchange(&fake.url);
    measured(&exchange);
    state(&exchange).expect("an account");
    assert_eq!(exchange.used_weight(), Some(1234));
    let requests = fake.requests();
    let head = requests.iter().find(|head| head.contains(ACCOUNT)).expect("the account was asked");
    let target = head.split(' ').nth(1).expect("a target");
    let query = target.strip_prefix("/api/v3/account?omitZeroBalances=true&recvWindow=10000&timestamp=");
    let (timestamp, signature) =
        query.expect("the parameters in order").split_once("&signature=").expect("last");
    let late = 1_790_000_000_000 - timestamp.parse::<i64>().expect("milliseconds");
    assert!(late <= 200, "dated after the measure by more than was waited: {late}");
    assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()), "{signature}");
    let key = format!("x-mbx-apikey: {}\r\n", Script::default().api_key);
    assert!(head.to_lowercase().contains(&key.to_lowercase()), "{head}");
    assert!(!head.contains(&Script::default().api_secret), "{head}");
}

#[test]
fn a_silence_asked_for_at_one_address_holds_at_the_other() {
    let world = world();
    let market = exchange(&world.exchange_url());
    let account = market.at(&world.exchange_url());
    measured(&market);
    for (reply, status) in [(Reply::too_many_requests(60), "429"), (Reply::banned(600, 0), "418")] {
        let world = self::world();
        let market = market.at(&world.exchange_url());
        let fresh = exchange(&world.exchange_url());
        let account = fresh.at(&world.exchange_url());
        measured(&fresh);
        world.fault(On::exchange(ACCOUNT), Fault::answer(reply));
        let Err(Trouble::Silence(reason)) = state(&account) else { panic!("it was not silenced") };
        assert!(reason.contains(status), "{reason}");
        let readings = block_on(fresh.refresh(Readings::default(), SECOND_READING));
        assert!(readings.failures.quotes[Coin::Btc].as_ref().is_some_and(|reason| reason.contains(status)));
        assert_eq!(world.exchange().calls("/api/v3/ticker/bookTicker"), 0, "it was asked all the same");
        assert!(block_on(market.synchronise()).is_ok(), "another exchange was silenced too");
    }
    assert!(state(&account).is_ok());
}

/// Trente paires : presque toutes leurs signatures ont un `+` ou un `/`, que l'adresse doit encoder.
#[test]
fn a_key_of_one_s_own_signs_and_only_that_one() {
    let world = world();
    let exchange = exchange(&world.exchange_url());
    measured(&exchange);
    let id = Script::default().api_key;
    for _ in 0..30 {
        let key = NewKey::generate();
        world.exchange().register_public_key(&key.public);
        let own = Credentials::ed25519(&id, &key.private).expect("a private key");
        assert!(state_for(own, &exchange).is_ok());
    }
    let stranger = Credentials::ed25519(&id, &NewKey::generate().private).expect("a private key");
    for credentials in [stranger, credentials()] {
        let trouble = state_for(credentials, &exchange).expect_err("another key");
        assert!(matches!(trouble, Trouble::Key(KeyTrouble::WrongSecret, _)), "{trouble:?}");
    }
}

#[test]
fn an_hour_that_is_no_hour_is_no_clock() {
    for body in ["", "<html>", "{}", r#"{"serverTime":"now"}"#, r#"{"serverTime":1.5}"#, "[]"] {
        let fake = Fake::answering("200 OK", body);
        let trouble = block_on(exchange(&fake.url).synchronise()).expect_err(body);
        assert!(matches!(&trouble, Trouble::Failed(reason) if reason.contains("cannot be read")), "{body}");
    }
}
