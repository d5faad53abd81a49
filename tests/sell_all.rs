//! `calvalot sell-all` : demandé au vrai programme qui tourne, ou refusé avec quoi faire.

#[path = "follower/mod.rs"]
mod follower;

use std::process::{Command, Stdio};

use follower::{Folder, Process, free_port, still_world, until};
use rust_decimal::dec;

/// Le code de sortie, et tout ce qui est dit.
fn sell_all(port: u16, options: &[&str]) -> (Option<i32>, String) {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    let command = command.arg("sell-all").args(options).env_clear().env("PORT", port.to_string());
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
    let (code, told) = sell_all(port, &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("--yes"), "{told}");
    assert_eq!(site.json("/api/agent/status")["paused"], false);
    let (code, told) = sell_all(port, &["--yes"]);
    assert_eq!(code, Some(0), "{told}");
    until("all is sold", || (site.json("/api/agent/status")["selling_all"]["done"] == true).then_some(()));
    assert_eq!(site.json("/api/agent/status")["paused"], true);
}

#[test]
fn without_a_daemon_nothing_is_asked_and_it_says_what_to_do() {
    let (code, told) = sell_all(free_port(), &["--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("start calvalot") && told.contains("exchange's own page"), "{told}");
}
