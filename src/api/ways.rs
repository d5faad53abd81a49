//! `GET /api/ways` : tout ce qu'une personne peut décider maintenant, ce qui s'ensuivra, et comment le demander.
//!
//! `calvalot decide` ne sait rien d'autre. Invariant : ce qui attend quelqu'un a ici au moins une issue, et ce qui est offert
//! n'est pas refusé tant que rien ne change ; d'un grand livre où plus rien ne s'écrit, rien n'est offert.

use std::time::Duration;

use http_types::StatusCode;
use miniserde::json::{Number, Value};

use super::Request;
use super::budget::value_of;
use super::copies;
use super::errors::ApiError;
use super::json::json;
use super::waiting_orders;
use super::way_out::WayOut;
use crate::clock;
use crate::domain::booking::{self, LOST};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Quantity, Usdc};
use crate::domain::reconcile::{self, CASH, Line};
use crate::domain::recourse;
use crate::domain::stop_loss;
use crate::domain::survival;
use crate::domain::wish::SELL_ALL_TELLS;
use crate::domain::withdrawal;
use crate::ledger::views::{Agent, Balance, Intent, OldTarget, Withdrawal};
use crate::ledger::{Db, ForeignOrder, LedgerError, StopLoss, Unpriced};

/// Un écart comparé depuis plus longtemps ne se règle pas : le compte ne se lit plus, et ce qu'il tient a pu changer.
const COMPARED: Duration = Duration::from_secs(15 * 60);

/// Les ordres que l'on regarde : ceux qui demandent quelqu'un viennent d'abord.
const LOOKED_AT: u32 = 100;

/// Ce qu'il faut savoir pour le dire, lu d'un coup.
struct Seen {
    agent: Agent,
    /// Pourquoi rien ne s'échange, si rien ne s'échange.
    closed: Option<String>,
    not_alone: Option<String>,
    /// Vrai si le compte n'est pas rapproché des livres en ce moment.
    uncompared: bool,
    evidence: Vec<ForeignOrder>,
    takeover: Vec<(Coin, Line)>,
    orders: Vec<Intent>,
    balances: Vec<Balance>,
    /// Ce qui est tenu, et dont le prix ou les règles manquent.
    unpriced: Vec<Unpriced>,
    withdrawal: Option<Withdrawal>,
    selling: bool,
    holds: bool,
    old_target: Option<OldTarget>,
    stop_loss: StopLoss,
    /// Ce que le tout vaut ; `None` dès qu'un prix ou le taux manque.
    value: Option<Eur>,
    /// Ce qui a été déposé ; `None` avant l'ouverture.
    deposited: Option<Eur>,
}

impl Seen {
    fn read(db: &mut Db, uncompared: bool, now: Moment) -> Result<Seen, LedgerError> {
        let (outlook, account) = (db.exchange_state()?, db.account()?);
        let (outside, positions) = (db.outside(now)?, db.open_positions()?);
        let total = account.cash.zip(value_of(&positions, &outside.prices)).map(|(cash, coins)| cash + coins);
        Ok(Seen {
            value: total.zip(outside.rate).map(|(total, rate)| total.to_eur(rate)),
            agent: db.agent()?,
            closed: outlook.closed,
            not_alone: outlook.not_alone,
            uncompared,
            evidence: db.evidence()?,
            takeover: db.takeover()?,
            orders: db.orders(LOOKED_AT)?,
            balances: db.balances()?,
            unpriced: db.unpriced(now)?,
            withdrawal: db.withdrawals(Some(1))?.pop().filter(|withdrawal| withdrawal.open),
            selling: db.selling_all()?.is_some_and(|selling| !selling.done),
            holds: !positions.is_empty(),
            old_target: db.old_target(now)?,
            stop_loss: db.stop_loss()?,
            deposited: account.cash.map(|_| account.deposited),
        })
    }

