//! Le grand livre d'un compte réel à côté de ce que la bourse a exécuté, ordre par ordre, au dernier chiffre.
//!
//! Les ordres du compte sont lus d'abord, le grand livre ensuite : une intention est écrite avant d'être envoyée,
//! donc tout ordre à notre nom lu à la bourse doit y être, même si le démon tourne. Ceux d'autrui ne sont pas des
//! différences. Invariants : rien n'est écrit ; ce que la bourse n'a pas dit n'est jamais tenu pour juste.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::{Lines, counted, sums};
use crate::domain::execution::Report;
use crate::domain::intent::State;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::order_name::OrderName;
use crate::domain::recourse::Hand;
use crate::exchange::{Account, OTHER_ACCOUNT, Questions, Sighting, Silence, Trouble};
use crate::ledger::views::{Intent, Sent};
use crate::ledger::{LedgerError, LiveOrder, Silenced};

/// Le poids d'un ordre.
const ORDER_WEIGHT: u64 = 4;

/// La bourse archive après ce temps les ordres finis sans exécution, et répond alors par un refus (-2026).
const ARCHIVED: Duration = Duration::from_secs(90 * 86_400);

/// Ses lectures peuvent être en retard de ce temps sur son moteur.
const LAG: Duration = Duration::from_secs(60);

/// Ce que la bourse a confirmé ou démenti, prêt à être montré.
#[derive(Debug)]
pub struct Comparison {
    pub text: String,
    pub differences: usize,
    /// Faux si la bourse n'a pas répondu à tout.
    pub complete: bool,
}

impl Default for Comparison {
    /// Rien à comparer : des livres simulés, ou à qui l'on n'a pas demandé la bourse.
    fn default() -> Comparison {
        Comparison { text: String::new(), differences: 0, complete: true }
    }
}

/// Compare le grand livre à `path` au compte réel que `account` ouvre, pendant que le démon tourne ou non.
///
/// # Errors
/// Quand le grand livre ne se lit pas. Une bourse qui ne répond pas n'en est pas une : la comparaison le dit.
pub fn against(path: &Path, account: &Account) -> Result<Comparison, LedgerError> {
    let books = super::open(path)?;
    let (tag, outside, uid) = (books.tag()?, books.left_outside()?, books.account_uid()?);
    if let Some(Silenced { status, from, until }) = books.exchange_state()?.silenced {
        account.exchange().keep_silent(Silence { status, from, until });
    }
    drop(books);
    let outside = outside.iter().map(|order| (order.coin, order.order_id)).collect();
    let mut hearing = Hearing {
        account,
        questions: Questions::new(account),
        tag,
        outside,
        lines: Lines::default(),
        compared: 0,
        in_doubt: 0,
        by_hand: 0,
        slips: 0,
        foreign: 0,
        young: false,
    };
    let obstacle = match smol::block_on(hearing.hear(path, uid)) {
        Ok(()) => None,
        Err(Interruption::Books(error)) => return Err(error),
        Err(Interruption::Exchange(trouble)) => {
            Some(format!("{trouble}\n  -> {}", account.exchange().remedy(&trouble)))
        }
        Err(Interruption::OtherAccount) => {
            Some(format!("{OTHER_ACCOUNT}\n  -> set the key of that account again"))
        }
    };
    Ok(hearing.told(obstacle))
}

/// Pourquoi la comparaison s'est arrêtée avant la fin.
enum Interruption {
    Books(LedgerError),
    Exchange(Trouble),
    OtherAccount,
}

impl From<LedgerError> for Interruption {
    fn from(error: LedgerError) -> Self {
        Interruption::Books(error)
    }
}

impl From<Trouble> for Interruption {
    fn from(trouble: Trouble) -> Self {
        Interruption::Exchange(trouble)
    }
}

