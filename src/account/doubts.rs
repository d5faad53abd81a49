//! Les ordres en doute : demander, attendre, prouver. Le même code au démarrage et en marche.
//!
//! Un ordre trouvé est adopté tel que la bourse le raconte. Un ordre introuvable n'est dit absent que si tout
//! concorde ([`Doubt`], puis les ordres, les trades et les soldes du compte) ; sinon on attend, et au bout une
//! personne regarde. Jamais rien n'est renvoyé d'ici.

use std::time::Duration;

use super::LiveAccount;
use crate::clock;
use crate::domain::doubt::{ATTEMPTS, Doubt};
use crate::domain::execution::{self, Execution, Incomplete, Report};
use crate::domain::intent::State;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Price;
use crate::domain::reconcile::Balances;
use crate::exchange::{Account, Trouble};
use crate::ledger::views::{Intent, Sent};
use crate::ledger::{LedgerError, Outcome};
use crate::logging::orders as told;

/// Un ordre bloqué peut encore se montrer : on redemande, sans hâte.
const STUCK_EVERY: Duration = Duration::from_secs(3600);

/// Ce qui précède l'heure d'un ordre et où l'on cherche encore sa trace.
const BEFORE: Duration = Duration::from_secs(60);

/// Ce qu'une question a appris.
pub(super) enum Finding {
    /// L'ordre de ce numéro a fini, à cette heure de la bourse.
    Ended(i64, Outcome, Moment),
    /// La bourse ne le connaît pas, à cette réponse.
    Absent,
    /// Rien de sûr : son numéro s'il est connu, et pourquoi.
    Open(Option<i64>, String),
    /// Il est là, et ne se compte pas.
    Strange(i64, String),
}

impl LiveAccount {
    /// Suit chaque intention en doute du grand livre, et oublie celles qui ne le sont plus.
    pub(super) async fn watch_doubts(&mut self) -> Result<(), LedgerError> {
        let doubtful = self.ledger.with(|db| db.doubtful()).await?;
        self.doubts.retain(|id, _| doubtful.iter().any(|intent| intent.id == *id));
        let server = self.account.exchange().server_clock();
        for intent in doubtful {
            let Some(Sent { stamped_at, window, .. }) = intent.sent else { continue };
            let asked_from = server.map_or(stamped_at, |server| server.now());
            self.doubts.entry(intent.id).or_insert_with(|| {
                let mut doubt = Doubt::new(stamped_at, window, asked_from);
                let wait = if intent.state == State::Stuck { STUCK_EVERY } else { doubt.next_question() };
                (doubt, clock::instant() + wait)
            });
        }
        Ok(())
    }

    /// Demande des nouvelles de tous les ordres en doute, tout de suite : c'est la reprise d'un démarrage.
    pub async fn take_up(&mut self) -> Result<(), LedgerError> {
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
        self.weigh_evidence().await?;
        self.watch_doubts().await?;
        for (_, at) in self.doubts.values_mut() {
            *at = clock::instant();
        }
        Ok(())
    }

    /// Les ordres en doute dont c'est l'heure.
    pub(super) fn due_doubts(&self) -> Vec<i64> {
        let now = clock::instant();
        self.doubts.iter().filter(|(_, (_, at))| *at <= now).map(|(id, _)| *id).collect()
    }

    /// Demande des nouvelles des ordres en doute dont c'est l'heure. Rend vrai si l'un a fini.
    pub(super) async fn ask_doubtful(&mut self, bnb: Option<Price>) -> Result<bool, LedgerError> {
        let due = self.due_doubts();
        let mut ended = false;
        let mut doubtful = self.ledger.with(|db| db.doubtful()).await?;
        if doubtful.iter().any(|intent| intent.state == State::Sent) {
            // Rien n'est en route entre deux tours : l'issue n'a pas pu s'écrire.
            self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
            doubtful = self.ledger.with(|db| db.doubtful()).await?;
        }
        for intent in doubtful {
            if due.contains(&intent.id) {
                ended |= self.ask(&intent, bnb).await?;
            }
        }
        self.watch_doubts().await?;
        Ok(ended)
    }