    /// Ce qui empêche de suivre d'abord, ce qui est toujours possible à la fin.
    fn ways(&self, oldest_action: Duration, now: Moment) -> Vec<WayOut> {
        let mut ways = self.alone();
        ways.extend(self.taken_over());
        ways.extend(self.orders.iter().flat_map(|order| waiting_orders::ended(order, oldest_action, now)));
        ways.extend(self.old_target.iter().flat_map(|old| aged(old, now)));
        let follows = self.followed(now);
        let (resumes, pauses): (Vec<WayOut>, _) = follows.into_iter().partition(|_| self.agent.paused);
        ways.extend(resumes);
        if self.evidence.is_empty() && !self.uncompared {
            let compared = self.balances.iter().filter(|balance| now.since(balance.at) <= COMPARED);
            ways.extend(compared.flat_map(|balance| self.settled(balance, now)));
        }
        ways.extend(self.lost(now));
        ways.extend(self.withdrawal.iter().flat_map(|withdrawal| self.withdrawn(withdrawal)));
        ways.extend(pauses);
        ways.extend(self.deposited.iter().flat_map(|deposited| self.moved(*deposited)));
        ways.extend(self.sold());
        ways.extend(self.limited());
        ways
    }

    fn alone(&self) -> Vec<WayOut> {
        let Some(reason) = &self.not_alone else { return Vec::new() };
        let way = |way: copies::Way| {
            let (path, sure) = match way.way {
                "move_here" => ("machine", "first_is_off"),
                path => (path, "other_is_off"),
            };
            WayOut::new(way.way.replace('_', "-"), reason, way.consequence)
                .post(format!("/api/exchange/{path}"))
                .yes(sure)
        };
        copies::ways(reason, &self.evidence).into_iter().map(way).collect()
    }

    fn taken_over(&self) -> Option<WayOut> {
        let gone = |(coin, line): &(Coin, Line)| format!("{} {}", line.gone(), coin.asset());
        let gone: Vec<String> = self.takeover.iter().map(gone).collect();
        let about = format!(
            "these books come from the Python version, which did not deduct fees taken in a coin: {} less on \
                             the account",
            gone.join(", ")
        );
        let consequence =
            "the books will say what the account holds; it is booked as moved out at the price of now";
        let way =
            WayOut::new("take-over", about, consequence).post("/api/exchange/takeover").yes("understood");
        (!gone.is_empty()).then_some(way)
    }

    /// Un écart que rien d'inconnu n'explique peut-être, et que la reprise ne règle pas d'un coup.
    fn settled(&self, balance: &Balance, now: Moment) -> Vec<WayOut> {
        let (asset, line) = (balance.asset.as_str(), &balance.line);
        let of_takeover = self.takeover.iter().any(|(coin, _)| coin.asset() == asset);
        if balance.in_doubt || of_takeover {
            return Vec::new();
        }
        let way = |word: &str, quantity: Quantity, told: &str, consequence: &str| {
            WayOut::new(
                format!("{word}-{asset}"),
                format!(
                    "the account holds {} {asset} {told} the books",
                    reconcile::told_at_most(quantity, asset)
                ),
                consequence,
            )
            .post(format!("/api/exchange/differences/{asset}/{word}"))
            .say("quantity", Value::String(quantity.to_string()))
        };
        let mut ways = Vec::new();
        let cash = asset == CASH;
        // Ce qui manque est peut-être ce qu'une personne a sorti, et ce qui s'ajoute partirait avec ce qui se vend pour elle.
        let (may_be_taken, would_go) =
            (cash && self.withdrawal.is_some(), self.withdrawal.as_ref().is_some_and(takes_all));
        if line.gone().is_positive() && !may_be_taken {
            let unpriced = self.unpriced.iter().find(|one| one.coin.asset() == asset && one.lacks_price);
            let consequence =
                format!("you sold it, or moved it: {}", booking::told(unpriced.map(|one| one.last), now));
            ways.push(way("write-off", line.gone(), "less than", &consequence));
        }
        if line.beyond().is_positive() && !self.agent.dead && !would_go {
            let consequence = if cash {
                "it is yours to invest here: it is booked as a deposit, all of it or the quantity you say; if it is for \
                 something else, leave it"
            } else {
                "it is yours to invest here: it is booked as a deposit at the price of now, all of it or the quantity you say, \
                 and may be sold if the leader does not hold as much; if it is for something else, leave it"
            };
            let count = way("count", line.beyond(), "more than", consequence);
            ways.push(WayOut { takes: &["quantity"], ..count });
        }
        ways
    }

