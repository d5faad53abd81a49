//! Le dehors sans clé : le leader et son secret, l'heure de la machine, la bourse, les minima face au capital.
//!
//! Ne demande que ce que le démon demande à chaque tour, et l'heure. Invariant : ce qui dépend d'une réponse
//! qui n'est pas venue n'est pas essayé, et le dit ; la panne n'est un défaut qu'une fois.

use std::fmt::Write;

use super::Findings;
use super::machine::Capital;
use crate::clock;
use crate::domain::belief;
use crate::domain::check::{CLOCK_WRONG, Check, SET_THE_CLOCK};
use crate::domain::market::{self, Coin, Market, PerCoin, Readings, Unknown};
use crate::domain::money::{Rate, Weight};
use crate::domain::order::Order;
use crate::domain::portfolio::Holdings;
use crate::domain::reach::{self, Shortfall};
use crate::domain::signal::Target;
use crate::exchange::{Exchange, Trouble};
use crate::leader::{Leader, LeaderError, Reply};

/// Écart d'horloge qui mérite d'être dit, en millisecondes.
const LEAD_REMARKED: u64 = 1_000;

/// Le leader répond, accepte notre secret, et son signal a un sens.
pub(super) async fn leader(leader: &Leader) -> (Check, Option<Target>) {
    match leader.poll(clock::now()).await {
        Ok(Reply::NoSignal) => (Check::fine("leader", "accepts the secret, has no signal yet"), None),
        Ok(Reply::Signal(received)) => match received.verdict {
            Ok(signal) => {
                let found = format!("accepts the secret, signal {} is valid", signal.id);
                (Check::fine("leader", found), signal.target)
            }
            Err(reason) => {
                let found = format!("accepts the secret, but signal {} is refused: {reason}", received.id);
                (Check::fault("leader", found, "tell the person who runs the leader"), None)
            }
        },
        Err(error) => {
            let remedy = match &error {
                LeaderError::Unreachable(_) => {
                    "check LEADER_URL and the network of this machine; if both are right, ask the person who runs the \
                     leader whether it is up"
                }
                LeaderError::Refused(_) => {
                    "copy LEADER_URL and SIGNAL_SECRET again as the leader gave them, and look at the line clock"
                }
                LeaderError::InvalidSignal(_) => {
                    "check that LEADER_URL is the leader's address and no other page's; if it is, tell the person who \
                     runs the leader"
                }
            };
            (Check::fault("leader", error.to_string(), remedy), None)
        }
    }
}

/// L'horloge de la machine à côté de celle de la bourse, que `exchange` garde pour la suite.
pub(super) async fn clock(exchange: &Exchange) -> Check {
    match exchange.synchronise().await {
        Ok(server) => compared(server.lead_of(clock::now()), server.margin.as_millis()),
        Err(trouble) => not_compared(&trouble),
    }
}

/// Sans l'heure de la bourse, un certificat refusé dit quand même que celle de la machine est fausse.
fn not_compared(trouble: &Trouble) -> Check {
    match trouble {
        Trouble::Certificate(reason) => Check::fault("clock", reason, SET_THE_CLOCK),
        trouble => {
            let line = Check::not_tested("clock", format!("nothing to compare it with: {trouble}"));
            Check { unanswered: trouble.is_no_answer(), ..line }
        }
    }
}

fn compared(lead: i64, margin: u128) -> Check {
    let way = if lead < 0 { "behind" } else { "ahead of" };
    let distance = lead.unsigned_abs();
    let found =
        format!("{}.{:03} s {way} the exchange, give or take {margin} ms", distance / 1000, distance % 1000);
    if distance > CLOCK_WRONG {
        Check::fault("clock", found, SET_THE_CLOCK)
    } else if distance > LEAD_REMARKED {
        Check::remark("clock", found, SET_THE_CLOCK)
    } else {
        Check::fine("clock", found)
    }
}

/// Ce que la bourse a dit du marché.
pub(super) struct Outside {
    readings: Readings,
    /// Le cours de l'euro, quoi qu'il manque d'autre.
    pub rate: Option<Rate>,
}

