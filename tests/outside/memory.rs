//! Aucune réponse ne fait grossir le vrai programme.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::dec;

use crate::check_alive;
use crate::follower::{Folder, Process, still_world, until};

/// La mémoire résidente au plus haut, en kilo-octets.
fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells the peak");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a size in kB")
}

#[test]
fn no_answer_grows_the_memory() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let process = Process::run(&world, &folder);
    process.site().closed_signal("initial_sync");
    process.site().wait_polls(2);
    check_alive(process.site(), "before");
    let before = peak_memory(&process);
    let wires = [
        Wire::Huge(50_000_000),
        Wire::Endless,
        Wire::Nested(100_000),
        Wire::Nested(30_000),
        Wire::LongHead(10_000_000),
        Wire::Truncate,
    ];
    // Ce qui tient dans la limite et coûte le plus une fois lu.
    let dense = ["[],", "[1],", r#"{"a":1},"#]
        .map(|item| Fault::body(&format!("[{}0]", item.repeat(60_000 / item.len()))));
    for fault in wires.map(Fault::processed).into_iter().chain(dense) {
        let hits = world.hits().len();
        world.fault(On::any(), fault);
        until("every one has answered so twice", || (world.hits().len() >= hits + 6).then_some(()));
        world.clear_faults();
    }
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(process.site().closed_signal(&id)["status"], "executed");
    check_alive(process.site(), "after");
    let growth = peak_memory(&process).saturating_sub(before);
    eprintln!("peak {before} kB before, {growth} kB more after");
    assert!(growth < 16 * 1024, "{growth} kB more after huge answers");
}