    /// En simulation, ce dont le prix ne revient plus : aucun compte ne le montrera parti.
    fn lost(&self, now: Moment) -> Vec<WayOut> {
        let is_lost = |one: &&Unpriced| !self.agent.is_live() && one.unknown_for >= LOST;
        let way = |one: &Unpriced| {
            let (coin, asset, age) = (one.coin, one.coin.asset(), recourse::told(one.unknown_for));
            let about = format!("the price or the rules of {coin} have been unknown for {age}");
            let priced = booking::told(one.lacks_price.then_some(one.last), now);
            let consequence = format!("it is given up: {priced}; the total, withdrawals and purchases go on");
            WayOut::new(format!("write-off-{asset}"), about, consequence)
                .post(format!("/api/exchange/differences/{asset}/write-off"))
                .say("quantity", Value::String(one.quantity.to_string()))
        };
        self.unpriced.iter().filter(is_lost).map(way).collect()
    }

    fn withdrawn(&self, withdrawal: &Withdrawal) -> Vec<WayOut> {
        let id = withdrawal.id;
        let path = |word: &str| format!("/api/budget/withdrawals/{id}/{word}");
        let set_aside = withdrawal.set_aside;
        let waits = set_aside.is_positive();
        let about = if waits {
            let held = self.locked(set_aside);
            let first = if held.is_positive() {
                format!("; an open order of yours holds {held:.2} USDC of it: cancel it there first")
            } else {
                String::new()
            };
            format!(
                "withdrawal {id}: {:.2} USDC are set aside, to be taken out of the exchange now{first}",
                withdrawal::in_cents(set_aside)
            )
        } else {
            let waits = withdrawal.waiting_for.as_ref().map(|reason| format!("it waits: {reason}"));
            format!("withdrawal {id}: {}", waits.unwrap_or("it still sells".to_owned()))
        };
        let taken = "they have left the exchange: they are booked as gone at the rate of now (only needed where other USDC on the \
                     account hide it); with usdc, only that part had left, and the rest is cash again";
        let cancelled = "it is called off: what was sold stays cash and is put to work again at the next poll; what was seen gone \
                         stays booked";
        let mut ways = Vec::new();
        if waits && self.agent.is_live() {
            let way = WayOut::new(format!("taken-{id}"), &about, taken).post(path("taken")).yes("taken_out");
            ways.push(WayOut { takes: &["usdc"], ..way });
        }
        ways.push(WayOut::new(format!("cancel-{id}"), about, cancelled).post(path("cancel")));
        ways
    }

    /// Ce que la bourse ne laissera pas sortir de ces USDC, parce qu'un ordre ouvert de la personne le retient.
    fn locked(&self, aside: Usdc) -> Usdc {
        let Some(balance) = self.balances.iter().find(|balance| balance.asset == CASH) else {
            return Usdc::ZERO;
        };
        let [free, locked] = [balance.line.free, balance.line.locked].map(|held| Usdc::new(held.decimal()));
        (aside - free).min(locked)
    }

