//! Le compte réel : tout ce qui touche à de vrais ordres, de leur envoi à ce qu'on en sait.
//!
//! `send` envoie, `doubts` suit ce dont l'issue n'est pas connue, `recourse` ce qu'une personne en fait, `scan` balaie les
//! ordres du compte, `evidence` y cherche ceux d'une copie ou d'un passé perdu, qu'`adopt` met aux livres, `berth` n'en laisse
//! qu'une échanger sur cette machine, `comeback` sait qu'une bourse que l'on n'atteignait pas répond de nouveau, `question` est ce
//! que la bourse dit d'un des nôtres, `held` retient ceux qui ne se comptent pas, `gate` ouvre ou ferme l'échange d'après
//! les essais du dehors, `upkeep` tient l'heure, ces essais et le rapprochement. Le compte a sa propre poignée du grand
//! livre ; il ne sait ni comment un plan se fait, ni qui commande.
//! Invariants : rien ne part tant que les essais du dehors ne sont pas bons ([`Gate`]), que l'heure de la bourse n'est pas
//! connue, que le dernier balayage n'a pas tout lu et tout compté, qu'un ordre attend d'être compté, que le grand livre
//! n'est peut-être pas seul sur son compte, et que le compte n'a pas été lu à ce tour ; ce qui manque est refait à son rythme
//! ([`Pace`]), sans retenir le reste.

mod adopt;
mod berth;
mod comeback;
mod doubts;
mod evidence;
mod gate;
mod held;
mod pace;
mod question;
mod recourse;
mod scan;
mod send;
mod upkeep;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use crate::clock;
use crate::domain::check::Check;
use crate::domain::doubt::Doubt;
use crate::domain::market::PerCoin;
use crate::domain::moment::Moment;
use crate::domain::money::Price;
use crate::domain::reconcile::{Reconciliation, Shortage};
use crate::exchange::Account;
use crate::fetch::OneShot;
use crate::ledger::Ledger;
use crate::metrics::Instruments;
use berth::Berth;
use comeback::{Comeback, Heard};
use gate::Gate;
use held::Held;
use pace::Pace;

pub use recourse::Decision;

/// Fait la table des essais du dehors.
pub type Preflight = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Check>>>>>;

/// L'accès au compte réel et ce qu'on en sait.
pub struct LiveAccount {
    account: Account,
    sender: OneShot,
    preflight: Preflight,
    ledger: Ledger,
    instruments: Arc<Instruments>,
    gate: Gate,
    /// Bon quand le compte a été lu à ce tour, qu'il est le nôtre et peut négocier ; sinon pourquoi pas.
    account_read: Result<(), String>,
    /// Le rapprochement de ce tour, et celui du tour d'avant ; `None` si le compte n'a pas été lu.
    seen: Option<Reconciliation>,
    seen_before: Option<Reconciliation>,
    /// Quand le compte a été rapproché des livres pour la dernière fois.
    compared_at: Option<Moment>,
    shortage: Shortage,
    /// Ce qu'une personne doit confirmer d'une base du programme Python.
    unconfirmed: Option<String>,
    /// Vrai quand il n'y a plus rien à en confirmer.
    taken_over: bool,
    /// Les ordres en doute, et quand demander.
    doubts: BTreeMap<i64, (Doubt, Instant)>,
    /// Pourquoi le grand livre ne dit plus lesquels, et quand le lui redemander.
    unfollowed: Option<String>,
    doubts_from: Instant,
    doubts_pace: Pace,
    /// Ceux dont ce qu'on a appris n'a pas pu s'écrire.
    unbooked: Held,
    /// Ceux qu'un balayage n'a pas pu revoir, et les paires qu'il n'a pas lues.
    unread: Held,
    unread_coins: PerCoin<bool>,
    /// Bon quand le dernier balayage des ordres du compte a tout lu et tout compté ; sinon ce qui a manqué.
    scanned: Result<(), String>,
    next_scan: Instant,
    scan_pace: Pace,
    scan_comeback: Comeback,
    /// Pourquoi la dernière mesure de l'heure de la bourse a manqué.
    measure_missed: Option<String>,
    /// La machine où l'on est, si elle se nomme, et le compte que la clé ouvre, une fois lu.
    machine: Option<String>,
    uid: Option<i64>,
    /// Sa place ici, s'il lui en faut une.
    keeps_berth: bool,
    berth: Option<Berth>,
    /// Pourquoi ce grand livre n'est peut-être pas seul sur son compte.
    not_alone: Option<String>,
    /// Vrai si les ordres du compte ont été regardés depuis qu'une autre main que nos ordres l'a changé.
    looked: bool,
    /// Le dernier signal avant les ordres duquel on a regardé s'il l'était, et quand.
    vouched: Option<(i64, Instant)>,
    /// Pourquoi ce regard n'a pas pu se faire ; rien n'est parti.
    unvouched: Option<String>,
    /// Pourquoi le dernier tour ne tenait pas l'heure pour juste.
    hour_missed: Option<String>,
}

