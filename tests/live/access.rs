//! Ce qui ferme l'échange : la clé, ses droits, le compte, le lieu, une bourse ou un leader qui n'y sont pas.
//!
//! Jamais le programme ne s'arrête : il reste là, dit ce qui manque, réessaie sans insister, et négocie une fois
//! que c'est réparé. Les essais se refont une minute après le premier échec ; ces histoires se mènent donc ensemble.

use std::time::Duration;

use calvalot::sim::{Fault, On, Reply, Side, Wire};
use rust_decimal::dec;
use serde_json::Value;

use crate::follower::{Follower, until, within};
use crate::{ACCOUNT, Bench, ORDER, Target, status, together};

const RIGHTS: &str = "/sapi/v1/account/apiRestrictions";
const TIME: &str = "/api/v3/time";
const TARGET: Target<'static> = &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))];

/// Une panne du dehors : comment elle commence, ce qu'on doit en dire, comment elle finit.
struct Trouble {
    begin: fn(&Bench),
    said: &'static str,
    end: fn(&Bench),
}

fn mended(bench: &Bench) {
    bench.world.clear_faults();
}

/// La bourse répond cela à toute demande de `path`.
fn answers(bench: &Bench, path: &str, reply: Reply) {
    bench.world.fault(On::exchange(path), Fault::answer(reply));
}

const UNKNOWN_KEY: &str = "Invalid API-key, IP, or permissions for action.";

fn at_start() -> Vec<Trouble> {
    vec![
        Trouble {
            begin: |bench| answers(bench, ACCOUNT, Reply::code(401, -2015, UNKNOWN_KEY)),
            said: "-2015",
            end: mended,
        },
        Trouble {
            begin: |bench| answers(bench, ACCOUNT, Reply::code(401, -2008, "Invalid Api-Key ID.")),
            said: "-2008",
            end: mended,
        },
        Trouble {
            begin: |bench| answers(bench, RIGHTS, Reply::code(400, -1022, "Signature.")),
            said: "-1022",
            end: mended,
        },
        Trouble {
            begin: |bench| answers(bench, ACCOUNT, Reply::restricted_location()),
            said: "451",
            end: mended,
        },
        Trouble {
            begin: |bench| answers(bench, ACCOUNT, Reply::html(502, "<html>")),
            said: "502",
            end: mended,
        },
        Trouble {
            begin: |bench| bench.world.fault(On::exchange(TIME), Fault::unprocessed(Wire::Close)),
            said: "clock",
            end: mended,
        },
        // L'heure ne manque qu'aux premiers essais : la clé n'est pas essayée, ce n'est pas qu'elle est bonne. Refaits dès que la
        // bourse répond, ils trouvent ce que la clé a de trop.
        Trouble {
            begin: |bench| {
                bench.world.fault(On::exchange(TIME).next(2), Fault::unprocessed(Wire::Close));
                bench.exchange().edit_account(|account| account.key_may_withdraw = true);
            },
            said: "key",
            end: |bench| bench.exchange().edit_account(|account| account.key_may_withdraw = false),
        },
        Trouble {
            begin: |bench| bench.world.refuse_connections(Side::Exchange).unwrap(),
            said: "cannot be reached",
            end: |bench| bench.world.accept_connections(Side::Exchange).unwrap(),
        },
        Trouble {
            begin: |bench| answers(bench, "/api/v3/allOrders", Reply::html(502, "<html>")),
            said: "the orders could not be read",
            end: mended,
        },
        Trouble {
            begin: |bench| bench.exchange().edit_account(|account| account.can_trade = false),
            said: "may not trade",
            end: |bench| bench.exchange().edit_account(|account| account.can_trade = true),
        },
        Trouble {
            begin: |bench| bench.exchange().edit_account(|account| account.key_may_withdraw = true),
            said: "withdraw",
            end: |bench| bench.exchange().edit_account(|account| account.key_may_withdraw = false),
        },
        Trouble {
            begin: |bench| bench.exchange().edit_account(|account| account.key_may_trade = false),
            said: "key rights: it may not trade",
            end: |bench| bench.exchange().edit_account(|account| account.key_may_trade = true),
        },
    ]
}