    /// De l'argent de plus ou de moins. Au compte réel, ce qui s'ajoute est un écart, qui se compte au dernier chiffre.
    fn moved(&self, deposited: Eur) -> Vec<WayOut> {
        let worth = self.value.map(|value| format!("it is worth {value:.2} EUR"));
        let worth = worth.unwrap_or("its value is not known now".to_owned());
        let about = format!("{worth}, deposits add up to {deposited:.2} EUR");
        let way = |name: &str, consequence: &str| WayOut::new(name, &about, consequence);
        let mut ways = Vec::new();
        if self.withdrawal.is_none() {
            let path = "/api/budget/withdrawals";
            let part = self.traded(&format!(
                "what the cash does not cover is sold in proportion, and these USDC are set aside for you to take out of the \
                 exchange; {}",
                self.left_to_follow()
            ));
            let after =
                if self.agent.dead { "" } else { "; nothing is then followed until money comes back" };
            let all = self.traded(&format!(
                "everything is sold and set aside for you to take out of the exchange{after}"
            ));
            let needs: &'static [_] = &["amount_eur"];
            ways.push(WayOut { needs, ..way("withdraw", &part).post(path).yes("understood") });
            ways.push(way("withdraw-all", &all).post(path).yes("all").yes("understood"));
        }
        if !self.agent.is_live() && !self.agent.dead {
            let told = "it is cash of the simulation, invested once the leader shows a target";
            ways.push(WayOut { needs: &["amount_eur"], ..way("deposit", told).post("/api/budget/deposit") });
        }
        let told = "the total of all deposits becomes this, and the cash changes by the difference, at the rate of now; with less than \
                    5 EUR left, nothing can be followed";
        let correct = way("correct", told).put("/api/budget/deposit").yes("understood");
        ways.push(WayOut { needs: &["total_eur"], ..correct });
        ways
    }

    /// Ce qu'il advient de ce qu'un retrait laisse.
    fn left_to_follow(&self) -> String {
        let (once, then) = match (self.agent.dead, self.agent.paused) {
            (true, _) => return "it is dead: what is left follows nothing".to_owned(),
            (false, true) => ("once you resume it, ", ""),
            (false, false) => ("", "then "),
        };
        format!(
            "{once}what is left is {then}brought to the leader's allocation again, which may sell some coins though there is cash \
             enough; with less than 5 EUR left, nothing can be followed"
        )
    }

    /// Cette conséquence, avec ce qui l'empêche pour l'instant.
    fn traded(&self, consequence: &str) -> String {
        let closed = self.closed.as_ref();
        let waits = closed.map(|reason| format!("; nothing can be bought or sold now: {reason}"));
        format!("{consequence}{}", waits.unwrap_or_default())
    }

    /// Ce qu'il fait quand rien ne l'arrête.
    fn unpaused(&self, now: Moment) -> String {
        if let Some(reason) = &self.closed {
            return format!("nothing is traded now: {reason}");
        }
        if self.withdrawal.as_ref().is_some_and(takes_all) {
            return "everything is being sold to be taken out, and nothing is followed".to_owned();
        }
        if self.value.is_some_and(|value| value < survival::MINIMUM) {
            return "less than 5 EUR are left: nothing can be followed until money comes back".to_owned();
        }
        match &self.old_target {
            Some(old) if old.declined => "it waits for the leader's next allocation".to_owned(),
            Some(old) => format!("it waits for you to decide on an allocation that is {} old", age(old, now)),
            None => format!("it follows the leader{}", waiting_orders::held_back(&self.orders, now)),
        }
    }

