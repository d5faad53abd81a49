//! Le vrai programme, tué net en négociant pour de vrai : jamais deux exécutions pour une intention, aucun signal
//! perdu, et à la fin des livres qui sont ceux de la bourse.
//!
//! Chaque coup tombe à un fait ([`Blow`]), pendant que quelque chose retient le programme ; la suite des coups
//! est tirée d'une graine.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};
use std::time::Duration;

use crate::books::{check_consistent, number};
use crate::follower::{Process, until};
use crate::{ACCOUNT, Bench, ORDER, answers, together};

/// Coups par graine, au moins.
const BLOWS: usize = 26;

/// Où le coup tombe.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Blow {
    /// À la première question : rien n'est encore repris.
    Start,
    /// Le compte ou le leader ne répondent pas.
    Account,
    Leader,
    /// Les ordres sont exécutés, aucune réponse n'est revenue.
    Executed,
    /// Les ordres sont arrivés, la bourse ne les traite qu'après le coup.
    Arrived,
    /// Une réponse est perdue, les autres sont écrites.
    Lost,
    /// L'exécution ne s'écrit pas au grand livre.
    Unwritten,
    /// Les ventes sont écrites, les achats ne le sont pas encore.
    Between,
    /// Tout est échangé, le signal n'est pas clos.
    Open,
    /// La reprise demande l'ordre, puis ses exécutions ; il y faut un ordre en doute.
    Asked,
    Detailed,
}

use Blow::*;

const EACH: [Blow; 11] =
    [Start, Account, Leader, Executed, Arrived, Lost, Unwritten, Between, Open, Asked, Detailed];

/// Deux coins à la fois, jamais ceux d'avant : chaque signal a au moins un ordre à passer.
const TURNS: [[&str; 2]; 5] = [
    ["BTCUSDC", "ETHUSDC"],
    ["BNBUSDC", "SOLUSDC"],
    ["XRPUSDC", "BTCUSDC"],
    ["ETHUSDC", "BNBUSDC"],
    ["SOLUSDC", "XRPUSDC"],
];

/// Une vie de coups, sur un compte.
struct Ordeal {
    seed: u64,
    bench: Bench,
    dice: fastrand::Rng,
    turn: usize,
    blows: usize,
}

impl Ordeal {
    fn new(seed: u64) -> Ordeal {
        let bench = Bench::holding(&[("USDC", dec!(2000)), ("BNB", dec!(0.001))]);
        bench.exchange().edit_account(|account| account.bnb_fees = seed.is_multiple_of(2));
        Ordeal { seed, bench, dice: fastrand::Rng::with_seed(seed), turn: 0, blows: 0 }
    }

    /// Le leader change d'avis.
    fn turn(&mut self) -> String {
        let coins = TURNS[self.turn % TURNS.len()];
        self.turn += 1;
        self.bench.world.leader().set_target(&coins.map(|coin| (coin, dec!(0.45))))
    }

    fn strike(&mut self, blow: Blow) {
        let mut signal = String::new();
        match blow {
            Start | Account | Leader => {}
            // Il faut d'abord qu'un ordre soit en doute.
            Asked | Detailed => self.strike(Executed),
            _ => signal = self.turn(),
        }
        let before = Before::of(&self.bench);
        self.prepare(blow, &signal, before.intents);
        let process = Process::live(&self.bench.world, &self.bench.folder);
        let when = format!("seed {}, blow {}, {blow:?}", self.seed, self.blows);
        until(&when, || before.is_reached(blow, &self.bench).then_some(()));
        process.kill();
        self.blows += 1;
        self.mend(&before);
    }

    /// Retient le programme là où le coup doit tomber. Rien ne part plus alors : un ordre coupé en route ne se
    /// prouverait absent qu'en minutes.
    fn prepare(&mut self, blow: Blow, signal: &str, intents: i64) {
        let bench = &self.bench;
        let hang = |on: On| bench.world.fault(on, Fault::processed(Wire::Silence));
        let its = format!("NEW.signal = (SELECT id FROM signals WHERE signal_id = '{signal}')");
        let second = |batch| {
            let earlier =
                format!("SELECT 1 FROM intents WHERE id > {intents} AND created_at <> NEW.created_at");
            self.block("second", &format!("INSERT ON intents WHEN EXISTS ({earlier} AND {batch})"));
        };
        if matches!(blow, Executed | Arrived | Lost | Unwritten) {
            second("1");
        }
        match blow {
            Start => hang(On::exchange("/api/v3/time")),
            // La première demande est celle des essais, la seconde celle du tour.
            Account => hang(On::exchange(ACCOUNT).nth(2)),
            Leader => hang(On::leader().nth(2)),
            Executed => hang(On::exchange(ORDER).method("POST")),
            Arrived => bench.strike(|on| on, Fault::late(Duration::from_millis(300))),
            Lost => {
                let lost = answers::lost().into_iter().map(|(_, wire)| wire);
                let lost: Vec<Wire> = lost.filter(|wire| !matches!(wire, Wire::Silence)).collect();
                bench.strike(|on| on.nth(1), Fault::processed(lost[self.dice.usize(..lost.len())].clone()));
            }
            Unwritten => {
                self.block("first", &format!("UPDATE ON intents WHEN NEW.state = 'filled' AND {its}"))
            }
            Between => self.block("first", "INSERT ON intents WHEN NEW.side = 'BUY'"),
            Open => {
                second("side = 'BUY'");
                let closes = format!("NEW.status <> 'received' AND NEW.signal_id = '{signal}'");
                self.block("first", &format!("UPDATE ON signals WHEN {closes}"));
            }
            Asked => hang(On::exchange(ORDER).method("GET")),
            Detailed => hang(On::exchange("/api/v3/myTrades")),
        }
    }