/// La comparaison en cours, et ce qu'elle a déjà établi.
struct Hearing<'a> {
    account: &'a Account,
    questions: Questions<'a>,
    /// L'étiquette de nos ordres, et ceux qui la portent qu'une personne a laissés dehors.
    tag: String,
    outside: BTreeSet<(Coin, i64)>,
    lines: Lines,
    compared: usize,
    in_doubt: usize,
    by_hand: usize,
    slips: usize,
    foreign: usize,
    /// Une différence porte sur un ordre que la bourse peut ne pas montrer encore en entier.
    young: bool,
}

/// Ce que vaut une intention face à la bourse.
enum Finding {
    Executed,
    NotExecuted,
    /// Le grand livre lui-même ne le sait pas encore.
    InDoubt,
    /// Une personne l'a booké, et la bourse ne le montre pas.
    ByHand,
    /// Une personne l'a booké, ou réglé, et la bourse en dit d'autres chiffres : ce qui les sépare est au rapprochement, réglé ou à régler.
    Slip(String),
    Different(String),
}

impl Hearing<'_> {
    async fn hear(&mut self, path: &Path, uid: Option<i64>) -> Result<(), Interruption> {
        let state = self.questions.state().await?;
        if uid.is_some_and(|uid| uid != state.uid) {
            return Err(Interruption::OtherAccount);
        }
        let mut listed = PerCoin::from_fn(|_| None);
        for coin in Coin::ALL {
            listed[coin] = match self.list(coin).await {
                Ok(reports) => Some(reports),
                Err(Trouble::UnknownSymbol(_)) => None,
                Err(trouble) => return Err(trouble.into()),
            };
        }
        let kept = super::open(path)?.live_orders()?;
        for coin in Coin::ALL {
            let kept: Vec<&LiveOrder> = kept.iter().filter(|order| order.intent.coin == coin).collect();
            match &listed[coin] {
                Some(listed) => self.compare_pair(coin, &kept, listed).await?,
                None => self.leave_out(coin, kept.len()),
            }
        }
        Ok(())
    }

    /// Les ordres de la paire qui portent un nom à nous, ou à une copie ; les autres sont comptés, et ceux laissés dehors.
    async fn list(&mut self, coin: Coin) -> Result<Vec<Report>, Trouble> {
        let (tag, outside) = (self.tag.clone(), self.outside.clone());
        let wanted = move |report: &Report| {
            OrderName::parse(&report.client_id).is_some_and(|name| name.is_kin(&tag))
                && !outside.contains(&(coin, report.order_id))
        };
        let (ours, others) = self.questions.orders(coin, wanted).await?;
        self.foreign += others;
        Ok(ours)
    }

    /// Une paire que la bourse ne connaît plus.
    fn leave_out(&mut self, coin: Coin, kept: usize) {
        let found = format!("the exchange knows this pair no more: {} not compared", counted(kept, "order"));
        self.lines.line("note", coin.pair(), &found);
    }

    async fn compare_pair(
        &mut self,
        coin: Coin,
        kept: &[&LiveOrder],
        listed: &[Report],
    ) -> Result<(), Trouble> {
        let (mut executed, mut not_executed) = (0, 0);
        for order in kept {
            let finding = self.examine(order, listed).await?;
            let compared = !matches!(finding, Finding::InDoubt | Finding::ByHand | Finding::Slip(_));
            self.compared += usize::from(compared);
            match finding {
                Finding::Executed => executed += 1,
                Finding::NotExecuted => not_executed += 1,
                Finding::InDoubt => self.in_doubt += 1,
                Finding::ByHand => self.by_hand += 1,
                Finding::Slip(found) => {
                    self.slips += 1;
                    self.lines.line("note", coin.pair(), &format!("{}: {found}", told(&order.intent)));
                }
                Finding::Different(found) => {
                    self.young |= self.is_young(&order.intent);
                    self.lines.fault(coin.pair(), &format!("{}: {found}", told(&order.intent)));
                }
            }
        }
        for report in listed {
            if let Some(found) = unknown(report, kept) {
                self.lines.fault(coin.pair(), &found);
            }
        }
        if executed + not_executed > 0 {
            let found = format!("{executed} executed, {not_executed} not executed");
            self.lines.line("ok", coin.pair(), &found);
        }
        Ok(())
    }

    async fn examine(&mut self, order: &LiveOrder, listed: &[Report]) -> Result<Finding, Trouble> {
        let intent = &order.intent;
        let filled = intent.state == State::Filled;
        if intent.state.is_in_doubt() {
            return Ok(Finding::InDoubt);
        }
        let Some(sent) = &intent.sent else {
            let never = "it is kept as executed, and was never sent".to_owned();
            return Ok(if filled { Finding::Different(never) } else { Finding::NotExecuted });
        };
        let mut named: Vec<Report> =
            listed.iter().filter(|report| is_of(report, intent, &sent.client_id)).cloned().collect();
        let mut shown = !named.is_empty();
        if named.is_empty() && (filled || self.age(sent.stamped_at) < ARCHIVED) {
            let sighting = self.look_up(intent, sent).await?;
            shown = sighting != Sighting::Unseen;
            named.extend(sighting.seen());
        }
        named.retain(|report| !report.executed.is_zero());
        Ok(match (filled, named.as_slice()) {
            (true, [report]) => self.compare(order, report).await?,
            // La bourse ne le montre pas : c'est ce pour quoi une personne l'a booké.
            (true, []) if !shown && intent.by_hand == Some(Hand::Booked) => Finding::ByHand,
            (true, []) => {
                Finding::Different("it is kept as executed, the exchange executed nothing".to_owned())
            }
            (false, []) => Finding::NotExecuted,
            (false, [report])
                if intent.accounted
                    || order.settled.explains(
                        report.side,
                        report.executed,
                        report.amount.unwrap_or_default(),
                    ) =>
            {
                Finding::Slip(format!(
                    "a person settled what it had changed; the exchange has it as order {}, {}",
                    report.order_id,
                    traded(report)
                ))
            }
            (false, [report]) => Finding::Different(format!(
                "it is kept as {}, the exchange has it as order {}, {}",
                intent.state.word(),
                report.order_id,
                traded(report)
            )),
            (_, several) => {
                let orders: Vec<String> = several.iter().map(|report| report.order_id.to_string()).collect();
                Finding::Different(format!("the exchange executed it as orders {}", orders.join(" and ")))
            }
        })
    }

    async fn look_up(&mut self, intent: &Intent, sent: &Sent) -> Result<Sighting, Trouble> {
        let ask = async |account: &Account| match intent.order_id {
            Some(number) => account.order_numbered(intent.coin, number).await,
            None => account.order(intent.coin, &sent.client_id).await,
        };
        self.questions.ask(ORDER_WEIGHT, ask).await
    }

    /// Une intention exécutée et l'ordre qui porte son nom : le même ordre, les mêmes sommes.
    async fn compare(&mut self, order: &LiveOrder, report: &Report) -> Result<Finding, Trouble> {
        let (intent, order_id) = (&order.intent, report.order_id);
        let Some(fill) = &order.fill else {
            let found = format!("the ledger has no trade of it, the exchange has {}", traded(report));
            return Ok(Finding::Different(found));
        };
        let mut found = Vec::new();
        if let Some(kept) = intent.order_id.filter(|kept| *kept != order_id) {
            found.push(format!("it is kept as order {kept}, the exchange has it as order {order_id}"));
        }
        if fill.side != report.side || fill.coin != report.coin {
            let (kept, told) = (fill.side.word(), report.side.word());
            found.push(format!("kept {kept} {}, the exchange has {told} {}", fill.coin, report.coin));
        }
        let executions = self.questions.executions(report.coin, order_id).await?;
        let sums = sums::differences(&sums::kept(fill), &executions);
        Ok(match (found.is_empty(), sums.is_empty()) {
            (true, true) => Finding::Executed,
            (true, false) if intent.by_hand == Some(Hand::Booked) => Finding::Slip(sums.join("; ")),
            _ => Finding::Different([found, sums].concat().join("; ")),
        })
    }

    fn is_young(&self, intent: &Intent) -> bool {
        intent.sent.as_ref().is_some_and(|sent| self.age(sent.stamped_at) < LAG)
    }

    /// L'âge d'un ordre, à l'heure de la bourse.
    fn age(&self, stamped_at: Moment) -> Duration {
        let server = self.account.exchange().server_clock();
        server.map(|server| server.now().since(stamped_at)).unwrap_or_default()
    }

    fn told(self, obstacle: Option<String>) -> Comparison {
        let (differences, complete) = (self.lines.differences, obstacle.is_none());
        let mut text = self.lines.text;
        if self.in_doubt > 0 {
            let found = format!("{} in doubt, not compared\n", counted(self.in_doubt, "order"));
            text.push_str(&found);
        }
        if self.by_hand > 0 {
            let found = format!(
                "{} booked by hand, which the exchange does not show: not compared\n",
                counted(self.by_hand, "order")
            );
            text.push_str(&found);
        }
        if self.slips > 0 {
            let found = format!(
                "{} ended by hand otherwise than the exchange tells: what that left between the books and the account is \
                 under the differences on the page, or was settled there\n",
                counted(self.slips, "order")
            );
            text.push_str(&found);
        }
        if self.foreign > 0 {
            text.push_str(&format!("{} of the account not ours\n", counted(self.foreign, "order")));
        }
        let compared = counted(self.compared, "order");
        if differences > 0 {
            let late = match self.young {
                true => "; less than a minute after an order the exchange may be late, then verify again",
                false => "",
            };
            let count = counted(differences, "difference");
            text.push_str(&format!(
                "{count} with the exchange: look at these orders on Binance before going on{late}\n"
            ));
        }
        match obstacle {
            Some(obstacle) => {
                text.push_str(&format!("the exchange could not be asked, after {compared}: {obstacle}\n"));
            }
            None if differences == 0 => text.push_str(&format!("the exchange agrees ({compared})\n")),
            None => {}
        }
        Comparison { text, differences, complete }
    }
}

