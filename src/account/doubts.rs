//! Les ordres en doute : demander, attendre, prouver. Le même code au démarrage et en marche.
//!
//! Un ordre trouvé est adopté tel que la bourse le raconte. Un ordre introuvable n'est dit absent que si tout
//! concorde ([`Doubt`], puis les ordres, les trades et les soldes du compte) ; sinon on attend, et au bout une
//! personne regarde. Jamais rien n'est renvoyé d'ici. Invariant : ce qui empêche d'écrire la suite d'un ordre ferme
//! l'échange et ne retient pas les autres ordres.

use std::time::{Duration, Instant};

use super::LiveAccount;
use super::held::WATCHED;
use super::question::{Finding, find, question};
use crate::clock;
use crate::domain::doubt::{ATTEMPTS, Doubt};
use crate::domain::execution::{BnbPrice, Execution};
use crate::domain::intent::State;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Price;
use crate::domain::reconcile::Balances;
use crate::exchange::{Account, Trouble};
use crate::ledger::views::{Intent, Sent};
use crate::ledger::{Db, LedgerError, Outcome};
use crate::logging::orders as told;

/// Un ordre bloqué peut encore se montrer : on redemande, sans hâte.
const STUCK_EVERY: Duration = Duration::from_secs(3600);

/// Ce qui précède l'heure d'un ordre et où l'on cherche encore sa trace.
const BEFORE: Duration = Duration::from_secs(60);

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

    /// Quand demander des nouvelles du prochain ordre en doute ; `None` s'il n'y en a pas.
    pub(super) fn next_question(&self) -> Option<Instant> {
        match self.unfollowed {
            Some(_) => Some(self.doubts_from),
            None => self.doubts.values().map(|(_, at)| *at).min(),
        }
    }

    /// Les ordres en doute dont c'est l'heure.
    pub(super) fn due_doubts(&self) -> Vec<i64> {
        let now = clock::instant();
        self.doubts.iter().filter(|(_, (_, at))| *at <= now).map(|(id, _)| *id).collect()
    }

    /// Demande des nouvelles des ordres en doute dont c'est l'heure. Rend vrai si l'un a fini. Si le grand livre ne dit même
    /// pas lesquels le sont, tout attend, et rien ne s'échange.
    pub(super) async fn ask_doubtful(&mut self, bnb: Option<Price>) -> bool {
        if self.doubts_from > clock::instant() {
            return false;
        }
        let mut ended = false;
        match self.ask_due(bnb, &mut ended).await {
            Ok(()) => {
                self.unfollowed = None;
                self.doubts_pace.succeeded();
            }
            Err(error) => self.unfollow(&error),
        }
        ended
    }

    /// Retient que les ordres en doute ne sont plus suivis, et quand les reprendre.
    pub(super) fn unfollow(&mut self, error: &LedgerError) {
        let reason = format!("the orders in doubt are not followed: {error}");
        if self.unfollowed.as_ref() != Some(&reason) {
            log::error!("doubts_not_followed reason={error}");
        }
        self.unfollowed = Some(reason);
        self.doubts_from = self.doubts_pace.failed();
    }

    async fn ask_due(&mut self, bnb: Option<Price>, ended: &mut bool) -> Result<(), LedgerError> {
        self.forget_counted().await?;
        let due = self.due_doubts();
        let mut doubtful = self.ledger.with(|db| db.doubtful()).await?;
        if doubtful.iter().any(|intent| intent.state == State::Sent) {
            // Rien n'est en route entre deux tours : l'issue n'a pas pu s'écrire.
            self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
            doubtful = self.ledger.with(|db| db.doubtful()).await?;
        }
        for intent in doubtful.iter().filter(|intent| due.contains(&intent.id)) {
            *ended |= self.ask(intent, bnb).await;
        }
        self.watch_doubts().await
    }

    /// Oublie les ordres retenus qui ont quand même été comptés : une écriture dite manquée peut avoir eu lieu.
    async fn forget_counted(&mut self) -> Result<(), LedgerError> {
        if self.unbooked.is_empty() && self.unread.is_empty() {
            return Ok(());
        }
        let since = clock::now().minus(WATCHED);
        let open = move |db: &mut Db| Ok((db.doubtful()?, db.unexecuted(since)?));
        let (doubtful, unexecuted) = self.ledger.with(open).await?;
        let open: Vec<i64> = doubtful.iter().chain(&unexecuted).map(|intent| intent.id).collect();
        self.unbooked.keep_only(&open);
        self.unread.keep_only(&open);
        Ok(())
    }

    /// Demande des nouvelles d'un ordre ; rend vrai s'il a fini. Ce que le grand livre n'en prend pas n'arrête pas les
    /// autres.
    async fn ask(&mut self, intent: &Intent, bnb: Option<Price>) -> bool {
        let Some(sent) = &intent.sent else { return false };
        let answer = question(&self.account, intent, &sent.client_id).await;
        // Au bout, des frais en BNB se comptent sans leur prix : c'est mieux que d'appeler quelqu'un.
        let hopeless = intent.state == State::Stuck || self.is_hopeless(intent);
        let bnb = if hopeless { BnbPrice::or_unknown(bnb) } else { BnbPrice::or_awaited(bnb) };
        match self.conclude(intent, find(intent, answer, bnb)).await {
            Ok(ended) => {
                self.unbooked.release(intent.id);
                ended
            }
            Err(error) => {
                self.hold(intent, &error).await;
                false
            }
        }
    }

    /// Le grand livre n'a pas pris ce qu'on a appris de cet ordre : rien ne s'échange, lui seul est repris ; au bout, une
    /// personne s'en charge. D'un ordre qui l'attend déjà, il n'y a rien de plus à retenir.
    async fn hold(&mut self, intent: &Intent, error: &LedgerError) {
        if intent.state == State::Stuck {
            log::error!("order_not_booked coin={} intent={} reason={error}", intent.coin, intent.id);
            return self.ask_again(intent);
        }
        if self.unbooked.is_hopeless(intent.id) {
            let reason = format!("it could not be written into the books: {error}");
            if self.give_up(intent, reason).await.is_ok() {
                return self.unbooked.release(intent.id);
            }
        }
        let again = self.unbooked.hold(intent.id, intent.coin, error.to_string());
        if let Some((_, at)) = self.doubts.get_mut(&intent.id) {
            *at = again;
        }
    }

    /// Tire d'une réponse ce qu'elle permet ; rend vrai si l'intention a fini.
    async fn conclude(&mut self, intent: &Intent, finding: Finding) -> Result<bool, LedgerError> {
        let (order_id, reason) = match finding {
            Finding::Ended(order_id, outcome, at) => return self.end(intent, order_id, outcome, at).await,
            Finding::Absent => match self.weigh_absence(intent).await? {
                Ok(Outcome::GivenUp(reason)) => {
                    self.give_up(intent, reason).await?;
                    return Ok(false);
                }
                Ok(outcome) => return self.end(intent, None, outcome, clock::now()).await,
                Err(reason) => (None, reason),
            },
            Finding::Strange(order_id, reason) => {
                self.doubt(intent, Doubt::interrupted);
                self.annotate(intent, order_id, reason.clone()).await?;
                self.give_up(intent, reason).await?;
                return Ok(false);
            }
            Finding::Open(order_id, reason) => {
                self.doubt(intent, Doubt::interrupted);
                (order_id, reason)
            }
        };
        self.annotate(intent, order_id, reason.clone()).await?;
        if self.is_hopeless(intent) {
            self.give_up(intent, reason).await?;
        } else {
            self.ask_again(intent);
        }
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
            Outcome::Filled(fill) | Outcome::BookedByHand(fill) => told::traded(fill),
            other => {
                let reason = other.reason().unwrap_or_default();
                log::warn!("order_ended coin={} outcome={} reason={reason:?}", intent.coin, other.word());
            }
        }
        Ok(true)
    }

    /// Appelle une personne : son coin est gelé tant qu'elle n'a pas regardé.
    pub(super) async fn give_up(&mut self, intent: &Intent, reason: String) -> Result<(), LedgerError> {
        if intent.state == State::Stuck {
            self.ask_again(intent);
            return Ok(());
        }
        let (id, now) = (intent.id, clock::now());
        let kept = format!("look at this order on the exchange, then release, book or settle it: {reason}");
        self.ledger.with(move |db| db.book(id, None, &Outcome::GivenUp(kept), now)).await?;
        told::stuck(intent.coin, &reason);
        self.doubts.remove(&intent.id);
        Ok(())
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
        let (coin, side) = (intent.coin, intent.side);
        let contradiction = match corroborate(&self.account, coin, &client_id, stamped_at).await {
            Ok(balances) if self.ledger.with(move |db| db.unmoved(coin, side, &balances)).await? => None,
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

    fn is_hopeless(&mut self, intent: &Intent) -> bool {
        let now = self.server_now();
        self.doubt(intent, |doubt| now.is_some_and(|now| doubt.is_hopeless(now))).unwrap_or_default()
    }

    fn server_now(&self) -> Option<Moment> {
        self.account.exchange().server_clock().map(|server| server.now())
    }
}

/// Cherche une trace de l'ordre ailleurs ; rend ce que le compte tient, ou ce qui contredit l'absence.
pub(super) async fn corroborate(
    account: &Account,
    coin: Coin,
    name: &str,
    stamped_at: Moment,
) -> Result<Balances, String> {
    let since = stamped_at.minus(BEFORE);
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