impl Outside {
    /// Le marché de ces coins, ou ce qui en manque, en peu de mots.
    fn market(&self, needed: PerCoin<bool>) -> Result<Market, String> {
        self.readings.complete(needed, clock::now()).map_err(|unknown| {
            let missing: Vec<&str> = unknown.iter().map(|unknown| unknown.what.as_str()).collect();
            missing.join(", ")
        })
    }
}

/// Les cours, les règles et l'état de chaque paire.
pub(super) async fn exchange(exchange: &Exchange) -> (Vec<Check>, Outside) {
    let readings = exchange.refresh(Readings::default(), belief::SECOND_READING).await;
    let (now, pairs) = (clock::now(), trading(&readings));
    let none_is_read = readings.pairs(now).is_empty();
    let line = match readings.complete(PerCoin::from_fn(|_| true), now) {
        Ok(_) => reached(exchange),
        Err(unknown) if none_is_read || exchange.silence().is_some() => {
            unreached(exchange, &unknown, readings.doubted().any(|doubted| doubted))
        }
        Err(unknown) => in_part(&unknown),
    };
    let rate = readings.rate(now);
    (vec![line, pairs], Outside { readings, rate })
}

/// Une partie manque : le moteur sait, pour chaque coin, ce que cela empêche.
fn in_part(unknown: &[Unknown]) -> Check {
    let advice = "the rest is known, and traded: a coin without price or rules that is neither held nor aimed at is not \
                  needed, one that is held stops purchases and the total until they are back; without the EUR rate \
                  nothing is bought";
    Check::remark("exchange", market::told(unknown), advice).unanswered()
}

/// Un silence explique tout le reste, et n'est pas une panne du réseau.
fn unreached(exchange: &Exchange, unknown: &[Unknown], doubted: bool) -> Check {
    if let Some(silence) = exchange.silence() {
        let trouble = Trouble::Silence(silence.to_string());
        return Check::fault("exchange", trouble.to_string(), exchange.remedy(&trouble));
    }
    let remedy = "check the network of this machine, then try again in some minutes; if BINANCE_URL is set, check it; \
                  nothing is traded while one of them is missing";
    let line = Check::fault("exchange", market::told(unknown), remedy);
    // Un prix qui n'est pas cru est une réponse.
    Check { unanswered: !doubted, ..line }
}

fn reached(exchange: &Exchange) -> Check {
    weighed(exchange.used_weight(), exchange.weight_limit(), exchange.weight_watched())
}

/// `weight` de `limit` par minute ; au-delà de `watched`, quelqu'un d'autre demande beaucoup.
fn weighed(weight: Option<u64>, limit: u64, watched: u64) -> Check {
    let mut found = format!("prices, rules of {} pairs and the EUR rate are there", Coin::ALL.len());
    let Some(weight) = weight else { return Check::fine("exchange", found) };
    write!(found, " (weight {weight} of {limit} a minute)").expect("a String takes every write");
    if weight > watched {
        let advice = "another program behind the same Internet address asks the exchange a lot: at the limit the \
                      exchange shuts everyone behind it out";
        Check::remark("exchange", found, advice)
    } else {
        Check::fine("exchange", found)
    }
}

/// Les règles disent quelles paires se négocient, que leurs prix soient connus ou non.
fn trading(readings: &Readings) -> Check {
    if readings.rules.iter().any(|(_, rules)| rules.is_none()) {
        return Check::not_tested("pairs", "the exchange's rules are not all known");
    }
    let halted = readings.rules.iter().filter_map(|(coin, rules)| {
        let status = rules.as_ref()?.value.halted.as_ref()?;
        Some(format!("{coin} is not traded now ({status})"))
    });
    let halted: Vec<String> = halted.collect();
    if halted.is_empty() {
        return Check::fine("pairs", "the exchange trades all of them");
    }
    let remedy = "wait: the exchange has stopped these pairs, they are left alone meanwhile; if it lasts for days, look \
                  for the news on Binance";
    Check::fault("pairs", halted.join("; "), remedy)
}