/// Des refus d'ordres que seule une personne, ou Binance, peut lever.
fn on_the_way() -> Vec<Trouble> {
    const fn refused(begin: fn(&Bench), said: &'static str) -> Trouble {
        Trouble { begin, said, end: mended }
    }
    vec![
        refused(|bench| answers_orders(bench, 401, -2015, UNKNOWN_KEY), "-2015"),
        refused(
            |bench| answers_orders(bench, 400, -2010, "This account may not place or cancel orders."),
            "may not place",
        ),
        refused(
            |bench| answers_orders(bench, 400, -2010, "This action is disabled on this account."),
            "disabled on this account",
        ),
        refused(|bench| answers_orders(bench, 400, -2010, "A text of tomorrow."), "tomorrow"),
        refused(
            |bench| answers_orders(bench, 400, -1022, "Signature for this request is not valid."),
            "-1022",
        ),
        refused(
            |bench| answers_orders(bench, 451, 0, "Service unavailable from a restricted location."),
            "451",
        ),
        Trouble {
            begin: |bench| bench.exchange().edit_account(|account| account.uid += 1),
            said: "another account",
            end: |bench| bench.exchange().edit_account(|account| account.uid -= 1),
        },
        Trouble {
            begin: |bench| bench.exchange().edit_account(|account| account.can_trade = false),
            said: "may not trade",
            end: |bench| bench.exchange().edit_account(|account| account.can_trade = true),
        },
    ]
}

fn answers_orders(bench: &Bench, status: u16, code: i64, text: &str) {
    bench.strike(|on| on, Fault::answer(Reply::code(status, code, text)));
}

/// Debout, à l'arrêt, et il dit pourquoi ; puis c'est réparé, et il suit.
fn stays_up_and_trades_once_mended(bench: &Bench, follower: &Follower, trouble: &Trouble, id: &str) {
    let said = trouble.said;
    until(said, || bench.closed().contains(said).then_some(()));
    let (sent, journal) = (bench.world.hits().len(), bench.exchange().accepted_orders().len());
    follower.site().wait_polls(3);
    assert_eq!(follower.site().get("/health").status, 200, "{said}");
    assert!(bench.closed().contains(said), "{}", bench.closed());
    if bench.world.hits().iter().any(|hit| hit.path == ORDER) {
        assert_eq!(bench.world.hits().len(), sent, "{said}: no order is tried meanwhile");
    }
    assert_eq!(bench.exchange().accepted_orders().len(), journal, "{said}");
    (trouble.end)(bench);
    let signal = within(Duration::from_secs(200), "it trades once mended", || {
        follower.site().signal(id).filter(|signal| signal["status"] != "received")
    });
    assert_eq!(status(&signal).0, "executed", "{said}: {signal}");
    until("it is open", || bench.closed().is_empty().then_some(()));
    bench.check_settled();
}

#[test]
fn whatever_is_wrong_outside_the_process_stays_says_so_and_trades_once_mended() {
    let stories = at_start().into_iter().map(|trouble| (true, trouble));
    let stories: Vec<(bool, Trouble)> =
        stories.chain(on_the_way().into_iter().map(|trouble| (false, trouble))).collect();
    together(&stories, |(at_start, trouble)| {
        let bench = Bench::new().every(Duration::from_millis(500));
        let settled = (!at_start).then(|| bench.settled(&[("BTCUSDC", dec!(0.3))]));
        (trouble.begin)(&bench);
        let id = bench.world.leader().set_target(TARGET);
        let follower = settled.unwrap_or_else(|| bench.follow());
        stays_up_and_trades_once_mended(&bench, &follower, trouble, &id);
    });
}

/// Ce qui est fermé se voit partout : le signal attend et dit pourquoi, la table d'essais aussi.
#[test]
fn a_wrong_key_is_told_by_the_checks_the_status_and_the_poll() {
    let bench = Bench::new();
    bench.world.leader().set_target(TARGET);
    answers(&bench, ACCOUNT, Reply::code(401, -2015, UNKNOWN_KEY));
    let follower = bench.follow();
    follower.site().wait_polls(2);
    let line = "SELECT verdict || ': ' || found || ' -> ' || advice FROM checks WHERE test = 'key'";
    let line = until("the checks are kept", || Some(bench.told(line)).filter(|line| !line.is_empty()));
    assert!(
        line.starts_with("fault: ") && line.contains("-2015") && line.contains("API Management"),
        "{line}"
    );
    let agent = follower.site().json("/api/agent/status");
    assert_eq!(agent["last_poll"]["status"], "waiting");
    assert!(agent["last_poll"]["error"].as_str().unwrap().contains("-2015"), "{agent}");
    assert_eq!(agent["state"], "ACTIVE");
}