impl LiveAccount {
    /// Un compte dont on ne sait encore rien.
    pub fn new(
        account: Account,
        sender: OneShot,
        preflight: Preflight,
        ledger: Ledger,
        instruments: Arc<Instruments>,
    ) -> LiveAccount {
        LiveAccount {
            account,
            sender,
            preflight,
            ledger,
            instruments,
            gate: Gate::new(),
            account_read: Err("the account is not read yet".to_owned()),
            seen: None,
            seen_before: None,
            compared_at: None,
            shortage: Shortage::default(),
            unconfirmed: None,
            taken_over: false,
            doubts: BTreeMap::new(),
            unfollowed: None,
            doubts_from: clock::instant(),
            doubts_pace: Pace::default(),
            unbooked: Held::new("order_not_booked"),
            unread: Held::new("order_not_read"),
            unread_coins: PerCoin::default(),
            scanned: Err("the orders of the account are not read yet".to_owned()),
            next_scan: clock::instant(),
            scan_pace: Pace::default(),
            scan_comeback: Comeback::default(),
            measure_missed: None,
            machine: None,
            uid: None,
            keeps_berth: false,
            berth: None,
            not_alone: None,
            looked: false,
            vouched: None,
            unvouched: None,
            hour_missed: None,
        }
    }

    /// Le même, sur la machine de ce nom, où une seule copie de son grand livre échange.
    pub fn on_machine(self, machine: Option<String>) -> LiveAccount {
        LiveAccount { machine, keeps_berth: true, ..self }
    }

    /// Pourquoi ce grand livre n'est peut-être pas seul sur son compte, ou plus vieux que lui ; `None` s'il l'est.
    pub fn not_alone(&self) -> Option<String> {
        self.not_alone.clone()
    }

    /// Ce qui manque au compte pour ce que disent les livres, au dernier rapprochement.
    pub fn shortage(&self) -> Shortage {
        self.shortage
    }

    /// Quand le compte a été rapproché des livres pour la dernière fois ; `None` tant que des ordres d'ici que les livres
    /// n'ont pas peuvent expliquer ce qui l'a changé.
    pub fn compared_at(&self) -> Option<Moment> {
        self.compared_at.filter(|_| self.looked)
    }

    /// Pourquoi, s'il n'est pas rapproché des livres, il ne l'est pas.
    pub fn uncompared(&self) -> String {
        let unread = self.account_read.clone().err();
        let unlooked = self.scanned.clone().err().or(self.unvouched.clone()).filter(|_| !self.looked);
        let reason = unread.or(unlooked);
        reason.unwrap_or("the account is compared with the books at the next poll".to_owned())
    }

    /// Vrai si le compte a été lu et regardé à ce tour : ce que disent les livres, il le tient ou l'on sait que non.
    pub fn is_compared(&self) -> bool {
        self.seen.is_some() && self.looked
    }

    /// Vrai si une autre main que nos ordres a changé le compte, et que ses ordres ne sont pas encore regardés.
    pub fn awaits_a_look(&self) -> bool {
        !self.looked
    }

    /// Pourquoi rien ne s'échange maintenant ; `None` si l'on peut.
    pub fn obstacle(&self) -> Option<String> {
        // Ce qui s'écrirait serait perdu.
        if let Some(reason) = self.ledger.displaced() {
            return Some(reason);
        }
        if let Some(reason) = &self.not_alone {
            return Some(reason.clone());
        }
        if let Some(reason) = &self.gate.closed {
            return Some(reason.clone());
        }
        let exchange = self.account.exchange();
        if let Some(silence) = exchange.silence() {
            let until = clock::utc(silence.until);
            return Some(format!("the exchange asked for silence until {until} UTC ({})", silence.status));
        }
        if exchange.server_clock().is_none() {
            return Some("the exchange's clock is not known yet".to_owned());
        }
        let unbooked =
            self.unbooked.told().map(|told| format!("{told}; nothing is traded until it is booked"));
        let read = self.account_read.clone().err();
        self.scanned
            .clone()
            .err()
            .or(unbooked)
            .or(self.unfollowed.clone())
            .or(read)
            .or(self.unconfirmed.clone())
            .or(self.hour_missed.clone())
    }

