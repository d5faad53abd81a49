//! Le balayage des ordres du compte : ceux que les livres n'ont pas sont retenus ([`super::evidence`]), les nôtres crus
//! finis sans exécution revus.
//!
//! Invariants : rien ne s'échange tant que le dernier balayage n'a pas tout lu et tout compté (`LiveAccount::scanned`) ; ce
//! qui manque à une paire ou à un ordre n'arrête pas les autres, qui passent devant la fois suivante.

use std::ops::ControlFlow;
use std::time::Duration;

use super::LiveAccount;
use super::held::WATCHED;
use super::pace::LONGEST;
use super::question::{Finding, Told, find, question};
use crate::clock;
use crate::domain::execution::BnbPrice;
use crate::domain::money::Price;
use crate::domain::recourse::Hand;
use crate::exchange::Trouble;
use crate::ledger::views::Intent;
use crate::ledger::{LedgerError, Outcome};

/// Entre deux balayages.
const EVERY: Duration = Duration::from_secs(3600);

/// Avant de lire la suite d'une liste trop longue pour un balayage.
const NEXT_PAGES: Duration = Duration::from_secs(60);

/// Tout reste fermé tant qu'une réponse manque, souvent quand le reste de la bourse répond ; un balayage coûte un soixantième de
/// ce qu'elle permet en une minute.
const UNANSWERED: Duration = Duration::from_secs(120);

/// Lectures manquées de suite au-delà desquelles c'est la bourse qui ne répond pas, et non la paire ou l'ordre.
const IN_A_ROW: usize = 3;

/// Ce qui a manqué à une part du balayage.
pub(super) enum Cut {
    /// Nos livres ne se lisent ou ne s'écrivent pas.
    Ledger(LedgerError),
    /// La bourse n'a pas répondu.
    Outside(Trouble),
    /// Un ordre est là, et ne se compte pas encore.
    Uncounted(String),
    /// Il y a plus d'ordres qu'on n'en lit d'un coup.
    Unfinished,
}

impl From<LedgerError> for Cut {
    fn from(error: LedgerError) -> Cut {
        Cut::Ledger(error)
    }
}

impl From<Trouble> for Cut {
    fn from(trouble: Trouble) -> Cut {
        Cut::Outside(trouble)
    }
}

impl Cut {
    pub(super) fn told(&self) -> String {
        match self {
            Cut::Ledger(error) => format!("could not be counted: {error}"),
            Cut::Outside(trouble) => format!("could not be read: {trouble}"),
            Cut::Uncounted(reason) => format!("executed late, not booked: {reason}"),
            Cut::Unfinished => "are many, they are being read".to_owned(),
        }
    }
}

/// Ce qui manque à un balayage, à mesure qu'il se fait.
#[derive(Default)]
struct Missing {
    told: Vec<String>,
    in_a_row: usize,
    /// Vrai si rien d'autre ne manque que la suite de listes trop longues.
    only_more: bool,
    /// Vrai si rien d'autre ne manque que des réponses de la bourse.
    only_answers: bool,
}

impl Missing {
    fn new() -> Missing {
        Missing { only_more: true, only_answers: true, ..Missing::default() }
    }