    fn block(&self, name: &str, when: &str) {
        let fails = "BEGIN SELECT RAISE(FAIL, 'blocked by a test'); END";
        let trigger = format!("CREATE TRIGGER {name} BEFORE {when} {fails}");
        self.bench.books().execute_batch(&trigger).expect("the trigger is set");
    }

    /// Lève ce qui retenait, et regarde ce que le coup a laissé.
    fn mend(&self, before: &Before) {
        let sent = before.sent_since(&self.bench);
        until("what arrived is processed", || (before.accepted_since(&self.bench) >= sent).then_some(()));
        self.bench.world.clear_faults();
        let books = self.bench.books();
        books.execute_batch("DROP TRIGGER IF EXISTS first; DROP TRIGGER IF EXISTS second").expect("dropped");
        check_consistent(&books);
        let mut names: Vec<String> =
            self.bench.exchange().accepted_orders().into_iter().map(|order| order.client_id).collect();
        let executed = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), executed, "seed {}: an intent was executed twice", self.seed);
    }
}

/// Où en étaient la bourse et le grand livre avant le démarrage.
struct Before {
    hits: usize,
    accepted: usize,
    intents: i64,
    leader: u64,
}

impl Before {
    fn of(bench: &Bench) -> Before {
        Before {
            hits: bench.world.hits().len(),
            accepted: bench.exchange().accepted_orders().len(),
            intents: number(&bench.books(), "SELECT count(*) FROM intents"),
            leader: bench.world.leader().requests(),
        }
    }

    fn sent_since(&self, bench: &Bench) -> usize {
        (number(&bench.books(), "SELECT count(*) FROM intents") - self.intents) as usize
    }

    fn accepted_since(&self, bench: &Bench) -> usize {
        bench.exchange().accepted_orders().len() - self.accepted
    }

    /// Vrai quand le fait est là. Les intentions d'un lot sont écrites ensemble : quand il en est arrivé autant
    /// que d'écrites, aucune n'est encore en route.
    fn is_reached(&self, blow: Blow, bench: &Bench) -> bool {
        let (struck, sent) = (bench.world.hits().len() - self.hits, self.sent_since(bench));
        let executed = sent > 0 && self.accepted_since(bench) == sent;
        let of_these = |clause: &str| {
            number(
                &bench.books(),
                &format!("SELECT count(*) FROM intents WHERE id > {} AND {clause}", self.intents),
            )
        };
        match blow {
            Start | Account | Leader | Asked | Detailed => struck > 0,
            Executed => executed && struck == sent,
            Arrived => sent > 0 && struck == sent,
            Unwritten => executed,
            Lost => executed && of_these("state = 'sent'") == 0,
            // Sans rien à vendre, il n'y a rien à attendre que des tours.
            Between => {
                (executed && of_these("state = 'sent'") == 0)
                    || bench.world.leader().requests() >= self.leader + 3
            }
            Open => executed && of_these("side = 'BUY'") > 0 && of_these("state = 'sent'") == 0,
        }
    }
}

#[test]
fn a_process_killed_while_it_trades_for_real_doubles_nothing_and_loses_nothing() {
    together(&[1, 2, 3, 4], |&seed| {
        let mut ordeal = Ordeal::new(seed);
        // Une base, pour que les déclencheurs aient où se poser.
        ordeal.turn();
        let process = Process::live(&ordeal.bench.world, &ordeal.bench.folder);
        process.site().closed_signal("initial_sync");
        process.kill();
        while ordeal.blows < BLOWS {
            let mut blows = EACH;
            ordeal.dice.shuffle(&mut blows);
            blows.into_iter().for_each(|blow| ordeal.strike(blow));
        }
        let last = ordeal.turn();
        let process = Process::live(&ordeal.bench.world, &ordeal.bench.folder);
        process.site().closed_signal(&last);
        let waiting = "SELECT count(*) FROM signals WHERE status = 'received'";
        until("no signal waits", || (number(&ordeal.bench.books(), waiting) == 0).then_some(()));
        assert_eq!(process.terminate(), Some(0));
        ordeal.bench.check();
        let books = ordeal.bench.books();
        let lost = "SELECT count(*) FROM signals WHERE status NOT IN ('executed', 'skipped')";
        assert_eq!(number(&books, lost), 0, "a signal was lost");
        let open = "SELECT count(*) FROM intents WHERE state NOT IN ('filled', 'abandoned')";
        assert_eq!(number(&books, open), 0, "an order is still open");
        let held = ordeal.bench.exchange().balances();
        for coin in TURNS[(ordeal.turn - 1) % TURNS.len()] {
            assert!(held[coin.trim_end_matches("USDC")].free > Decimal::ZERO, "{coin}");
        }
    });
}