    /// Pourquoi rien ne part, fût-ce seulement de ce que l'on a voulu envoyer en dernier ; `None` si l'échange est ouvert.
    pub fn closed(&self) -> Option<String> {
        self.obstacle().or_else(|| self.unvouched.clone())
    }

    /// Un tour sait l'heure juste, ou pourquoi pas. Quand elle le redevient, ce qu'elle empêchait se refait sans attendre : c'est
    /// un Raspberry Pi qui vient d'apprendre l'heure, ou son réseau qui arrive.
    pub fn heed_the_hour(&mut self, wrong: Option<String>) {
        if wrong.is_none() && self.hour_missed.is_some() && self.gate.wants_the_hour {
            self.gate.next = clock::instant();
            self.next_scan = clock::instant();
        }
        self.hour_missed = wrong;
    }

    /// Les cours viennent d'être lus, ou pas.
    pub fn heed_prices(&mut self, read: bool) {
        self.heed_answer(Heard::Prices, read);
    }

    /// La bourse répond, ou non, à une lecture : ce qu'elle taisait se refait sans attendre, une fois.
    fn heed_answer(&mut self, heard: Heard, answered: bool) {
        self.gate.heed_answer(heard, answered);
        if self.scan_comeback.heed(heard, answered) {
            self.next_scan = clock::instant();
        }
    }

    /// La prochaine chose à faire d'elle-même.
    pub fn next_due(&self) -> Instant {
        let usual = self.gate.next.min(self.next_scan);
        self.next_question().map_or(usual, |question| question.min(usual))
    }

    /// Fait ce dont c'est l'heure. `bnb` est le prix auquel des frais en BNB comptent, s'il est frais. Rend vrai si un
    /// ordre en doute a fini, ou si l'échange vient de s'ouvrir : un signal peut être repris. Ce qui manque ferme l'échange, et
    /// se refait à son rythme.
    pub async fn tend(&mut self, bnb: Option<Price>) -> bool {
        let shut = self.is_shut();
        self.claim_berth().await;
        self.measure_hour().await;
        self.run_checks().await;
        self.scan(bnb).await;
        let ended = self.ask_doubtful(bnb).await;
        self.instruments.unbooked(self.unbooked.count());
        ended || (shut && !self.is_shut())
    }

    /// Vrai si les essais ou le balayage retiennent tout.
    fn is_shut(&self) -> bool {
        self.gate.closed.is_some() || self.scanned.is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::simulated::Installed;
    use crate::domain::check::REQUIRED;
    use crate::domain::money::Eur;
    use crate::exchange::{Credentials, Exchange};
    use crate::fetch::{Client, TIME_LIMIT};
    use crate::ledger;

    fn account() -> LiveAccount {
        let exchange = Exchange::binance("http://127.0.0.1:1", Client::new(TIME_LIMIT).unwrap());
        let account = Account::new(exchange, Credentials::hmac("key", "secret"));
        let none = || Box::pin(std::future::ready(Vec::new())) as Pin<Box<dyn Future<Output = Vec<Check>>>>;
        let ledger = ledger::in_memory("live", Eur::new(rust_decimal::dec!(100)), clock::now()).unwrap();
        let instruments = Arc::new(Instruments::new(&[], &[]));
        LiveAccount::new(account, OneShot::new(TIME_LIMIT).unwrap(), Box::new(none), ledger, instruments)
    }

    fn wait(gate: &Gate) -> u64 {
        (gate.next - clock::instant()).as_secs()
    }

    #[test]
    fn a_clock_that_is_right_again_has_the_checks_made_again_at_once_and_once() {
        let _time = Installed::at(Moment(0));
        let mut account = account();
        let faulty = |test| {
            REQUIRED.map(|name| match name == test {
                true => Check::not_tested(name, "nobody answers"),
                false => Check::fine(name, "well"),
            })
        };
        for (test, expected) in [("clock", [60, 0]), ("key", [120, 120])] {
            account.gate.judge(&faulty(test));
            account.next_scan = account.gate.next;
            account.heed_the_hour(Some("not read yet".to_owned()));
            let before = wait(&account.gate);
            account.heed_the_hour(None);
            assert_eq!([before, wait(&account.gate)], expected, "{test}");
            assert_eq!(account.next_scan, account.gate.next, "{test}");
        }
        // Elle l'était déjà : rien n'est revenu.
        account.gate.judge(&faulty("clock"));
        account.heed_the_hour(None);
        assert_eq!(wait(&account.gate), 240);
    }
}