    /// Retient ce qu'a donné cette part ; s'arrête si la suite aurait le même sort.
    fn note(&mut self, what: String, part: &Result<(), Cut>) -> ControlFlow<()> {
        let Err(cut) = part else {
            self.in_a_row = 0;
            return ControlFlow::Continue(());
        };
        self.told.push(format!("{what} {}", cut.told()));
        self.only_more &= matches!(cut, Cut::Unfinished);
        self.only_answers &= matches!(cut, Cut::Outside(trouble) if trouble.is_no_answer());
        self.in_a_row += usize::from(matches!(cut, Cut::Outside(_)));
        match cut {
            Cut::Outside(trouble) if self.in_a_row >= IN_A_ROW || trouble.holds_for_all() => {
                // Ni cette paire ni cet ordre n'y sont pour rien.
                self.told = vec![format!("the orders could not be read: {trouble}")];
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// Ce qui manque, en une phrase toujours la même tant que c'est la même chose.
    fn sentence(&mut self) -> String {
        self.told.sort_unstable();
        let more = self.told.len().saturating_sub(1);
        let first = self.told.first().cloned().unwrap_or_default();
        if more == 0 { first } else { format!("{first} (and {more} more)") }
    }
}

/// Cette phrase, avec ce qu'il y faut faire : rien.
fn again(reason: String, longest: Duration) -> String {
    format!("{reason}; it is asked again by itself, within {} minutes", longest.as_secs() / 60)
}

impl LiveAccount {
    /// Balaie quand c'est l'heure, et retient si tout est su, ou ce qui a manqué.
    pub(super) async fn scan(&mut self, bnb: Option<Price>) {
        if self.next_scan > clock::instant() {
            return;
        }
        let mut missing = Missing::new();
        let whole = self.scan_orders(bnb, &mut missing).await;
        if let Err(error) = whole {
            missing.told.push(format!("the orders of the account could not be followed: {error}"));
            (missing.only_more, missing.only_answers) = (false, false);
        }
        self.scan_comeback.tried(!missing.told.is_empty() && missing.only_answers);
        if missing.only_more {
            self.scan_pace.succeeded();
        }
        if missing.told.is_empty() {
            self.unvouched = None;
        }
        (self.scanned, self.next_scan) = match (missing.told.is_empty(), missing.only_more) {
            (true, _) => (Ok(()), clock::instant() + EVERY),
            (false, true) => (Err(missing.sentence()), clock::instant() + NEXT_PAGES),
            (false, false) => {
                let longest = if missing.only_answers { UNANSWERED } else { LONGEST };
                (Err(again(missing.sentence(), longest)), self.scan_pace.failed_within(longest))
            }
        };
    }

    /// Vrai si ce dont c'est l'heure demandera le prix du BNB : sans lui, des frais en BNB n'ont pas de valeur. Dans le
    /// doute, il le demandera.
    pub async fn wants_a_price(&self) -> bool {
        if !self.due_doubts().is_empty() {
            return true;
        }
        let since = clock::now().minus(WATCHED);
        let scans = self.next_scan <= clock::instant();
        let unexecuted = self.ledger.with(move |db| db.unexecuted(since));
        scans && unexecuted.await.map_or(true, |intents| !intents.is_empty())
    }

    async fn scan_orders(&mut self, bnb: Option<Price>, missing: &mut Missing) -> Result<(), LedgerError> {
        let looked = self.look_for_others().await?;
        looked.iter().for_each(|(coin, read)| self.unread_coins[*coin] = read.is_err());
        for (coin, read) in looked {
            if missing.note(format!("the orders of {coin}"), &read).is_break() {
                return Ok(());
            }
        }
        let since = clock::now().minus(WATCHED);
        let mut unexecuted = self.ledger.with(move |db| db.unexecuted(since)).await?;
        unexecuted.sort_by_key(|intent| self.unbooked.holds(intent.id) || self.unread.holds(intent.id));
        for intent in unexecuted {
            let looked = self.look_again(&intent, bnb).await;
            let looked = self.keep_looking(&intent, looked).await;
            if missing.note(format!("an order of {}", intent.coin), &looked).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Redemande un ordre cru sans exécution : une exécution apprise tard est comptée, et arrête les achats ; qui ne se
    /// compte pas demande une personne.
    async fn look_again(&mut self, intent: &Intent, bnb: Option<Price>) -> Result<(), Cut> {
        let Some(sent) = intent.sent.as_ref().filter(|_| !intent.accounted) else { return Ok(()) };
        let told = question(&self.account, intent, &sent.client_id).await?;
        if !matches!(told, Told::Seen(..)) {
            return Ok(());
        }
        // Le prix du BNB n'est attendu qu'une fois.
        let waited = self.unbooked.holds(intent.id);
        let bnb = if waited { BnbPrice::or_unknown(bnb) } else { BnbPrice::or_awaited(bnb) };
        let (coin, id) = (intent.coin, intent.id);
        let settled = self.ledger.with(move |db| db.settled_since(id)).await?;
        match find(intent, Ok(told), bnb) {
            Finding::Absent | Finding::Ended(_, Outcome::Unprocessed(_), _) => Ok(()),
            // Ce qu'il a changé est aux livres par ce que la personne a dit des écarts.
            Finding::Ended(order, Outcome::Filled(fill), _)
                if settled.explains(fill.side, fill.quantity, fill.amount) =>
            {
                Ok(self.ledger.with(move |db| db.account_for(id, order)).await?)
            }
            Finding::Ended(order, outcome, at) => {
                log::error!("order_executed_late coin={coin} intent={id}");
                self.end(intent, order, outcome, at).await?;
                Ok(())
            }
            // Une personne l'a réglé en le sachant.
            _ if intent.by_hand == Some(Hand::Settled) => Ok(()),
            // Le nôtre n'a pas été exécuté ; celui-là est un indice, vu avec les autres ordres de sa paire.
            Finding::Strange(None, _) => Ok(()),
            Finding::Strange(_, reason) => Ok(self.give_up(intent, reason).await?),
            Finding::Open(_, reason) => Err(Cut::Uncounted(reason)),
        }
    }

    /// Retient l'ordre qui n'a pas été revu, ou dont la suite ne s'écrit pas ; au bout, une personne s'en charge.
    async fn keep_looking(&mut self, intent: &Intent, looked: Result<(), Cut>) -> Result<(), Cut> {
        let (id, coin) = (intent.id, intent.coin);
        let cut = match looked {
            Err(Cut::Outside(trouble)) if trouble.holds_for_all() => return Err(Cut::Outside(trouble)),
            Err(cut) => cut,
            Ok(()) => {
                self.unbooked.release(id);
                self.unread.release(id);
                return Ok(());
            }
        };
        let held = match &cut {
            Cut::Outside(_) => &mut self.unread,
            Cut::Ledger(_) | Cut::Uncounted(_) | Cut::Unfinished => &mut self.unbooked,
        };
        // La liste de sa paire s'est lue : ce n'est pas la bourse qui manque.
        let hopeless = held.is_hopeless(id) && !self.unread_coins[coin];
        held.hold(id, coin, cut.told());
        if hopeless && self.give_up(intent, cut.told()).await.is_ok() {
            self.unbooked.release(id);
            self.unread.release(id);
            return Ok(());
        }
        Err(cut)
    }
}