    async fn ask(&mut self, intent: &Intent, bnb: Option<Price>) -> Result<bool, LedgerError> {
        let Some(sent) = &intent.sent else { return Ok(false) };
        let answer = question(&self.account, intent.coin, &sent.client_id).await;
        self.conclude(intent, find(intent, answer, bnb)).await
    }

    /// Tire d'une réponse ce qu'elle permet ; rend vrai si l'intention a fini.
    async fn conclude(&mut self, intent: &Intent, finding: Finding) -> Result<bool, LedgerError> {
        let (order_id, reason) = match finding {
            Finding::Ended(order_id, outcome, at) => {
                return self.end(intent, Some(order_id), outcome, at).await;
            }
            Finding::Absent => match self.weigh_absence(intent).await? {
                Ok(Outcome::GivenUp(reason)) => return self.give_up(intent, reason).await,
                Ok(outcome) => return self.end(intent, None, outcome, clock::now()).await,
                Err(reason) => (None, reason),
            },
            Finding::Strange(order_id, reason) => {
                self.doubt(intent, Doubt::interrupted);
                self.annotate(intent, Some(order_id), reason.clone()).await?;
                return self.give_up(intent, reason).await;
            }
            Finding::Open(order_id, reason) => {
                self.doubt(intent, Doubt::interrupted);
                (order_id, reason)
            }
        };
        self.annotate(intent, order_id, reason.clone()).await?;
        let now = self.server_now();
        let hopeless = self.doubt(intent, |doubt| now.is_some_and(|now| doubt.is_hopeless(now)));
        if hopeless == Some(true) {
            return self.give_up(intent, reason).await;
        }
        self.ask_again(intent);
        Ok(false)
    }

    pub(super) async fn end(
        &mut self,
        intent: &Intent,
        order_id: Option<i64>,
        outcome: Outcome,
        at: Moment,
    ) -> Result<bool, LedgerError> {
        let (id, booked) = (intent.id, outcome.clone());
        self.ledger.with(move |db| db.book(id, order_id, &booked, at)).await?;
        match &outcome {
            Outcome::Filled(fill) => told::traded(fill),
            other => log::warn!("order_ended coin={} outcome={other:?}", intent.coin),
        }
        Ok(true)
    }

    async fn give_up(&mut self, intent: &Intent, reason: String) -> Result<bool, LedgerError> {
        if intent.state == State::Stuck {
            self.ask_again(intent);
            return Ok(false);
        }
        told::stuck(intent.coin, &reason);
        let reason = format!("look at this order on Binance, then release it: {reason}");
        let (id, now) = (intent.id, clock::now());
        self.ledger.with(move |db| db.book(id, None, &Outcome::GivenUp(reason), now)).await?;
        self.doubts.remove(&intent.id);
        Ok(false)
    }

    /// Ce que vaut une réponse « inconnu » de plus : la fin de l'intention, ou pourquoi elle n'est pas prouvée.
    async fn weigh_absence(&mut self, intent: &Intent) -> Result<Result<Outcome, String>, LedgerError> {
        if intent.state == State::Stuck {
            return Ok(Err(intent.reason.clone().unwrap_or_default()));
        }
        let server = self.account.exchange().server_clock();
        if let Some(order_id) = intent.order_id {
            self.doubt(intent, Doubt::interrupted);
            return Ok(Err(format!("the exchange had it as order {order_id} and no longer shows it")));
        }
        let Some(server) = server.filter(|_| !self.account.exchange().needs_synchronising()) else {
            self.doubt(intent, Doubt::interrupted);
            return Ok(Err("the exchange's clock is not known".to_owned()));
        };
        self.doubt(intent, |doubt| doubt.absent(server.now(), server.margin));
        let told = self.doubt(intent, |doubt| (doubt.shows_absence(), doubt.told()));
        match told {
            Some((false, told)) => return Ok(Err(told)),
            None => return Ok(Err(String::new())),
            Some((true, _)) => {}
        }
        let Some(Sent { client_id, stamped_at, .. }) = intent.sent.clone() else {
            return Ok(Err(String::new()));
        };
        let (coin, since) = (intent.coin, stamped_at.minus(BEFORE));
        let contradiction = match corroborate(&self.account, coin, &client_id, since).await {
            Ok(balances) if self.ledger.with(move |db| db.unmoved(coin, &balances)).await? => None,
            Ok(_) => Some("the balances of the account changed meanwhile".to_owned()),
            Err(reason) => Some(reason),
        };
        if let Some(reason) = contradiction {
            self.doubt(intent, Doubt::interrupted);
            return Ok(Err(reason));
        }
        if intent.attempt >= ATTEMPTS {
            let reason = format!("sent {ATTEMPTS} times, and it never reached the exchange");
            return Ok(Ok(Outcome::GivenUp(reason)));
        }
        Ok(Ok(Outcome::ProvedAbsent("proved: it never reached the exchange".to_owned())))
    }

