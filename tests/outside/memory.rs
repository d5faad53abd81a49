//! Aucune réponse ne fait grossir le vrai programme.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use calvalot::sim::{Fault, On, Wire};
use rusqlite::Connection;
use rust_decimal::dec;
use rustix::net::{self, AddressFamily, SocketType};

use crate::check_alive;
use crate::follower::{Folder, Process, Site, still_world, until};

/// La mémoire résidente au plus haut, en kilo-octets.
fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells the peak");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a size in kB")
}

/// Des relevés pour la plus longue des réponses.
const HISTORY: &str = "
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6000)
    INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
    SELECT '1000.12345678', '500.12345678', '580.12345678', '1000', (SELECT max(at) FROM snapshots) - n * 60000 FROM n;";

/// Une connexion qui demande cela et n'en lit rien, dans le plus petit des tampons.
fn deaf(site: Site, path: &str) -> TcpStream {
    let SocketAddr::V4(address) = site.address() else { panic!("an IPv4 address") };
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    net::sockopt::set_socket_recv_buffer_size(&socket, 1024).expect("a small buffer");
    net::connect(&socket, &address).expect("somebody listens");
    let mut stream = TcpStream::from(socket);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address());
    stream.write_all(request.as_bytes()).expect("it is sent");
    stream
}

#[test]
fn sixty_four_readers_who_do_not_read_never_end_a_small_machine() {
    let (world, folder) = (still_world(), Folder::new());
    let process = Process::run(&world, &folder);
    process.site().wait_polls(2);
    assert_eq!(process.terminate(), Some(0));
    Connection::open(folder.db()).expect("the ledger").execute_batch(HISTORY).expect("rows");
    let process = Process::run(&world, &folder);
    process.site().wait_polls(2);
    let path = "/api/budget/history?limit=5000";
    let whole = process.site().get(path).body.len();
    assert!(whole > 500_000, "{whole} bytes are not long enough");
    let before = peak_memory(&process);
    let mut crowd = Vec::new();
    for _ in 0..4 {
        crowd.extend((0..64).map(|_| deaf(process.site(), path)));
        let health = until("health answers", || process.site().try_get("/health"));
        assert_eq!(health.status, 200, "{}", health.body);
    }
    until("who is refused is told", || (process.site().get(path).status == 503).then_some(()));
    assert_eq!(process.site().get("/api/budget/history?limit=10").status, 200, "short answers go on");
    let growth = peak_memory(&process).saturating_sub(before);
    eprintln!("peak {before} kB before, {growth} kB more after");
    assert!(growth < 10 * 1024, "{growth} kB more for answers that nobody reads");
    drop(crowd);
    until("the place is free again", || (process.site().get(path).status == 200).then_some(()));
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