/// Ce qu'il y a à dire d'un ordre de la bourse qui porte un nom à nous ; `None` s'il est bien celui d'une intention.
fn unknown(report: &Report, kept: &[&LiveOrder]) -> Option<String> {
    let intents = || {
        kept.iter().filter_map(|order| Some((&order.intent, order.intent.sent.as_ref()?.client_id.as_str())))
    };
    if intents().any(|(intent, name)| is_of(report, intent, name)) {
        return None;
    }
    let Report { client_id, order_id, side, .. } = report;
    let twin = intents().find(|(_, name)| name == client_id).and_then(|(intent, _)| intent.order_id);
    Some(match twin.filter(|_| !report.executed.is_zero()) {
        Some(twin) => {
            let (first, second) = (*order_id.min(&twin), *order_id.max(&twin));
            format!("{} {client_id}: the exchange executed it as orders {first} and {second}", side.word())
        }
        None => format!(
            "{} {client_id}: the ledger does not know it; the exchange has it as order {order_id}, {}",
            side.word(),
            traded(report)
        ),
    })
}

/// Vrai si la bourse parle de l'ordre de cette intention. Plusieurs peuvent porter un même nom (une demande livrée deux
/// fois, une copie du grand livre) : le numéro, s'il est su, en décide.
fn is_of(report: &Report, intent: &Intent, client_id: &str) -> bool {
    match intent.order_id {
        Some(order_id) => report.order_id == order_id,
        None => report.client_id == client_id && intent.may_be(report),
    }
}

/// `BUY cal-1f00-7-1` : de quoi retrouver l'ordre à la bourse.
fn told(intent: &Intent) -> String {
    let name = intent.sent.as_ref().map(|sent| sent.client_id.clone());
    let name = name.unwrap_or_else(|| format!("intent {}", intent.id));
    let hand = if intent.by_hand == Some(Hand::Booked) { ", booked by hand" } else { "" };
    format!("{} {name}{hand}", intent.side.word())
}

fn traded(report: &Report) -> String {
    let amount = report.amount.map_or_else(|| "an unknown amount of".to_owned(), |amount| amount.to_string());
    format!("{} for {amount} USDC", report.executed)
}