/// Ce que le meilleur des plans laisserait en cash de l'allocation du leader, faute de capital.
pub(super) fn minima(findings: &Findings, threshold: Weight) -> Check {
    let Some(target) = &findings.target else {
        return Check::not_tested("minima", "the leader's allocation is not known");
    };
    let held = match &findings.capital {
        Capital::Counted(holdings) => holdings.held(),
        _ => PerCoin::default(),
    };
    let needed = PerCoin::from_fn(|coin: Coin| held[coin] || !target.weight(coin).is_zero());
    let market = match findings.outside.market(needed) {
        Ok(market) => market,
        Err(missing) => return Check::not_tested("minima", format!("not known now: {missing}")),
    };
    let holdings = match &findings.capital {
        Capital::Counted(holdings) => *holdings,
        Capital::ToBegin(budget) => Holdings { cash: budget.to_usdc(market.rate), ..Holdings::default() },
        Capital::Unknown(reason) => return Check::not_tested("minima", *reason),
    };
    match reach::shortfall(target, &holdings, &market, threshold) {
        Some(shortfall) => compare(&shortfall, target, &market),
        None => Check::not_tested("minima", "the prices are not all known"),
    }
}

fn compare(shortfall: &Shortfall, target: &Target, market: &Market) -> Check {
    let capital = shortfall.capital;
    if shortfall.unfollowed.is_empty() {
        let found = format!("{capital:.2} USDC is enough to follow each of the leader's weights");
        return Check::fine("minima", found);
    }
    let each = shortfall.unfollowed.iter().map(|&coin| {
        let (weight, least) = (target.weight(coin), market.pairs.get(coin).map(Order::minimum_purchase));
        let (amount, minimum) = (capital.part(weight).floor(2), least.unwrap_or_default());
        format!("{coin}: {:.2} % is {amount:.2} USDC, the least is {minimum:.2}", weight.percent())
    });
    let found = format!("of {capital:.2} USDC, {}", each.collect::<Vec<String>>().join("; "));
    let enough = match shortfall.enough {
        Some(enough) => format!("; a capital of {enough} EUR would hold each of them"),
        None => ", whatever the capital".to_owned(),
    };
    if shortfall.nothing {
        Check::fault("minima", found, format!("nothing could be bought, everything stays in cash{enough}"))
    } else {
        let advice = "at these prices the nearest that can be held leaves them out, and puts their share into the others or leaves \
                      it in cash";
        Check::remark("minima", found, format!("{advice}{enough}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;

    #[test]
    fn a_clock_is_right_worth_a_remark_or_wrong() {
        let cases = [
            (0, Verdict::Fine, false, "0.000 s ahead"),
            (-1_000, Verdict::Fine, false, "1.000 s behind"),
            (1_001, Verdict::Fine, true, "1.001 s ahead"),
            (-60_000, Verdict::Fine, true, "60.000 s behind"),
            (60_001, Verdict::Fault, true, "60.001 s ahead"),
            (i64::MIN, Verdict::Fault, true, "behind"),
        ];
        for (lead, verdict, advised, text) in cases {
            let line = compared(lead, 3);
            assert_eq!((line.verdict, line.advice.is_some()), (verdict, advised), "{lead}");
            assert!(line.found.contains(text), "{}", line.found);
        }
    }

    /// Un Raspberry Pi démarre à sa dernière heure connue : c'est TLS qui échoue d'abord.
    #[test]
    fn a_certificate_refused_is_a_clock_that_is_wrong() {
        let line = not_compared(&Trouble::Certificate("not valid yet".to_owned()));
        assert_eq!((line.verdict, line.found.as_str()), (Verdict::Fault, "not valid yet"));
        assert!(line.advice.is_some_and(|advice| advice.contains("timedatectl")));
        let line = not_compared(&Trouble::Failed("no route".to_owned()));
        assert_eq!(line.verdict, Verdict::NotTested);
    }

    #[test]
    fn a_busy_address_is_remarked() {
        let advised = |weight| weighed(weight, 6_000, 1_200).advice.is_some();
        assert_eq!([None, Some(1_200), Some(1_201)].map(advised), [false, false, true]);
    }
}