/// La table disait la clé bonne, et l'aurait dit jusqu'à ses essais du lendemain.
#[test]
fn a_key_that_dies_while_it_trades_is_not_called_fine_by_the_checks_of_before() {
    let bench = Bench::new();
    let follower = bench.settled(TARGET);
    let key = "SELECT verdict || ' ' || found FROM checks WHERE test = 'key'";
    until("the key is found good", || {
        (bench.told(key).starts_with("fine") && bench.closed().is_empty()).then_some(())
    });
    let asked = bench.exchange().calls(RIGHTS);
    answers(&bench, ACCOUNT, Reply::code(401, -2015, UNKNOWN_KEY));
    let line =
        until("the checks are made again", || Some(bench.told(key)).filter(|line| line.starts_with("fault")));
    assert!(line.contains("-2015"), "{line}");
    follower.site().wait_polls(10);
    let again = bench.exchange().calls(RIGHTS) - asked;
    assert!(again <= 2, "once, not at each poll: {again}");
    mended(&bench);
}

/// Les essais d'avant l'ouverture comparaient au capital demandé : le grand livre s'ouvre dans ce qui est là, et rien ne lui
/// manque plus.
#[test]
fn a_ledger_that_has_begun_is_not_told_for_a_day_to_bring_what_it_needed_to_begin() {
    let bench = Bench::holding(&[("USDC", dec!(900))]);
    bench.world.leader().set_target(TARGET);
    let follower = bench.follow();
    follower.site().closed_signal("initial_sync");
    let line = "SELECT verdict || ': ' || found FROM checks WHERE test = 'balance'";
    let line = until("its books are what is compared", || {
        Some(bench.told(line)).filter(|line| line.starts_with("fine: "))
    });
    assert!(line.ends_with(" needed"), "{line}");
}

#[test]
fn what_cannot_be_sold_now_is_told_by_the_answer_itself() {
    let bench = Bench::new();
    answers(&bench, ACCOUNT, Reply::code(401, -2015, UNKNOWN_KEY));
    let follower = bench.follow();
    until("it is closed", || bench.closed().contains("-2015").then_some(()));
    let asked = follower.site().send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).json();
    let reason = asked["selling_all"]["waiting_for"].as_str().unwrap_or_default();
    assert!(reason.contains("-2015"), "{asked}");
}

/// Le leader muet ne ferme rien : il n'y a seulement rien de nouveau à suivre.
#[test]
fn a_leader_that_is_down_stops_nothing_else() {
    let bench = Bench::new();
    bench.world.refuse_connections(Side::Leader).unwrap();
    let follower = bench.follow();
    until("it is open", || (follower.site().polls() > 2.0 && bench.closed().is_empty()).then_some(()));
    assert_eq!(follower.site().get("/health").status, 200);
    let id = bench.world.leader().set_target(TARGET);
    bench.world.accept_connections(Side::Leader).unwrap();
    follower.site().closed_signal(&id);
    bench.check_settled();
}

/// Un Raspberry Pi démarre avant son réseau, et ne connaît pas l'heure : dès qu'elle est là, les essais que son absence
/// avait fermés n'attendent pas leur minute.
#[test]
fn a_network_that_comes_after_the_start_is_traded_over_at_once() {
    let bench = Bench::new();
    bench.world.leader().set_target(TARGET);
    bench.world.refuse_connections(Side::Exchange).unwrap();
    let follower = bench.follow();
    let missed = || bench.closed().contains("clock: nothing to compare it with").then_some(());
    until("the hour is missed", missed);
    follower.site().wait_polls(3);
    bench.world.accept_connections(Side::Exchange).unwrap();
    let before = follower.site().polls();
    within(Duration::from_secs(150), "it is open", || bench.closed().is_empty().then_some(()));
    // Compté en tours, que la machine soit lente ou non : une minute en verrait 1200.
    let polls = follower.site().polls() - before;
    assert!(polls < 500.0, "after {polls} polls");
    follower.site().closed_signal("initial_sync");
    // La cible elle-même, que la synchronisation a déjà suivie.
    let open = "SELECT group_concat(signal_id) FROM signals WHERE status = 'received' OR payload IS NOT NULL";
    until("every signal is closed", || bench.told(open).is_empty().then_some(()));
    bench.check_settled();
}