    async fn annotate(
        &self,
        intent: &Intent,
        order_id: Option<i64>,
        reason: String,
    ) -> Result<(), LedgerError> {
        if intent.reason.as_deref() == Some(reason.as_str()) && intent.order_id == order_id {
            return Ok(());
        }
        let id = intent.id;
        self.ledger.with(move |db| db.annotate(id, order_id, &reason)).await
    }

    fn ask_again(&mut self, intent: &Intent) {
        if let Some((doubt, at)) = self.doubts.get_mut(&intent.id) {
            let wait = if intent.state == State::Stuck { STUCK_EVERY } else { doubt.next_question() };
            *at = clock::instant() + wait;
        }
    }

    fn doubt<T>(&mut self, intent: &Intent, with: impl FnOnce(&mut Doubt) -> T) -> Option<T> {
        self.doubts.get_mut(&intent.id).map(|(doubt, _)| with(doubt))
    }

    fn server_now(&self) -> Option<Moment> {
        self.account.exchange().server_clock().map(|server| server.now())
    }
}

type Found = Option<(Report, Vec<Execution>)>;

/// Ce que la bourse dit de l'ordre qui porte ce nom.
pub(super) async fn question(account: &Account, coin: Coin, name: &str) -> Result<Found, Trouble> {
    let Some(report) = account.order(coin, name).await? else { return Ok(None) };
    let executed = report.ended && !report.executed.is_zero();
    let executions = if executed { account.executions(coin, report.order_id).await? } else { Vec::new() };
    Ok(Some((report, executions)))
}

pub(super) fn find(intent: &Intent, answer: Result<Found, Trouble>, bnb: Option<Price>) -> Finding {
    let (report, executions) = match answer {
        Err(trouble) => return Finding::Open(None, trouble.to_string()),
        Ok(None) => return Finding::Absent,
        Ok(Some(found)) => found,
    };
    let order_id = report.order_id;
    if (report.coin, report.side) != (intent.coin, intent.side) {
        return Finding::Strange(order_id, format!("order {order_id} bears its name and is another order"));
    }
    match execution::fill(&report, &executions, bnb) {
        Ok(Some(fill)) => Finding::Ended(order_id, Outcome::Filled(fill), report.at),
        Ok(None) => {
            let reason = format!("it ended {} and exchanged nothing", report.status);
            Finding::Ended(order_id, Outcome::Refused(reason), report.at)
        }
        Err(Incomplete::Strange(reason)) => Finding::Strange(order_id, reason),
        Err(other) => Finding::Open(Some(order_id), other.to_string()),
    }
}

/// Cherche une trace de l'ordre ailleurs ; rend ce que le compte tient, ou ce qui contredit l'absence.
async fn corroborate(account: &Account, coin: Coin, name: &str, since: Moment) -> Result<Balances, String> {
    let told = |trouble: Trouble| trouble.to_string();
    let orders = account.orders_since(coin, since).await.map_err(told)?;
    if let Some(order) = orders.iter().find(|order| order.client_id == name) {
        return Err(format!("the list of orders has it as {}", order.order_id));
    }
    let trades = account.executions_since(coin, since).await.map_err(told)?;
    let known = |trade: &&Execution| orders.iter().any(|order| order.order_id == trade.order_id);
    if let Some(trade) = trades.iter().find(|trade| !known(trade)) {
        return Err(format!("trade {} belongs to an order that is not listed", trade.trade_id));
    }
    Ok(account.state().await.map_err(told)?.balances)
}
