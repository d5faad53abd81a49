//! Une foule à la porte pendant qu'un ordre ne répond pas : elle n'occupe que ce qu'elle a le droit d'occuper.

use std::io::Read;
use std::thread;

use calvalot::sim::{Fault, Wire};
use rust_decimal::dec;

use crate::follower::until;
use crate::{Bench, status};

#[test]
fn a_crowd_of_changes_while_an_order_hangs_takes_neither_health_nor_all_the_places() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    bench.strike(|on| on.next(1), Fault::processed(Wire::Silence));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.2))]);
    until("the order is under way", || {
        (bench.told("SELECT state FROM intents ORDER BY id DESC LIMIT 1") == "sent").then_some(())
    });
    let site = follower.site();
    let body = r#"{"paused": false}"#;
    let request = format!(
        "POST /api/agent/toggle HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        site.address(),
        body.len()
    );
    let asked: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = site.asking(request.as_bytes()).expect("somebody listens");
            thread::spawn(move || {
                let mut answer = String::new();
                stream.read_to_string(&mut answer).expect("a whole answer");
                answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).expect("a status")
            })
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(site.get("/health").status, 200);
    }
    for thread in asked {
        let status = thread.join().expect("no panic");
        // Chacune est faite, ou dite ne pas l'être : trop à la fois, ou trop en une minute.
        assert!([200, 429, 503].contains(&status), "{status}");
    }
    assert_eq!(status(&site.closed_signal(&id)).0, "executed");
    bench.check_settled();
}