    fn followed(&self, now: Moment) -> Option<WayOut> {
        let Agent { dead, paused, paused_reason, .. } = &self.agent;
        let (name, about, consequence) = match (*paused, self.selling) {
            (true, true) => (
                "resume",
                "everything is being sold, then it stays paused".to_owned(),
                "what is left of that sale is called off, and it follows the leader again from its next poll",
            ),
            (true, false) => (
                "resume",
                paused_reason
                    .as_ref()
                    .map_or("it is paused".to_owned(), |reason| format!("it is paused: {reason}")),
                "it follows the leader again from its next poll",
            ),
            (false, _) => (
                "pause",
                self.unpaused(now),
                "nothing is bought until you resume it, and nothing sold but what a withdrawal still needs; positions stay",
            ),
        };
        let anew = match self.stop_loss.limit {
            Some(limit) if *paused => {
                format!("; the stop loss of {limit} counts from a new highest, from then on")
            }
            _ => String::new(),
        };
        let consequence = if *paused { self.traded(consequence) } else { consequence.to_owned() } + &anew;
        let way = WayOut::new(name, about, consequence)
            .post("/api/agent/toggle")
            .say("paused", Value::Bool(!paused));
        (!dead).then_some(way)
    }

    fn sold(&self) -> Option<WayOut> {
        let about = if self.agent.dead { "it is dead, and holds positions" } else { "it holds positions" };
        let way = WayOut::new("sell-all", about, self.traded(SELL_ALL_TELLS))
            .post("/api/agent/sell-all")
            .yes("understood");
        (self.holds && !self.selling).then_some(way)
    }

    /// La perte que l'on se fixe : la mettre, la changer, l'ôter.
    fn limited(&self) -> Vec<WayOut> {
        if self.agent.dead {
            return Vec::new();
        }
        let about = match (self.stop_loss.limit, self.stop_loss.fall) {
            (None, _) => "there is no stop loss".to_owned(),
            (Some(limit), None) => format!("the stop loss is {limit}"),
            (Some(limit), Some(fall)) => {
                format!("the stop loss is {limit}, and the value is {} % below its highest", fall.percent())
            }
        };
        let way = |name: &str, consequence: &str| {
            WayOut::new(name, &about, consequence).put("/api/agent/stop-loss")
        };
        let needs: &'static [_] = &["pct"];
        let mut ways = vec![WayOut { needs, ..way("stop-loss", stop_loss::TELLS).yes("understood") }];
        if self.stop_loss.limit.is_some() {
            let told = "nothing is sold by itself any more, however far the value falls";
            ways.push(way("stop-loss-off", told).say("pct", Value::Number(Number::U64(0))));
        }
        ways
    }
}

/// Vrai tant que ce retrait vend tout : rien d'autre n'est suivi.
fn takes_all(withdrawal: &Withdrawal) -> bool {
    withdrawal.wanted.is_none() && withdrawal.set_aside.is_zero()
}

fn age(old: &OldTarget, now: Moment) -> String {
    recourse::told(now.since(old.said_at))
}

/// Que faire d'une allocation que le premier démarrage a trouvée vieille.
fn aged(old: &OldTarget, now: Moment) -> Vec<WayOut> {
    let about = format!("the leader's allocation is {} old", age(old, now));
    let way = |name: &str, follow: bool, consequence: &str| {
        WayOut::new(name, &about, consequence)
            .post("/api/agent/old-target")
            .say("follow", Value::Bool(follow))
    };
    let take = way("take-over", true, "it is followed from the next poll, at the prices of now");
    let leave = way("wait-for-next", false, "nothing is bought until the leader says a new one");
    if old.declined { vec![take] } else { vec![take, leave] }
}

/// Les issues, celles qui rendent le suivi d'abord.
pub async fn ways(request: Request) -> tide::Result {
    let state = request.state();
    let now = clock::now();
    let uncompared = state.ledger.uncompared().is_some();
    let read = move |db: &mut Db| match db.overwritten() {
        Some(reason) => Ok(Err(format!("nothing can be decided now: {reason}"))),
        None => Seen::read(db, uncompared, now).map(Ok),
    };
    let seen = state.ledger.with(read).await.map_err(ApiError::from)?.map_err(ApiError::unavailable)?;
    let closed = state.ledger.trouble().or(seen.closed);
    let seen = Seen { closed, ..seen };
    Ok(json(StatusCode::Ok, &seen.ways(state.policy.action_age, now)))
}
