//! `calvalot sell-all` et `calvalot decide` : demandés au vrai programme qui tourne, ou refusés avec quoi faire.

#[path = "follower/mod.rs"]
mod follower;

use std::process::{Command, Stdio};

use follower::{Folder, Process, free_port, still_world, until};
use rust_decimal::dec;

/// Le code de sortie, et tout ce qui est dit, de cette commande hors d'un terminal.
fn calvalot(port: u16, words: &[&str]) -> (Option<i32>, String) {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    let command = command.args(words).env_clear().env("PORT", port.to_string());
    let output = command.stdin(Stdio::null()).current_dir(folder.path()).output().expect("it runs");
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("a text"));
    (output.status.code(), told.concat())
}

#[test]
fn the_command_line_sells_all_by_the_daemon_that_runs_and_never_without_a_yes() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
    let process = Process::run(&world, &folder);
    let (site, port) = (process.site(), process.site().address().port());
    site.closed_signal("initial_sync");
    let (code, told) = calvalot(port, &["sell-all"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("--yes"), "{told}");
    assert_eq!(site.json("/api/agent/status")["paused"], false);
    let (code, told) = calvalot(port, &["sell-all", "--yes"]);
    assert_eq!(code, Some(0), "{told}");
    until("all is sold", || (site.json("/api/agent/status")["selling_all"]["done"] == true).then_some(()));
    assert_eq!(site.json("/api/agent/status")["paused"], true);
}

#[test]
fn the_command_line_lists_what_can_be_decided_and_does_it_only_after_a_yes() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
    let process = Process::run(&world, &folder);
    let (site, port) = (process.site(), process.site().address().port());
    site.closed_signal("initial_sync");
    let paused = || site.json("/api/agent/status")["paused"] == true;
    let (code, told) = calvalot(port, &["decide"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("calvalot decide pause\n    now: it follows the leader\n    then: nothing is bought"),
        "{told}"
    );
    // Ce dont on décide d'un retrait, au centime : ce que cela vaut, et non seulement ce qui a été déposé.
    let withdraw =
        told.split("calvalot decide withdraw amount_eur=…\n    now: it is worth ").nth(1).expect("a value");
    let (value, deposits) = withdraw.split_once(" EUR, deposits add up to ").expect("both");
    assert!(value.split_once('.').is_some_and(|(_, cents)| cents.len() == 2), "{told}");
    assert!(deposits.starts_with("1000.00 EUR\n"), "{told}");
    for (words, expected, said) in [
        (&["decide", "pause"][..], 2, "--yes"),
        (
            &["decide", "resume", "--yes"],
            1,
            "there is: pause, withdraw, withdraw-all, deposit, correct, sell-all",
        ),
        (&["decide", "pause", "quantity=1", "--yes"], 2, "say it like this: calvalot decide pause\n"),
        (&["decide", "pause", "now", "--yes"], 2, "unexpected"),
        (&["decide", "deposit", "amount_eur=many", "--yes"], 1, "write it like 12.50"),
        (&["decide", "deposit", "amount_eur=1,234", "--yes"], 1, "write 1.234 or 1234"),
        (&["decide", "stop-loss", "pct=20,5,1", "--yes"], 1, "with a point"),
        (&["decide", "deposit", "amount_eur=-5", "--yes"], 1, "must be above 0"),
    ] {
        let (code, told) = calvalot(port, words);
        assert!(code == Some(expected) && told.contains(said), "{words:?}: {code:?} {told}");
        assert!(!paused(), "{words:?}");
    }
    let (code, told) = calvalot(port, &["decide", "pause", "--yes"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(paused());
    let (code, told) = calvalot(port, &["decide", "resume", "--yes"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(!paused());
    for (words, total) in [
        (["decide", "deposit", "amount_eur=50,5", "--yes"], 1050.5),
        (["decide", "correct", "total_eur=1000", "--yes"], 1000.0),
        (["decide", "withdraw", "amount_eur=20", "--yes"], 980.0),
    ] {
        let (code, told) = calvalot(port, &words);
        assert_eq!(code, Some(0), "{told}");
        until("the books know it", || {
            (site.json("/api/budget")["total_deposited_eur"] == total).then_some(())
        });
    }
}

#[test]
fn without_a_daemon_nothing_is_asked_and_it_says_what_to_do() {
    let (code, told) = calvalot(free_port(), &["sell-all", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("start calvalot") && told.contains("exchange's own page"), "{told}");
    for words in [&["decide"][..], &["decide", "pause", "--yes"]] {
        let (code, told) = calvalot(free_port(), words);
        assert!(code == Some(1) && told.contains("start calvalot"), "{told}");
    }
}