/// Une coupure en marche, assez longue pour que les essais la voient : ce qu'une personne a demandé n'attend pas leur rythme.
#[test]
fn a_sale_asked_for_in_an_outage_is_made_as_soon_as_the_exchange_answers_and_the_key_is_never_called_wrong() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    bench.world.refuse_connections(Side::Exchange).unwrap();
    // Le capital a bougé : les essais se refont.
    assert_eq!(site.send("PUT", "/api/budget/deposit", r#"{"total_eur": 990}"#).status, 200);
    let unreached = || bench.closed().contains("exchange: ").then(|| bench.closed());
    let told = until("the checks see it", unreached);
    assert!(told.contains("account: the exchange does not answer"), "{told}");
    assert!(!told.contains("needs a key"), "{told}");
    let verdict = "SELECT verdict FROM checks WHERE test = 'key'";
    assert_eq!(bench.told(verdict), "not_tested");
    assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
    site.wait_polls(2);
    bench.world.accept_connections(Side::Exchange).unwrap();
    let before = site.polls();
    let sold = || site.json("/api/agent/status")["selling_all"]["done"] == true;
    within(Duration::from_secs(150), "all is sold", || sold().then_some(()));
    // Une minute, le premier rythme des essais, en verrait 1200.
    let polls = site.polls() - before;
    assert!(polls < 500.0, "after {polls} polls");
    bench.check_settled();
}

/// Une horloge fausse empêche tout, et se lit aussi là où l'échange se dit ouvert ou fermé.
#[test]
fn trading_is_not_said_to_be_open_while_the_clock_is_wrong() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    let open = || site.json("/api/exchange")["trading_open"].as_bool();
    until("it is open", || open().filter(|open| *open));
    bench.exchange().set_skew(600_000);
    until("the clock closes it", || {
        let exchange = site.json("/api/exchange");
        let told = exchange["closed_reason"].as_str()?.contains("clock of this machine");
        (told && exchange["trading_open"] == false).then_some(())
    });
    site.wait_polls(2);
    assert_eq!(open(), Some(false));
    bench.exchange().set_skew(0);
    until("it is open again", || open().filter(|open| *open));
}

/// Ce que le compte a fait ne se lit plus : rien ne part, et l'échange n'est pas dit ouvert.
#[test]
fn trading_is_never_said_to_be_open_while_the_orders_of_the_account_cannot_be_read() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    bench.world.fault(On::exchange("/api/v3/allOrders"), Fault::answer(Reply::code(503, -1000, "away")));
    let id = bench.world.leader().set_target(&[("ETHUSDC", dec!(0.3))]);
    let closed = |exchange: &Value| {
        exchange["trading_open"] == false
            && exchange["closed_reason"].as_str().is_some_and(|told| told.contains("could not be read"))
    };
    until("it is told", || Some(site.json("/api/exchange")).filter(closed));
    assert!(bench.orders("ETHUSDC").is_empty());
    bench.world.clear_faults();
    assert_eq!(status(&site.closed_signal(&id)).0, "executed");
    until("it is open", || (site.json("/api/exchange")["trading_open"] == true).then_some(()));
}

/// Tout vendu, puis repris : le leader est suivi de nouveau, sans attendre qu'il parle.
#[test]
fn who_resumes_after_selling_all_never_waits_for_the_next_signal() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.5))]);
    let site = follower.site();
    assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
    until("all is sold", || (site.json("/api/agent/status")["selling_all"]["done"] == true).then_some(()));
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    until("it follows again", || (bench.orders("BTCUSDC").len() == 3).then_some(()));
    assert_eq!(site.json("/api/agent/status")["target"]["cause"], "signal", "no money came");
    bench.check_settled();
}
